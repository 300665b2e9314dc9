// Copies the address, and tells link.js what the server puts into it.

const address = find("address");

function receive() {
  if (!props.value) return;
  tell("habn-open");
  tell("habn-link", props.value.entries);
  address.hidden = true;
  find("note").textContent = "";
}

// A link to the visitor's own photo opens everything but the photo, and that must be known before it is sent.
function confirm(complete, withoutPhoto) {
  find("note").textContent = say(props.value?.complete === false ? withoutPhoto : complete);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(location.href);
    address.hidden = true;
    confirm("copied", "copied_without_photo");
  } catch {
    Object.assign(address, { hidden: false, value: location.href });
    address.select();
    confirm("copy_by_hand", "copy_without_photo_by_hand");
  }
}

fillWords();
find("copy").addEventListener("click", copy);
receive();
watch("value", receive);

// Gradio runs this each time the component is mounted, with `element`, `props` and `watch` in scope; TEXTS stands
// before it.

const find = (role) => element.querySelector(`[data-role="${role}"]`);
const texts = TEXTS[navigator.language.split("-")[0]] ?? TEXTS.en;
const [button, address] = [find("copy"), find("address")];

function receive() {
  if (!props.value) return;
  element.dispatchEvent(new CustomEvent("habn-open", { bubbles: true }));
  element.dispatchEvent(new CustomEvent("habn-link", { bubbles: true, detail: props.value.entries }));
  address.hidden = true;
  say("", "");
}

// A link to the visitor's own photo opens everything but the photo, and that must be known before it is sent.
function say(complete, withoutPhoto) {
  find("note").textContent = props.value?.complete === false ? withoutPhoto : complete;
}

async function copy() {
  try {
    await navigator.clipboard.writeText(location.href);
    address.hidden = true;
    say(texts.copied, texts.copied_without_photo);
  } catch {
    Object.assign(address, { hidden: false, value: location.href });
    address.select();
    say(texts.copy_by_hand, texts.copy_without_photo_by_hand);
  }
}

button.textContent = texts.copy;
address.setAttribute("aria-label", texts.address);
button.addEventListener("click", copy);
receive();
watch("value", receive);

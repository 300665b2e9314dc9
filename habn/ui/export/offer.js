// Saves a file.

const anchor = element.querySelector("a");

function show() {
  if (!props.value) return false;
  const { file, name, text } = props.value;
  Object.assign(anchor, { href: file.url, download: name, textContent: text, hidden: false });
  return true;
}

// Saved by itself when it arrives, and not when the accordion is opened again.
show();
watch("value", () => {
  if (!show()) return;
  anchor.scrollIntoView({ block: "center" });
  anchor.click();
});

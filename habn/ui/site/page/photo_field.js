// The visitor's photo: chosen, dropped or pasted. Its value is {url, file}: `file` is null for an example.

import { translated } from "./words.js";

export function photoField(component) {
  const { label, placeholder, alt_text: alt, height } = component.props;
  const element = document.createElement("label");
  element.className = "photo-field";
  element.innerHTML = `<span class="label"></span><input type="file" accept="image/*" class="unseen">
    <img hidden><span class="placeholder"></span>`;
  const [title, input, image, hint] = element.children;
  title.textContent = translated(label);
  hint.textContent = translated(placeholder);
  image.alt = translated(alt);
  element.style.setProperty("--height", `${height}px`);

  function choose(file) {
    if (!file) return;
    component.set({ value: { url: URL.createObjectURL(file), file } });
    component.on("input");
  }

  input.addEventListener("change", () => {
    choose(input.files[0]);
    input.value = "";
  });
  for (const type of ["dragover", "drop"]) element.addEventListener(type, (event) => event.preventDefault());
  element.addEventListener("drop", (event) => choose(event.dataTransfer.files[0]));
  document.addEventListener("paste", (event) => choose([...event.clipboardData.files][0]));
  component.take = (update) => {
    if (!("value" in update)) return;
    image.hidden = !update.value;
    if (update.value) image.src = update.value.url;
  };
  return element;
}

// A sentence in a corner of the page, for a while.

const SHOWN_MS = 8000;

export function note(sentence) {
  const line = document.createElement("p");
  line.textContent = sentence;
  document.getElementById("notes").append(line);
  setTimeout(() => line.remove(), SHOWN_MS);
}

// Words and nodes of a part of the page. Gradio runs this and the part's own scripts as one, each time the component is
// mounted, with `element`, `props`, `trigger` and `watch` in scope; TABLE, {language: {name: text}}, stands before it.

const WORDS = TABLE[navigator.language.split("-")[0].toLowerCase()] ?? TABLE.en;
const find = (role, inside = element) => inside.querySelector(`[data-role="${role}"]`);
const findAll = (role, inside = element) => [...inside.querySelectorAll(`[data-role="${role}"]`)];
const part = (name) => element.querySelector(`template[data-part="${name}"]`).content.firstElementChild.cloneNode(true);
const panel = element.closest('[role="tabpanel"]'); // where the parts of a tab speak to each other, by events

function say(key, values = {}) {
  return WORDS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Texts that the template names by data-word.
function fillWords(inside = element) {
  for (const node of inside.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
}

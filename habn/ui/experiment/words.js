// Words and nodes. Gradio runs this, what else a part is made of and the part's own script as one, each time the
// component is mounted, with `element`, `props`, `trigger` and `watch` in scope.

const WORDS = TABLE[navigator.language.split("-")[0].toLowerCase()] ?? TABLE.en;
const find = (role, inside = element) => inside.querySelector(`[data-role="${role}"]`);
const panel = element.closest('[role="tabpanel"]'); // holds a part's controls and what came of them
const findAll = (role, inside = element) => [...inside.querySelectorAll(`[data-role="${role}"]`)];
const part = (name) => element.querySelector(`template[data-part="${name}"]`).content.firstElementChild.cloneNode(true);

function say(key, values = {}) {
  return WORDS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Texts that the template names by data-word.
function fillWords(inside = element) {
  for (const node of inside.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
}

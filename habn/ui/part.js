/* exported LANGUAGE, find, findAll, mark, panel, part, fillWords, say, tell */
/* global LANGUAGES, TABLE */
// Words and nodes of a part of the page. Part (part.py) puts this and numbers.js before the part's own scripts; Gradio
// runs them all as one, each time the component is mounted, with `element`, `props`, `trigger` and `watch` in scope.

// The one rule for the visitor's language, as `words.language_of` has it: what the browser asks for first, if the page
// speaks it, and else the first of LANGUAGES.
const asked = navigator.language.split("-")[0].toLowerCase();
const LANGUAGE = LANGUAGES.includes(asked) ? asked : LANGUAGES[0];

const find = (role, inside = element) => inside.querySelector(`[data-role="${role}"]`);
const findAll = (role, inside = element) => [...inside.querySelectorAll(`[data-role="${role}"]`)];
const part = (name) => element.querySelector(`template[data-part="${name}"]`).content.firstElementChild.cloneNode(true);
const mark = (node, data) => (Object.assign(node.dataset, data), node);
const panel = element.closest('[role="tabpanel"]'); // where the parts of a tab speak to each other, by events
const tell = (name, detail) => element.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));

const say = (key, values = {}) => TABLE[LANGUAGE][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

// Texts that the template names: by data-word what a node says, by data-word-label what screen readers say of it.
function fillWords(inside = element) {
  for (const template of inside.querySelectorAll("template")) fillWords(template.content);
  for (const node of inside.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
  for (const node of inside.querySelectorAll("[data-word-label]")) node.setAttribute("aria-label", say(node.dataset.wordLabel));
}

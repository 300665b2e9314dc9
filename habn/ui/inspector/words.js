// The inspector's texts in the visitor's language. WORDS, {language: {name: text}}, stands before the scripts.

const language = Object.keys(WORDS).find((name) => navigator.language.startsWith(name)) ?? Object.keys(WORDS)[0];
const say = (name, values = {}) => WORDS[language][name].replace(/\{(\w+)\}/g, (_, field) => values[field]);

// data-word names the text of a node, data-word-label that which screen readers say, data-help what a "?" explains.
function fillWords(inside) {
  for (const template of inside.querySelectorAll("template")) fillWords(template.content);
  for (const node of inside.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
  for (const node of inside.querySelectorAll("[data-word-label]")) node.setAttribute("aria-label", say(node.dataset.wordLabel));
  for (const place of inside.querySelectorAll("[data-help]")) explain(place, place.dataset.help);
}

// Puts a "?" into a place: a button that opens one sentence on a term, with a pointer, a finger or the keyboard.
function explain(place, term) {
  const help = part("help");
  const [button, sentence] = help.children;
  button.setAttribute("aria-label", say("what_is", { term: say(`term_${term}`) }));
  sentence.textContent = say(`help_${term}`);
  place.append(help);
}

function listenToHelp() {
  for (const help of findAll("help")) {
    const [button, sentence] = help.children;
    button.popoverTargetElement = sentence;
    sentence.addEventListener("beforetoggle", () => placeBeside(button, sentence));
  }
}

// Below its button, or above it in the lower half of the window, and inside the window from left to right.
function placeBeside(button, sentence) {
  const { left, top, bottom } = button.getBoundingClientRect();
  const isLow = top > innerHeight / 2;
  Object.assign(sentence.style, {
    left: `max(8px, min(${left - 24}px, 100vw - 296px))`,
    top: isLow ? "auto" : `${bottom + 6}px`,
    bottom: isLow ? `${innerHeight - top + 6}px` : "auto",
  });
}

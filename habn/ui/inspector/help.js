/* exported explain, fillHelp, listenToHelp */
// A "?" beside a term, which opens one sentence about it: with a pointer, a finger or the keyboard.

// What the template names by data-help.
function fillHelp(inside = element) {
  for (const template of inside.querySelectorAll("template")) fillHelp(template.content);
  for (const place of inside.querySelectorAll("[data-help]")) explain(place, place.dataset.help);
}

// Puts a "?" into a place.
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

/* global EXAMPLES */
// A button for each example.

find("examples").append(...Object.entries(EXAMPLES).map(([example, src]) => {
  const button = mark(part("example"), { example });
  Object.assign(button.firstElementChild, { src, alt: say(`example_${example}`) });
  return button;
}));
find("examples").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) trigger("select", { example: button.dataset.example });
});
fillWords();

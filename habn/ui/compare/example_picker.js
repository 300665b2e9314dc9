/* global DRAWN, PHOTOGRAPHS, SOURCES */
// A button for each example.

function build(role, pictures) {
  find(role).append(...Object.entries(pictures).map(([example, src]) => {
    const button = mark(part("example"), { example });
    const name = say(`example_${example}`);
    const alt = SOURCES[example] ? say("of_package", { name, source: SOURCES[example] }) : name;
    button.title = alt;
    Object.assign(button.firstElementChild, { src, alt });
    return button;
  }));
}

build("drawn", DRAWN);
build("photographs", PHOTOGRAPHS);
find("photographs-title").hidden = Object.keys(PHOTOGRAPHS).length === 0;
find("picker").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) trigger("select", { example: button.dataset.example });
});
fillWords();

/* global DEFAULTS, PAINTERS, SWATCHES */
// Controls of a painting. Its value goes to the server whenever the visitor lets go of something.

let painting; // as in habn.comparison.painting

function buildSwatches() {
  find("styles").append(...Object.entries(SWATCHES).map(([style, picture]) => {
    const swatch = part("swatch");
    const [input, image, name] = swatch.children;
    const [title, painter] = [say(`style_${style}`), PAINTERS[style]];
    input.value = style;
    swatch.title = `${title}, ${painter}`;
    name.firstElementChild.textContent = title;
    name.lastElementChild.textContent = painter;
    if (!picture) image.remove();
    else {
      Object.assign(image, { src: picture, alt: say("swatch_alt", { title, painter }) });
      name.setAttribute("aria-hidden", true); // the picture's text says it
    }
    return swatch;
  }));
}

function buildSecondStyles() {
  const styles = Object.keys(SWATCHES).map((style) => new Option(say(`style_${style}`), style));
  find("second-style").setAttribute("aria-label", say("second_style"));
  find("second-style").append(new Option(say("no_second_style"), ""), ...styles);
}

function draw() {
  for (const input of find("styles").querySelectorAll("input")) input.checked = input.value === painting.style;
  find("second-style").value = painting.second_style ?? "";
  find("keep-colours").checked = painting.keep_colours;
  find("strength").value = 100 * painting.strength;
  find("second-share").value = 100 * painting.second_share;
  find("second-share").disabled = !painting.second_style;
  drawFigures();
}

function drawFigures() {
  find("strength-figure").textContent = percent(find("strength").valueAsNumber / 100);
  find("second-share-figure").textContent = painting.second_style ? percent(find("second-share").valueAsNumber / 100) : "";
}

// The visitor let go of something.
function commit(change) {
  painting = { ...painting, ...change };
  draw();
  props.value = painting;
  trigger("input");
}

function receive() {
  painting = { ...DEFAULTS, ...props.value };
  draw();
}

function listen() {
  find("styles").addEventListener("change", (event) => commit({ style: event.target.value }));
  find("second-style").addEventListener("change", (event) => commit({ second_style: event.target.value || null }));
  find("keep-colours").addEventListener("change", (event) => commit({ keep_colours: event.target.checked }));
  for (const [role, key] of [["strength", "strength"], ["second-share", "second_share"]]) {
    find(role).addEventListener("input", drawFigures);
    find(role).addEventListener("change", (event) => commit({ [key]: event.target.valueAsNumber / 100 }));
  }
}

fillWords();
buildSwatches();
buildSecondStyles();
listen();
receive();
watch("value", receive);

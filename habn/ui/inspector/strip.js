/* exported buildStrip, drawPickedLayer, onStripClick, onStripKey, sortStrip */
/* global PARAMETERS, SEQUENTIAL, look, paint, root, state, want */
// The strip: every normalization layer with its context map, how far it adapts, and its gates.

function buildStrip() {
  const { layers } = state.strip;
  const strongest = Math.max(...layers.map(({ total }) => total), 1e-12);
  find("strip").replaceChildren(...layers.map((layer, index) => {
    const option = mark(part("layer"), { index });
    const list = (values) => PARAMETERS.map((name, k) => `${say(`term_${name}`)} ${figure(values[k])}`).join(", ");
    const context = say(layer.dead ? "s_is_flat" : "s_varies");
    const texts = { name: layer.name, context, strength: list(layer.strength), gates: list(layer.gates) };
    option.setAttribute("aria-label", say("layer_summary", texts));
    find("badge", option).textContent = layer.dead ? say("flat") : "";
    const words = layer.name.split(/(?<=[.])/);
    find("name", option).append(...words.flatMap((word) => [word, document.createElement("wbr")]));
    find("strength", option).firstElementChild.style.width = `${(100 * layer.total) / strongest}%`;
    [...find("gates", option).children].forEach((gate, k) => gate.style.setProperty("--gate", layer.gates[k]));
    const { height, width, map } = layer.thumbnail;
    paint(option.querySelector("canvas"), map, [height, width], [0, 254], SEQUENTIAL);
    return option;
  }));
  sortStrip();
}

function sortStrip() {
  const { layers } = state.strip;
  const place = { depth: (a, b) => a - b, strength: (a, b) => layers[b].total - layers[a].total }[look.order];
  find("strip").append(...findAll("layer").sort((a, b) => place(a.dataset.index, b.dataset.index)));
}

function drawPickedLayer() {
  const strip = find("strip");
  for (const option of strip.children) {
    const isPicked = Number(option.dataset.index) === state.wanted.layer;
    option.setAttribute("aria-selected", isPicked);
    option.tabIndex = isPicked ? 0 : -1;
    if (isPicked) strip.scrollLeft = option.offsetLeft - (strip.clientWidth - option.clientWidth) / 2;
  }
  const { name, kinds, shape: [channels, height, width] } = state.strip.layers[state.wanted.layer];
  find("layer-name").textContent = name;
  find("layer-shape").textContent = say("layer_shape", { kinds: kinds.join(" | "), channels, height, width });
}

// Channel numbers mean nothing across layers: a new layer starts with its most adapted channel.
function pickLayer(layer) {
  const isNew = layer !== state.wanted.layer || root.dataset.state === "failed";
  if (isNew) want(layer, state.strip.layers[layer].adapted[0]);
}

function onStripClick(event) {
  const option = event.target.closest('[data-role="layer"]');
  if (option) pickLayer(Number(option.dataset.index));
}

function onStripKey(event) {
  const options = findAll("layer");
  const place = options.findIndex((option) => Number(option.dataset.index) === state.wanted.layer);
  const last = options.length - 1;
  const [back, on] = [place - 1, place + 1];
  const target = { ArrowLeft: back, ArrowUp: back, ArrowRight: on, ArrowDown: on, Home: 0, End: last }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  const option = options[clamp(target, 0, last)];
  pickLayer(Number(option.dataset.index));
  option.focus();
}

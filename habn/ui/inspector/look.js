// How the visitor looks at what is shown. A value may set it through its key `look`; whatever the visitor changes is told
// to the page by the event "habn-look".

const look = {
  range: "map", order: "depth", channels: "index", zoom: 1, overlay: 100, rows: null, columns: null, parts: null,
};
const PARTS = ["strip", "toolbar", "maps", "equations", "attribution", "profile", "classes"];
const isOneOf = (...names) => (value) => names.includes(value);
const isListOf = (names) => (value) =>
  value === null || (Array.isArray(value) && value.every((name) => names.includes(name)));
const LOOKS = {
  range: isOneOf("map", "layer", "network"),
  order: isOneOf("depth", "strength"),
  channels: isOneOf("index", "adapted"),
  zoom: isOneOf(1, 2, 4),
  overlay: (value) => Number.isFinite(value) && value >= 0 && value <= 100,
  rows: isListOf(ROWS),
  columns: isListOf(QUANTITIES.map(({ key }) => key)),
  parts: isListOf(PARTS),
};

// Takes what is valid of a wish; rows, columns and parts that it does not name are all shown again.
function takeLook(wish) {
  Object.assign(look, { rows: null, columns: null, parts: null });
  for (const [key, value] of Object.entries(wish)) {
    if (LOOKS[key]?.(value)) look[key] = value;
  }
  if ("pixel" in wish) lookAtPixel(wish.pixel);
  find("range").value = look.range;
  showChosenParts();
}

function lookAtPixel(pixel) {
  const [height, width] = state.view.shape;
  const isPixel = Array.isArray(pixel) && pixel.length === 2 && pixel.every(Number.isInteger);
  if (!isPixel) return void (cross.pinned = false);
  const [row, column] = [clamp(pixel[0], 0, height - 1), clamp(pixel[1], 0, width - 1)];
  cross = { u: (column + 0.5) / width, v: (row + 0.5) / height, pinned: true };
}

function showChosenParts() {
  const isShown = (list, name) => list === null || list.includes(name);
  for (const node of element.querySelectorAll("[data-look-part]")) {
    node.hidden = !isShown(look.parts, node.dataset.lookPart);
  }
  for (const node of findAll("column").concat(cells, findAll("row-label"))) {
    const { networkRow, quantity } = node.dataset;
    node.hidden = (networkRow && !isShown(look.rows, networkRow)) || (quantity && !isShown(look.columns, quantity));
  }
  root.style.setProperty("--columns", look.columns?.length ?? QUANTITIES.length);
}

function tellLook() {
  const { layer, channel } = state.wanted;
  const { name, shape: [, ...size] } = state.strip.layers[layer];
  const { row, column } = pixelUnderCross(size);
  const { range, order, channels, zoom, overlay } = look;
  const detail = {
    layer: name, channel, pixel: cross.pinned ? [row, column] : null,
    range, order, channels, zoom, overlay,
  };
  root.dispatchEvent(new CustomEvent("habn-look", { bubbles: true, detail }));
}

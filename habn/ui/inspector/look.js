/* exported drawOverlay, isShown, look, takeLook, tellLook */
/* global QUANTITIES, ROWS, cells, drawColumnChoice, pixelUnderCross, root, sortStrip, state, zoomAboutCross */
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
  columns: isListOf(QUANTITIES),
  parts: isListOf(PARTS),
};
const isShown = (list, name) => list === null || list.includes(name);

// Takes what is valid of a wish; rows, columns and parts that it does not name are all shown again.
function takeLook(wish) {
  Object.assign(look, { rows: null, columns: null, parts: null });
  for (const [key, value] of Object.entries(wish)) {
    if (LOOKS[key]?.(value)) look[key] = value;
  }
  if ("pixel" in wish) lookAtPixel(wish.pixel);
  zoomAboutCross();
  for (const key of ["range", "order", "channels", "zoom", "overlay"]) find(key).value = look[key];
  sortStrip();
  drawOverlay();
  showChosenParts();
}

function lookAtPixel(pixel) {
  const [height, width] = state.view.shape;
  const isPixel = Array.isArray(pixel) && pixel.length === 2 && pixel.every(Number.isInteger);
  if (!isPixel) return void (state.cross.pinned = false);
  const [row, column] = [clamp(pixel[0], 0, height - 1), clamp(pixel[1], 0, width - 1)];
  state.cross = { u: (column + 0.5) / width, v: (row + 0.5) / height, pinned: true };
}

function showChosenParts() {
  for (const node of element.querySelectorAll("[data-look-part]")) {
    node.hidden = !isShown(look.parts, node.dataset.lookPart);
  }
  for (const node of [...cells, ...["column", "row-label", "column-choice"].flatMap((role) => findAll(role))]) {
    const { networkRow, quantity } = node.dataset;
    node.hidden = Boolean((networkRow && !isShown(look.rows, networkRow)) || (quantity && !isShown(look.columns, quantity)));
  }
  if (!isShown(look.columns, state.column)) state.column = look.columns[0];
  root.style.setProperty("--columns", look.columns?.length ?? QUANTITIES.length);
  drawColumnChoice();
}

// The photo lies beneath the maps; it is fetched once it can be seen.
function drawOverlay() {
  const { photo } = state;
  find("overlay-field").hidden = !photo;
  const isSeen = photo && look.overlay < 100;
  root.style.setProperty("--photo", isSeen ? `url(${JSON.stringify(photo.url)})` : "none");
  root.style.setProperty("--cover", photo ? look.overlay / 100 : 1);
  find("overlay-value").textContent = `${look.overlay} %`;
}

function tellLook() {
  const { layer, channel } = state.wanted;
  const { name, shape: [, ...size] } = state.strip.layers[layer];
  const { row, column } = pixelUnderCross(size);
  const { range, order, channels, zoom, overlay } = look;
  const pixel = state.cross.pinned ? [row, column] : null;
  const detail = { layer: name, channel, pixel, range, order, channels, zoom, overlay };
  root.dispatchEvent(new CustomEvent("habn-look", { bubbles: true, detail }));
}

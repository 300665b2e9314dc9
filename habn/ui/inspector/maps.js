/* exported SEQUENTIAL, buildMaps, cells, drawColumnChoice, drawMaps, onColumnChoice, paint, rowName */
/* global BLUE_ORANGE, CIVIDIS, QUANTITIES, ROWS, at, centreOf, colourIndex, explain, extentOf, isPositive, isShown,
   look, paletteOf, root, scaleEnds, state, stopsOf, widened */
// The maps: one row for each network, one column for each quantity, all of one channel.

const SEQUENTIAL = paletteOf(CIVIDIS);
const DIVERGING = paletteOf(BLUE_ORANGE);
const SYMBOLS = { s: "s", scale: "γ′", bias: "β′", mean: "μ′", var: "σ²′", x: "x", y: "y" };
const cells = []; // the 28 maps, row by row

function buildMaps() {
  const gradient = (digits) => `linear-gradient(90deg, ${stopsOf(digits).map((colour) => `rgb(${colour})`).join()})`;
  root.style.setProperty("--sequential", gradient(CIVIDIS));
  root.style.setProperty("--diverging", gradient(BLUE_ORANGE));
  const grid = find("grid");
  for (const quantity of QUANTITIES) {
    const column = mark(part("column"), { quantity, palette: isPositive(quantity) ? "sequential" : "diverging" });
    column.querySelector("b").textContent = say(`title_${quantity}`);
    column.querySelector("i").textContent = SYMBOLS[quantity];
    explain(find("column-title", column), quantity);
    grid.append(column);
    const choice = mark(part("column-choice"), { quantity });
    choice.textContent = SYMBOLS[quantity];
    choice.setAttribute("aria-label", `${say(`title_${quantity}`)} ${SYMBOLS[quantity]}`);
    find("column-picker").append(choice);
  }
  for (const networkRow of ROWS) {
    grid.append(mark(part("row-label"), { networkRow }));
    for (const quantity of QUANTITIES) cells.push(mark(part("map"), { networkRow, quantity }));
    grid.append(...cells.slice(-QUANTITIES.length));
  }
}

function paint(canvas, map, [height, width], [low, high], palette) {
  [canvas.width, canvas.height] = typeof map === "number" ? [1, 1] : [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = palette[colourIndex(at(map, i), low, high)];
  context.putImageData(image, 0, 0);
}

function rowName(row) {
  const [first, second] = state.labels;
  return say(`row_${row}`, { first, second });
}

// The scale of a quantity: of this map, this layer or the whole network. The rows of networks share one, so that their
// colours can be compared; differences have their own, about zero. A row that is not looked at takes no part in it.
function scaleOf(q, isDifference) {
  const { summaries, networks } = state.view;
  const ofNetworks = summaries.slice(0, 3);
  const looked = ofNetworks.filter((_, r) => isShown(look.rows, ROWS[r]));
  const rows = isDifference ? summaries.slice(3) : looked.length ? looked : ofNetworks;
  const name = isDifference ? "differenceRanges" : "ranges";
  const extents = {
    map: () => extentOf(rows.map((row) => row[q])),
    layer: () => state.strip.layers[state.shown.layer][name][q],
    network: () => state.strip[name][q],
  };
  const [low, high] = extents[look.range]();
  if (!isDifference) return scaleEnds(...widened([low, high]), centreOf(networks.second, QUANTITIES[q]));
  // A difference that is the same everywhere has no pattern to show, so its colour tells how large it is.
  const [from, to] = low === high ? scaleOf(q, false) : [0, 0];
  return scaleEnds(Math.min(low, from - to), Math.max(high, to - from), 0);
}

function drawMaps() {
  const { maps, summaries, shape } = state.view;
  const shared = QUANTITIES.map((_, q) => scaleOf(q, false));
  findAll("ends").forEach((ends, q) => shared[q].forEach((end, i) => (ends.children[i].textContent = figure(end))));
  cells.forEach((cell, i) => {
    const [r, q] = [Math.floor(i / QUANTITIES.length), i % QUANTITIES.length];
    const isDifference = ROWS[r] === "difference";
    const ends = isDifference ? scaleOf(q, true) : shared[q];
    const palette = isPositive(QUANTITIES[q]) && !isDifference ? SEQUENTIAL : DIVERGING;
    paint(cell.querySelector("canvas"), maps[r][q], shape, ends, palette);
    find("row-name", cell).textContent = rowName(ROWS[r]);
    find("own-scale", cell).textContent = isDifference ? say("own_scale", { end: figure(ends[1]) }) : "";
    describe(cell, summaries[r][q], `${rowName(ROWS[r])}, ${say(`term_${QUANTITIES[q]}`)}`);
  });
}

function describe(cell, { low, high, mean, bad }, name) {
  const isFlat = low === high;
  const extent = isFlat ? say("flat_at", { value: figure(low) }) : `${figure(low)} … ${figure(high)}`;
  const average = isFlat ? "" : `, ${say("mean_of_map", { value: figure(mean) })}`;
  const marked = bad > 0 ? say("not_finite", { count: bad }) : "";
  find("extent", cell).textContent = extent;
  find("badge", cell).textContent = marked || (isFlat ? say("flat") : "");
  cell.querySelector("canvas").setAttribute("aria-label", `${name}: ${extent}${average}${marked && `, ${marked}`}`);
}

function drawColumnChoice() {
  for (const choice of findAll("column-choice")) {
    choice.setAttribute("aria-pressed", choice.dataset.quantity === state.column);
  }
  for (const node of [...cells, ...findAll("column")]) {
    node.classList.toggle("is-chosen", node.dataset.quantity === state.column);
  }
}

// On a phone one column is shown at a time, in all its rows.
function onColumnChoice(event) {
  const choice = event.target.closest('[data-role="column-choice"]');
  if (!choice) return;
  state.column = choice.dataset.quantity;
  drawColumnChoice();
}

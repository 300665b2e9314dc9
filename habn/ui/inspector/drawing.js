// Draws what script.js holds in `state` and `cross`: the maps, and the equation of the pixel under the cross-hair.

function paint(canvas, map, [low, high], palette) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = palette[colourIndex(at(map, i), low, high)];
  context.putImageData(image, 0, 0);
}

function rowName(row) {
  const [first, second] = state.labels;
  return { first, static: `${second} static`, second: `${second} adapted`, difference: `${second} − ${first}` }[row];
}

// The scale that the rows of networks share: of this map, this layer or the whole network.
function sharedScale(q) {
  const { summaries, networks } = state.view;
  const extents = {
    map: extentOf(summaries.slice(0, 3).map((row) => row[q])),
    layer: state.strip.layerRanges[state.shown.layer][q],
    network: state.strip.networkRange[q],
  };
  return scaleEnds(...extents[look.range], centreOf(networks.second, q));
}

function drawMaps() {
  const { maps, summaries, shape: [height, width] } = state.view;
  const shared = QUANTITIES.map((_, q) => sharedScale(q));
  findAll("ends").forEach((ends, q) => shared[q].forEach((end, i) => (ends.children[i].textContent = figure(end))));
  cells.forEach((cell, i) => {
    const [r, q] = [Math.floor(i / QUANTITIES.length), i % QUANTITIES.length];
    const isDifference = ROWS[r] === "difference";
    const ends = isDifference ? scaleEnds(summaries[r][q].low, summaries[r][q].high, 0) : shared[q];
    const canvas = cell.querySelector("canvas");
    [canvas.width, canvas.height] = typeof maps[r][q] === "number" ? [1, 1] : [width, height];
    paint(canvas, maps[r][q], ends, isPositive(q) && !isDifference ? SEQUENTIAL : DIVERGING);
    describe(cell, summaries[r][q], `${rowName(ROWS[r])}, ${QUANTITIES[q].title.toLowerCase()}`);
  });
}

function describe(cell, { low, high, mean, bad }, name) {
  const isFlat = low === high;
  const extent = isFlat ? `flat at ${figure(low)}` : `${figure(low)} … ${figure(high)}`;
  const average = isFlat ? "" : `, mean ${figure(mean)}`;
  const marked = bad > 0 ? `${bad} not finite` : "";
  find("extent", cell).textContent = extent;
  find("badge", cell).textContent = marked || (isFlat ? "flat" : "");
  cell.querySelector("canvas").setAttribute("aria-label", `${name}: ${extent}${average}${marked && `, ${marked}`}`);
}

function drawPicked() {
  const { layer, channel } = state.wanted;
  const { name, kinds, shape: [channels, height, width], channel: mostAdapted } = state.strip.layers[layer];
  const strip = find("strip");
  for (const option of strip.children) {
    const isPicked = Number(option.dataset.index) === layer;
    option.setAttribute("aria-selected", isPicked);
    option.tabIndex = isPicked ? 0 : -1;
    if (isPicked) strip.scrollLeft = option.offsetLeft - (strip.clientWidth - option.clientWidth) / 2;
  }
  find("layer-name").textContent = name;
  find("layer-shape").textContent = `${kinds.join(" | ")} · ${channels} channels of ${height} × ${width} pixels`;
  const picker = { max: channels - 1, value: channel };
  for (const role of ["channel-number", "channel-slider"]) Object.assign(find(role), picker);
  find("most-adapted").disabled = channel === mostAdapted;
}

function draw() {
  // One shape for the maps of all layers: nothing moves when the layer changes.
  const [, height, width] = state.strip.layers[0].shape;
  root.style.setProperty("--aspect", `${width} / ${height}`);
  for (const label of findAll("row-label")) label.textContent = rowName(label.dataset.networkRow);
  drawPicked();
  drawMaps();
  drawCross();
  mark(root, state.shown);
  setStatus("ready");
}

function pixelUnderCross([height, width] = state.view.shape) {
  const row = Math.min(height - 1, Math.floor(cross.v * height));
  const column = Math.min(width - 1, Math.floor(cross.u * width));
  return { row, column, index: row * width + column };
}

function drawCross() {
  const { maps, shape: [height, width] } = state.view;
  const { row, column, index } = pixelUnderCross();
  const group = mark(find("maps"), { pinned: cross.pinned, row, column });
  group.style.setProperty("--left", `${((column + 0.5) / width) * 100}%`);
  group.style.setProperty("--top", `${((row + 0.5) / height) * 100}%`);
  maps.flat().forEach((map, i) => (find("value", cells[i]).textContent = figure(at(map, index))));
  find("pixel").textContent = `Row ${row}, column ${column}`;
  find("pinned").textContent = cross.pinned ? "(pinned)." : "(follows the pointer).";
  findAll("equation").forEach((panel, i) => drawEquation(panel, state.labels[i], index));
}

function drawEquation(panel, label, index) {
  const network = state.view.networks[panel.dataset.network];
  const [s, x] = [at(network.context, index), at(network.x, index)];
  const [scale, bias, mean, variance] = PARAMETERS.map((_, k) => figure(effective(network, k, s)));
  const eps = figure(network.eps);
  const signed = (text) => (text.startsWith("−") ? `(${text})` : text);
  const texts = {
    network: label,
    filled: `(${figure(x)} − ${signed(mean)}) / √(${variance} + ${eps}) · ${signed(scale)} + ${signed(bias)}`,
    result: figure(normalize(network, x, s)),
    recorded: `recorded ${figure(at(network.y, index))}`,
    s: figure(s),
  };
  for (const [role, text] of Object.entries(texts)) find(role, panel).textContent = text;
  findAll("term", panel).forEach((term, k) => drawTerm(term, network, k, s));
}

function drawTerm(term, network, k, s) {
  // A slope is gate times delta in the parameter's own unit; behind a closed gate delta has no meaning.
  const gate = network.gates[k];
  const delta = gate === 0 ? "–" : figure(network.slope[k] / gate);
  const texts = [figure(network.fixed[k]), figure(gate), delta, figure(effective(network, k, s))];
  term.querySelectorAll("td").forEach((cell, i) => (cell.textContent = texts[i]));
  const isFloored = k === 3 && network.fixed[k] + s * network.slope[k] < network.floor;
  mark(term, { floored: isFloored }).title = isFloored ? "Held at the lowest variance allowed" : "";
}

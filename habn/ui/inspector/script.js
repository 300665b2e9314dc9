// The inspector's behaviour. Gradio runs formula.js, look.js, drawing.js and this, as one script, each time the component is
// mounted, with `element`, `props`, `trigger` and `watch` in scope.

const SEQUENTIAL = paletteOf(CIVIDIS);
const DIVERGING = paletteOf(BLUE_ORANGE);
const VIEWS_KEPT = 16;
const REQUEST_DELAY_MS = 120;
const ANSWER_WITHIN_MS = 20000;
const EMPTY = "Compare two networks on a photo first; their layers then appear here.";
const AGAIN = "Pick the layer again, or run the comparison again.";

const find = (role, inside = element) => inside.querySelector(`[data-role="${role}"]`);
const findAll = (role, inside = element) => [...inside.querySelectorAll(`[data-role="${role}"]`)];
const part = (name) => element.querySelector(`template[data-part="${name}"]`).content.firstElementChild.cloneNode(true);
const root = find("inspector");
const cells = []; // the 28 maps, row by row

// What is on the screen, `shown`, and what was asked for last, `wanted`: each a run, layer and channel.
const state = { labels: [], strip: null, view: null, shown: null, wanted: null };
let cross = { u: 0.5, v: 0.5, pinned: false }; // in fractions of the picture: it keeps its place across layers
let stripFile = { run: null }; // and the promise of its strip
const asked = new Set(); // keys of views that the server was asked for and has not sent
let timer = null; // of the next request, then of its answer
const views = new Map(); // key of a view to its promise, the newest last

// ---- Building ------------------------------------------------------------------------------------------------------

function mark(node, data) {
  Object.assign(node.dataset, data);
  return node;
}

function buildMaps() {
  const gradient = (digits) => `linear-gradient(90deg, ${stopsOf(digits).map((colour) => `rgb(${colour})`).join()})`;
  root.style.setProperty("--sequential", gradient(CIVIDIS));
  root.style.setProperty("--diverging", gradient(BLUE_ORANGE));
  const grid = find("grid");
  QUANTITIES.forEach(({ key, title, symbol }, q) => {
    const column = mark(part("column"), { quantity: key, palette: isPositive(q) ? "sequential" : "diverging" });
    column.querySelector("b").textContent = title;
    column.querySelector("i").textContent = symbol;
    grid.append(column);
  });
  for (const networkRow of ROWS) {
    grid.append(mark(part("row-label"), { networkRow }));
    for (const { key } of QUANTITIES) cells.push(mark(part("map"), { networkRow, quantity: key }));
    grid.append(...cells.slice(-QUANTITIES.length));
  }
}

function buildPanels() {
  for (const network of ["first", "second"]) {
    const panel = mark(part("equation"), { network });
    for (const parameter of PARAMETERS) {
      const term = mark(part("term"), { parameter });
      term.querySelector("th").textContent = `${parameter}′`;
      panel.querySelector("tbody").append(term);
    }
    find("panels").append(panel);
  }
}

function buildStrip() {
  const { layers, thumbnails } = state.strip;
  const strongest = Math.max(...layers.map(({ total }) => total), 1e-12);
  find("strip").replaceChildren(...layers.map((layer, index) => {
    const option = mark(part("layer"), { index });
    const list = (figures) => PARAMETERS.map((name, k) => `${name} ${figure(figures[k])}`).join(", ");
    const s = layer.dead ? "s is flat" : "s varies";
    option.title = `${layer.name}: ${s}; adapts by ${list(layer.strength)}; gates ${list(layer.gates)}`;
    option.setAttribute("aria-label", option.title);
    find("badge", option).textContent = layer.dead ? "flat" : "";
    const words = layer.name.split(/(?<=[.])/);
    find("name", option).append(...words.flatMap((word) => [word, document.createElement("wbr")]));
    find("strength", option).firstElementChild.style.width = `${(100 * layer.total) / strongest}%`;
    [...find("gates", option).children].forEach((gate, k) => gate.style.setProperty("--gate", layer.gates[k]));
    const canvas = option.querySelector("canvas");
    [canvas.height, canvas.width] = layer.thumbnail;
    paint(canvas, thumbnails[index], [0, 254], SEQUENTIAL);
    return option;
  }));
}

// ---- Loading -------------------------------------------------------------------------------------------------------

const keyOf = ({ run, layer, channel }) => [run, layer, channel].join("/");

async function fetchFile(file) {
  const answer = await fetch(file.url);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return unpack(await answer.arrayBuffer());
}

function keepView(value) {
  const key = keyOf(value);
  const view = views.get(key) ?? fetchFile(value.view).then(readView);
  view.catch(() => views.delete(key));
  views.delete(key);
  views.set(key, view);
  if (views.size > VIEWS_KEPT) views.delete(views.keys().next().value);
  return view;
}

function keepStrip({ run, strip }) {
  stripFile = { run, strip: fetchFile(strip).then(readStrip) };
  stripFile.strip.catch(() => (stripFile = { run: null }));
  asked.clear();
  views.clear();
}

// A value has come from the server: an answer, which the visitor's next pick may have overtaken, or a view that the page
// sets.
function receive() {
  const value = props.value;
  if (!value) return setStatus("empty", EMPTY);
  if (stripFile.run !== value.run) keepStrip(value);
  const view = keepView(value);
  const isAnswer = asked.delete(keyOf(value));
  if (isAnswer && keyOf(value) !== keyOf(state.wanted)) return;
  clearTimeout(timer);
  const { run, layer, channel } = value;
  state.wanted = { run, layer, channel };
  show(value, view);
}

async function show(value, view) {
  if (root.dataset.state !== "ready") setStatus("loading", "Loading the layer …");
  try {
    const [strip, drawn] = await Promise.all([stripFile.strip, view]);
    if (keyOf(value) !== keyOf(state.wanted)) return;
    const isNewRun = state.strip !== strip;
    Object.assign(state, { strip, view: drawn, shown: state.wanted, labels: value.labels ?? state.labels });
    if (isNewRun) buildStrip();
    if (value.look) takeLook(value.look);
    draw();
  } catch (error) {
    setStatus("failed", `This layer could not be loaded (${error.message}). ${AGAIN}`);
  }
}

// A layer or channel that the visitor picks: from what the browser holds, else from the server.
function want(layer, channel) {
  state.wanted = { run: state.shown.run, layer, channel };
  const key = keyOf(state.wanted);
  clearTimeout(timer);
  drawPicked();
  tellLook();
  if (views.has(key)) return void show(state.wanted, views.get(key));
  if (keyOf(props.value) === key) return receive(); // held once and dropped: the same value again would not be sent
  setStatus("loading", "Loading the layer …");
  timer = setTimeout(ask, REQUEST_DELAY_MS);
}

function ask() {
  asked.add(keyOf(state.wanted));
  trigger("select", { ...state.wanted });
  timer = setTimeout(() => setStatus("failed", `The server did not answer. ${AGAIN}`), ANSWER_WITHIN_MS);
}

function setStatus(name, sentence = "") {
  root.dataset.state = name;
  find("message").textContent = sentence;
}

// ---- What the visitor does -----------------------------------------------------------------------------------------

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function moveCross(u, v, pinned) {
  const isTold = pinned || cross.pinned;
  cross = { u: clamp(u, 0, 1), v: clamp(v, 0, 1), pinned };
  drawCross();
  if (pinned) announce();
  if (isTold) tellLook();
}

function announce() {
  const { row, column, index } = pixelUnderCross();
  const [first, second] = ["first", "second"].map((name) => figure(at(state.view.networks[name].y, index)));
  const [a, b] = state.labels;
  find("announcement").textContent = `Row ${row}, column ${column}: y is ${first} in ${a}, ${second} in ${b}`;
}

function onPointer(event) {
  const frame = event.target.closest('[data-role="map"] .frame');
  const pinned = event.type === "click";
  if (!frame || (cross.pinned && !pinned)) return;
  const box = frame.getBoundingClientRect();
  moveCross((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, pinned);
}

function onMapsKey(event) {
  const [height, width] = state.view.shape;
  const { row, column } = pixelUnderCross();
  const step = event.shiftKey ? 10 : 1;
  const stepTo = (down, right) => () => moveCross((column + right + 0.5) / width, (row + down + 0.5) / height, true);
  const action = {
    ArrowUp: stepTo(-step, 0), ArrowDown: stepTo(step, 0), ArrowLeft: stepTo(0, -step), ArrowRight: stepTo(0, step),
    Enter: stepTo(0, 0), Escape: () => moveCross(cross.u, cross.v, false),
  }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function onStripClick(event) {
  const option = event.target.closest('[data-role="layer"]');
  if (option) pickLayer(Number(option.dataset.index));
}

function onStripKey(event) {
  const { layer } = state.wanted;
  const last = state.strip.layers.length - 1;
  const [back, on] = [layer - 1, layer + 1];
  const target = { ArrowLeft: back, ArrowUp: back, ArrowRight: on, ArrowDown: on, Home: 0, End: last }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  pickLayer(clamp(target, 0, last));
  findAll("layer")[state.wanted.layer].focus();
}

const mostAdapted = (layer) => state.strip.layers[layer].channel;

// Channel numbers mean nothing across layers: a new layer starts with its most adapted channel.
function pickLayer(layer) {
  if (layer !== state.wanted.layer || root.dataset.state === "failed") want(layer, mostAdapted(layer));
}

function onChannel(event) {
  const channel = Math.round(event.target.valueAsNumber);
  if (Number.isFinite(channel)) want(state.wanted.layer, clamp(channel, 0, Number(event.target.max)));
}

function onRange(event) {
  look.range = event.target.value;
  drawMaps();
  tellLook();
}

function listen() {
  const on = (role, type, listener) => find(role).addEventListener(type, (event) => state.view && listener(event));
  on("maps", "pointermove", onPointer);
  on("maps", "click", onPointer);
  on("maps", "keydown", onMapsKey);
  on("strip", "keydown", onStripKey);
  on("strip", "click", onStripClick);
  on("channel-number", "change", onChannel);
  on("channel-slider", "input", onChannel);
  on("most-adapted", "click", () => want(state.wanted.layer, mostAdapted(state.wanted.layer)));
  on("range", "change", onRange);
}

buildMaps();
buildPanels();
listen();
receive();
watch("value", receive);

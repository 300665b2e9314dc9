/* exported want */
/* global PARAMETERS, buildAttribution, buildEquations, buildMaps, buildStrip, drawClasses, drawColumnChoice, drawCross,
   drawMaps, drawOverlay, drawPickedChannel, drawPickedLayer, drawProfile, fillHelp, followCross, letGo,
   listenToHelp, look, nameGap, onChannelNumber, onChannelOrder, onChannelSlider, onColumnChoice, onMapsKey,
   onMostAdapted, onPointer, onPress, onProfileClick, onStripClick, onStripKey, readStrip, readView, root,
   rowName, sortStrip, startCross, state, takeLook, tellLook, unpack, zoomTo */
// The inspector's behaviour: what is shown, where it comes from, and what the visitor's hands do. It runs last.

const VIEWS_KEPT = 16;
const REQUEST_DELAY_MS = 120;
const ANSWER_WITHIN_MS = 20000;

let runFiles = { run: null }; // and the promise of its strip and its classes
const asked = new Set(); // keys of views that the server was asked for and has not sent
let timer = null; // of the next request, then of its answer
const views = new Map(); // key of a view to its promise, the newest last

// ---- Loading -------------------------------------------------------------------------------------------------------

const keyOf = ({ run, layer, channel }) => [run, layer, channel].join("/");

async function fetchFile(file) {
  const answer = await fetch(file.url);
  if (!answer.ok) throw new Error(say("server_answered", { status: answer.status }));
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

function keepRun({ run, strip, classes }) {
  const files = Promise.all([fetchFile(strip).then(readStrip), classes ? fetchFile(classes) : null]);
  runFiles = { run, files };
  files.catch(() => (runFiles = { run: null }));
  asked.clear();
  views.clear();
}

// A value has come from the server: an answer, which the visitor's next pick may have overtaken, or a view that the page
// sets.
function receive() {
  const value = props.value;
  if (!value) return setStatus("empty", say("empty"));
  if (value.gone) return giveUp(value.gone);
  if (runFiles.run !== value.run) keepRun(value);
  const view = keepView(value);
  const isAnswer = asked.delete(keyOf(value));
  if (isAnswer && keyOf(value) !== keyOf(state.wanted)) return;
  clearTimeout(timer);
  const { run, layer, channel, labels, correspond, photo } = value;
  state.wanted = { run, layer, channel };
  show(view, { labels, correspond, photo }, value.look);
}

// Draws the view that is wanted; `facts` are what the value says of its run, `wish` how the page wants it to be seen.
async function show(view, facts = {}, wish = null) {
  const { wanted } = state;
  if (root.dataset.state !== "ready") setStatus("loading", say("loading"));
  try {
    const [[strip, classes], drawn] = await Promise.all([runFiles.files, view]);
    if (keyOf(wanted) !== keyOf(state.wanted)) return;
    const isNewRun = state.strip !== strip;
    Object.assign(state, { strip, classes, view: drawn, shown: state.wanted, ...facts });
    if (isNewRun) buildStrip();
    if (isNewRun && !state.cross.pinned) startCross();
    if (wish) takeLook(wish);
    draw();
  } catch (error) {
    setStatus("failed", say("failed", { reason: error.message }));
  }
}

// A layer or channel that the visitor picks: from what the browser holds, else from the server.
function want(layer, channel) {
  state.wanted = { run: state.shown.run, layer, channel };
  const key = keyOf(state.wanted);
  clearTimeout(timer);
  drawPicked();
  tellLook();
  if (views.has(key)) return void show(views.get(key));
  // Held once and dropped: the same value again would not be sent.
  if (keyOf(props.value) === key) return void show(keepView(props.value));
  setStatus("loading", say("loading"));
  timer = setTimeout(ask, REQUEST_DELAY_MS);
}

function ask() {
  asked.add(keyOf(state.wanted));
  trigger("select", { ...state.wanted });
  timer = setTimeout(() => giveUp(say("no_answer")), ANSWER_WITHIN_MS);
}

// No answer comes: the names go back to the maps that are on the screen.
function giveUp(sentence) {
  clearTimeout(timer);
  asked.clear();
  if (!state.shown) return setStatus("failed", sentence);
  state.wanted = state.shown;
  drawPicked();
  tellLook();
  setStatus("failed", sentence);
}

function setStatus(name, sentence = "") {
  root.dataset.state = name;
  find("message").textContent = sentence;
}

// ---- Drawing -------------------------------------------------------------------------------------------------------

function drawPicked() {
  drawPickedLayer();
  drawPickedChannel();
}

function draw() {
  // One shape for the maps of all layers: nothing moves when the layer changes.
  const [, height, width] = state.strip.layers[0].shape;
  root.style.setProperty("--aspect", `${width} / ${height}`);
  for (const label of findAll("row-label")) label.textContent = rowName(label.dataset.networkRow);
  find("apart").hidden = state.correspond;
  drawPicked();
  drawOverlay();
  drawMaps();
  showMostAdapted();
  drawClasses();
  nameGap();
  followCross();
  drawCross();
  mark(root, state.shown);
  setStatus("ready");
}

// Both lists stand at the parameter that adapts most in the layer, until the visitor chooses.
function showMostAdapted() {
  if (state.isChosen) return;
  const strength = state.strip.layers[state.shown.layer].strength.map((value) => value || 0);
  const most = PARAMETERS[strength.indexOf(Math.max(...strength))];
  for (const role of ["profile-parameter", "classes-quantity"]) find(role).value = most;
}

function choose(drawChoice) {
  state.isChosen = true;
  drawChoice();
}

function offer(role, quantities) {
  find(role).append(...quantities.map((quantity) => new Option(say(`title_${quantity}`), quantity)));
}

// ---- What the visitor does -----------------------------------------------------------------------------------------

function onRange(event) {
  look.range = event.target.value;
  drawMaps();
  tellLook();
}

function onOrder(event) {
  look.order = event.target.value;
  sortStrip();
  drawPickedLayer();
  tellLook();
}

function onOverlay(event) {
  look.overlay = event.target.valueAsNumber;
  drawOverlay();
}

function listen() {
  const on = (role, type, listener) => find(role).addEventListener(type, (event) => state.view && listener(event));
  on("strip", "click", onStripClick);
  on("strip", "keydown", onStripKey);
  on("order", "change", onOrder);
  on("channel-number", "change", onChannelNumber);
  on("channel-slider", "input", onChannelSlider);
  on("most-adapted", "click", onMostAdapted);
  on("channels", "change", onChannelOrder);
  on("range", "change", onRange);
  on("zoom", "change", (event) => zoomTo(Number(event.target.value)));
  on("overlay", "input", onOverlay);
  on("overlay", "change", tellLook);
  on("column-picker", "click", onColumnChoice);
  on("maps", "pointerdown", onPress);
  on("maps", "pointermove", onPointer);
  on("maps", "click", onPointer);
  on("maps", "keydown", onMapsKey);
  on("let-go", "click", letGo);
  on("profile-parameter", "change", () => choose(() => drawProfile()));
  on("profile-plot", "click", onProfileClick);
  on("gap-plot", "click", onProfileClick);
  on("classes-quantity", "change", () => choose(drawClasses));
}

document.addEventListener("habn-lost", () => asked.size && giveUp(say("no_answer")));
fillWords();
fillHelp();
offer("profile-parameter", PARAMETERS);
offer("classes-quantity", [...PARAMETERS, "s", "x", "y"]);
buildMaps();
drawColumnChoice();
buildEquations();
buildAttribution();
listenToHelp();
listen();
receive();
watch("value", receive);

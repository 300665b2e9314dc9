/* global PARAMETERS, Painting, buildChoices, changedMap, check, commit, controls, paintMap, placeByKey, placeOf,
   showPhoto, start, toBytes, toText */
// Controls of the adaptation: which layer, which parameters, how much, and which map s.

const DEFAULTS = { layers: null, strength: [1, 1, 1, 1], adapted: [true, true, true, true], context: "own", painted: null };
const CONTEXTS = { own: "own", mean: "context_mean", shuffled: "shuffled", inverted: "inverted", painted: "painted" };
let ownMap = null; // s of the layer that is shown, { height, width, levels }
let painting = null;
let paintedOn = null; // the run and the layer that the painting started from
let brush = [0.5, 0.5];
let last = null; // where a stroke has come to

const toSend = () => ({ ...controls.settings, painted: controls.settings.context === "painted" ? controls.settings.painted : null });
const isPainting = () => controls.settings.context === "painted" && painting !== null;

function linkOf({ layers, strength, adapted, context }) {
  const figures = strength.map((value, k) => (adapted[k] ? value : 0));
  const ofParameters = PARAMETERS.map((name, k) => [name, figures[k] === 1 ? null : String(figures[k])]);
  const isLinkable = context !== "own" && context !== "painted";
  return { layers: layers?.join() ?? null, context: isLinkable ? context : null, ...Object.fromEntries(ofParameters) };
}

function buildParameters() {
  find("parameters").append(...PARAMETERS.map((key, k) => {
    const row = part("parameter");
    const [box, slider] = row.querySelectorAll("input");
    find("name", row).textContent = say(key);
    box.setAttribute("aria-label", say("adapts", { name: say(key) }));
    slider.setAttribute("aria-label", say("strength_of", { name: say(key) }));
    const replaced = (values, value) => values.map((old, i) => (i === k ? value : old));
    box.addEventListener("change", () => commit({ adapted: replaced(controls.settings.adapted, box.checked) }));
    slider.addEventListener("input", () => drawParameter(row));
    slider.addEventListener("change", () => commit({ strength: replaced(controls.settings.strength, slider.valueAsNumber) }));
    return row;
  }));
}

// ---- Drawing -------------------------------------------------------------------------------------------------------

function draw() {
  takeMap();
  drawLayers();
  [...find("parameters").children].forEach((row, k) => {
    const [box, slider] = row.querySelectorAll("input");
    [box.checked, slider.value] = [controls.settings.adapted[k], controls.settings.strength[k]];
    drawParameter(row);
  });
  check("contexts", controls.settings.context);
  find("description").textContent = say(`${CONTEXTS[controls.settings.context]}_help`);
  showPhoto();
  drawMap();
  drawTools();
}

function drawParameter(row) {
  const [box, slider] = row.querySelectorAll("input");
  slider.disabled = !box.checked;
  row.querySelector("output").textContent = box.checked ? `× ${decimals(slider.valueAsNumber, 1)}` : say("frozen");
}

function drawLayers() {
  const { layers } = controls.settings;
  const chosen = layers?.join() ?? "";
  const options = (controls.scene?.layers ?? layers ?? []).map((name) => new Option(name, name));
  if (layers?.length > 1) options.push(new Option(say("layers_named", { count: layers.length, names: chosen }), chosen));
  find("layers").replaceChildren(new Option(say("all_layers"), ""), ...options);
  find("layers").value = chosen;
}

// Layers of another pair of networks, which this one does not have, stand for all layers, as they do on the server.
function dropUnknownLayers() {
  const { settings, scene } = controls;
  const isUnknown = settings.layers?.some((name) => !scene.layers.includes(name));
  if (isUnknown) controls.settings = { ...settings, layers: null };
}

// The map that came with the scene; strokes stay when another layer is chosen, but not when another photo is.
function takeMap() {
  if (!controls.scene || controls.scene.map === ownMap?.from) return;
  dropUnknownLayers();
  const { height, width, data } = controls.scene.map;
  ownMap = { from: controls.scene.map, height, width, levels: toBytes(data) };
  const { run, shown } = controls.scene;
  const isSameRun = paintedOn?.run === run;
  if (isSameRun && (painting.isTouched || paintedOn.shown === shown)) return;
  if (paintedOn && !isSameRun) controls.settings = { ...controls.settings, painted: null };
  painting = new Painting(ownMap);
  paintedOn = { run, shown };
}

function drawMap() {
  if (!ownMap) return;
  const map = isPainting() ? painting : changedMap(ownMap, controls.settings.context);
  paintMap(find("map"), map);
  const { low, high, flat } = controls.scene.map;
  const valueOf = (level) => decimals(low + (level / 255) * (high - low), 2);
  const mean = map.levels.reduce((sum, level) => sum + level, 0) / map.levels.length;
  const ends = { low: valueOf(Math.min(...map.levels)), high: valueOf(Math.max(...map.levels)), mean: valueOf(mean) };
  find("map").setAttribute("aria-label", say("map_label", ends));
  find("shown").textContent = flat ? say("map_flat") : say("shown_layer", { layer: controls.scene.shown });
}

function drawTools() {
  find("tools").hidden = controls.settings.context !== "painted";
  find("stage").dataset.painting = isPainting();
  // Something to look at, or to work on: then its arrow keys are its own.
  find("map").setAttribute("role", isPainting() ? "application" : "img");
  find("map").tabIndex = isPainting() ? 0 : -1;
  find("undo").disabled = !painting?.done.length;
  find("redo").disabled = !painting?.undone.length;
  find("start-again").disabled = !painting?.isTouched;
  const { low, high } = controls.scene?.map ?? { low: 0, high: 1 };
  const value = low + (find("brush-value").valueAsNumber / 100) * (high - low);
  find("brush-value").nextElementSibling.textContent = decimals(value, 2);
  find("brush-size").nextElementSibling.textContent = `${find("brush-size").value} %`;
  drawBrush();
}

function drawBrush() {
  const size = `${find("brush-size").value}%`;
  Object.assign(find("brush").style, { left: `${100 * brush[0]}%`, top: `${100 * brush[1]}%`, height: size });
}

// ---- Painting ------------------------------------------------------------------------------------------------------

function strokeTo(where) {
  const radius = find("brush-size").valueAsNumber / 200;
  painting.stroke(last ?? where, where, radius, Math.round(find("brush-value").valueAsNumber * 2.55));
  last = where;
  paintMap(find("map"), painting);
}

function commitPainting() {
  const { height, width, levels, isTouched } = painting;
  commit({ painted: isTouched ? { height, width, data: toText(levels) } : null });
}

function onPointerDown(event) {
  if (!isPainting() || event.button !== 0) return;
  event.preventDefault();
  find("map").focus({ preventScroll: true });
  find("map").setPointerCapture(event.pointerId);
  painting.begin();
  last = null;
  brush = placeOf(event);
  strokeTo(brush);
}

function onPointerMove(event) {
  if (!isPainting()) return;
  const places = (event.getCoalescedEvents?.() ?? [event]).map(placeOf);
  brush = placeOf(event);
  drawBrush();
  if (find("map").hasPointerCapture(event.pointerId)) for (const place of [...places, brush]) strokeTo(place);
}

function onPointerUp() {
  if (!last) return;
  last = null;
  commitPainting();
}

function onPointerCancel() {
  if (!last) return;
  last = null;
  painting.undo();
  painting.undone.pop();
  draw(); // the browser took the finger away: the stroke is as if it had not been
}

function takeBack(method) {
  painting[method]();
  commitPainting();
}

function onKey(event) {
  if (!isPainting()) return;
  const moved = placeByKey(event, brush);
  const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  if (moved) {
    brush = moved;
    drawBrush();
  } else if (event.key === " ") {
    if (!event.repeat) painting.begin();
    last = null;
    strokeTo(brush);
  } else if (isUndo) takeBack(event.shiftKey ? "redo" : "undo");
  else return;
  event.preventDefault();
}

function startAgain() {
  painting.begin(ownMap);
  commitPainting();
}

function listen() {
  const on = (role, type, listener) => find(role).addEventListener(type, listener);
  on("layers", "change", (event) => commit({ layers: event.target.value ? event.target.value.split(",") : null }));
  on("freeze", "click", () => commit({ adapted: [false, false, false, false] }));
  on("contexts", "change", (event) => commit({ context: event.target.value }));
  on("map", "pointerdown", onPointerDown);
  on("map", "pointermove", onPointerMove);
  on("map", "pointerup", onPointerUp);
  on("map", "pointercancel", onPointerCancel);
  on("map", "keydown", onKey);
  on("map", "keyup", (event) => event.key === " " && onPointerUp());
  on("brush-size", "input", drawTools);
  on("brush-value", "input", drawTools);
  on("undo", "click", () => takeBack("undo"));
  on("redo", "click", () => takeBack("redo"));
  on("start-again", "click", startAgain);
  // The painting is kept: to choose "painted" again shows it again.
  on("reset", "click", () => commit({ ...DEFAULTS, painted: controls.settings.painted }));
}

buildParameters();
buildChoices("contexts", Object.entries(CONTEXTS));
listen();
start({ defaults: DEFAULTS, toSend, draw, linkOf });

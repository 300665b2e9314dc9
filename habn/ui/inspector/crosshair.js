/* exported drawCross, followCross, letGo, onMapsKey, onPointer, onPress, pixelUnderCross, startCross, zoomAboutCross, zoomTo */
/* global QUANTITIES, at, cells, combine, drawAttribution, drawCurrentClass, drawEquations, drawProfile, indexOfLargest,
   look, state, tellLook */
// The cross-hair that all maps share, and the part of the picture that they show.

const DRAG_FROM_PX = 5;
let drag = null; // since the pointer was pressed: where, the corner then, and whether it has moved

function pixelUnderCross([height, width] = state.view.shape) {
  const row = Math.min(height - 1, Math.floor(state.cross.v * height));
  const column = Math.min(width - 1, Math.floor(state.cross.u * width));
  return { row, column, index: row * width + column };
}

function moveCorner(left, top) {
  const most = 1 - 1 / look.zoom;
  state.corner = { left: clamp(left, 0, most), top: clamp(top, 0, most) };
}

function zoomAboutCross() {
  const half = 0.5 / look.zoom;
  moveCorner(state.cross.u - half, state.cross.v - half);
}

// Shows the pixel under the cross-hair, if it lies outside, by the shortest way.
function followCross() {
  const { shape: [height, width] } = state.view;
  const { row, column } = pixelUnderCross();
  const size = 1 / look.zoom;
  moveCorner(
    clamp(state.corner.left, (column + 1) / width - size, column / width),
    clamp(state.corner.top, (row + 1) / height - size, row / height),
  );
}

// Until the visitor points somewhere: the pixel whose output the adaptation changes most, so that the first equation
// shows it at work.
function startCross() {
  const { maps, shape: [height, width] } = state.view;
  const [, still, adapted] = maps.map((row) => row[QUANTITIES.indexOf("y")]);
  const index = indexOfLargest(combine(adapted, still, (a, b) => Math.abs(a - b)));
  if (index === null) return;
  state.cross = { u: ((index % width) + 0.5) / width, v: (Math.floor(index / width) + 0.5) / height, pinned: false };
}

function drawCross() {
  const { maps, shape: [height, width] } = state.view;
  const { row, column, index } = pixelUnderCross();
  const group = mark(find("maps"), { pinned: state.cross.pinned, row, column, zoom: look.zoom });
  const places = {
    zoom: look.zoom, left: state.corner.left, top: state.corner.top,
    "cross-left": ((column + 0.5) / width - state.corner.left) * look.zoom,
    "cross-top": ((row + 0.5) / height - state.corner.top) * look.zoom,
  };
  for (const [name, value] of Object.entries(places)) group.style.setProperty(`--${name}`, value);
  maps.flat().forEach((map, i) => (find("value", cells[i]).textContent = figure(at(map, index))));
  find("pixel").textContent = say("pixel", { row, column });
  find("pinned").textContent = say(state.cross.pinned ? "is_pinned" : "follows");
  find("let-go").disabled = !state.cross.pinned;
  drawEquations(index);
  drawAttribution(index);
  drawProfile(index);
  drawCurrentClass(index);
}

function moveCross(u, v, pinned) {
  const isTold = pinned || state.cross.pinned;
  state.cross = { u: clamp(u, 0, 1), v: clamp(v, 0, 1), pinned };
  followCross();
  drawCross();
  if (pinned) announce();
  if (isTold) tellLook();
}

const letGo = () => moveCross(state.cross.u, state.cross.v, false);

function announce() {
  const { row, column, index } = pixelUnderCross();
  const [first, second] = ["first", "second"].map((name) => figure(at(state.view.networks[name].y, index)));
  const [a, b] = state.labels;
  find("announcement").textContent = say("announce_pixel", { row, column, first, second, a, b });
}

function zoomTo(zoom) {
  look.zoom = zoom;
  find("zoom").value = zoom;
  zoomAboutCross();
  drawCross();
  tellLook();
}

function onPress(event) {
  const frame = event.target.closest('[data-role="map"] .frame');
  const isDrag = frame && look.zoom > 1 && event.button === 0;
  drag = isDrag ? { x: event.clientX, y: event.clientY, box: frame.getBoundingClientRect(), from: state.corner } : null;
}

function onDrag(event) {
  const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
  drag.moved ||= Math.hypot(right, down) > DRAG_FROM_PX;
  if (!drag.moved) return;
  const { box, from } = drag;
  moveCorner(from.left - right / box.width / look.zoom, from.top - down / box.height / look.zoom);
  drawCross();
}

function onPointer(event) {
  const isClick = event.type === "click";
  if (!isClick && event.buttons && drag) return onDrag(event);
  if (isClick && drag?.moved) return void (drag = null);
  const frame = event.target.closest('[data-role="map"] .frame');
  if (!frame || (state.cross.pinned && !isClick)) return;
  const box = frame.getBoundingClientRect();
  const [right, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  moveCross(state.corner.left + right / look.zoom, state.corner.top + down / look.zoom, isClick);
}

function onMapsKey(event) {
  const [height, width] = state.view.shape;
  const { row, column } = pixelUnderCross();
  const step = event.shiftKey ? 10 : 1;
  const stepTo = (down, right) => () => moveCross((column + right + 0.5) / width, (row + down + 0.5) / height, true);
  const action = {
    ArrowUp: stepTo(-step, 0), ArrowDown: stepTo(step, 0), ArrowLeft: stepTo(0, -step), ArrowRight: stepTo(0, step),
    Enter: stepTo(0, 0), Escape: letGo,
    "+": () => zoomTo(Math.min(4, look.zoom * 2)), "-": () => zoomTo(Math.max(1, look.zoom / 2)),
  }[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.target.closest("button")) return;
  event.preventDefault();
  action();
}

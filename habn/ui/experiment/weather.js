/* global KEY_STEPS, PLACES, buildChoices, check, commit, controls, placeByKey, placeOf, rounded, showPhoto, start */
// Controls of the weather: which, where, how strong.

const DEFAULTS = { name: "haze", strength: 3, place: null }; // a place of null is the weather's own
let held = null; // where the ring is while it is held

const toSend = () => controls.settings;
const place = () => held ?? controls.settings.place ?? PLACES[controls.settings.name];

function linkOf({ name, strength }) {
  if (strength === 0) return { weather: null, strength: null, place: null };
  return { weather: name, strength: String(strength), place: place().map(rounded).join() };
}

function draw() {
  check("names", controls.settings.name);
  find("description").textContent = say(`${controls.settings.name}_help`);
  find("strength").value = controls.settings.strength;
  drawStrength();
  showPhoto();
  find("photo").alt = say("photo_label");
  drawRing();
}

function drawStrength() {
  const strength = find("strength").valueAsNumber;
  find("strength-figure").textContent = strength === 0 ? say("off") : figure(strength, 2);
}

function drawRing() {
  const [x, y] = place();
  const ring = find("ring");
  Object.assign(ring.style, { left: `${100 * x}%`, top: `${100 * y}%` });
  ring.setAttribute("aria-label", say("place_label", { x: Math.round(100 * x), y: Math.round(100 * y) }));
}

function hold(where) {
  held = where;
  drawRing();
}

function letGo() {
  const where = held;
  held = null;
  if (where) commit({ place: where });
}

function onPointerDown(event) {
  if (event.button !== 0) return;
  event.preventDefault();
  find("ring").focus({ preventScroll: true });
  find("stage").setPointerCapture(event.pointerId);
  hold(placeOf(event));
}

function onKey(event) {
  const moved = placeByKey(event, place());
  if (!moved) return;
  event.preventDefault();
  hold(moved);
}

function listen() {
  const stage = find("stage");
  stage.addEventListener("pointerdown", onPointerDown);
  stage.addEventListener("pointermove", (event) => held && stage.hasPointerCapture(event.pointerId) && hold(placeOf(event)));
  stage.addEventListener("pointerup", letGo);
  // The browser took the finger for scrolling: the ring goes back to where it was.
  stage.addEventListener("pointercancel", () => hold(null));
  find("ring").addEventListener("keydown", onKey);
  find("ring").addEventListener("keyup", (event) => KEY_STEPS[event.key] && letGo());
  find("ring").addEventListener("blur", letGo);
  find("names").addEventListener("change", (event) => commit({ name: event.target.value }));
  find("strength").addEventListener("input", drawStrength);
  find("strength").addEventListener("change", (event) => commit({ strength: event.target.valueAsNumber }));
  find("reset").addEventListener("click", () => commit({ strength: 0, place: null }));
}

buildChoices("names", Object.keys(PLACES).map((name) => [name, name]));
listen();
start({ defaults: DEFAULTS, toSend, draw, linkOf });

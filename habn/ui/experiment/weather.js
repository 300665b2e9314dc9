// Controls of the weather: which, where, how strong.

const DEFAULTS = { name: "haze", strength: 3, place: null }; // a place of null is the weather's own
const KEY_STEP = 0.02;
const KEY_STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let held = null; // where the ring is while it is held

const toSend = () => settings;
const ownPlace = () => WEATHERS.find(({ name }) => name === settings.name).place;
const place = () => held ?? settings.place ?? ownPlace();

function linkOf({ name, strength }) {
  if (strength === 0) return { weather: null, strength: null, place: null };
  return { weather: name, strength: String(strength), place: place().map(rounded).join() };
}

function buildChoices() {
  find("names").append(...WEATHERS.map(({ name }) => {
    const choice = part("choice");
    choice.querySelector("input").value = name;
    choice.querySelector("span").textContent = say(name);
    return choice;
  }));
}

function draw() {
  for (const choice of find("names").querySelectorAll("input")) choice.checked = choice.value === settings.name;
  find("description").textContent = say(`${settings.name}_help`);
  find("strength").value = settings.strength;
  drawStrength();
  showPhoto(find("stage"));
  find("photo").alt = say("photo_label");
  drawRing();
}

function drawStrength() {
  const strength = find("strength").valueAsNumber;
  find("strength-figure").textContent = strength === 0 ? say("off") : strength;
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
  hold(placeOf(event, find("stage")));
}

function onKey(event) {
  const step = KEY_STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  const size = event.shiftKey ? 5 * KEY_STEP : KEY_STEP;
  hold(place().map((at, axis) => rounded(Math.min(1, Math.max(0, at + size * step[axis])))));
}

function listen() {
  const stage = find("stage");
  stage.addEventListener("pointerdown", onPointerDown);
  stage.addEventListener("pointermove", (event) => held && stage.hasPointerCapture(event.pointerId) && hold(placeOf(event, stage)));
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

buildChoices();
listen();
start();

/* exported KEY_STEPS, buildChoices, check, commit, controls, placeByKey, placeOf, rounded, showPhoto, start */
// What both sets of controls share: settings go to the server, a scene comes back.

const KEY_STEP = 0.02;
const KEY_STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `settings` are what the visitor chose; `scene` is what the server sent last: the photo, and for the layers their map.
const controls = { settings: null, scene: null };
let own; // what the part's own script gives: see `start`
let wanted = null; // the comparison that the page shows
let asked = null; // the one that was asked for last; one that is refused is not asked for again and again
let isSeen = false;

function ask() {
  asked = wanted;
  send();
  if (!wanted) return;
  panel.dispatchEvent(new CustomEvent("experiment-asked"));
  trigger("input");
}

function send() {
  props.value = { run: wanted, settings: own.toSend() };
}

const sameSettings = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// A value has come from the server, or the component is mounted again with what it sent last.
function receive() {
  const value = props.value ?? {};
  if (value.settings) controls.settings = { ...controls.settings, ...value.settings };
  wanted = value.run ?? wanted;
  if (value.scene) controls.scene = { ...value.scene, photo: value.scene.photo.url };
  own.draw();
  send();
  // The answer to older settings: nothing of the visitor's last change may be lost, whatever became of its event.
  const isOld = value.scene && !sameSettings(value.scene.answers, own.toSend());
  if (isOld) return ask();
  askWhenSeen();
}

function askWhenSeen() {
  if (isSeen && wanted && wanted !== controls.scene?.run && wanted !== asked) ask();
}

// The visitor let go of something.
function commit(change) {
  controls.settings = { ...controls.settings, ...change };
  own.draw();
  tell("habn-link", own.linkOf(controls.settings));
  ask();
}

// Starts the controls: with their first settings, what of them goes to the server, how they are drawn, and what the
// address says of them.
function start({ defaults, toSend, draw, linkOf }) {
  own = { toSend, draw, linkOf };
  controls.settings = { ...defaults };
  fillWords();
  receive();
  watch("value", receive);
  panel.addEventListener("experiment-outcome", ({ detail }) => (find("brief").textContent = detail));
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    askWhenSeen();
  }).observe(find("controls"));
}

// Radio buttons, of which one is checked: [value, the word that names it] of each.
function buildChoices(role, choices) {
  find(role).append(...choices.map(([value, word]) => {
    const choice = part("choice");
    choice.querySelector("input").value = value;
    choice.querySelector("span").textContent = say(word);
    return choice;
  }));
}

function check(role, value) {
  for (const choice of find(role).querySelectorAll("input")) choice.checked = choice.value === value;
}

const rounded = (value) => Math.round(value * 1000) / 1000;
const clamped = (share) => rounded(clamp(share, 0, 1));

// The place of a pointer in the stage, in [0, 1] of its width and height.
function placeOf(event) {
  const { left, top, width, height } = find("stage").getBoundingClientRect();
  return [clamped((event.clientX - left) / width), clamped((event.clientY - top) / height)];
}

// Where an arrow key moves a place to, with Shift in larger steps; undefined for any other key.
function placeByKey(event, [x, y]) {
  if (!KEY_STEPS[event.key]) return undefined;
  const size = event.shiftKey ? 5 * KEY_STEP : KEY_STEP;
  const [right, down] = KEY_STEPS[event.key];
  return [clamped(x + size * right), clamped(y + size * down)];
}

function showPhoto() {
  const { scene } = controls;
  if (!scene) return;
  const stage = find("stage");
  stage.style.aspectRatio = `${scene.shape[1]} / ${scene.shape[0]}`;
  const photo = find("photo");
  if (photo.getAttribute("src") !== scene.photo) photo.src = scene.photo;
  stage.dataset.ready = true;
}

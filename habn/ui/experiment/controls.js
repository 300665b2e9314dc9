// What both sets of controls share: settings go to the server, a scene comes back. The part's own script has DEFAULTS,
// `draw()` and `linkOf(settings)`, the address's keys.

const root = find("controls");
let settings; // what the visitor chose
let scene = null; // what the server sent last: the photo, and for the layers their map
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
  props.value = { run: wanted, settings: toSend() };
}

const sameSettings = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// A value has come from the server, or the component is mounted again with what it sent last.
function receive() {
  const value = props.value ?? {};
  if (value.settings) settings = { ...settings, ...value.settings };
  wanted = value.run ?? wanted;
  if (value.scene) scene = { ...value.scene, photo: value.scene.photo.url };
  draw();
  send();
  // The answer to older settings: nothing of the visitor's last change may be lost, whatever became of its event.
  const isOld = value.scene && !sameSettings(value.scene.answers, toSend());
  if (isOld) return ask();
  askWhenSeen();
}

function askWhenSeen() {
  if (isSeen && wanted && wanted !== scene?.run && wanted !== asked) ask();
}

// The visitor let go of something.
function commit(change) {
  settings = { ...settings, ...change };
  draw();
  root.dispatchEvent(new CustomEvent("habn-link", { bubbles: true, detail: linkOf(settings) }));
  ask();
}

function start() {
  settings = { ...DEFAULTS };
  fillWords();
  receive();
  watch("value", receive);
  panel.addEventListener("experiment-outcome", ({ detail }) => (find("brief").textContent = detail));
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    askWhenSeen();
  }).observe(root);
}

const rounded = (value) => Math.round(value * 1000) / 1000;

// The place of a pointer in a stage, in [0, 1] of its width and height.
function placeOf(event, stage) {
  const box = stage.getBoundingClientRect();
  const share = (at, from, size) => rounded(Math.min(1, Math.max(0, (at - from) / size)));
  return [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)];
}

function showPhoto(stage) {
  if (!scene) return;
  stage.style.aspectRatio = `${scene.shape[1]} / ${scene.shape[0]}`;
  const photo = find("photo", stage);
  if (photo.getAttribute("src") !== scene.photo) photo.src = scene.photo;
  stage.dataset.ready = true;
}

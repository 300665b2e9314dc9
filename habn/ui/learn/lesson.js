/* global PHOTO_STEPS, STEPS, fillTable, node */
// What a step says, and which step it is.

const ANSWER_WITHIN_MS = 60000; // a step about the photo waits for its turn

const root = find("lesson");
let wanted = null; // the step that was asked for last
let timer = null;
let isMoving = false; // the visitor goes to another step, and the focus goes with them

function buildProgress() {
  find("progress").setAttribute("aria-label", say("ui_steps"));
  find("progress").firstElementChild.replaceChildren(...STEPS.map((step) => {
    const item = part("step");
    const button = item.firstElementChild;
    button.dataset.step = step;
    button.querySelector("b").textContent = step;
    button.querySelector("span").textContent = say(`${step}_name`);
    return item;
  }));
}

function draw({ title, paragraphs, table, picture }) {
  find("title").textContent = title;
  find("paragraphs").replaceChildren(...paragraphs.map((html) => node("p", html)));
  find("table").hidden = !table;
  find("table").replaceChildren(...(table ? [fillTable(node("table"), table)] : []));
  find("table").setAttribute("aria-label", table?.caption ?? "");
  drawPicture(picture);
  root.dataset.answered = "false";
}

function drawPicture({ file, alt, marks, shape: [height, width] }) {
  Object.assign(find("picture").querySelector("img"), { src: file.url, alt, width, height });
  find("picture").dataset.isSmall = width < 200; // its pixels are to be seen one by one
  find("marks").replaceChildren(...marks.map(({ name, left, top }) => {
    const mark = node("b", name);
    Object.assign(mark.style, { left: `${left}%`, top: `${top}%` });
    return mark;
  }));
}

function setStatus(name, sentence = "") {
  root.dataset.state = name;
  find("message").textContent = sentence;
}

function markProgress() {
  root.dataset.step = wanted;
  for (const button of findAll("step")) {
    if (Number(button.dataset.step) === wanted) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
}

function want(step) {
  wanted = step;
  markProgress();
  tell("habn-link", { step });
  tell("lesson-wanted", { step });
  setStatus("loading", say("ui_loading"));
  trigger(PHOTO_STEPS.includes(step) ? "submit" : "select", { step });
  clearTimeout(timer);
  timer = setTimeout(() => setStatus("failed", say("ui_failed")), ANSWER_WITHIN_MS);
}

function go(step) {
  if (!STEPS.includes(step)) return;
  isMoving = true;
  want(step);
}

function stepOfAddress() {
  const step = Number(new URLSearchParams(location.search).get("step"));
  return STEPS.includes(step) ? step : STEPS[0];
}

// A step has come from the server; the visitor may have moved on.
function receive() {
  const text = props.value;
  if (!text) return want(stepOfAddress());
  wanted ??= text.step;
  if (text.step !== wanted) return;
  clearTimeout(timer);
  markProgress();
  panel.dataset.lesson = text.note ? "missing" : "shown"; // style.css hides what a step that is missing would need
  if (text.note) return setStatus("failed", text.note);
  draw(text);
  setStatus("ready");
  root.dataset.drawn = "true";
  if (isMoving) showFromTheTop();
  isMoving = false;
}

function goBack(event) {
  if (!element.isConnected) return document.removeEventListener("habn-back", goBack);
  if (event.detail.step !== wanted) want(event.detail.step);
}

function showFromTheTop() {
  root.scrollIntoView({ block: "start" });
  find("title").focus({ preventScroll: true });
}

function onProgressKey(event) {
  const target = { ArrowLeft: wanted - 1, ArrowRight: wanted + 1, Home: STEPS[0], End: STEPS.at(-1) }[event.key];
  if (!STEPS.includes(target)) return;
  event.preventDefault();
  findAll("step")[STEPS.indexOf(target)].focus();
  want(target);
}

function onProgressClick(event) {
  const button = event.target.closest("button");
  if (button) go(Number(button.dataset.step));
}

buildProgress();
find("progress").addEventListener("click", onProgressClick);
find("progress").addEventListener("keydown", onProgressKey);
document.addEventListener("habn-back", goBack); // of link.js
panel.addEventListener("lesson-go", (event) => go(event.detail.step));
panel.addEventListener("lesson-answered", () => (root.dataset.answered = "true"));
// The lesson sets its own inspector: how that is looked at is no part of the address, which tells of the tab Layers.
panel.addEventListener("habn-look", (event) => event.stopPropagation());
receive();
watch("value", receive);

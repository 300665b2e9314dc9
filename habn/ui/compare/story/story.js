/* global STOPS */
// The story in the place of the answer: the visitor goes from stop to stop, and through the frames of each.

const FADE_STEPS = 100;

const root = find("story");
let stop = null; // the one that is wanted

function want(number) {
  stop = number;
  root.dataset.state = "loading";
  element.closest(".compare-answer").dataset.story = "open";
  find("place").textContent = say("place", { stop, stops: STOPS.length });
  find("back").disabled = stop === STOPS[0];
  find("next").textContent = say(stop === STOPS.at(-1) ? "end" : "next");
  find("sentence").focus({ preventScroll: true }); // the button that was pressed may be gone
  trigger("select", { stop });
}

function close() {
  stop = null;
  root.dataset.state = "closed";
  delete element.closest(".compare-answer").dataset.story;
  find("start").focus();
}

function move(by) {
  const next = STOPS[STOPS.indexOf(stop) + by];
  if (next) want(next);
  else if (by > 0) close();
}

// A stop has come; the visitor may have gone on.
function receive() {
  if (!props.value || props.value.stop !== stop) return;
  const { sentence, control, fades, frames } = props.value;
  find("sentence").textContent = sentence;
  find("control").textContent = control;
  const last = frames.length - 1;
  Object.assign(find("frame"), { max: fades ? FADE_STEPS : last, value: fades ? FADE_STEPS / 2 : 0 });
  root.dataset.state = "ready";
  drawFrame();
  find("sentence").focus({ preventScroll: true });
}

function drawFrame() {
  const { fades, frames } = props.value;
  const value = find("frame").valueAsNumber;
  const [under, over] = fades ? [frames[0], frames[1]] : [frames[value], frames[value]];
  Object.assign(find("under"), { src: under.file.url, alt: under.caption });
  Object.assign(find("over"), { src: over.file.url, alt: "", hidden: !fades });
  find("over").style.opacity = value / FADE_STEPS;
  const near = fades && value < FADE_STEPS / 2 ? under : over;
  find("caption").textContent = near.caption;
  find("frame").setAttribute("aria-valuetext", near.caption);
}

fillWords();
find("start").addEventListener("click", () => want(STOPS[0]));
find("back").addEventListener("click", () => move(-1));
find("next").addEventListener("click", () => move(1));
find("skip").addEventListener("click", close);
find("frame").addEventListener("input", drawFrame);
root.addEventListener("keydown", (event) => event.key === "Escape" && stop && close());
watch("value", receive);

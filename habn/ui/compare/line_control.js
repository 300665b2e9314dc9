// Gradio's slider has no setting for where its line is, so this does what a pointer does that drags it.

const input = element.querySelector("input");
const slider = () => element.closest(".compare-answer").querySelector(".answer .slider-wrap");
const handle = () => slider()?.querySelector('[data-testid="slider"]');
const middle = ({ left, width }) => left + width / 2;

// Where the pictures are within the slider: where it is wider than they are, they stand in its middle.
function pictures() {
  const { left, top, width, height } = slider().getBoundingClientRect();
  const { naturalWidth, naturalHeight } = slider().querySelector("img");
  const shown = Math.min(width, (height * naturalWidth) / naturalHeight);
  return { left: left + (width - shown) / 2, top, width: shown, height };
}

function read() {
  if (!handle()) return;
  const { left, width } = pictures();
  input.value = (100 * (middle(handle().getBoundingClientRect()) - left)) / width;
}

function move() {
  if (!handle()) return;
  const { left, width, top, height } = pictures();
  const act = (target, type, clientX) =>
    target.dispatchEvent(new MouseEvent(type, { bubbles: true, view: window, clientX, clientY: top + height / 2 }));
  const goal = left + (width * input.value) / 100;
  act(handle(), "mousedown", middle(handle().getBoundingClientRect()));
  act(window, "mousemove", goal);
  act(window, "mouseup", goal);
}

fillWords();
input.addEventListener("focus", read);
input.addEventListener("input", move);

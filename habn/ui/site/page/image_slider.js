// Two pictures of one size under a line that is dragged, or moved by habn.ui.compare.line_control.

export function imageSlider(component) {
  const element = document.createElement("div");
  element.className = "image-slider";
  element.innerHTML = `<div class="slider-wrap" hidden><img alt=""><img alt="" class="over">
    <div class="line" data-testid="slider"><span></span></div></div>`;
  const wrap = element.firstChild;
  const [under, over, line] = wrap.children;
  let share = 0.5;

  function move(to) {
    share = Math.min(1, Math.max(0, to));
    over.style.clipPath = `inset(0 0 0 ${100 * share}%)`;
    line.style.left = `${100 * share}%`;
  }

  function moveTo({ clientX }) {
    const { left, width } = wrap.getBoundingClientRect();
    move((clientX - left) / width);
  }

  wrap.addEventListener("mousedown", (event) => {
    if (!event.isTrusted && event.target !== line) return;
    event.preventDefault();
    if (event.isTrusted) moveTo(event);
    addEventListener("mousemove", moveTo);
    addEventListener("mouseup", () => removeEventListener("mousemove", moveTo), { once: true });
  });
  wrap.addEventListener("touchmove", (event) => {
    event.preventDefault();
    moveTo(event.touches[0]);
  }, { passive: false });
  component.take = ({ value }) => {
    if (!value) return;
    wrap.hidden = false;
    [under.src, over.src] = value;
    move(share);
  };
  return element;
}

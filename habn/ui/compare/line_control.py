"""The keyboard's way to the line between the two answers, which Gradio gives to pointers alone."""

from typing import Any

import gradio as gr

from habn.ui import words

# Gradio's slider has no setting for where its line is, so this does what a pointer does that drags it.
_SCRIPT = """
const input = element.querySelector("input");
const part = () => element.closest(".compare-answer").querySelector(".answer .slider-wrap");
const handle = () => part()?.querySelector('[data-testid="slider"]');
const middle = ({ left, width }) => left + width / 2;

function read() {
  if (!handle()) return;
  const { left, width } = part().getBoundingClientRect();
  input.value = (100 * (middle(handle().getBoundingClientRect()) - left)) / width;
}

function move() {
  if (!handle()) return;
  const { left, width, top, height } = part().getBoundingClientRect();
  const act = (target, type, clientX) =>
    target.dispatchEvent(new MouseEvent(type, { bubbles: true, view: window, clientX, clientY: top + height / 2 }));
  const goal = left + (width * input.value) / 100;
  act(handle(), "mousedown", middle(handle().getBoundingClientRect()));
  act(window, "mousemove", goal);
  act(window, "mouseup", goal);
}

input.addEventListener("focus", read);
input.addEventListener("input", move);
"""


class LineControl(gr.HTML):
    """A slider that moves the line of the `gr.ImageSlider` beside it; it is seen while it has the focus."""

    def __init__(self, *, render: bool = True):
        super().__init__(
            html_template=f'<label class="line-control">{words.spans("compare.line")}'
            '<input type="range" min="0" max="100" value="50"></label>',
            js_on_load=_SCRIPT,
            apply_default_css=False,
            elem_classes="plain",
            render=render,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "null", "description": "nothing"}

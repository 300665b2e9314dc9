"""The shipped examples as small pictures to choose from, each a button with a name."""

import base64
import io
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from habn.comparison.examples import EXAMPLES
from habn.ui import words

THUMBNAIL = (192, 144)  # pixels: twice as many as they take on the page, for dense screens

_SCRIPT = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) trigger("select", { example: button.dataset.example });
});
"""


class ExamplePicker(gr.HTML):
    """One button for each of `EXAMPLES`. Event `select` tells which, as {"example": its stem}; it has no value."""

    def __init__(self, *, render: bool = True):
        buttons = "".join(map(_draw_button, EXAMPLES))
        super().__init__(
            html_template=f"<fieldset><legend>{words.spans('compare.examples')}</legend><div>{buttons}</div></fieldset>",
            js_on_load=_SCRIPT,
            apply_default_css=False,
            elem_classes=["plain", "examples"],
            render=render,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "null", "description": "nothing"}


def _draw_button(path: Path) -> str:
    return (
        f'<button type="button" data-example="{path.stem}"><img alt="" src="{_draw_thumbnail(path)}">'
        f'<span class="unseen">{words.spans(f"compare.example_{path.stem}")}</span></button>'
    )


def _draw_thumbnail(path: Path) -> str:
    """The picture in small, as the address of an <img>."""
    with Image.open(path) as image:
        image.thumbnail(THUMBNAIL)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"

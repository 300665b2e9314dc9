"""The shipped examples as small pictures to choose from, each a button with a name."""

import base64
import io
from pathlib import Path

from PIL import Image

from habn.comparison.examples import EXAMPLES
from habn.ui import words
from habn.ui.part import Part

THUMBNAIL = (192, 144)  # pixels: twice as many as they take on the page, for dense screens


class ExamplePicker(Part):
    """One button for each of `EXAMPLES`. Event `select` tells which, as {"example": its stem}; it has no value."""

    def __init__(self, *, render: bool = True):
        super().__init__(
            folder=Path(__file__).parent,
            name="example_picker",
            scripts=("example_picker.js",),
            table=words.table("compare"),
            constants={"EXAMPLES": {path.stem: _draw_thumbnail(path) for path in EXAMPLES}},
            render=render,
        )


def _draw_thumbnail(path: Path) -> str:
    """The picture in small, as the address of an <img>."""
    with Image.open(path) as image:
        image.thumbnail(THUMBNAIL)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"

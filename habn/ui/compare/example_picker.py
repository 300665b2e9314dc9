"""The shipped examples as small pictures to choose from, each a button with a name."""

import base64
import io
from pathlib import Path

from PIL import Image, ImageOps

from habn.comparison.examples import EXAMPLES, PHOTOGRAPHS, source_of
from habn.ui import words
from habn.ui.part import Part

THUMBNAIL = (192, 144)  # pixels: twice as many as they take on the page, for dense screens


class ExamplePicker(Part):
    """One button for each example. Event `select` tells which, as {"example": its name}; it has no value."""

    def __init__(self, *, render: bool = True):
        super().__init__(
            folder=Path(__file__).parent,
            name="example_picker",
            scripts=("example_picker.js",),
            table=words.table("compare"),
            constants={
                "DRAWN": {path.stem: _draw_thumbnail(path) for path in EXAMPLES},
                "PHOTOGRAPHS": {name: _draw_thumbnail(path) for name, path in PHOTOGRAPHS.items()},
                "SOURCES": {name: source_of(name) for name in PHOTOGRAPHS},
            },
            render=render,
        )


def _draw_thumbnail(path: Path) -> str:
    """The picture in small, as the address of an <img>."""
    with Image.open(path) as whole:
        image = ImageOps.fit(whole.convert("RGB"), THUMBNAIL, centering=(0.5, 0.3))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"

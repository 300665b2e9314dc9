"""How a style pair paints, set by the visitor; and where the network that paints adapts most.

The value of the controls is a `Painting` as a dictionary, which the server sets when the page opens and the browser
from then on. Event `input` comes once per release.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from habn.comparison.painting import Painting, PaintingError
from habn.data.styles import STYLE_TITLES, STYLES
from habn.shipped import shipped
from habn.ui import words
from habn.ui.part import Part

SWATCHES = shipped("assets") / "swatches"

_HERE = Path(__file__).parent


class PaintingControls(Part):
    """A swatch for each style, sliders for its strength and for the share of a second style, and whose colours.

    Without swatches, which `assets.draw_swatches` paints, styles have their names alone.
    """

    def __init__(self, value: dict | None = None, *, visible: bool = True, render: bool = True):
        super().__init__(
            value,
            folder=_HERE,
            name="controls",
            scripts=("controls.js",),
            table=_words(),
            constants={
                "DEFAULTS": asdict(Painting()),
                "PAINTERS": {style: painter_of(style) for style in STYLES},
                "SWATCHES": {style: _read_swatch(style) for style in STYLES},
            },
            visible=visible,
            render=render,
        )


class MostAdapted(Part):
    """The layer of a network that adapts most, on the photo. Its value is what `draw_most_adapted` returns, or None.

    Event `select` (data: run, layer): the visitor asks for that layer in the tab Layers.
    """

    def __init__(self, value: dict | None = None, *, visible: bool = True, render: bool = True):
        super().__init__(
            value,
            folder=_HERE,
            name="most_adapted",
            scripts=("most_adapted.js",),
            table=words.table("painting"),
            visible=visible,
            render=render,
        )


def painter_of(style: str) -> str:
    """Painter and year, as "Edvard Munch, 1893"."""
    return STYLE_TITLES[style].partition(", ")[2]


def read_painting(value: object) -> Painting:
    """The painting that the controls' value asks for.

    Raises:
        PaintingError: one sentence, if it is none.
    """
    if not isinstance(value, Mapping) or not value.keys() <= asdict(Painting()).keys():
        raise PaintingError("This is no painting; choose a style again.")
    return Painting(**value)


def _words() -> dict[str, dict[str, str]]:
    """The controls' own texts and, as style_NAME, the titles of the paintings."""
    titles = words.table("styles")
    return {
        language: texts | {f"style_{name}": title for name, title in titles[language].items()}
        for language, texts in words.table("painting").items()
    }


def _read_swatch(style: str) -> str | None:
    """A swatch as the address of an <img>; None where there is no such file."""
    path = SWATCHES / f"{style}.jpg"
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.is_file() else None

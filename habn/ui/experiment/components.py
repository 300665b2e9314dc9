"""The three components of an experiment: controls of the weather, controls of the adaptation, and what came of them.

The value of the controls has up to three keys. The server sets `run`, the id of the comparison that the page shows, and
`scene`, what is needed to draw the controls for it; the browser sets `settings`, what the visitor chose, which nobody
else ever changes but a link when the page is opened. Event `input`: run the networks with the settings. It comes once
per release, and when controls are seen whose scene is not that of the comparison shown.
"""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from habn.data.weather import WEATHER, draw_place
from habn.layers import PARAMETERS
from habn.ui import words

_HERE = Path(__file__).parent
_FIRST_SEED = 0


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


class _Part(gr.HTML):
    """A template, a stylesheet and a script, which starts with constants from here and what the parts share.

    Args:
        name: of the template and the script.
        shared: scripts that come before it.
        constants: what the scripts know by these names, besides TABLE, the words.
        value, render: as Gradio gives them when it makes a component anew for a visitor.
    """

    def __init__(
        self, name: str, shared: tuple[str, ...], constants: dict[str, object], value: dict | None, render: bool
    ):
        given = {"TABLE": words.table("experiment"), **constants}
        lines = [f"const {key} = {json.dumps(value, ensure_ascii=False)};\n" for key, value in given.items()]
        super().__init__(
            value,
            html_template=_read(f"{name}.html"),
            css_template=_read("style.css"),
            js_on_load="".join([*lines, *map(_read, shared), _read(f"{name}.js")]),
            apply_default_css=False,
            elem_classes="plain",
            render=render,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "run, scene and settings, or null"}


class WeatherControls(_Part):
    """Which weather, how strong, and where on the photo."""

    def __init__(self, value: dict | None = None, *, render: bool = True):
        places = {name: draw_place(name, _FIRST_SEED) for name in WEATHER}
        super().__init__("weather", ("words.js", "controls.js"), {"PLACES": places}, value, render)


class AdaptationControls(_Part):
    """Which layer, which parameters and how much of them, and which map *s*, painted if need be."""

    def __init__(self, value: dict | None = None, *, render: bool = True):
        shared = ("words.js", "controls.js", "painter.js")
        super().__init__("adaptation", shared, {"PARAMETERS": PARAMETERS}, value, render)


class Outcome(_Part):
    """Answers before and after, what changed, and the figures; its value is what `draw_outcome` returns, or None.

    Args:
        rows, pictures: how many networks it will show, and pictures for each, for which it keeps room.
    """

    def __init__(self, value: dict | None = None, *, rows: int = 1, pictures: int = 3, render: bool = True):
        super().__init__("outcome", ("words.js",), {"ROWS": rows, "PICTURES": pictures}, value, render)

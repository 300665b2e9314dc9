"""The report: one HTML file that opens offline, with the photo, both answers, the figures and a working inspector.

The inspector in it is the page's own: its template, style and script. In the place of Gradio, report.js gives it what
it asks for: a value, files, and an answer to a pick. For each layer the file holds the channels that adapt most, and
the one that was shown; every number in it is the full float32 that the page has.
"""

import base64
import io
import json
import zlib
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from habn.comparison.arrays import View
from habn.ui import panels, pictures, words
from habn.ui.export.sheet_words import title_of
from habn.ui.inspector import Inspector
from habn.ui.inspector.encoding import adaptation_order
from habn.ui.link import Link
from habn.ui.shown import inspect

HELD_CHANNELS = 2
"""Most adapted channels of each layer that a report holds."""

_INSPECTOR = Inspector(render=False)  # built here: in an event, Gradio makes updates of components
_HERE = Path(__file__).parent
_PAGE_STYLE = _HERE.parent / "style.css"


def write_report(view: View, link: Link, language: str) -> str:
    """The report's text.

    Args:
        view: what it shows first.
        link: the visitor's view, for the opacity and the way to look at the maps.
        language: of its own words; the inspector speaks the reader's.
    """
    result = view.result
    files: dict[str, str] = {}
    values = [_embed(value, files) for value in _inspections(view, link)]
    first, second = (
        pictures.draw_answer(result.image, output, link.opacity) for output in (result.first, result.second)
    )
    say = {key: escape(text) for key, text in words.table("export")[language].items()}
    return Template(_read("report.html")).substitute(
        say,
        language=language,
        pair=escape(title_of(view, language)),
        style=_PAGE_STYLE.read_text(encoding="utf-8") + _INSPECTOR.css_template + _read("report.css"),
        verdict=panels.draw_verdict(result, language),
        figures=panels.draw_figures(result, language),
        legend=panels.draw_legend(result, language),
        first=escape(result.first.label),
        second=escape(result.second.label),
        photo_picture=_png(result.image),
        first_picture=_png(first),
        second_picture=_png(second),
        difference_picture=_png(pictures.draw_map(result.image, result.difference, result.task)),
        channels=_list_channels(view, values),
        template=_INSPECTOR.html_template,
        data=_script_json({"files": files, "values": values, "texts": words.table("export")[language]}),
        inspector=_inside_script(_INSPECTOR.js_on_load),
        script=_inside_script(_read("report.js")),
    )


def _inspections(view: View, link: Link) -> list[dict[str, Any]]:
    """The inspector's values that the report holds, the one of the view first."""
    result = view.result
    held = [(view.layer, view.channel)]
    for layer, record in enumerate(result.second.records):
        most_adapted = map(int, adaptation_order(record)[:HELD_CHANNELS])
        held += [(layer, channel) for channel in most_adapted if (layer, channel) not in held]
    look = link.look() | {"pixel": list(view.pixel)}
    return [inspect(result, *place, look if place == held[0] else None) for place in held]


def _embed(value: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    """The value with each of its files replaced by {"file": a name}; the files, deflated, go into `files`."""

    def embed(part: Any) -> Any:
        if not isinstance(part, dict) or "path" not in part:
            return part
        path = Path(part["path"])
        if path.name not in files:
            files[path.name] = base64.b64encode(zlib.compress(path.read_bytes())).decode()
        return {"file": path.name}

    return {key: embed(part) for key, part in value.items()}


def _list_channels(view: View, values: list[dict[str, Any]]) -> str:
    """Which channels of which layers the file holds, as items of a list."""
    held: dict[int, list[int]] = {}
    for value in values:
        held.setdefault(value["layer"], []).append(value["channel"])
    names = [record.name for record in view.result.second.records]
    return "".join(
        f"<li><code>{escape(names[layer])}</code>: {', '.join(map(str, sorted(held[layer])))}</li>"
        for layer in sorted(held)
    )


def _png(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _script_json(value: Any) -> str:
    return _inside_script(json.dumps(value, separators=(",", ":")))


def _inside_script(text: str) -> str:
    """A text that cannot end the script element that it stands in."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")

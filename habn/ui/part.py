"""A part of the page that has a script of its own: a `gr.HTML` made of a template, a stylesheet and scripts.

Nothing is built: the scripts are files as they are written. Each stands in a function of its own, as a module would,
and hands on the names of its first line, `/* exported a, b */`. ESLint holds it to the names that it takes from others,
`/* global c, d */`. A file that comes later may be used once all have run.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from habn.ui import words

_EXPORTED = re.compile(r"\A/\* exported ([\w, ]+) \*/\n")
_SHARED = tuple(Path(__file__).with_name(name) for name in ("part.js", "numbers.js"))


class Part(gr.HTML):
    """A part of the page made of the files of one folder.

    Args:
        value, render, visible: as Gradio gives them when it makes a component anew for a visitor.
        folder, name: the template is NAME.html, the stylesheet NAME.css; there need be none.
        scripts: names of the scripts, in the order in which they run.
        table: what the scripts say, {language: {name: text}}; see `words.table`.
        stylesheet: where it has another name.
        constants: what the scripts know by these names.
    """

    def __init__(
        self,
        value: dict | None = None,
        *,
        folder: Path,
        name: str,
        scripts: tuple[str, ...],
        table: Mapping[str, Mapping[str, str]],
        stylesheet: str | None = None,
        constants: Mapping[str, object] | None = None,
        elem_classes: tuple[str, ...] = (),
        visible: bool = True,
        render: bool = True,
    ):
        style = folder / (stylesheet or f"{name}.css")
        super().__init__(
            value,
            html_template=(folder / f"{name}.html").read_text(encoding="utf-8"),
            css_template=style.read_text(encoding="utf-8") if style.is_file() else "",
            js_on_load=compose((*_SHARED, *(folder / script for script in scripts)), table, constants or {}),
            apply_default_css=False,
            elem_classes=["plain", *elem_classes],
            visible=visible,
            render=render,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "the part's value, or null"}


def compose(scripts: Iterable[Path], table: Mapping[str, Mapping[str, str]], constants: Mapping[str, object]) -> str:
    """Scripts as one: the constants, then each file in a function of its own."""
    known = {"LANGUAGES": words.LANGUAGES, "NUMBERS": words.table("numbers"), "TABLE": table, **constants}
    lines = [f"const {name} = {json.dumps(value, ensure_ascii=False)};\n" for name, value in known.items()]
    return "".join([*lines, *map(_enclose, scripts)])


def _enclose(path: Path) -> str:
    """A file in a function that returns what it exports."""
    text = path.read_text(encoding="utf-8")
    exported = _EXPORTED.match(text)
    if not exported:
        return f"(() => {{\n{text}}})();\n"
    names = exported[1]
    return f"const {{ {names} }} = (() => {{\n{text}return {{ {names} }};\n}})();\n"

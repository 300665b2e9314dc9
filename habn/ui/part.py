"""A part of the page that has a script of its own: a `gr.HTML` made of a template, a stylesheet and scripts."""

import json
from pathlib import Path
from typing import Any

import gradio as gr


class Part(gr.HTML):
    """A part of the page made of files; no JavaScript is built.

    The scripts run as one, each time the component is mounted: the constants, part.js, then those of the folder.

    Args:
        value, render, visible: as Gradio gives them when it makes a component anew for a visitor.
        folder: where the files lie.
        template, stylesheet, scripts: their names.
        table: what the scripts say, {language: {name: text}}; see `words.table`.
        constants: what the scripts know by these names.
    """

    def __init__(
        self,
        value: dict | None,
        render: bool,
        *,
        folder: Path,
        template: str,
        stylesheet: str,
        scripts: tuple[str, ...],
        table: dict[str, dict[str, str]],
        constants: dict[str, object],
        visible: bool = True,
    ):
        given = {"TABLE": table, **constants}
        lines = [f"const {key} = {json.dumps(data, ensure_ascii=False)};\n" for key, data in given.items()]
        paths = [Path(__file__).with_name("part.js"), *(folder / name for name in scripts)]
        super().__init__(
            value,
            html_template=(folder / template).read_text(encoding="utf-8"),
            css_template=(folder / stylesheet).read_text(encoding="utf-8"),
            js_on_load="".join([*lines, *(path.read_text(encoding="utf-8") for path in paths)]),
            apply_default_css=False,
            elem_classes="plain",
            visible=visible,
            render=render,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "the part's value, or null"}

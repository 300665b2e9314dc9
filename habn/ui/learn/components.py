"""The tab's two components of its own: what a step says, above the inspector, and what it asks, below."""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from habn.ui import words
from habn.ui.link import LEARN_STEPS

STEPS = tuple(range(1, LEARN_STEPS + 1))
PHOTO_STEPS = (5, 6)
"""These run networks, so they wait for their turn."""

_HERE = Path(__file__).parent


class LessonText(gr.HTML):
    """The steps' list, and words, picture and table of one step; its value is `Step.text`, or None.

    Events, both with data {"step": number}: `select` asks for a step of the two-region picture, `submit` for one of the
    visitor's photo.
    """

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(value, **_parts("lesson"), render=render)

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "the text of a step, or null"}


class Question(gr.HTML):
    """A step's question, choices and answer, and the way to the step before and after; its value is `Step.question`.

    Event `select`, with data {"tab": id}: the visitor wants to go to another tab.
    """

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(value, **_parts("question"), render=render)

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "the question of a step, or null"}


def _parts(name: str) -> dict[str, Any]:
    """Template, stylesheet and script of a component; constants and common.js stand before the script."""
    html, css, common, script = (_read(file) for file in (f"{name}.html", f"{name}.css", "common.js", f"{name}.js"))
    constants = {"STEPS": STEPS, "PHOTO_STEPS": PHOTO_STEPS, "TEXTS": _standing_words()}
    lines = "".join(f"const {constant} = {json.dumps(data)};\n" for constant, data in constants.items())
    return {
        "html_template": html,
        "css_template": css,
        "js_on_load": lines + common + script,
        "apply_default_css": False,
        "elem_classes": "plain",
    }


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _standing_words() -> dict[str, dict[str, str]]:
    """What the scripts themselves say, in every language: the steps' names, and the words that begin with "ui_"."""
    return {
        language: {key: text for key, text in texts.items() if key.startswith("ui_") or key.endswith("_name")}
        for language, texts in words.table("learn").items()
    }

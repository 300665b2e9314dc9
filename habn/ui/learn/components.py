"""The tab's two components of its own: what a step says, above the inspector, and what it asks, below."""

from pathlib import Path

from habn.ui import words
from habn.ui.link import LEARN_STEPS
from habn.ui.part import Part

STEPS = tuple(range(1, LEARN_STEPS + 1))
PHOTO_STEPS = (5, 6)
"""These run networks, so they wait for their turn."""


class _Part(Part):
    """A part of the lesson: the template, the stylesheet and the script of its name."""

    def __init__(self, value: dict | None, render: bool, name: str):
        super().__init__(
            value,
            folder=Path(__file__).parent,
            name=name,
            scripts=("common.js", f"{name}.js"),
            table=_standing_words(),
            constants={"STEPS": STEPS, "PHOTO_STEPS": PHOTO_STEPS},
            render=render,
        )


class LessonText(_Part):
    """The steps' list, and words, picture and table of one step; its value is `Step.text`, or None.

    Events, both with data {"step": number}: `select` asks for a step of the two-region picture, `submit` for one of the
    visitor's photo.
    """

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(value, render, "lesson")


class Question(_Part):
    """A step's question, choices and answer, and the way to the step before and after; its value is `Step.question`.

    Event `select`, with data {"tab": id}: the visitor wants to go to another tab.
    """

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(value, render, "question")


def _standing_words() -> dict[str, dict[str, str]]:
    """What the scripts themselves say, in every language: the steps' names, and the words that begin with "ui_"."""
    return {
        language: {key: text for key, text in texts.items() if key.startswith("ui_") or key.endswith("_name")}
        for language, texts in words.table("learn").items()
    }

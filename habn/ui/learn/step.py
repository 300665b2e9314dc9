"""What every step of the lesson is made of: words in the visitor's language, figures, tables, pictures with marks.

The words are words/learn.json, of which "N_..." belong to step N. They hold HTML; what is filled in is escaped.
"""

from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple

import numpy as np

from habn.ui import pictures, words

CHOICES = (1, 2, 3)

Pixel = tuple[int, int]


class Step(NamedTuple):
    """A step as it is shown: the values of the tab's three components.

    Attributes:
        text: {"step", "run", "title", "paragraphs", "table", "picture"}, or {"step", "note"} where there is none.
        inspection: of the inspector; see `build_inspection`.
        question: {"step", "question", "choices", "answer"}, and what belongs to the answer: "picture", "table", "tabs".
            Each choice has a "text", and a "why": the reason why it is wrong, or None.
    """

    text: dict[str, Any]
    inspection: dict[str, Any]
    question: dict[str, Any] | None


class Sayer:
    """The words and numbers of the lesson in a language: say(name, **fields)."""

    def __init__(self, language: str):
        self.language = language

    def __call__(self, name: str, **fields: object) -> str:
        escaped = {key: escape(str(value)) for key, value in fields.items()}
        return words.say(f"learn.{name}", self.language, **escaped)

    def decimals(self, value: float, digits: int = 3) -> str:
        return words.decimals(value, digits, self.language)

    def percent(self, share: float) -> str:
        return words.percent(share, self.language)


def build_text(number: int, say: Sayer, **fields: object) -> dict[str, Any]:
    """Title and paragraphs of a step; fields are what the words leave open."""
    paragraphs = say(f"{number}_text", **fields).split("\n\n")
    return {"step": number, "title": say(f"{number}_title"), "paragraphs": paragraphs}


def build_question(number: int, say: Sayer, right: int, answer: str | None = None, **fields: object) -> dict[str, Any]:
    """Question, choices and answer of a step.

    Args:
        number: of the step.
        say: its words.
        right: which of CHOICES is right.
        answer: where it is put together from more than the step's one answer.
        fields: what the words leave open.
    """
    choices = [
        {
            "text": say(f"{number}_choice_{k}", **fields),
            "why": None if k == right else say(f"{number}_why_{k}", **fields),
        }
        for k in CHOICES
    ]
    question = say(f"{number}_question", **fields)
    return {
        "step": number,
        "question": question,
        "choices": choices,
        "answer": answer or say(f"{number}_answer", **fields),
    }


def build_table(caption: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> dict[str, Any]:
    """A table whose rows begin with their names."""
    return {"caption": caption, "head": list(head), "rows": [list(row) for row in rows]}


def build_picture(image: np.ndarray, alt: str, marks: Iterable[tuple[str, Pixel, tuple[int, int]]] = ()) -> dict:
    """A picture with marks on it: each a name, a pixel, and the (height, width) of the map that the pixel is of."""
    placed = [
        {"name": name, "left": 100 * (column + 0.5) / width, "top": 100 * (row + 0.5) / height}
        for name, (row, column), (height, width) in marks
    ]
    return {"file": pictures.publish_file(image), "alt": alt, "marks": placed, "shape": list(image.shape[:2])}


def secret(text: str) -> str:
    """A figure of a table that is part of the answer: a question mark until the answer has been shown."""
    return f'<span class="asked">?</span><span class="secret">{text}</span>'

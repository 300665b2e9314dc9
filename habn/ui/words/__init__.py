"""What the page says, in every language that it speaks: one JSON file per part of the page, {language: {key: text}}.

Text that stands still is translated by the browser (`label`, and `spans` within HTML); text that the server makes of a
result is written in the language that the browser asks for (`language_of`, `say`); scripts get all languages of their
part (`table`).
"""

import json
import re
from functools import cache
from pathlib import Path

import gradio as gr
from gradio.i18n import I18nData

from habn.comparison.request import PAIRS
from habn.results.models import LANGUAGES


def label(key: str) -> I18nData:
    """A text that Gradio's front end translates, such as a component's label; key is "part.name"."""
    return i18n()(key)


def spans(key: str) -> str:
    """A text for standing HTML: one span per language, of which the stylesheet shows the one that the browser speaks.

    Gradio's front end translates the first label in a `gr.HTML` only, and none in an attribute.
    """
    return "".join(f'<span lang="{language}">{say(key, language)}</span>' for language in LANGUAGES)


def say(key: str, language: str, **values: object) -> str:
    """A text in a language, its {fields} filled in; key is "part.name".

    Raises:
        KeyError: when there is no such text.
    """
    part, _, name = key.partition(".")
    return table(part)[language][name].format(**values)


def integer(value: int, language: str) -> str:
    """A whole number with its thousands apart, as the language writes them: 983,239 or 983 239."""
    return f"{value:,}".replace(",", table("numbers")[language]["thousands"])


def decimals(value: float, digits: int, language: str) -> str:
    """A number with so many decimals, a true minus sign, and no sign where all of them are 0."""
    text = f"{value:.{digits}f}".replace(".", table("numbers")[language]["decimal"])
    return text.replace("-", "−" if re.search("[1-9]", text) else "")


def percent(share: float, language: str, digits: int = 1) -> str:
    """ "12.3 %", whose two parts stay on one line; "< 0.1 %" of what would be rounded to nothing and is not."""
    least = 10.0 ** -(digits + 2)
    below = 0 < share < least / 2
    text = decimals(100 * (least if below else share), digits, language)
    return f"<\N{NO-BREAK SPACE}{text}\N{NO-BREAK SPACE}%" if below else f"{text}\N{NO-BREAK SPACE}%"


def milliseconds(seconds: float | None) -> str:
    """ "12 ms"; nothing of a pass whose time says nothing."""
    return "" if seconds is None else f"{seconds * 1000:.0f}\N{NO-BREAK SPACE}ms"


def size(count: int, language: str) -> str:
    """The size of a file, "1.2 MB"."""
    unit, divisor = ("MB", 1e6) if count >= 1e5 else ("kB", 1e3)
    return f"{decimals(count / divisor, 1, language)}\N{NO-BREAK SPACE}{unit}"


def language_of(request: gr.Request | None) -> str:
    """The language that the visitor's browser asks for first, as in part.js; the first of LANGUAGES where the page does
    not speak it, and for programs.
    """
    asked = request.headers.get("accept-language", "") if request else ""
    language = re.split("[,;-]", asked)[0].strip().lower()
    return language if language in LANGUAGES else LANGUAGES[0]


@cache
def table(part: str) -> dict[str, dict[str, str]]:
    """All texts of one part of the page, {language: {name: text}}; what the owner's networks are called goes along."""
    texts = json.loads((_FOLDER / f"{part}.json").read_text(encoding="utf-8"))
    return {language: _owners_names(part) | named for language, named in texts.items()}


def _owners_names(part: str) -> dict[str, str]:
    """Pairs and classes of networks that the page's owner named, which nobody translates."""
    own = {name: pair for name, pair in PAIRS.items() if pair.task == "own"}
    if part == "pairs":
        return {name: pair.title for name, pair in own.items()}
    return {name: name for pair in own.values() for name in pair.classes} if part == "classes" else {}


@cache
def i18n() -> gr.I18n:
    """All texts, for `launch(i18n=...)`."""
    return gr.I18n(**{language: every_text(language) for language in LANGUAGES})


def every_text(language: str) -> dict[str, str]:
    """All texts of the page in a language, by "part.name"."""
    parts = [path.stem for path in sorted(_FOLDER.glob("*.json"))]
    return {f"{part}.{name}": text for part in parts for name, text in table(part)[language].items()}


_FOLDER = Path(__file__).parent

"""Strict reading of JSON: each reader takes a value and its place in the file, and returns it or says what is wrong.

Nothing is converted, guessed or left over: a text is no number, a number no truth, and an unknown key an error.
"""

import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from habn.errors import HabnError

Reader = Callable[[Any, str], Any]
"""From a value of JSON and its place ("rows[0].seeds") to what it means. Raises Misfit where it does not fit."""


class ResultError(HabnError):
    """One sentence on a file of results that cannot be read: which file, which key, and what to do."""


class Misfit(ValueError):
    """What does not fit, without its file."""


class Object:
    """A JSON object whose keys are taken one by one; a key that nobody takes is an error."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise Misfit(f"{place or 'the file'} must be an object")
        self.values, self.place = dict(value), place

    def __enter__(self) -> "Object":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None and self.values:
            raise Misfit(f"the key '{self.place}{next(iter(self.values))}' is not known")

    def take(self, key: str, read: Reader) -> Any:
        """The value of a key, read."""
        if key not in self.values:
            raise Misfit(f"the key '{self.place}{key}' is missing")
        return read(self.values.pop(key), f"{self.place}{key}")

    def take_if_there(self, key: str, read: Reader, otherwise: Any) -> Any:
        """Likewise, or what stands for a key that is missing."""
        return self.take(key, read) if key in self.values else otherwise


def read_file(path: Path, read: Callable[[Any], Any]) -> Any:
    """What `read` makes of a file's content.

    Raises:
        ResultError: when the file is missing or no JSON, or on the first Misfit.
    """
    remedy = "run the command again that writes the file, or correct it"
    try:
        return read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ResultError(f"{path} is missing; {remedy}.") from None
    except Misfit as misfit:
        raise ResultError(f"{path}: {misfit}; {remedy}.") from None
    except (ValueError, RecursionError):  # as JSONDecodeError and UnicodeDecodeError are, and digits without end
        raise ResultError(f"{path} is not valid JSON; {remedy}.") from None


def string(value: Any, place: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise Misfit(f"'{place}' must be a text that is not empty")
    return value


def any_string(value: Any, place: str) -> str:
    """A text, perhaps an empty one."""
    if not isinstance(value, str):
        raise Misfit(f"'{place}' must be a text")
    return value


def iso_date(value: Any, place: str) -> str:
    """A date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Misfit(f"'{place}' must be a date such as 2026-01-31") from None


def truth(value: Any, place: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Misfit(f"'{place}' must be true or false")
    return value


def whole(value: Any, place: str) -> int:
    """A whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Misfit(f"'{place}' must be a whole number from 0")
    return value


def number(value: Any, place: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Misfit(f"'{place}' must be a finite number")
    return float(value)


def one_of(choices: tuple[str, ...]) -> Reader:
    """A reader of one of the texts."""

    def read(value: Any, place: str) -> str:
        if value not in choices:
            raise Misfit(f"'{place}' must be one of {', '.join(choices)}")
        return value

    return read


def list_of(read: Reader, length: int | None = None) -> Reader:
    """A reader of a list whose items `read` reads, as a tuple; of that length, unless it is None."""

    def read_list(value: Any, place: str) -> tuple:
        if not isinstance(value, list) or length not in (None, len(value)):
            raise Misfit(f"'{place}' must be a list" + ("" if length is None else f" of {length}"))
        return tuple(read(item, f"{place}[{index}]") for index, item in enumerate(value))

    return read_list

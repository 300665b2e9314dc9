"""What is said, in the visitor's language, of a request that is refused, and of one at which the program fails."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from habn.errors import HabnError
from habn.images import ImageError
from habn.ui import words

log = logging.getLogger(__name__)


class SettingsError(HabnError):
    """One sentence on settings of an experiment that cannot be read, and what to do."""


class GoneError(HabnError):
    """The photo that a page shows is no longer kept."""

    def __init__(self) -> None:
        super().__init__(words.say("server.gone", "en"))


def explain(error: HabnError, language: str) -> str:
    """An error's sentence in a language of `words.LANGUAGES`; in English where it has not been translated.

    The words "refusals.*" hold what a visitor's photo can bring about, in English exactly as `habn.images` says it.
    """
    if isinstance(error, ImageError):
        for name, sentence in words.table("refusals")["en"].items():
            if sentence == error.sentence:
                return words.say(f"refusals.{name}", language, **error.fields)
    return words.say("server.gone", language) if isinstance(error, GoneError) else str(error)


def guarded(callback: Callable[..., Any]) -> Callable[..., Any]:
    """A callback whose failure is one sentence for the visitor, and an entry in the log with its traceback.

    What a person can put right, a callback says itself, in its own place.
    """

    @wraps(callback)
    def guard(*arguments: Any, **named: Any) -> Any:
        try:
            return callback(*arguments, **named)
        except gr.Error:
            raise
        except OSError as error:
            log.error("%s.%s: %s", callback.__module__, callback.__qualname__, error.strerror)
            raise gr.Error(_say("server.cannot_store", arguments, named), print_exception=False) from None
        except Exception as error:
            log.exception("%s.%s failed", callback.__module__, callback.__qualname__)
            raise gr.Error(_say("page.failed", arguments, named), print_exception=False) from error

    return guard


def _say(key: str, arguments: tuple, named: dict[str, Any]) -> str:
    """A text in the language of the request that is among a callback's arguments."""
    asked = (value for value in (*arguments, *named.values()) if isinstance(value, gr.Request))
    return words.say(key, words.language_of(next(asked, None)))

"""What is said of a request that is refused, in the visitor's language."""

from habn.checkpoints import CheckpointError
from habn.comparison.painting import PaintingError
from habn.comparison.request import RequestError
from habn.data.weather import WeatherError
from habn.hooks.intervention import InterventionError
from habn.images import ImageError
from habn.ui import words


class SettingsError(ValueError):
    """One sentence on settings of an experiment that cannot be read, and what to do."""


REFUSALS = (
    ImageError,
    PaintingError,
    WeatherError,
    InterventionError,
    SettingsError,
    RequestError,
    CheckpointError,
)
"""Their messages are sentences for the visitor."""


def explain(error: Exception, language: str) -> str:
    """An error's sentence in a language of `words.LANGUAGES`; in English where it has not been translated.

    The words "refusals.*" hold what a visitor's photo can bring about, in English exactly as `habn.images` says it.
    """
    if isinstance(error, ImageError):
        for name, sentence in words.table("refusals")["en"].items():
            if sentence == error.sentence:
                return words.say(f"refusals.{name}", language, **error.fields)
    return str(error)

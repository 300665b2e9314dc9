"""What is said of a request that is refused, in the visitor's language."""

from habn.images import ImageError
from habn.ui import words


def explain(error: Exception, language: str) -> str:
    """An error's sentence in a language of `words.LANGUAGES`; in English where it has not been translated.

    The words "refusals.*" hold what a visitor's photo can bring about, in English exactly as `habn.images` says it.
    """
    if isinstance(error, ImageError):
        for name, sentence in words.table("refusals")["en"].items():
            if sentence == error.sentence:
                return words.say(f"refusals.{name}", language, **error.fields)
    return str(error)

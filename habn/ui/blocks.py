"""The page as Gradio serves it, but for what it says of a request that makes no sense."""

import logging
from typing import Any

import gradio as gr
from gradio.exceptions import Error, InvalidPathError
from pydantic import ValidationError

log = logging.getLogger(__name__)

LONGEST = 600
"""Characters of a sentence; what a request quotes may be longer."""


class Page(gr.Blocks):
    """A `gr.Blocks` whose every failure is one sentence.

    Gradio checks what it is given before a callback sees it, writes what it finds with a traceback, and with whatever
    was sent, into the log, and answers `{"error": null}`.
    """

    async def process_api(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        try:
            return await super().process_api(*arguments, **named)
        except Error as error:
            error.print_exception = False
            error.message = _shortened(str(error.message))
            raise
        except Exception as error:
            log.warning("An event was refused: %s", type(error).__name__)
            raise gr.Error(_explain(error), print_exception=False) from None


def _explain(error: Exception) -> str:
    if isinstance(error, InvalidPathError):
        return "A file must be uploaded first; what was given in its place is no upload."
    if isinstance(error, OSError):
        return "The server cannot store anything now; please try again in a minute."
    if isinstance(error, ValidationError | TypeError | AttributeError):
        return "A value is not of the type that it should be; the endpoint's description names them."
    if isinstance(error, ValueError) and "input" in str(error)[:400]:
        return "The number of values is not the number of inputs; the endpoint's description lists them."
    return "The values cannot be read; the endpoint's description says what they should be."


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST // 2]} ... {sentence[-LONGEST // 3 :]}"

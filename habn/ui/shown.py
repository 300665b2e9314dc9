"""What the visitor's page shows, and what all tabs do with it: run it, recall it, inspect a layer of it, say a note."""

import logging
from html import escape
from typing import NamedTuple

import gradio as gr

from habn.comparison import engine
from habn.comparison.examples import EXAMPLES, labels_of
from habn.comparison.painting import Painting
from habn.errors import HabnError
from habn.ui import words
from habn.ui.inspector import build_inspection
from habn.ui.refusals import explain, guarded

log = logging.getLogger(__name__)

TITLE = "HABN Explorer"
SECONDS_OF_A_NOTE = 8


class Shown(NamedTuple):
    """What a visitor's page shows: enough to find the result in the engine's cache, or to make it again.

    An upload is deleted after a while, so of an example the photo is the file that is shipped.
    """

    run_id: str
    photo: str
    pair: str
    painting: Painting


def warm_up() -> None:
    """Load the networks by showing them the first example; what is wrong is logged, and the page stays up."""
    try:
        run(str(EXAMPLES[0]), next(iter(engine.PAIRS)), Painting())
    except HabnError as error:
        log.error("The networks could not be loaded: %s", error)
    except Exception:
        log.exception("The networks could not be loaded.")


def request_for(photo: str, pair: str, painting: Painting) -> engine.Request:
    """What the engine is asked for an uploaded photo: with its labels, if it is a shipped example that has some."""
    stylizing = pair in engine.PAIRS and engine.PAIRS[pair].task == "style"
    labels = None if stylizing else labels_of(photo)
    return engine.Request(photo, pair, painting if stylizing else None, labels=labels)


def run(photo: str, pair: str, painting: Painting) -> engine.Result:
    """Both networks' answer to an uploaded photo.

    Raises:
        ImageError: the photo cannot be used.
        PaintingError: one of the networks cannot paint so.
        engine.RequestError: no such pair.
        CheckpointError: a network cannot be loaded.
    """
    return engine.run(request_for(photo, pair, painting))


def inspect(result: engine.Result, layer: int | None, channel: int | None, look: dict | None = None) -> dict:
    """An inspector's value for a result; see `build_inspection`."""
    return build_inspection(
        result.run_id,
        result.first,
        result.second,
        layer,
        channel,
        gaps=result.gaps,
        photo=result.image,
        correspond=result.correspond,
        look=look,
    )


@guarded
def on_select(shown: Shown | None, event: gr.EventData, request: gr.Request) -> dict:
    """Show the layer and the channel that were picked; a pick from an older result is left alone."""
    if shown is None or event.run != shown.run_id:
        return gr.skip()
    try:
        return inspect(recall(shown), event.layer, event.channel)
    except HabnError as error:
        return note(explain(error, words.language_of(request)))


def recall(shown: Shown) -> engine.Result:
    """What the page shows, remembered or made again.

    Raises:
        ImageError, PaintingError, engine.RequestError, CheckpointError: as `run`.
    """
    return engine.recall(shown.run_id) or run(shown.photo, shown.pair, shown.painting)


def note(sentence: str) -> dict:
    """Say a sentence in a corner of the page for a while, and leave everything else as it is."""
    gr.Warning(escape(sentence, quote=False), duration=SECONDS_OF_A_NOTE, title=TITLE)
    return gr.skip()

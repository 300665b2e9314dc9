"""What the page does when something is changed. Nothing here knows the layout; no network is run outside the engine."""

from html import escape
from pathlib import Path
from typing import NamedTuple

import gradio as gr
from gradio.i18n import I18nData

from habn import engine
from habn.checkpoints import CheckpointError
from habn.images import ImageError
from habn.ui import panels, pictures, words
from habn.ui.examples import EXAMPLES, labels_of
from habn.ui.inspector import build_inspection

REFUSALS = (ImageError, engine.RequestError, CheckpointError)  # their messages are sentences for the visitor
SECONDS_OF_A_NOTE = 8


class Shown(NamedTuple):
    """What a visitor's page shows: enough to find the result in the engine's cache, or to make it again."""

    run_id: str
    photo: str
    pair: str
    style: str


def warm_up() -> None:
    """Load the networks by showing them the first example; what is wrong is printed, and the page stays up."""
    try:
        run(str(EXAMPLES[0]), next(iter(engine.PAIRS)), "")
    except REFUSALS as error:
        print(f"The networks could not be loaded: {error}")


def on_task(task: str) -> tuple[dict, dict]:
    """Updates for pair and style: each task has its own pairs, and only one of them has styles."""
    choices = pairs_of(task)
    return gr.update(choices=choices, value=choices[0][1]), gr.update(visible=task == "style")


def pairs_of(task: str) -> list[tuple[I18nData, str]]:
    """Titles and names of the pairs of networks for `task`."""
    return [(words.label(f"pairs.{name}"), name) for name, pair in engine.PAIRS.items() if pair.task == task]


def run(photo: str, pair: str, style: str) -> engine.Result:
    """Both networks' answer to an uploaded photo.

    Raises:
        ImageError: the photo cannot be used.
        engine.RequestError: no such pair or style.
        CheckpointError: a network cannot be loaded.
    """
    stylizing = pair in engine.PAIRS and engine.PAIRS[pair].task == "style"
    labels = None if stylizing or not Path(photo).is_file() else labels_of(photo)
    return engine.run(engine.Request(photo, pair, style if stylizing else None, labels))


def on_change(photo: str | None, pair: str, style: str, opacity: int, request: gr.Request) -> tuple | dict:
    """Run the networks and update everything on the page; what is wrong is said where the answer would stand."""
    if photo is None:
        return gr.skip()
    language = words.language_of(request)
    try:
        result = run(photo, pair, style)
    except REFUSALS as error:
        _note(str(error))
        return *[gr.skip()] * 4, panels.draw_refusal(str(error), language), *[gr.skip()] * 5
    return (
        Shown(result.run_id, photo, pair, style),
        panels.draw_sides(result, language),
        pictures.draw_pair(result, opacity),
        gr.update(visible=result.task == "segmentation"),
        panels.draw_verdict(result, language),
        panels.draw_figures(result, language),
        panels.draw_legend(result, language),
        pictures.draw_difference(result),
        panels.draw_correspondence(result, language),
        build_inspection(result.run_id, result.first, result.second),
    )


def on_opacity(shown: Shown | None, opacity: int) -> tuple | dict:
    """Lay the colours over the photo again; no network runs while the engine remembers the result."""
    if shown is None:
        return gr.skip()
    try:
        return pictures.draw_pair(_recall(shown), opacity)
    except REFUSALS as error:
        return _note(str(error))


def on_select(shown: Shown | None, event: gr.EventData) -> dict:
    """Show the layer and the channel that were picked; a pick from an older result is left alone."""
    if shown is None or event.run != shown.run_id:
        return gr.skip()
    try:
        result = _recall(shown)
        return build_inspection(shown.run_id, result.first, result.second, event.layer, event.channel)
    except ValueError as error:
        return _note(str(error))


def _recall(shown: Shown) -> engine.Result:
    return engine.recall(shown.run_id) or run(shown.photo, shown.pair, shown.style)


def _note(sentence: str) -> dict:
    gr.Warning(escape(sentence, quote=False), duration=SECONDS_OF_A_NOTE)
    return gr.skip()

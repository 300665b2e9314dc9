"""What the page does when something is changed. Nothing here knows the layout; no network is run outside the engine."""

from dataclasses import asdict, replace
from html import escape
from typing import Any, NamedTuple

import gradio as gr
from gradio.i18n import I18nData

from habn import engine
from habn.painting import Painting
from habn.ui import panels, pictures, words
from habn.ui.examples import EXAMPLES, FOLDER, example_of, labels_of, original_of
from habn.ui.inspector import build_inspection
from habn.ui.link import PAINTING, Link, link_of
from habn.ui.painting import read_painting
from habn.ui.painting.most_adapted import adapts, draw_most_adapted
from habn.ui.refusals import REFUSALS, explain

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


class Answer(NamedTuple):
    """What another answer changes on the page: the components, or what each of them becomes."""

    shown: Any
    sides: Any
    slider: Any
    opacity: Any
    verdict: Any
    figures: Any
    legend: Any
    most_adapted: Any
    measured: Any
    difference: Any
    inspector: Any
    copy_link: Any


def warm_up() -> None:
    """Load the networks by showing them the first example; what is wrong is printed, and the page stays up."""
    try:
        run(str(EXAMPLES[0]), next(iter(engine.PAIRS)), Painting())
    except Exception as error:
        print(f"The networks could not be loaded: {error}")


def on_task(task: str) -> tuple[dict, dict]:
    """Updates for pair and painting: each task has its own pairs, and only one of them paints."""
    choices = pairs_of(task)
    return gr.update(choices=choices, value=choices[0][1]), gr.update(visible=task == "style")


def pairs_of(task: str) -> list[tuple[I18nData, str]]:
    """Titles and names of the pairs of networks for `task`."""
    return [(words.label(f"pairs.{name}"), name) for name, pair in engine.PAIRS.items() if pair.task == task]


def request_for(photo: str, pair: str, painting: Painting) -> engine.Request:
    """What the engine is asked for an uploaded photo: with its labels, if it is a shipped example that has some."""
    stylizing = pair in engine.PAIRS and engine.PAIRS[pair].task == "style"
    labels = None if stylizing else labels_of(photo)
    return engine.Request(photo, pair, painting if stylizing else None, labels)


def run(photo: str, pair: str, painting: Painting) -> engine.Result:
    """Both networks' answer to an uploaded photo.

    Raises:
        ImageError: the photo cannot be used.
        PaintingError: one of the networks cannot paint so.
        engine.RequestError: no such pair.
        CheckpointError: a network cannot be loaded.
    """
    return engine.run(request_for(photo, pair, painting))


def on_load(request: gr.Request) -> tuple:
    """Updates for tabs, task, pair, painting and opacity: as the address asks."""
    link = link_of(request)
    task = engine.PAIRS[link.pair].task
    return (
        # An address that asks for no tab must not take back the one that a quick visitor has clicked meanwhile.
        gr.update(selected=link.tab) if "tab" in request.query_params else gr.skip(),
        task,
        gr.update(choices=pairs_of(task), value=link.pair),
        gr.update(value=asdict(link.painting), visible=task == "style"),
        gr.update(value=link.opacity, visible=task == "segmentation"),
    )


def on_example(event: gr.EventData) -> str | dict:
    """The shipped example that was picked, as the photo."""
    path = FOLDER / f"{event.example}.jpg"
    return str(path) if path in EXAMPLES else gr.skip()


def on_settings(request: gr.Request) -> tuple:
    """Show the photo that the address asks for, and its Answer, and say what of the address was left out."""
    link = link_of(request)
    language = words.language_of(request)
    photo = str(FOLDER / f"{link.example}.jpg")
    try:
        result = run(photo, link.pair, link.painting)
    except REFUSALS as error:
        return gr.skip(), *_refuse(error, language)
    link = link.within(result.second.records)
    if link.ignored:
        note(words.say("link.ignored", language, keys=", ".join(link.ignored)))
    shown = Shown(result.run_id, photo, link.pair, link.painting)
    return photo, *_draw(result, shown, link.opacity, link, language)


def on_change(
    shown: Shown | None, photo: str | None, pair: str, painting: dict, opacity: int, request: gr.Request
) -> tuple | dict:
    """Updates for the photo and its Answer; what is wrong is said where the answer would stand, and the photo before
    comes back.

    The inspector stays with the layer, channel and pixel that it shows where the new networks have them.
    """
    if photo is None:
        return gr.skip()
    language = words.language_of(request)
    try:
        asked = read_painting(painting)
        result = run(photo, pair, asked)
    except REFUSALS as error:
        return (shown.photo if shown else None), *_refuse(error, language)
    link = link_of(request).within(result.second.records)
    answer = _draw(result, Shown(result.run_id, original_of(photo), pair, asked), opacity, link, language)
    if shown and shown.run_id == result.run_id:
        answer = answer._replace(inspector=gr.skip())
    return gr.skip(), *answer


def on_choice(
    shown: Shown | None, photo: str | None, pair: str, painting: dict, opacity: int, request: gr.Request
) -> tuple | dict:
    """As `on_change` of a pair or a painting; where the photo was taken away, the one that is shown comes back."""
    if photo is not None or shown is None:
        return on_change(shown, photo, pair, painting, opacity, request)
    _, *answer = on_change(shown, shown.photo, pair, painting, opacity, request)
    return shown.photo, *answer


def on_opacity(shown: Shown | None, opacity: int, request: gr.Request) -> tuple | dict:
    """Lay the colours over the photo again; no network runs while the engine remembers the result."""
    if shown is None:
        return gr.skip()
    try:
        return pictures.draw_pair(recall(shown), opacity)
    except REFUSALS as error:
        return note(explain(error, words.language_of(request)))


def on_select(shown: Shown | None, event: gr.EventData, request: gr.Request) -> dict:
    """Show the layer and the channel that were picked; a pick from an older result is left alone."""
    if shown is None or event.run != shown.run_id:
        return gr.skip()
    try:
        return inspect(recall(shown), event.layer, event.channel)
    except ValueError as error:
        return note(explain(error, words.language_of(request)))


def on_most_adapted(shown: Shown | None, event: gr.EventData, request: gr.Request) -> tuple[dict, dict]:
    """Open the tab Layers with the layer that was asked for; one of an older result is left alone."""
    if shown is None or event.run != shown.run_id:
        return gr.skip(), gr.skip()
    try:
        return inspect(recall(shown), event.layer, None, look={"pixel": None}), gr.update(selected="layers")
    except ValueError as error:
        return note(explain(error, words.language_of(request))), gr.skip()


def _draw(result: engine.Result, shown: Shown, opacity: int, link: Link, language: str) -> Answer:
    return Answer(
        shown,
        panels.draw_sides(result, language),
        pictures.draw_pair(result, opacity),
        gr.update(visible=result.task == "segmentation"),
        panels.draw_verdict(result, language),
        panels.draw_figures(result, language),
        panels.draw_legend(result, language),
        gr.update(value=draw_most_adapted(result, language), visible=adapts(result)),
        gr.update(value=panels.draw_measured(result, language), visible=result.task == "style"),
        pictures.draw_difference(result),
        inspect(result, link.layer_among(result.second.records), link.channel, look=link.look()),
        _address(result, shown.photo, link),
    )


def _address(result: engine.Result, photo: str, link: Link) -> dict:
    """The CopyLink's value: what the address must say of this answer, and whether it can say all of it."""
    example = example_of(photo)
    view = replace(link, example=example or Link.example, pair=result.pair).painted(result.painting)
    entries = view.entries("example", "pair", *PAINTING, "layer", "channel", "pixel") | dict.fromkeys(link.ignored)
    return {"entries": entries, "complete": example is not None}


def _refuse(error: Exception, language: str) -> Answer:
    """Say why where the answer would stand, and in a corner too: that place may be out of sight."""
    sentence = explain(error, language)
    note(sentence)
    unchanged = Answer(*[gr.skip()] * len(Answer._fields))
    return unchanged._replace(verdict=panels.draw_refusal(sentence, language))


def inspect(result: engine.Result, layer: int | None, channel: int | None, look: dict | None = None) -> dict:
    """An inspector's value for a result; see `build_inspection`."""
    outputs = (result.first, result.second)
    facts = {"photo": result.image, "correspond": result.correspond}
    return build_inspection(result.run_id, *outputs, layer, channel, **facts, look=look)


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

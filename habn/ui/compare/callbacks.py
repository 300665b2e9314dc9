"""What the page does when photo, networks, painting, opacity or layer are changed. Nothing here knows the layout."""

from dataclasses import asdict, replace
from typing import Any, NamedTuple

import gradio as gr
from gradio.i18n import I18nData

from habn.comparison import engine
from habn.comparison.examples import PATHS, example_of, original_of
from habn.errors import HabnError
from habn.ui import panels, pictures, words
from habn.ui.compare.painting import read_painting
from habn.ui.compare.painting.most_adapted import adapts, draw_most_adapted
from habn.ui.compare.story.stops import STOPS, build_stop, has_story
from habn.ui.link import FIRST_VIEW, PAINTING, Link, link_of
from habn.ui.refusals import explain, guarded
from habn.ui.shown import Shown, inspect, note, recall, request_for, run


class Answer(NamedTuple):
    """What another answer changes on the page at once: the components, or what each of them becomes."""

    shown: Any
    sides: Any
    slider: Any
    opacity: Any
    verdict: Any
    figures: Any
    legend: Any
    measured: Any
    difference: Any
    story: Any
    repaint: Any
    copy_link: Any


class Inside(NamedTuple):
    """What is shown of the networks' insides, once the answer is there: components, or what each of them becomes."""

    most_adapted: Any
    inspector: Any


@guarded
def on_task(task: str) -> tuple[dict, dict]:
    """Updates for pair and painting: each task has its own pairs, and only one of them paints."""
    choices = pairs_of(task)
    return gr.update(choices=choices, value=choices[0][1]), gr.update(visible=task == "style")


@guarded
def on_repaint() -> tuple:
    """Updates for task, pair and painting: style transfer, by the pair of the first view if that paints."""
    choices = pairs_of("style")
    names = [name for _, name in choices]
    pair = FIRST_VIEW.pair if FIRST_VIEW.pair in names else names[0]
    return "style", gr.update(choices=choices, value=pair), gr.update(visible=True)


def pairs_of(task: str) -> list[tuple[I18nData, str]]:
    """Titles and names of the pairs of networks for `task`."""
    return [(words.label(f"pairs.{name}"), name) for name, pair in engine.PAIRS.items() if pair.task == task]


@guarded
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


@guarded
def on_example(event: gr.EventData) -> str | dict:
    """The example that was picked, as the photo."""
    return str(PATHS[event.example]) if event.example in PATHS else gr.skip()


@guarded
def on_settings(request: gr.Request) -> tuple:
    """Show the photo that the address asks for, and its Answer, and say what of the address was left out."""
    link = link_of(request)
    language = words.language_of(request)
    photo = str(PATHS[link.example])
    try:
        result = run(photo, link.pair, link.painting)
    except HabnError as error:
        return gr.skip(), *_refuse(error, language)
    ignored = link.within(result.second.records).ignored
    if ignored:
        note(words.say("link.ignored", language, keys=", ".join(ignored)))
    shown = Shown(result.run_id, photo, link.pair, link.painting)
    return photo, *_draw(result, shown, link.opacity, link, language)


@guarded
def on_change(
    shown: Shown | None, photo: str | None, pair: str, painting: dict, opacity: int, request: gr.Request
) -> tuple | dict:
    """Updates for the photo and its Answer; what is wrong is said where the answer would stand, and the photo before
    comes back.
    """
    if photo is None:
        return gr.skip()
    language = words.language_of(request)
    try:
        asked = read_painting(painting)
        result = run(photo, pair, asked)
    except HabnError as error:
        return (shown.photo if shown else None), *_refuse(error, language)
    shown = Shown(result.run_id, original_of(photo), pair, asked)
    return gr.skip(), *_draw(result, shown, opacity, link_of(request), language)


@guarded
def on_choice(
    shown: Shown | None, photo: str | None, pair: str, painting: dict, opacity: int, request: gr.Request
) -> tuple | dict:
    """As `on_change` of a pair or a painting; where the photo was taken away, the one that is shown comes back."""
    if photo is not None or shown is None:
        return on_change(shown, photo, pair, painting, opacity, request)
    _, *answer = on_change(shown, shown.photo, pair, painting, opacity, request)
    return shown.photo, *answer


@guarded
def on_shown(shown: Shown | None, request: gr.Request) -> tuple | dict:
    """The Inside of what is shown. It comes after the answer, for which a visitor waits.

    The inspector stays with the layer, channel and pixel that it shows where the new networks have them.
    """
    if shown is None:
        return gr.skip()
    language = words.language_of(request)
    try:
        result = recall(shown)
    except HabnError as error:
        return note(explain(error, language))
    link = link_of(request).within(result.second.records)
    return Inside(
        most_adapted=gr.update(value=draw_most_adapted(result, language), visible=adapts(result)),
        inspector=inspect(result, link.layer_among(result.second.records), link.channel, look=link.look()),
    )


@guarded
def on_story(shown: Shown | None, event: gr.EventData, request: gr.Request) -> dict:
    """A stop of the story on what is shown."""
    if shown is None or event.stop not in STOPS:
        return gr.skip()
    language = words.language_of(request)
    try:
        result = recall(shown)
        return build_stop(event.stop, result, request_for(shown.photo, shown.pair, shown.painting), language)
    except HabnError as error:
        return note(explain(error, language))


@guarded
def on_opacity(shown: Shown | None, opacity: int, request: gr.Request) -> tuple | dict:
    """Lay the colours over the photo again; no network runs while the engine remembers the result."""
    if shown is None:
        return gr.skip()
    try:
        return pictures.draw_pair(recall(shown), opacity)
    except HabnError as error:
        return note(explain(error, words.language_of(request)))


@guarded
def on_most_adapted(shown: Shown | None, event: gr.EventData, request: gr.Request) -> tuple[dict, dict]:
    """Open the tab Layers with the layer that was asked for; one of an older result is left alone."""
    if shown is None or event.run != shown.run_id:
        return gr.skip(), gr.skip()
    try:
        return inspect(recall(shown), event.layer, None, look={"pixel": None}), gr.update(selected="layers")
    except HabnError as error:
        return note(explain(error, words.language_of(request))), gr.skip()


def _draw(result: engine.Result, shown: Shown, opacity: int, link: Link, language: str) -> Answer:
    return Answer(
        shown=shown,
        sides=panels.draw_sides(result, language),
        slider=pictures.draw_pair(result, opacity),
        opacity=gr.update(visible=result.task == "segmentation"),
        verdict=panels.draw_verdict(result, language, example_of(shown.photo)),
        figures=panels.draw_figures(result, language),
        legend=panels.draw_legend(result, language),
        measured=gr.update(value=panels.draw_measured(result, language), visible=result.task == "style"),
        difference=pictures.draw_difference(result),
        story=gr.update(visible=has_story(result)),
        repaint=gr.update(visible=panels.draw_no_street(result, language) is not None and bool(pairs_of("style"))),
        copy_link=_address(result, shown.photo, link.within(result.second.records)),
    )


def _address(result: engine.Result, photo: str, link: Link) -> dict:
    """The CopyLink's value: what the address must say of this answer, and whether it can say all of it."""
    example = example_of(photo)
    view = replace(link, example=example or Link.example, pair=result.pair).painted(result.painting)
    entries = view.entries("example", "pair", *PAINTING, "layer", "channel", "pixel") | dict.fromkeys(link.ignored)
    return {"entries": entries, "complete": example is not None}


def _refuse(error: HabnError, language: str) -> Answer:
    """Say why where the answer would stand, and in a corner too: that place may be out of sight."""
    sentence = explain(error, language)
    note(sentence)
    unchanged = Answer(**dict.fromkeys(Answer._fields, gr.skip()))
    return unchanged._replace(verdict=panels.draw_refusal(sentence, language))

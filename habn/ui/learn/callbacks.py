"""What the lesson does when a step, a layer or another tab is asked for."""

from dataclasses import replace

import gradio as gr

from habn.comparison.experiment import run_experiment
from habn.comparison.lesson import load_lesson
from habn.errors import HabnError
from habn.hooks.intervention import Intervention
from habn.ui import words
from habn.ui.learn.components import PHOTO_STEPS, STEPS
from habn.ui.learn.photo import build_last_step, build_photo_step
from habn.ui.learn.regions import build_region_step, inspect_lesson
from habn.ui.learn.step import Sayer, Step
from habn.ui.refusals import explain, guarded
from habn.ui.shown import Shown, note, on_select, recall, request_for

FROZEN = Intervention(strength=(0.0, 0.0, 0.0, 0.0))


@guarded
def on_step(event: gr.EventData, request: gr.Request) -> Step | dict:
    """Show one of the steps about the two-region picture."""
    if event.step not in STEPS or event.step in PHOTO_STEPS:
        return gr.skip()
    return build_region_step(event.step, load_lesson(), Sayer(words.language_of(request)))


@guarded
def on_photo_step(shown: Shown | None, event: gr.EventData, request: gr.Request) -> Step | dict:
    """Show one of the steps about the visitor's photo."""
    return _show_photo(shown, event.step, words.language_of(request)) if event.step in PHOTO_STEPS else gr.skip()


@guarded
def on_return(shown: Shown | None, text: dict | None, request: gr.Request) -> Step | dict:
    """The tab is opened again: a step about the photo shows the newest one."""
    if not text or text["step"] not in PHOTO_STEPS or (shown and text.get("run") == shown.run_id):
        return gr.skip()
    return _show_photo(shown, text["step"], words.language_of(request))


@guarded
def on_shown(shown: Shown | None, text: dict | None, request: gr.Request) -> Step | dict:
    """A photo is there: a step that waited for it, as a link to one does, is shown."""
    return on_return(shown, text, request) if text and "note" in text else gr.skip()


@guarded
def on_pick(shown: Shown | None, event: gr.EventData, request: gr.Request) -> dict:
    """Show the layer and channel picked in the lesson's inspector; a pick from an older photo is left alone."""
    try:
        if event.run == load_lesson().run_id:
            return inspect_lesson(load_lesson(), event.layer, event.channel)
        return on_select(shown, event, request)
    except HabnError as error:
        return note(explain(error, words.language_of(request)))


@guarded
def on_tab(event: gr.EventData) -> dict:
    """Open another tab."""
    return gr.update(selected=event.tab)


def _show_photo(shown: Shown | None, number: int, language: str) -> Step:
    say = Sayer(language)
    if shown is None:
        return _without(number, say("no_photo"))
    try:
        result = recall(shown)
        if not result.second.added:
            return _without(number, say("no_habn", pair=words.say(f"pairs.{result.pair}", language)))
        if number == 5:
            return build_photo_step(result, say)
        request = replace(request_for(shown.photo, shown.pair, shown.painting), intervention=FROZEN)
        experiment = run_experiment(request)
        return build_last_step(experiment.before, experiment.second, say)
    except HabnError as error:
        return _without(number, explain(error, language))


def _without(number: int, reason: str) -> Step:
    """A step that cannot be shown, and why: the inspector stays as it is, and nothing is asked."""
    return Step({"step": number, "note": reason}, gr.skip(), None)

"""What the tab Experiment does when its controls ask for a run, and when the page shows another comparison."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

import gradio as gr

from habn.comparison import engine
from habn.comparison.experiment import run_experiment
from habn.errors import HabnError
from habn.hooks.record import LayerRecord
from habn.ui import pictures, words
from habn.ui.experiment.outcome import draw_adaptation_outcome, draw_weather_outcome
from habn.ui.experiment.settings import (
    MapRange,
    encode_map,
    read_intervention,
    read_layers,
    read_weather,
    settings_of,
)
from habn.ui.inspector.encoding import most_adapted_layer
from habn.ui.link import link_of
from habn.ui.refusals import explain, guarded
from habn.ui.shown import Shown, note, recall, request_for


@guarded
def on_link(weather: dict | None, adaptation: dict | None, request: gr.Request) -> tuple[dict, dict, dict]:
    """Set the controls as the page's address says, before anything is run, and open the part that it speaks of."""
    asked = settings_of(link_of(request))
    values = zip((weather, adaptation), asked, strict=True)
    part = gr.update(selected="adaptation") if asked[1] and not asked[0] else gr.skip()
    return part, *({**(value or {}), "settings": given} if given else gr.skip() for value, given in values)


@guarded
def on_shown(shown: Shown | None, weather: dict | None, adaptation: dict | None) -> tuple[dict, dict]:
    """Tell the controls which comparison the page shows; the networks run once a visitor looks at them."""
    if shown is None:
        return gr.skip(), gr.skip()
    return {**(weather or {}), "run": shown.run_id}, {**(adaptation or {}), "run": shown.run_id}


@guarded
def on_weather(shown: Shown | None, value: dict | None, request: gr.Request) -> tuple[dict, dict]:
    """Run both networks in the weather that was set."""
    if shown is None or not _has_settings(value):
        return gr.skip(), gr.skip()
    language = words.language_of(request)
    try:
        weather = read_weather(value["settings"])
        found = run_experiment(replace(_request(shown), weather=weather))
    except HabnError as error:
        return note(explain(error, language)), gr.skip()
    outcome = draw_weather_outcome(found, weather.strength, language)
    return outcome, _answer(shown, value, _photo(found.after))


@guarded
def on_adaptation(shown: Shown | None, value: dict | None, request: gr.Request) -> tuple[dict, dict]:
    """Run both networks with their adaptation as it was set."""
    if shown is None or not _has_settings(value):
        return gr.skip(), gr.skip()
    language = words.language_of(request)
    try:
        plain = recall(shown)
        settings = _with_known_layers(value["settings"], plain, language)
        record = _record(plain, read_layers(settings))
        intervention = read_intervention(settings, MapRange.of(record.context))
        found = run_experiment(replace(_request(shown), intervention=intervention))
    except HabnError as error:
        return note(explain(error, language)), gr.skip()
    outcome = draw_adaptation_outcome(found, intervention, language)
    return outcome, _answer(shown, value, {**_photo(plain), **_layers(plain, record)})


def _has_settings(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, Mapping) and isinstance(value.get("settings"), Mapping)


def _request(shown: Shown) -> engine.Request:
    """What the page shows, to be run with a change; no photo is decoded while the engine remembers the result."""
    return replace(request_for(shown.photo, shown.pair, shown.painting), image=recall(shown).image)


def _answer(shown: Shown, value: dict, scene: dict[str, Any]) -> dict[str, Any]:
    """What the controls draw, with the settings that it belongs to: if others are set by now, they ask again."""
    return {"run": shown.run_id, "scene": {"run": shown.run_id, "answers": value["settings"], **scene}}


def _photo(result: engine.Result) -> dict[str, Any]:
    return {"photo": pictures.publish_file(result.image), "shape": list(result.image.shape[:2])}


def _with_known_layers(settings: Mapping[str, Any], result: engine.Result, language: str) -> Mapping[str, Any]:
    """The settings, for all layers if they name one that these networks do not have, such as that of another pair."""
    unknown = (read_layers(settings) or frozenset()) - {record.name for record in result.second.records}
    if not unknown:
        return settings
    note(words.say("experiment.layer_gone", language, names=", ".join(sorted(unknown))))
    return {**settings, "layers": None}


def _record(result: engine.Result, layers: frozenset[str] | None) -> LayerRecord:
    """The first of the layers that are changed; where all are, the one that adapts most."""
    records = result.second.records
    if not layers:
        return records[most_adapted_layer(records)]
    return next(record for record in records if record.name in layers)


def _layers(result: engine.Result, record: LayerRecord) -> dict[str, Any]:
    """Names of all layers, and the map *s* of one."""
    levels, ends = encode_map(record.context)
    return {
        "layers": [record.name for record in result.second.records],
        "shown": record.name,
        "map": {
            "height": levels.shape[0],
            "width": levels.shape[1],
            "data": base64.b64encode(levels.tobytes()).decode(),
            "low": ends.low,
            "high": ends.high,
            "flat": record.dead,
        },
    }

"""What each stop of the story shows: a sentence, and frames, each a picture with its caption."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from habn.comparison import engine
from habn.comparison.experiment import run_experiment
from habn.comparison.first_view import kept_of_photo
from habn.comparison.painting import Painting
from habn.comparison.request import Request, Result
from habn.data.weather import WeatherSetting
from habn.hooks.intervention import Intervention
from habn.ui import pictures, words
from habn.ui.link import Link

STOPS = (1, 2, 3, 4)
PAINTINGS = ("houses", "great_wave", "the_scream")  # of the second stop; the one that is shown takes the first place
HAZE = (0.0, 2.0, 4.0)
LAYERS = 3
SHARES = (0.0, 0.5, 1.0)  # of what the second network learned to adapt

Frame = tuple[np.ndarray, str]


def has_story(result: Result) -> bool:
    """Whether there is one: BN beside a network that adapts."""
    return result.first.norm == "bn" and any(record.gates.any() for record in result.second.records)


def build_stop(stop: int, result: Result, request: Request, language: str) -> dict[str, Any]:
    """The Story's value.

    Args:
        stop: one of STOPS.
        result: what is shown.
        request: what it is the answer to.
        language: of the words.
    """
    frames = (_photo_and_answer, _elsewhere, _context_maps, _shares)[stop - 1](result, request, language)
    names = {"first": result.first.label, "second": result.second.label}
    key = f"{stop}_{result.task}" if stop == 2 else str(stop)
    return {
        "run": result.run_id,
        "stop": stop,
        "sentence": words.say(f"story.{key}_sentence", language, **names),
        "control": words.say(f"story.{key}_control", language, **names),
        "fades": stop == 1,
        "frames": [{"file": pictures.publish_file(picture), "caption": caption} for picture, caption in frames],
    }


def _photo_and_answer(result: Result, request: Request, language: str) -> Iterator[Frame]:
    yield result.image, words.say("story.photo", language)
    yield _drawn(result, "first"), words.say("story.answer", language, label=result.first.label)


def _elsewhere(result: Result, request: Request, language: str) -> Iterator[Frame]:
    """Other paintings; or haze over a street."""
    names = {"first": result.first.label, "second": result.second.label}
    if result.painting is None:
        for strength in HAZE:
            found = run_experiment(replace(request, weather=WeatherSetting("haze", strength, None)))
            shares = {side: words.percent(getattr(found, side).kept, language) for side in ("first", "second")}
            said = {f"{side}_kept": share for side, share in shares.items()}
            caption = words.say("story.haze", language, strength=words.decimals(strength, 0, language), **names, **said)
            yield _drawn(found.after, "first"), caption
        return
    shown = result.painting.style
    for style in [shown, *(style for style in PAINTINGS if style != shown)]:
        other = engine.run(replace(request, painting=Painting(style), record=False))
        kept = [words.decimals(value, 2, language) for value in kept_of_photo(other)]
        title = words.say(f"styles.{style}", language)
        said = {"first_kept": kept[0], "second_kept": kept[1]}
        yield _drawn(other, "first"), words.say("story.painting", language, title=title, **names, **said)


def _context_maps(result: Result, request: Request, language: str) -> Iterator[Frame]:
    """*s* of the layers that adapt most, in the order of evaluation."""
    records = result.second.records
    strengths = [float(np.linalg.norm(np.nan_to_num(record.strength))) for record in records]
    for index in sorted(np.argsort(strengths)[::-1][:LAYERS].tolist()):
        record = records[index]
        caption = words.say("story.layer", language, layer=record.name, place=index + 1, layers=len(records))
        yield pictures.draw_context(result.image, record.context), caption


def _shares(result: Result, request: Request, language: str) -> Iterator[Frame]:
    for share in SHARES:
        changed = replace(request, intervention=Intervention((share,) * 4), record=False)
        answer = result if share == 1 else engine.run(changed)
        said = {"share": words.percent(share, language, digits=0), "label": result.second.label}
        yield _drawn(answer, "second"), words.say("story.share", language, **said)


def _drawn(result: Result, side: str) -> np.ndarray:
    return pictures.draw_answer(result.image, getattr(result, side), Link.opacity)

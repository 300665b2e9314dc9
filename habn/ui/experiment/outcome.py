"""What an experiment came to, as the value of the component `Outcome`: pictures, one sentence, and figures."""

from typing import Any

import gradio as gr
import numpy as np

from habn.experiment import Change, Experiment
from habn.intervention import Intervention
from habn.ui import pictures, words

OPACITY = 70  # of the classes' colours over the photo, in percent
ALIKE = 0.0005  # shares that round to the same tenth of a percent are not called different


def draw_weather_outcome(found: Experiment, strength: float, language: str) -> dict[str, Any]:
    """Both networks' answers on the clear photo and in the weather."""
    columns = ("clear", "in_weather", "changes")
    rows = [_row(found, side, language) for side in ("first", "second")]
    return _value(found, columns, rows, _weather_headline(found, strength, language), language)


def draw_adaptation_outcome(found: Experiment, intervention: Intervention, language: str) -> dict[str, Any]:
    """The answer of the network that adapts, as it was trained and as it is changed."""
    if intervention.strength == (1, 1, 1, 1) and intervention.context == "own":
        headline = words.say("experiment.as_trained", language, label=found.after.second.label)
    else:
        headline = _change_sentence(found, language)
    if intervention.layers is None and not any(intervention.strength):
        headline = f"{headline} {words.say('experiment.static', language)}"
    other = found.before.first
    row = _row(found, "second", language)
    drawn = pictures.draw_answer(found.before.image, other, OPACITY)
    row["pictures"].append(_picture(drawn, "compared", language, label=other.label))
    return _value(found, ("before", "after", "changes", "compared"), [row], headline, language)


def publish(image: np.ndarray) -> dict[str, Any]:
    """A picture as the FileData that Gradio's front end can fetch."""
    return gr.FileData(path=pictures.publish(image), mime_type="image/png").model_dump()


def _value(found: Experiment, columns: tuple, rows: list[dict], headline: str, language: str) -> dict[str, Any]:
    height, width = found.before.image.shape[:2]
    label = found.before.first.label
    titles = [words.say(f"experiment.{column}", language, label=label) for column in columns]
    return {"aspect": f"{width} / {height}", "headline": headline, "columns": titles, "rows": rows}


def _row(found: Experiment, side: str, language: str) -> dict[str, Any]:
    before, after, change = (getattr(part, side) for part in (found.before, found.after, found))
    image = found.before.image
    changes = pictures.draw_map(image, change.map, found.before.task)
    share = percent(change.share)
    return {
        "side": side,
        "label": after.label,
        "pictures": [
            _picture(pictures.draw_answer(image, before, OPACITY), "before", language, label=before.label),
            _picture(pictures.draw_answer(found.after.image, after, OPACITY), "after", language, label=after.label),
            _picture(changes, "changes", language, label=after.label, share=share),
        ],
        "figures": _figures(found.before.task, change, language),
    }


def _picture(image: np.ndarray, what: str, language: str, **spoken: str) -> dict[str, Any]:
    return {"file": publish(image), "alt": words.say(f"experiment.alt_{what}", language, **spoken)}


def _figures(task: str, change: Change, language: str) -> list[dict[str, Any]]:
    if task == "style":
        return [_figure("distance", percent(change.share), None, language)]
    figures = [_figure("kept", percent(change.kept), change.kept, language)]
    if change.mean_iou is not None:
        before, after = change.mean_iou
        text = words.say("experiment.iou_change", language, before=percent(before), after=percent(after))
        figures.append(_figure("mean_iou", text, after, language))
    return figures


def _figure(name: str, text: str, share: float | None, language: str) -> dict[str, Any]:
    """A figure with its name, the sentence that explains it, and the length of its bar, if it has one."""
    title, help_text = (words.say(f"experiment.{key}", language) for key in (name, f"{name}_help"))
    return {"name": name, "title": title, "help": help_text, "text": text, "share": share}


def _weather_headline(found: Experiment, strength: float, language: str) -> str:
    labels = {"first": found.after.first.label, "second": found.after.second.label}
    if strength == 0:
        return words.say("experiment.no_weather", language)
    if found.before.task == "style":
        shares = {"first": percent(found.first.share), "second": percent(found.second.share)}
        named = {f"{side}_label": label for side, label in labels.items()}
        return words.say("experiment.pictures_move", language, **shares, **named)
    lead = found.second.kept - found.first.kept
    key = "both_hold" if abs(lead) < ALIKE else "second_holds" if lead > 0 else "first_holds"
    kept = {"first_kept": percent(found.first.kept), "second_kept": percent(found.second.kept)}
    return words.say(f"experiment.{key}", language, **labels, **kept)


def _change_sentence(found: Experiment, language: str) -> str:
    label, change = found.after.second.label, found.second
    if change.share == 0:
        return words.say("experiment.same_answer", language, label=label)
    key = "picture_changed" if found.before.task == "style" else "classes_changed"
    return words.say(f"experiment.{key}", language, label=label, share=percent(change.share))


def percent(share: float) -> str:
    """A share as people read it; one that is not quite nothing is not said to be nothing."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share:.1%}".replace("%", " %")

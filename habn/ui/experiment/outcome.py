"""What an experiment came to, as the value of the component `ExperimentOutcome`: pictures, a sentence, and figures."""

from typing import Any

import numpy as np

from habn.comparison.experiment import Change, Experiment
from habn.hooks.intervention import Intervention
from habn.ui import pictures, words

OPACITY = 70  # of the classes' colours over the photo, in percent
ALIKE = 0.01  # shares less than a point apart are not called different: one photo does not tell more


def draw_weather_outcome(found: Experiment, strength: float, language: str) -> dict[str, Any]:
    """Both networks' answers on the clear photo and in the weather."""
    columns = ("clear", "in_weather", "changes")
    rows = [_row(found, side, language) for side in ("first", "second")]
    return _value(found, columns, rows, _weather_headline(found, strength, language), language)


def draw_adaptation_outcome(found: Experiment, intervention: Intervention, language: str) -> dict[str, Any]:
    """The answer of the network that adapts, as it was trained and as it is changed."""
    headline = _adaptation_headline(found, intervention, language)
    other = found.before.first
    row = _row(found, "second", language)
    drawn = pictures.draw_answer(found.before.image, other, OPACITY)
    row["pictures"].append(_picture(drawn, "compared", language, label=other.label))
    return _value(found, ("before", "after", "changes", "compared"), [row], headline, language)


def _value(found: Experiment, columns: tuple, rows: list[dict], headline: str, language: str) -> dict[str, Any]:
    height, width = found.before.image.shape[:2]
    label = found.before.first.label
    titles = [words.say(f"experiment.{column}", language, label=label) for column in columns]
    return {"aspect": f"{width} / {height}", "headline": headline, "columns": titles, "rows": rows}


def _row(found: Experiment, side: str, language: str) -> dict[str, Any]:
    before, after, change = (getattr(part, side) for part in (found.before, found.after, found))
    image = found.before.image
    changes = pictures.draw_map(image, change.map, found.before.task)
    share = words.percent(change.share, language)
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
    return {"file": pictures.publish_file(image), "alt": words.say(f"experiment.alt_{what}", language, **spoken)}


def _figures(task: str, change: Change, language: str) -> list[dict[str, Any]]:
    if task != "segmentation":
        return [_figure("distance", words.percent(change.share, language), None, language)]
    figures = [_figure("kept", words.percent(change.kept, language), change.kept, language)]
    if change.mean_iou is not None:
        before, after = change.mean_iou
        text = words.say(
            "experiment.iou_change",
            language,
            before=words.percent(before, language),
            after=words.percent(after, language),
        )
        figures.append(_figure("mean_iou", text, after, language))
    return figures


def _figure(name: str, text: str, share: float | None, language: str) -> dict[str, Any]:
    """A figure with its name, the sentence that explains it, and the length of its bar, if it has one."""
    title, help_text = (words.say(f"experiment.{key}", language) for key in (name, f"{name}_help"))
    return {"name": name, "title": title, "help": help_text, "text": text, "share": share}


def _weather_headline(found: Experiment, strength: float, language: str) -> str:
    if strength == 0:
        return words.say("experiment.no_weather", language)
    if found.before.task != "segmentation":
        shares = {
            "first": words.percent(found.first.share, language),
            "second": words.percent(found.second.share, language),
        }
        labels = {"first_label": found.after.first.label, "second_label": found.after.second.label}
        return words.say("experiment.pictures_move", language, **shares, **labels)
    return _who_holds(found.after.first.label, found.after.second.label, found.first, found.second, language)


def _who_holds(first_label: str, second_label: str, first: Change, second: Change, language: str) -> str:
    """Which network stands the weather better: by the true labels if there are any, and else by the pixels kept."""

    def say(key: str, leader: int) -> str:
        """The sentence with the network that `leader` names first: second if it is positive, and else the first."""
        named = [(first_label, first), (second_label, second)]
        if leader > 0:
            named.reverse()
        spoken: dict[str, str] = {}
        for role, (label, change) in zip(("one", "other"), named, strict=True):
            ious = (words.percent(iou, language) for iou in change.mean_iou or ())
            spoken |= {role: label, f"{role}_kept": words.percent(change.kept, language)}
            spoken |= dict(zip((f"{role}_before", f"{role}_after"), ious, strict=False))
        return words.say(f"experiment.{key}", language, **spoken)

    kept = _lead(second.kept, first.kept)
    if first.mean_iou is None or second.mean_iou is None:
        return say("kept_better" if kept else "kept_alike", kept)
    nearer = _lead(second.mean_iou[1], first.mean_iou[1])
    loses_less = _lead(second.mean_iou[1] - second.mean_iou[0], first.mean_iou[1] - first.mean_iou[0])
    if nearer * loses_less < 0:
        return say("iou_split", loses_less)
    truth = nearer or loses_less
    if kept * truth < 0:
        return say("kept_against_iou", kept)
    if truth:
        return say("iou_better", truth)
    return say("kept_beside_iou" if kept else "iou_alike", kept)


def _lead(second: float, first: float) -> int:
    """1 if the second share is the larger, -1 if the first is, 0 if they are alike."""
    return 0 if abs(second - first) < ALIKE else 1 if second > first else -1


def _adaptation_headline(found: Experiment, intervention: Intervention, language: str) -> str:
    label = found.after.second.label
    if not found.after.second.added:
        return words.say("experiment.nothing_adapts", language, label=label)
    if intervention.strength == (1, 1, 1, 1) and intervention.context == "own":
        return words.say("experiment.as_trained", language, label=label)
    headline = _change_sentence(found, language)
    if intervention.layers is None and not any(intervention.strength):
        return f"{headline} {words.say('experiment.static', language)}"
    return headline


def _change_sentence(found: Experiment, language: str) -> str:
    label, change = found.after.second.label, found.second
    if change.share == 0:
        return words.say("experiment.same_answer", language, label=label)
    key = "picture_changed" if found.before.task != "segmentation" else "classes_changed"
    return words.say(f"experiment.{key}", language, label=label, share=words.percent(change.share, language))

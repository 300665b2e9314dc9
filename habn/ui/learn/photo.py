"""Steps 5 and 6: the layer that adapts most on the visitor's own photo, and whether its adaptation mattered."""

from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from habn.comparison.experiment import Change
from habn.comparison.request import Result
from habn.hooks.record import LayerRecord
from habn.layers import PARAMETERS
from habn.ui import panels, pictures, words
from habn.ui.inspector.encoding import most_adapted_channel, most_adapted_layer
from habn.ui.learn.step import (
    Pixel,
    Sayer,
    Step,
    build_picture,
    build_question,
    build_table,
    build_text,
)
from habn.ui.shown import inspect

MOST = 0.5  # of the variation of s, which what s is said to follow explains at least
FEW, MANY = 0.01, 0.1  # shares of the answer, the limits between the choices of step 6
HIGH = 0.5  # of s: below it a layer does little of what it learned, and the outputs differ for other reasons
SMALLEST_CLASS = 0.01  # of the photo; s is averaged over classes no smaller


class Followed(NamedTuple):
    """The share of the variance of *s* that each explains by itself, in [0, 1], and the mean of *s* in each class.

    Attributes:
        brightness, height: by the best straight line.
        classes: by the means of the classes that the network named; None for a stylized picture.
        class_means: of the classes that cover enough of the photo, from the lowest to the highest.
    """

    brightness: float
    height: float
    classes: float | None
    class_means: dict[str, float]


def build_photo_step(result: Result, say: Sayer) -> Step:
    """Step 5: the map of the layer that adapts most, and what it follows."""
    layer, channel, record = _most_adapted(result)
    followed = what_is_followed(record.context, result)
    channels, height, width = record.shape
    fields: dict[str, Any] = {"label": result.second.label, "pair": words.say(f"pairs.{result.pair}", say.language)}
    fields |= {"layers": len(result.second.records), "layer": record.name, "channel": channel}
    fields |= {"channels": channels, "rows": height, "columns": width}
    fields |= {"brightness": say.percent(followed.brightness), "height": say.percent(followed.height)}
    answer = [say("5_answer", **fields)]
    if record.dead:
        answer.append(say("5_flat"))
    elif followed.class_means:
        (low, low_s), (high, high_s) = (list(followed.class_means.items())[k] for k in (0, -1))
        names = {key: words.say(f"classes.{name}", say.language) for key, name in (("high", high), ("low", low))}
        means = {"high_s": say.decimals(high_s, 2), "low_s": say.decimals(low_s, 2)}
        answer.append(say("5_classes", classes=say.percent(followed.classes or 0.0), **names, **means))
    text = build_text(5, say, **fields)
    question = build_question(5, say, _right_choice(followed), " ".join(answer), **fields)
    row = [say("moves"), *map(say.percent, record.strength)]
    text["table"] = build_table(say("5_table"), ["", *map(say, PARAMETERS)], [row])
    look: dict[str, Any] = {
        "rows": ["second"],
        "columns": ["s", "scale", "bias", "mean", "var", "y"],
        "parts": ["maps"],
    }
    look["pixel"] = list(_highest(record.context))
    return _build_step(result, layer, channel, text, question, look, say("photo_alt"))


def build_last_step(result: Result, frozen: Change, say: Sayer) -> Step:
    """Step 6: what the adaptation changes in one channel, in the answer for the photo, and in what was measured.

    Args:
        result: both networks' answer to the photo.
        frozen: what changes in the second network's answer when nothing is adapted.
        say: the words.
    """
    layer, channel, record = _most_adapted(result)
    first, second = result.first.records[layer].y[channel], record.y[channel]
    pixel = _where_it_shows(record.context, np.abs(second - first))
    fields: dict[str, Any] = {
        "first": result.first.label,
        "second": result.second.label,
        "layer": record.name,
        "channel": channel,
    }
    fields |= {"y_first": say.decimals(first[pixel]), "y_second": say.decimals(second[pixel])}
    fields["s"] = say.decimals(record.context[pixel], 2)
    kind = "segmentation" if result.task == "segmentation" else "style"
    answer = [say(f"6_changed_{kind}", share=say.percent(frozen.share))]
    if frozen.mean_iou is not None:
        before, after = (say.percent(score) for score in frozen.mean_iou)
        answer.append(say("6_scored", before=before, after=after))
    right = 1 if frozen.share < FEW else 2 if frozen.share <= MANY else 3
    text = build_text(6, say, **fields)
    changes = pictures.draw_map(result.image, frozen.map, result.task)
    question = build_question(6, say, right, " ".join([*answer, say("6_answer")]))
    question |= {"picture": build_picture(changes, say("changes_alt")), "table": _measured(result, say)}
    question["tabs"] = ["experiment", "results"]
    look: dict[str, Any] = {
        "rows": ["first", "second", "difference"],
        "columns": ["s", "x", "y"],
        "parts": ["maps", "attribution"],
    }
    look["pixel"] = list(pixel)
    return _build_step(result, layer, channel, text, question, look, say("photo_alt"))


def what_is_followed(s: np.ndarray, result: Result) -> Followed:
    """What explains the variation of a context map (H, W) over the photo; nothing explains a map that is flat."""
    size = s.shape[::-1]
    brightness = np.asarray(Image.fromarray(result.image).convert("L").resize(size, Image.Resampling.BOX), np.float32)
    height = np.broadcast_to(np.arange(s.shape[0], dtype=np.float32)[:, None], s.shape)
    if result.second.labels is None:
        return Followed(_explained(s, brightness), _explained(s, height), None, {})
    labels = np.asarray(Image.fromarray(result.second.labels).resize(size, Image.Resampling.NEAREST))
    classes = result.second.classes
    counts = np.bincount(labels.ravel(), minlength=len(classes))
    means = np.bincount(labels.ravel(), s.ravel(), len(classes)) / np.maximum(counts, 1)
    named = {classes[k]: float(means[k]) for k in np.argsort(means) if counts[k] >= SMALLEST_CLASS * s.size}
    return Followed(_explained(s, brightness), _explained(s, height), _explained(s, means[labels]), named)


def _explained(values: np.ndarray, by: np.ndarray) -> float:
    """The squared correlation of two maps; 0 where one of them is flat."""
    if np.ptp(values) == 0 or np.ptp(by) == 0:
        return 0.0
    return float(np.corrcoef(values.ravel(), by.ravel())[0, 1] ** 2)


def _right_choice(followed: Followed) -> int:
    shares = (followed.brightness, followed.height)
    return int(np.argmax(shares)) + 1 if max(shares) >= MOST else 3


def _most_adapted(result: Result) -> tuple[int, int, LayerRecord]:
    layer = most_adapted_layer(result.second.records)
    record = result.second.records[layer]
    return layer, most_adapted_channel(record), record


def _where_it_shows(s: np.ndarray, gap: np.ndarray) -> Pixel:
    """Where the outputs differ most of all pixels at which *s* is high; where it is nowhere, at the highest *s*."""
    is_high = s > HIGH
    return _highest(np.where(is_high, gap, -1)) if is_high.any() else _highest(s)


def _highest(values: np.ndarray) -> Pixel:
    row, column = np.unravel_index(np.argmax(values), values.shape)
    return int(row), int(column)


def _measured(result: Result, say: Sayer) -> dict:
    """What both checkpoints say that they were measured at."""
    measured, digits = panels.scores_of_checkpoints(result), 2 if result.task == "segmentation" else 3
    rows = [
        [output.label, *(say.decimals(values[k], digits) for values in measured.values())]
        for k, output in enumerate((result.first, result.second))
    ]
    return build_table(say("6_table"), [say("network"), *(say(f"6_{name}") for name in measured)], rows)


def _build_step(result: Result, layer: int, channel: int, text: dict, question: dict, look: dict, alt: str) -> Step:
    """Lay the photo beside the words, and look at a layer and channel at the pixel of `look`."""
    marks = [("", look["pixel"], result.second.records[layer].context.shape)]
    text |= {"run": result.run_id, "picture": build_picture(result.image, alt, marks)}
    look |= {"range": "map"}
    return Step(text, inspect(result, layer, channel, look), question)

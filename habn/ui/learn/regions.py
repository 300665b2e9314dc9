"""Steps 1 to 4: from one calculator for the whole picture to one for each pixel, on the two-region picture."""

from typing import NamedTuple

import numpy as np

from habn.comparison.lesson import CHANNEL, REGIONS, START, TRAINED, Lesson
from habn.layers import PARAMETERS
from habn.ui.inspector import build_inspection
from habn.ui.learn.step import (
    Sayer,
    Step,
    build_picture,
    build_question,
    build_table,
    build_text,
    secret,
)

MOMENTS = ("mean", "spread")


class _Parts(NamedTuple):
    """What differs between the four steps: words, question, and how to look at which of the records."""

    text: dict
    question: dict
    record: int
    look: dict


def build_region_step(number: int, lesson: Lesson, say: Sayer) -> Step:
    """One of the steps 1 to 4."""
    parts = (_one_calculator, _two_regions, _context_map, _calculator_per_pixel)[number - 1](lesson, say)
    marks = [(name, pixel, lesson.image.shape[:2]) for name, pixel in zip("AB", lesson.twins.values(), strict=True)]
    text = parts.text | {"run": lesson.run_id, "picture": build_picture(lesson.image, say("picture_alt"), marks)}
    look = {"parts": ["maps"], "range": "map"} | parts.look
    return Step(text, inspect_lesson(lesson, parts.record, CHANNEL, look), parts.question)


def inspect_lesson(lesson: Lesson, layer: int, channel: int, look: dict | None = None) -> dict:
    """An inspector's value for one of the lesson's records; see `build_inspection`."""
    return build_inspection(lesson.run_id, lesson.first, lesson.second, layer, channel, photo=lesson.image, look=look)


def _one_calculator(lesson: Lesson, say: Sayer) -> _Parts:
    record = lesson.first.records[START]
    scale, bias, mean, var = map(say.decimals, record.static[:, CHANNEL])
    rows = []
    for name, pixel in zip("AB", lesson.twins.values(), strict=True):
        x, y = (say.decimals(values[CHANNEL][pixel]) for values in (record.x, record.y))
        rows.append([say(f"pixel_{name}"), x, mean, var, scale, bias, secret(y)])
    head = ["", "<i>x</i>", say("mean"), say("var"), say("scale"), say("bias"), "<i>y</i>"]
    text = build_text(1, say) | {"table": build_table(say("1_table"), head, rows)}
    columns = ["scale", "bias", "mean", "var", "x", "y"]
    look = {"rows": ["first"], "columns": columns, "pixel": None}  # at A it would show the answer
    return _Parts(text, build_question(1, say, right=1, x=x, y=y, mean=mean), START, look)


def _two_regions(lesson: Lesson, say: Sayer) -> _Parts:
    start, trained = lesson.first.records[START], lesson.first.records[TRAINED]
    before, after = lesson.moments(start.x[CHANNEL]), lesson.moments(start.y[CHANNEL])
    head = ["", *(f"{say(moment)} <i>{symbol}</i>" for symbol in "xy" for moment in MOMENTS)]
    rows = [[say(name), *map(say.decimals, before[name] + after[name])] for name in before]
    scale, bias, mean, _ = map(say.decimals, trained.static[:, CHANNEL])
    text = build_text(2, say, mean=mean) | {"table": build_table(say("2_table"), head, rows)}
    fields = {"scale": scale, "bias": bias, "missed": say.decimals(lesson.misfit[0], 2)}
    question = build_question(2, say, right=3, ratio=say.decimals(after["red"][1] / after["blue"][1], 2), **fields)
    look = {"rows": ["first"], "columns": ["mean", "x", "y"], "pixel": list(lesson.twins["red"])}
    return _Parts(text, question, START, look)


def _context_map(lesson: Lesson, say: Sayer) -> _Parts:
    moments = lesson.moments(lesson.second.records[TRAINED].context)
    head = ["", *(f"{say(moment)} <i>s</i>" for moment in MOMENTS)]
    rows = [[say(name), *map(say.decimals, moments[name])] for name in REGIONS]
    text = build_text(3, say) | {"table": build_table(say("3_table"), head, rows)}
    look = {"rows": ["second"], "columns": ["s", "x"], "pixel": list(lesson.twins["red"])}
    return _Parts(text, build_question(3, say, right=2), TRAINED, look)


def _calculator_per_pixel(lesson: Lesson, say: Sayer) -> _Parts:
    record = lesson.second.records[TRAINED]
    moments = lesson.moments(record.y[CHANNEL])

    def at_pixels(values: np.ndarray) -> list[str]:
        return [say.decimals(values[pixel]) for pixel in lesson.twins.values()]

    s, x, y = (at_pixels(values) for values in (record.context, record.x[CHANNEL], record.y[CHANNEL]))
    effective = record.effective(CHANNEL)
    rows = [["<i>s</i>", "", "", *s]]
    for k, name in enumerate(PARAMETERS):
        learned = (record.static[k, CHANNEL], record.slope[k, CHANNEL])
        rows.append([say(name), *map(say.decimals, learned), *at_pixels(effective[k])])
    rows += [["<i>x</i>", "", "", *x], ["<i>y</i>", "", "", *y]]
    head = ["", say("static"), "delta", say("pixel_A"), say("pixel_B")]
    fields = {
        f"{name}_{moment}": say.decimals(moments[name][k]) for name in REGIONS for k, moment in enumerate(MOMENTS)
    }
    text = build_text(4, say, x=x[0], y_a=y[0], y_b=y[1], **fields)
    text["table"] = build_table(say("4_table"), head, rows)
    count = record.context.size
    question = build_question(
        4,
        say,
        right=2,
        pixels=count,
        four_each=4 * count,
        added=lesson.added,
        encoder=lesson.added - record.delta.size,
    )
    look = {"rows": ["first", "second"], "parts": ["maps", "equations"], "pixel": list(lesson.twins["red"])}
    return _Parts(text, question, TRAINED, look | {"columns": ["s", "scale", "bias", "mean", "var", "y"]})

"""The sheet in the visitor's words; habn.comparison.sheet draws it."""

import re

from habn.comparison.arrays import View
from habn.comparison.request import Output
from habn.comparison.sheet import SYMBOLS, PrintedNetwork, Sheet, write_number
from habn.hooks.record import LayerRecord
from habn.ui import panels, pictures, words
from habn.ui.link import Link


def build_sheet(view: View, link: Link, language: str) -> Sheet:
    """What the sheet of a view says and shows."""
    result = view.result
    outputs = zip((result.first, result.second), view.records, strict=True)
    first, second = (
        PrintedNetwork(
            label=output.label,
            picture=pictures.draw_answer(result.image, output, link.opacity),
            caption=_caption(output, language),
            equation=write_equation(record, view.channel, view.pixel),
            record=record,
        )
        for output, record in outputs
    )
    return Sheet(
        title="HABN Explorer",
        subtitle=f"{title_of(view, language)} · {_plain(panels.draw_verdict(result, language))}",
        source=f"?{link.query()}" if link.query() else "",
        photo=result.image,
        difference=pictures.draw_map(result.image, result.difference, result.task),
        sides=(first, second),
        channel=view.channel,
        pixel=view.pixel,
        legend=_legend(result.first, result.second, language),
        texts=_texts(view, language),
    )


def title_of(view: View, language: str) -> str:
    """The pair of networks and, of a style pair, how it painted."""
    pair = words.say(f"pairs.{view.result.pair}", language)
    painting = view.result.painting
    return pair if painting is None else f"{pair} · {panels.describe_painting(painting, language)}"


def write_equation(record: LayerRecord, channel: int, pixel: tuple[int, int]) -> str:
    """The layer's formula with the pixel's numbers, and its result."""
    place = (channel, *pixel)
    scale, bias, mean, var = (write_number(value) for value in record.effective(channel)[(slice(None), *pixel)])
    x, y, eps = write_number(record.x[place]), write_number(record.y[place]), write_number(record.eps)
    return f"y = ({x} − {_signed(mean)}) / √({var} + {eps}) · {_signed(scale)} + {_signed(bias)} = {y}"


def _caption(output: Output, language: str) -> str:
    time = f"{words.say('compare.time', language)}: {words.milliseconds(output.seconds)}"
    parameters = f"{words.say('compare.parameters', language)}: {words.integer(output.parameters, language)}"
    if output.mean_iou is None:
        return f"{time}\n{parameters}"
    score = f"{words.say('compare.iou_here', language)}: {words.percent(output.mean_iou, language)}"
    return f"{score} · {time}\n{parameters}"


def _legend(first: Output, second: Output, language: str) -> list[tuple[str, list[int]]]:
    seen = {
        name for output in (first, second) for name, share in output.areas.items() if share >= panels.SMALLEST_SHARE
    }
    return [
        (words.say(f"classes.{name}", language), second.palette[k].tolist())
        for k, name in enumerate(second.classes)
        if name in seen
    ]


def _texts(view: View, language: str) -> dict[str, str]:
    row, column = view.pixel
    where = {"layer": view.records[1].name, "channel": view.channel, "row": row, "column": column}
    texts = {key: words.say(f"export.{key}", language) for key in ("photo", "difference")}
    titles = {quantity: words.say(f"inspector.title_{quantity}", language) for quantity in SYMBOLS}
    return texts | titles | {"layer": words.say("export.layer", language, **where)}


def _plain(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def _signed(text: str) -> str:
    return f"({text})" if text.startswith("−") else text

"""The inspector: what every normalization layer of two networks did to every pixel of one picture.

Its maps are drawn in the browser from a record's factors, which reach it as files: moving over a map asks nothing of
the server.
"""

import math
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from habn.errors import HabnError
from habn.hooks.record import LayerRecord
from habn.images import save_png
from habn.layers import PARAMETERS
from habn.ui import words
from habn.ui.inspector.encoding import (
    FORMAT,
    QUANTITIES,
    encode_classes,
    encode_strip,
    encode_view,
    most_adapted_channel,
    most_adapted_layer,
)
from habn.ui.part import Part

SCRIPTS = (
    "formula.js",
    "statistics.js",
    "files.js",
    "colours.js",
    "state.js",
    "help.js",
    "strip.js",
    "maps.js",
    "crosshair.js",
    "equation.js",
    "attribution.js",
    "channels.js",
    "classes.js",
    "look.js",
    "script.js",
)
"""In the order in which they run."""

CONSTANTS = {"PARAMETERS": PARAMETERS, "QUANTITIES": QUANTITIES}
"""What they know by these names."""

MIME_TYPES = {".bin": "application/octet-stream", ".png": "image/png"}

_HERE = Path(__file__).parent


def _words() -> dict[str, dict[str, str]]:
    """The inspector's own texts and, as class_NAME, the names of the classes."""
    classes = words.table("classes")
    return {
        language: texts | {f"class_{name}": text for name, text in classes[language].items()}
        for language, texts in words.table("inspector").items()
    }


class Inspected(Protocol):
    """What is shown of a network: an `Output` of the engine, or a layer of the lesson."""

    @property
    def label(self) -> str: ...

    @property
    def labels(self) -> np.ndarray | None: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def palette(self) -> np.ndarray: ...

    @property
    def records(self) -> tuple[LayerRecord, ...]: ...


class Inspector(Part):
    """The inspector of layers, as one component; its value is what `build_inspection` returns, or None.

    Event `select` (data: run, layer, channel): the visitor asks for a view that the browser does not hold.
    """

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(
            value,
            folder=_HERE,
            name="template",
            stylesheet="style.css",
            scripts=SCRIPTS,
            table=_words(),
            constants=CONSTANTS,
            render=render,
        )


def build_inspection(
    run: str,
    first: Inspected,
    second: Inspected,
    layer: int | None = None,
    channel: int | None = None,
    *,
    gaps: np.ndarray | None = None,
    photo: np.ndarray | None = None,
    correspond: bool = True,
    look: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The inspector's value for one layer and channel of a comparison.

    Args:
        run: the comparison's id, a content hash: it names the files, which are written once.
        first, second: the two networks' outputs, of which `label`, `records`, and `labels` with their `classes` and
            `palette` are shown.
        layer: index in the order of evaluation; None stands for the layer that adapts most.
        channel: index; None stands for the channel of that layer that adapts most.
        gaps: between both networks' records, as `find_gaps` gives them; None where x and y are at hand.
        photo: (H, W, 3) uint8, to lay the maps over; None for none.
        correspond: whether channel k of one network is channel k of the other; where not, the inspector says so.
        look: how to look at it; every key may be left out, and what is not valid is ignored:
            pixel: [row, column] to pin in the layer's map, or None to pin none.
            range: of the colours, "map", "layer" or "network".
            order: of the strip, "depth" or "strength"; channels: their order, "index" or "adapted".
            rows, columns, parts: lists of what is shown, None for all. Rows are first, static, second, difference;
                columns s, scale, bias, mean, var, x, y; parts strip, toolbar, maps, equations, attribution, profile,
                classes.
            zoom: 1, 2 or 4; overlay: how far the maps cover the photo beneath them, 0 to 100 percent.

    Raises:
        HabnError: if there is no such layer or channel.
    """
    layer = most_adapted_layer(second.records) if layer is None else _index("layer", layer, len(second.records))
    record = second.records[layer]
    channel = most_adapted_channel(record) if channel is None else _index("channel", channel, record.shape[0])
    folder = Path(get_upload_folder()) / f"inspector-{FORMAT}" / run
    value = {
        "run": run,
        "labels": [first.label, second.label],
        "correspond": correspond,
        "layer": layer,
        "channel": channel,
        "strip": _publish(folder / "strip.bin", _writer(encode_strip, first.records, second.records, gaps)),
        "view": _publish(
            folder / f"layer-{layer}-channel-{channel}.bin",
            _writer(encode_view, first.records[layer], record, channel),
        ),
        "classes": _publish_classes(folder, second),
        "photo": None if photo is None else _publish(folder / "photo.png", partial(save_png, photo)),
    }
    return value if look is None else value | {"look": look}


def _publish_classes(folder: Path, output: Inspected) -> dict[str, Any] | None:
    if output.labels is None:
        return None
    finest = max((record.context.shape for record in output.records), key=math.prod)
    write = _writer(encode_classes, output.labels, finest, output.classes, output.palette)
    return _publish(folder / "classes.bin", write)


def _index(what: str, value: object, count: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
        raise HabnError(f"There is no {what} {value!r}; choose a whole number from 0 to {count - 1}.")
    return value


def _publish(path: Path, write: Callable[[Path], object]) -> dict[str, Any]:
    """A file in Gradio's cache, as the FileData that its front end can fetch."""
    if path.exists():
        os.utime(path)  # Gradio deletes what is old, and this file is about to be fetched again
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    return gr.FileData(path=str(path), mime_type=MIME_TYPES[path.suffix]).model_dump()


def _writer(encode: Callable[..., bytes], *arguments: object) -> Callable[[Path], None]:
    """Writes what `encode` makes of the arguments to a path, where it appears whole or not at all."""

    def write(path: Path) -> None:
        # Renamed into place: another visitor may be fetching the same file.
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(encode(*arguments))
        os.replace(file.name, path)

    return write

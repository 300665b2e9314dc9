"""A comparison in one call, which can be looked at, printed and kept."""

import json
import os
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from habn.comparison import engine
from habn.comparison.arrays import View, collect_arrays
from habn.comparison.request import Output, Request, RequestError, Result
from habn.images import Source, save_indexed_png, save_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRAME_HEIGHT = 900  # pixels, of the report in a notebook


class Comparison(Result):
    """Both networks' answers, and ways to keep them. A notebook shows it as the page does, inspector included.

    `layer` is, wherever it may be given, a name or an index in the order of evaluation; None for the layer that adapts
    most, as `channel` is None for the channel that does.
    """

    def view(
        self, layer: str | int | None = None, channel: int | None = None, pixel: tuple[int, int] | None = None
    ) -> View:
        """One pixel of one channel of one layer; the middle of the picture unless given.

        Raises:
            RequestError: there is no such layer, channel or pixel.
        """
        from habn.ui.inspector.encoding import most_adapted_channel, most_adapted_layer

        records = self.second.records
        if not records:
            raise RequestError("Nothing was recorded; run with record=True on networks with normalization layers.")
        names = [record.name for record in records]
        if isinstance(layer, str) and layer not in names:
            raise RequestError(f"There is no layer named {layer!r}; choose one of {', '.join(names)}.")
        index = names.index(layer) if isinstance(layer, str) else layer
        index = most_adapted_layer(records) if index is None else _within("layer", index, len(records))
        channels, *places = records[index].shape
        channel = most_adapted_channel(records[index]) if channel is None else _within("channel", channel, channels)
        row, column = pixel or (places[0] // 2, places[1] // 2)
        return View(self, index, channel, (_within("row", row, places[0]), _within("column", column, places[1])))

    def arrays(self, layer: str | int | None = None) -> dict[str, Any]:
        """The photo, both answers, and all that a layer did; `schema`, which is one of them, says what is what."""
        return collect_arrays(self.view(layer))

    def figure(
        self, layer: str | int | None = None, channel: int | None = None, pixel: tuple[int, int] | None = None
    ) -> "Figure":
        """The printed sheet, A4 across, as a figure of matplotlib: `figure.savefig("sheet.pdf")`."""
        from habn.comparison.sheet import draw_sheet
        from habn.ui.export.sheet_words import build_sheet
        from habn.ui.link import Link

        return draw_sheet(build_sheet(self.view(layer, channel, pixel), Link(), "en"))

    def report(
        self,
        path: str | os.PathLike,
        layer: str | int | None = None,
        channel: int | None = None,
        pixel: tuple[int, int] | None = None,
    ) -> Path:
        """Write the report, one HTML file whose inspector works offline, and return its path."""
        path = Path(path)
        path.write_text(self._report(self.view(layer, channel, pixel)), encoding="utf-8")
        return path

    def save(self, folder: str | os.PathLike) -> list[Path]:
        """Write into a folder, which is made if missing: the photo, both answers, where they differ, and the figures.

        Returns:
            photo.png; first.png and second.png, in colour; of a segmentation first-classes.png and second-classes.png,
            whose values are the classes; difference.png, white where both differ; arrays.npz, where layers were
            recorded; figures.json.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [save_png(self.image, folder / "photo.png")]
        for name, output in (("first", self.first), ("second", self.second)):
            paths.append(save_png(output.picture, folder / f"{name}.png"))
            if output.labels is not None:
                paths.append(save_indexed_png(output.labels, output.palette, folder / f"{name}-classes.png"))
        paths.append(save_png((255 * self.difference).round().astype(np.uint8), folder / "difference.png"))
        if self.second.records:
            paths.append(folder / "arrays.npz")
            np.savez_compressed(paths[-1], **self.arrays())
        paths.append(folder / "figures.json")
        paths[-1].write_text(json.dumps(self.figures(), indent=2) + "\n", encoding="utf-8")
        return paths

    def figures(self) -> dict[str, Any]:
        """What can be said in numbers: task, share of the photo that differs, and each network's figures."""
        return {
            "task": self.task,
            "difference": float(self.difference.mean()),
            "first": figures_of(self.first),
            "second": figures_of(self.second),
        }

    def _repr_html_(self) -> str:
        if not self.second.records:
            return f"<pre>{escape(repr(self))}</pre>"
        report = escape(self._report(self.view()), quote=True)
        return f'<iframe srcdoc="{report}" style="width: 100%; height: {FRAME_HEIGHT}px; border: 0"></iframe>'

    def _report(self, view: View) -> str:
        from habn.ui.export.report import write_report
        from habn.ui.link import Link

        return write_report(view, Link(), "en")


def run(photo: Request | Source, pair: str = Request.pair, **asked: Any) -> Comparison:
    """Run two networks, alike but for their normalization, on a picture, and record what each layer does.

        result = habn.run("photo.jpg")
        result = habn.run("photo.jpg", "styles-plus", painting=habn.Painting("udnie", strength=0.7))
        result = habn.run("photo.jpg", first="spvcnn-bn-camvid", second="runs/mine")

    Args:
        photo: a path, bytes, a PIL image, an (H, W, 3) uint8 array; or a whole `Request`.
        pair: of shipped networks; `list_pairs()` has them.
        asked: the other fields of `Request`: painting, first, second, labels, intervention, weather, record.

    Raises:
        HabnError: one sentence on what is wrong and what to do; see `habn.comparison.engine.run`.
    """
    request = photo if isinstance(photo, Request) else Request(photo, pair, **asked)
    result = engine.run(request)
    return Comparison(**{field.name: getattr(result, field.name) for field in fields(result)})


def figures_of(output: Output) -> dict[str, Any]:
    """What can be said of one network's answer in numbers."""
    return {
        "checkpoint": output.checkpoint,
        "label": output.label,
        "mean_iou": output.mean_iou,
        "areas": output.areas,
        "summary": output.summary,
        "seconds": output.seconds,
        "parameters": output.parameters,
    }


def _within(what: str, index: int, count: int) -> int:
    if not 0 <= index < count:
        raise RequestError(f"There is no {what} {index}; choose a whole number from 0 to {count - 1}.")
    return int(index)

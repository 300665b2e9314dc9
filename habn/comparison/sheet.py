"""The printed sheet of a comparison: photo, answers, and the maps of one channel of one layer, on one page.

matplotlib's `Figure` is used directly and never pyplot, which keeps figures of its own and costs seconds to import.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from habn.hooks.record import LayerRecord

LEAST_SPAN = 0.01  # of the values' size: a shorter colour scale would make opposites of what is all but equal
SYMBOLS = {"s": "s", "scale": "γ′", "bias": "β′", "mean": "μ′", "var": "σ²′", "x": "x", "y": "y"}
POSITIVE = (True, False, False, False, True, False, False)
SIZE = (11.69, 8.27)  # inches: A4, landscape
DOTS_PER_INCH = 200
INK, FAINT, FIRST, SECOND, CROSS = "#1c2430", "#5b6675", "#1d5fae", "#b4530a", "#d6004b"

# As on the page: blue below the centre, orange above it.
BLUE_ORANGE = ListedColormap(
    np.concatenate([colormaps["RdBu"](np.linspace(1, 0.5, 128)), colormaps["PuOr"](np.linspace(0.5, 0, 128))])
).with_extremes(bad="#ff00c8")
SEQUENTIAL = colormaps["cividis"].with_extremes(bad="#ff00c8")


@dataclass(frozen=True, eq=False, kw_only=True)
class PrintedNetwork:
    """One network on the sheet.

    Attributes:
        label: its normalization's name.
        picture: (H, W, 3) uint8, its answer.
        caption: its figures, in a line.
        equation: the numbers of the pixel, in a line.
        record: what the shown layer did.
    """

    label: str
    picture: np.ndarray
    caption: str
    equation: str
    record: LayerRecord


@dataclass(frozen=True, eq=False, kw_only=True)
class Sheet:
    """What is printed.

    Attributes:
        title: the first line; `subtitle` and `source` stand below it and at the foot.
        photo, difference: (H, W, 3) uint8.
        sides: both networks.
        channel: of the layer; pixel: (row, column) in its maps, marked in them.
        legend: names and colours (red, green, blue in 0 to 255) of the classes; empty for pictures.
        texts: the words `photo`, `difference`, `layer` (a line that names layer, channel and pixel), and the titles of
            the maps, by the keys of `SYMBOLS`.
    """

    title: str
    subtitle: str
    source: str
    photo: np.ndarray
    difference: np.ndarray
    sides: tuple[PrintedNetwork, PrintedNetwork]
    channel: int
    pixel: tuple[int, int]
    legend: Sequence[tuple[str, Sequence[int]]]
    texts: Mapping[str, str]


def draw_sheet(sheet: Sheet) -> Figure:
    """Draw a sheet; `figure.savefig(path)` writes it at the resolution of print."""
    figure = Figure(figsize=SIZE, dpi=DOTS_PER_INCH, facecolor="white")
    figure.text(0.03, 0.955, sheet.title, size=15, weight="bold", color=INK)
    figure.text(0.03, 0.942, sheet.subtitle, size=8.5, color=FAINT, va="top", wrap=True)
    _draw_pictures(figure, sheet)
    _draw_legend(figure, sheet)
    figure.text(0.03, 0.468, sheet.texts["layer"], size=10.5, weight="bold", color=INK)
    _draw_maps(figure, sheet)
    _draw_equations(figure, sheet)
    figure.text(0.03, 0.022, sheet.source, size=7, color=FAINT)
    return figure


def maps_of(record: LayerRecord, channel: int) -> np.ndarray:
    """s, the four effective parameters, x and y of a channel, (7, H, W)."""
    return np.stack([record.context, *record.effective(channel), record.x[channel], record.y[channel]])


def write_number(value: float) -> str:
    """Four significant figures with a true minus sign, as on the page."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "+∞" if value > 0 else "−∞"
    size = abs(value)
    text = f"{value:.2e}" if size and (size < 1e-3 or size >= 1e5) else f"{value:#.4g}".rstrip(".")
    return "0" if size == 0 else text.replace("e-0", "e-").replace("e+0", "e+").replace("-", "−")


def _draw_pictures(figure: Figure, sheet: Sheet) -> None:
    grid: Any = GridSpec(1, 4, figure, left=0.03, right=0.97, top=0.9, bottom=0.57, wspace=0.05)
    first, second = sheet.sides
    pictures = [
        (sheet.photo, sheet.texts["photo"], "", INK),
        (first.picture, first.label, first.caption, FIRST),
        (second.picture, second.label, second.caption, SECOND),
        (sheet.difference, sheet.texts["difference"], "", INK),
    ]
    for place, (picture, title, caption, colour) in zip(grid, pictures, strict=True):
        axes = _empty(figure.add_subplot(place))
        axes.imshow(picture, interpolation="lanczos", interpolation_stage="rgba")
        axes.set_title(title, loc="left", size=9.5, weight="bold", color=colour, pad=4)
        axes.set_xlabel(caption, loc="left", size=7.5, color=FAINT, labelpad=4)


def _draw_legend(figure: Figure, sheet: Sheet) -> None:
    left = 0.03
    for name, colour in sheet.legend:
        figure.text(left, 0.515, "■", size=10, color=np.array(colour) / 255)
        text = figure.text(left + 0.014, 0.516, name, size=8, color=INK)
        left += 0.014 + text.get_window_extent().width / figure.bbox.width + 0.018


def _draw_maps(figure: Figure, sheet: Sheet) -> None:
    grid = GridSpec(2, 7, figure, left=0.075, right=0.97, top=0.42, bottom=0.165, wspace=0.1, hspace=0.24)
    maps = [maps_of(side.record, sheet.channel) for side in sheet.sides]
    for q, (quantity, symbol) in enumerate(SYMBOLS.items()):
        norm = _norm(np.stack([maps[0][q], maps[1][q]]), _centre(sheet.sides[1].record, sheet.channel, q))
        column = [_empty(figure.add_subplot(grid[row, q])) for row in range(2)]
        for axes, of_side in zip(column, maps, strict=True):
            cmap = SEQUENTIAL if POSITIVE[q] else BLUE_ORANGE
            drawn = axes.imshow(of_side[q], cmap=cmap, norm=norm, interpolation="nearest")
            _mark(axes, sheet.pixel, of_side[q])
        column[0].set_title(f"{sheet.texts[quantity]} {symbol}", loc="left", size=8.5, color=INK, pad=4)
        _draw_colour_bar(figure, drawn, column[1])
        if q == 0:
            for axes, side, colour in zip(column, sheet.sides, (FIRST, SECOND), strict=True):
                axes.set_ylabel(side.label, size=9.5, weight="bold", color=colour, labelpad=6)


def _draw_colour_bar(figure: Figure, drawn, below: Axes) -> None:
    box = below.get_position(original=True)  # the whole cell, of which a tall map fills a part
    axes = figure.add_axes((box.x0, box.y0 - 0.034, box.width, 0.011))
    bar = figure.colorbar(drawn, cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)
    ends = sorted({drawn.norm.vmin, drawn.norm.vmax})
    bar.set_ticks(ends, labels=[write_number(end) for end in ends])
    axes.tick_params(size=0, labelsize=7, labelcolor=FAINT, pad=2)
    first, *others = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    for other in others:
        other.set_horizontalalignment("right")


def _draw_equations(figure: Figure, sheet: Sheet) -> None:
    for side, colour, height in zip(sheet.sides, (FIRST, SECOND), (0.083, 0.057), strict=True):
        figure.text(0.03, height, side.label, size=8.5, weight="bold", color=colour)
        figure.text(0.075, height, side.equation, size=8.5, color=INK, family="monospace")


def _centre(record: LayerRecord, channel: int, quantity: int) -> float | None:
    """Where the colours turn from blue to orange: at the static parameter, at 0 for x and y; None for positive maps."""
    if POSITIVE[quantity]:
        return None
    return float(record.static[quantity - 1, channel]) if quantity < 5 else 0.0


def _norm(values: np.ndarray, centre: float | None) -> Normalize:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    lack = LEAST_SPAN * max(abs(low), abs(high)) - (high - low)
    if lack > 0:
        low, high = low - lack / 2, high + lack / 2
    if centre is not None and np.isfinite(centre):
        reach = max(high - centre, centre - low)
        low, high = centre - reach, centre + reach
    return Normalize(low, high)


def _mark(axes: Axes, pixel: tuple[int, int], values: np.ndarray) -> None:
    row, column = pixel
    axes.axhline(row, color=CROSS, linewidth=0.5)
    axes.axvline(column, color=CROSS, linewidth=0.5)
    axes.set_xlabel(f"{write_number(values[row, column])}", loc="left", size=7.5, weight="bold", color=INK, labelpad=2)


def _empty(axes: Axes) -> Axes:
    axes.set(xticks=[], yticks=[], anchor="W")
    axes.spines[:].set_visible(False)
    return axes

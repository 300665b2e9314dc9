"""Line charts as inline SVG: real text, colours of the theme, and a dash and a marker of its own for each line."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from habn.ui.results.pieces import render

WIDTH, HEIGHT = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 20, 12, 38  # margins around the plot
NORMS = ("bn", "habn", "habn-plus", "in", "film", "adain")
"""Those with a colour of their own; the n-th has the n-th dash and marker, and its settings have the following ones."""
DASHES = ("none", "7 3", "2 3", "10 3 2 3", "4 2", "1 2", "12 4")
MARKERS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
    "M-3.6-3.6h7.2v7.2h-7.2Z",
    "M0-4.8L4.6 3.4H-4.6Z",
    "M0-5L5 0L0 5L-5 0Z",
    "M0 4.8L4.6-3.4H-4.6Z",
    "M-4-1.5h2.5V-4h3v2.5H4v3H1.5V4h-3V1.5H-4Z",
    "M-4.5-2h9v4h-9Z",
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a chart.

    Attributes:
        label: for people; `norm` gives the colour, and with `setting` dash and marker.
        points: (x, y, spread), the spread as a whisker of its length up and down, or None.
        setting: the place of the setting among those of its normalization; all but the first have hollow markers.
        faint: thin and without markers, as one seed behind the mean of all.
    """

    label: str
    norm: str
    points: tuple[tuple[float, float, float | None], ...]
    setting: int = 0
    faint: bool = False


def draw_chart(
    title: str, summary: str, x_label: str, y_label: str, lines: Sequence[Line], y_range: tuple[float, float]
) -> Markup:
    """A chart with its title.

    Args:
        summary: says in words what it shows, for those who do not see it.
        y_range: lowest and highest value; charts that are compared share it (`find_range`).
    """
    xs = [x for line in lines for x, _, _ in line.points]
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(*y_range)
    x_of = _scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y_of = _scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    return render(
        "chart.html",
        title=title,
        summary=summary,
        labels=(x_label, y_label),
        size=(WIDTH, HEIGHT),
        edges=(LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM),
        x_ticks=[(x_of(t), f"{t:,g}") for t in x_ticks if min(xs) <= t <= max(xs)],
        y_ticks=[(y_of(t), f"{t:g}") for t in y_ticks],
        lines=[_draw_line(line, x_of, y_of) for line in lines],
    )


def find_range(lines: Iterable[Line]) -> tuple[float, float]:
    """The lowest and the highest value of all lines, whiskers included."""
    ends = [y + side * (spread or 0) for line in lines for _, y, spread in line.points for side in (-1, 1)]
    return min(ends), max(ends)


def draw_key(norm: str, label: str, setting: int = 0) -> Markup:
    """The piece of a line that explains it in a legend."""
    line = Line(label=label, norm=norm, points=((17, 6, None),), setting=setting)
    drawn = _draw_line(line, lambda x: x, lambda y: y) | {"path": "M1 6H33"}
    return render("key.html", line=drawn, label=label)


def draw_interval(centre: float, interval: tuple[float, float], reach: float, norm: str, summary: str) -> Markup:
    """A dot with its interval on an axis from -reach to reach, on which 0 is marked."""
    x_of = _scale(-reach, reach, 4, 116)
    low, high = (x_of(max(-reach, min(reach, end))) for end in interval)
    line = Line(label=summary, norm=norm, points=((x_of(centre), 8, None),))
    return render("interval.html", summary=summary, low=low, high=high, line=_draw_line(line, lambda x: x, lambda y: y))


def marker_of(norm: str, setting: int = 0) -> str:
    """The outline of a normalization's marker about (0, 0), as SVG's path."""
    return MARKERS[_place(norm, setting)]


def classes_of(norm: str, setting: int = 0) -> str:
    """The style's names for a normalization's colour, and for a marker that is hollow."""
    known = norm if norm in NORMS else "other"
    return f"norm-{known}" + (" hollow" if setting else "")


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers that span [low, high]: multiples of 1, 2 or 5 times a power of ten."""
    if low == high:
        low, high = low - 1, high + 1
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [round(k * step, 10) for k in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _draw_line(line: Line, x_of: Callable[[float], float], y_of: Callable[[float], float]) -> dict:
    """A line as line.html draws it, each length in units of the drawing."""
    places = [(x_of(x), y_of(y), None if not s else (y_of(y - s), y_of(y + s))) for x, y, s in line.points]
    return {
        "classes": classes_of(line.norm, 0 if line.faint else line.setting) + (" faint" if line.faint else ""),
        "dashes": DASHES[_place(line.norm, line.setting)],
        "path": "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in places),
        "marker": marker_of(line.norm, line.setting),
        "places": [] if line.faint else places,
    }


def _place(norm: str, setting: int) -> int:
    """Of dash and marker in their lists."""
    return ((NORMS.index(norm) if norm in NORMS else len(NORMS)) + setting) % len(MARKERS)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The linear map that takes [low, high] to [start, end]; to the middle where low is high."""
    if low == high:
        return lambda value: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)

"""Line charts as inline SVG: real text, colours of the theme, and a dash and a marker of its own for each line."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

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
) -> str:
    """A chart with its title.

    Args:
        summary: says in words what it shows, for those who do not see it.
        y_range: lowest and highest value; charts that are compared share it (`find_range`).
    """
    xs = [x for line in lines for x, _, _ in line.points]
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(*y_range)
    x_of = _scale(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y_of = _scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    grid = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y_of(t):.1f}" y2="{y_of(t):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y_of(t) + 4:.1f}" text-anchor="end">{t:g}</text>'
        for t in y_ticks
    ) + "".join(
        f'<text x="{x_of(t):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{t:,g}</text>'
        for t in x_ticks
        if min(xs) <= t <= max(xs)
    )
    drawn = "".join(_draw_line(line, x_of, y_of) for line in lines)
    return f"""<figure class="chart"><figcaption>{escape(title)}</figcaption>
        <svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}. {escape(summary)}">
        <title>{escape(title)}</title><desc>{escape(summary)}</desc>{grid}
        <text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(x_label)}</text>
        <text transform="translate(11 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">
        {escape(y_label)}</text>{drawn}</svg></figure>"""


def find_range(lines: Iterable[Line]) -> tuple[float, float]:
    """The lowest and the highest value of all lines, whiskers included."""
    ends = [y + side * (spread or 0) for line in lines for _, y, spread in line.points for side in (-1, 1)]
    return min(ends), max(ends)


def draw_key(norm: str, label: str, setting: int = 0) -> str:
    """The piece of a line that explains it in a legend."""
    return f"""<span class="key"><svg viewBox="0 0 34 12" aria-hidden="true"><g class="line {_classes(norm, setting)}">
        {_stroke(norm, setting, "M1 6H33")}{_marker(norm, setting, 17, 6)}</g></svg>{escape(label)}</span>"""


def draw_interval(centre: float, interval: tuple[float, float], reach: float, norm: str, summary: str) -> str:
    """A dot with its interval on an axis from -reach to reach, on which 0 is marked."""
    x_of = _scale(-reach, reach, 4, 116)
    low, high = (max(-reach, min(reach, end)) for end in interval)
    return f"""<svg class="interval" viewBox="0 0 120 16" role="img" aria-label="{escape(summary)}">
        <line class="grid" x1="4" x2="116" y1="8" y2="8"/><line class="zero" x1="60" x2="60" y1="1" y2="15"/>
        <g class="line {_classes(norm, 0)}"><path class="whisker" d="M{x_of(low):.1f} 8H{x_of(high):.1f}"/>
        {_marker(norm, 0, x_of(centre), 8)}</g></svg>"""


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers that span [low, high]: multiples of 1, 2 or 5 times a power of ten."""
    if low == high:
        low, high = low - 1, high + 1
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return [round(k * step, 10) for k in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _draw_line(line: Line, x_of: Callable[[float], float], y_of: Callable[[float], float]) -> str:
    places = [(x_of(x), y_of(y)) for x, y, _ in line.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    if line.faint:
        return f'<g class="line faint {_classes(line.norm, 0)}">{_stroke(line.norm, line.setting, path)}</g>'
    whiskers = "".join(
        f'<path class="whisker" d="M{x_of(x):.1f} {y_of(y - spread):.1f}V{y_of(y + spread):.1f}"/>'
        for x, y, spread in line.points
        if spread
    )
    markers = "".join(_marker(line.norm, line.setting, x, y) for x, y in places)
    stroke = _stroke(line.norm, line.setting, path)
    return f'<g class="line {_classes(line.norm, line.setting)}">{stroke}{whiskers}{markers}</g>'


def _stroke(norm: str, setting: int, path: str) -> str:
    return f'<path class="stroke" stroke-dasharray="{DASHES[_place(norm, setting)]}" d="{path}"/>'


def _marker(norm: str, setting: int, x: float, y: float) -> str:
    shape = MARKERS[_place(norm, setting)]
    return f'<path class="marker" transform="translate({x:.1f} {y:.1f})" d="{shape}"/>'


def _place(norm: str, setting: int) -> int:
    """Of dash and marker in their lists."""
    return ((NORMS.index(norm) if norm in NORMS else len(NORMS)) + setting) % len(MARKERS)


def _classes(norm: str, setting: int) -> str:
    known = norm if norm in NORMS else "other"
    return f"norm-{known}" + (" hollow" if setting else "")


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The linear map that takes [low, high] to [start, end]; to the middle where low is high."""
    if low == high:
        return lambda value: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)

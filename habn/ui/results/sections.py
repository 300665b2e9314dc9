"""The sections of a study: further metrics, the metric by style and weather, training curves, what a search chose."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from typing import TypeVar

from habn.data.styles import STYLES
from habn.data.weather import WEATHER
from habn.layers import PARAMETERS
from habn.results import Curve, FurtherMetric, Metric, Row, Search, SearchRow, Study, UnderWeather, WeatherRow
from habn.results.statistics import mean, standard_deviation
from habn.results.tables import format_difference, format_spread
from habn.ui import words
from habn.ui.help import TERMS, draw_help
from habn.ui.results.charts import Line, draw_chart, draw_key, find_range

Part = TypeVar("Part", Curve, SearchRow, WeatherRow)


def draw_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of HTML cells, the first of each row its heading; wider than the window, it scrolls by itself.

    On a phone each row stands as a block in which every cell has its column's text above it, without the "?" after it.
    """
    labels = [cell.partition("<")[0] for cell in head[1:]]
    heads = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f'<tr><th scope="row">{first}</th>{_label_cells(labels, cells)}</tr>' for first, *cells in rows)
    return f"""<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>
        <thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"""


def _label_cells(labels: Sequence[str], cells: Sequence[str]) -> str:
    pairs = zip(labels, cells, strict=True)
    return "".join(f'<td data-label="{escape(label, quote=True)}">{cell}</td>' for label, cell in pairs)


def draw_metric(metric: Metric, place: str, language: str) -> str:
    """The head of a column of values: the metric's name, which way is better, and what it is; `place` as in help."""
    help_mark = draw_help(metric.name, place, language) if metric.name in TERMS else ""
    better = words.say("results.higher" if metric.higher_is_better else "results.lower", language)
    return f"{escape(metric_name(metric, language))}{help_mark}<small>{better}</small>"


def name_row(row: Row) -> str:
    """The head of a row: its normalization beside a patch of its colour, and its setting."""
    setting = f"<small>{escape(row.setting)}</small>" if row.setting else ""
    return f'<span class="name norm-{row.norm}">{escape(row.label)}</span>{setting}'


def metric_name(metric: Metric, language: str) -> str:
    """The name of a metric in the visitor's language, or its own where there is none."""
    return words.table("results")[language].get(f"name_{metric.name}", metric.label)


def draw_further_metrics(study: Study, language: str) -> str:
    """The further metrics of every row: a column each, with spread, difference to the baseline and deviation."""
    say = partial(words.say, language=language)
    heads = [draw_metric(figure.metric, f"results-{study.name}-further", language) for figure in study.figures]
    rows = [
        [name_row(row), *(_figure_cell(study, figure, row, language) for figure in study.figures)] for row in study.rows
    ]
    note = say("results.figures_note", baseline=escape(study.baseline_label))
    return f"""<h4>{say("results.figures_title")}</h4>
        {draw_table(say("results.figures_title"), [say("results.normalization"), *heads], rows)}
        <p><small>{note}</small></p>"""


def draw_styles(study: Study, language: str) -> str:
    """The metric in each style, with mean and spread over seeds: a row a style, a column a normalization."""
    cells = {(row.style, row.norm, row.setting): format_spread(row, study.metric) for row in study.by_style}
    title = words.say("results.by_style", language, metric=escape(metric_name(study.metric, language)))
    rows = [
        [escape(_style_name(style, language)), *(cells.get((style, row.norm, row.setting), "") for row in study.rows)]
        for style in dict.fromkeys(row.style for row in study.by_style)
    ]
    head = [words.say("results.style", language), *(escape(row.full_label) for row in study.rows)]
    return _details(title, draw_table(title, head, rows))


def draw_weather(study: Study, weather: UnderWeather, language: str) -> str:
    """One chart per weather, a line per normalization and setting, and the same numbers as a table."""
    say = partial(words.say, language=language)
    rows, strengths, strength = weather.rows, weather.strengths, say("results.strength")
    settings = _settings(rows)
    lines_of = {
        kind: [_mean_line(study, row, settings, strengths, row.values) for row in rows if row.weather == kind]
        for kind in dict.fromkeys(row.weather for row in rows)
    }
    y_range = find_range(line for lines in lines_of.values() for line in lines)
    charts, numbers = [], []
    for kind, lines in lines_of.items():
        title = weather_name(kind, language)
        charts.append(
            draw_chart(title, _summary(lines, strength), strength, metric_name(study.metric, language), lines, y_range)
        )
        numbers += [[escape(title), escape(line.label), *_cells(line)] for line in lines]
    head = [say("results.weather"), say("results.normalization"), *(f"{value:g}" for value in strengths)]
    help_mark = draw_help("weather", f"results-{study.name}", language)
    return f"""<h4>{say("results.weather_title", metric=metric_name(study.metric, language))}{help_mark}</h4>
        {_legend(line for lines in lines_of.values() for line in lines)}
        <div class="charts" tabindex="0" role="region" aria-label="{say("results.weather")}">{"".join(charts)}</div>
        {_details(say("results.numbers"), draw_table(say("results.numbers"), head, numbers))}"""


def draw_curves(study: Study, language: str) -> str:
    """The metric on val while the networks were trained: every seed thin, their mean thick."""
    say = partial(words.say, language=language)
    metric, step, settings = metric_name(study.metric, language), say("results.step"), _settings(study.curves)
    seeds, means = [], []
    for curves in _by_row(study.curves).values():
        steps = [step for step in curves[0].steps if all(step in curve.steps for curve in curves)]
        values = [[curve.values[curve.steps.index(step)] for step in steps] for curve in curves]
        means.append(_mean_line(study, curves[0], settings, steps, values))
        if len(curves) > 1:
            of_seeds = (_mean_line(study, curve, settings, curve.steps, [curve.values]) for curve in curves)
            seeds += [replace(line, faint=True) for line in of_seeds]
    numbers = [
        [escape(line.label), f"{step:,}", cell]
        for line in means
        for (step, *_), cell in zip(line.points, _cells(line), strict=True)
    ]
    lines = [*seeds, *means]
    chart = draw_chart(
        data_name(study.data, "val", language), _summary(means, step), step, metric, lines, find_range(lines)
    )
    table = draw_table(say("results.numbers"), [say("results.normalization"), step, metric], numbers)
    return f"""<h4>{say("results.curves_title", metric=metric)}</h4>{_legend(means)}
        <div class="charts wide">{chart}</div>{_details(say("results.numbers"), table)}"""


def draw_search(study: Study, search: Search, language: str) -> str:
    """For each row with gates, layers by parameters: the gates' mean and spread over seeds, and sizes."""
    say = partial(words.say, language=language)
    head = [say("results.layer"), *(say(f"inspector.title_{gate}") for gate in PARAMETERS)]
    tables = []
    for row, found in _by_row(search.rows).items():
        is_all_open = all(gate == 1 for one in found for layer in one.gates for gate in layer)
        name = "search_none" if is_all_open else "search_of"
        title = say(f"results.{name}", label=escape(study.label_of(*row)), count=len(found))
        cells = [
            [escape(name), *(_gate_cell(found, layer, gate) for gate in range(len(PARAMETERS)))]
            for layer, name in enumerate(search.layers)
        ]
        tables.append(_details(title, f'<div class="heat">{draw_table(title, head, cells)}</div>'))
    help_mark = draw_help("gate", f"results-{study.name}", language)
    return f"""<h4>{say("results.search_title")}{help_mark}</h4>
        <p>{say("results.search_note")}</p>{"".join(tables)}"""


def data_name(data: str, split: str, language: str) -> str:
    """The names of a data set and of its part for people, or their own where there are none."""
    names = words.table("results")[language]
    return f"{names.get(f'data_{data}', data)}, {names.get(f'split_{split}', split)}"


def weather_name(kind: str, language: str) -> str:
    """The name of a kind of weather for people, as in the tab Experiment, or its own where there is none."""
    return words.say(f"experiment.{kind}", language) if kind in WEATHER else kind


def _style_name(style: str, language: str) -> str:
    return words.say(f"styles.{style}", language) if style in STYLES else style


def _figure_cell(study: Study, figure: FurtherMetric, row: Row, language: str) -> str:
    own = figure.row_of(row)
    if own is None:
        return ""
    value, _, spread = format_spread(own, figure.metric).partition(" ± ")
    of_figure = study.by_figure(figure)
    difference = of_figure.difference(next(r for r in of_figure.rows if (r.norm, r.setting) == (row.norm, row.setting)))
    deviation = f"{mean(own.deviations):.{figure.metric.decimals}f}"
    return (
        f"<strong>{value}</strong>{f' ± {spread}' if spread else ''}"
        f"<small>{format_difference(difference, figure.metric)}</small>"
        f"<small>{words.say('results.over_pictures', language, spread=deviation)}</small>"
    )


def _gate_cell(found: Sequence[SearchRow], layer: int, gate: int) -> str:
    gates, sizes = ([getattr(row, key)[layer][gate] for row in found] for key in ("gates", "size"))
    number, _, spread = _with_spread(mean(gates), standard_deviation(gates)).partition(" ± ")
    return f"""<div style="--share: {mean(gates):.3f}"><b>{number}</b>{f" ± {spread}" if spread else ""}
        <small>{mean(sizes):.3g}</small></div>"""


def _mean_line(
    study: Study,
    row: Curve | WeatherRow,
    settings: dict[tuple[str, str], int],
    xs: Sequence[float],
    by_seed: Sequence[Sequence[float]],
) -> Line:
    """The line of a row, with mean and spread over its seeds."""
    points = tuple(
        (x, mean(values), standard_deviation(values)) for x, values in zip(xs, zip(*by_seed, strict=True), strict=True)
    )
    return Line(
        label=study.label_of(row.norm, row.setting),
        norm=row.norm,
        points=points,
        setting=settings[row.norm, row.setting],
    )


def _by_row(parts: Iterable[Part]) -> dict[tuple[str, str], list[Part]]:
    """What belongs to each normalization and setting."""
    rows: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        rows.setdefault((part.norm, part.setting), []).append(part)
    return rows


def _settings(parts: Iterable[Part]) -> dict[tuple[str, str], int]:
    """The place of every setting among those of its normalization."""
    places: dict[tuple[str, str], int] = {}
    seen: dict[str, int] = {}
    for norm, setting in _by_row(parts):
        places[norm, setting] = seen[norm] = seen.get(norm, -1) + 1
    return places


def _summary(lines: Sequence[Line], x_label: str) -> str:
    """First and last value of every line, in words."""
    return "; ".join(
        f"{line.label}: {line.points[0][1]:.1f} ({x_label} {line.points[0][0]:g}), "
        f"{line.points[-1][1]:.1f} ({x_label} {line.points[-1][0]:g})"
        for line in lines
    )


def _legend(lines: Iterable[Line]) -> str:
    keys = dict.fromkeys((line.norm, line.label, line.setting) for line in lines)
    return f'<p class="legend-line">{"".join(draw_key(*key) for key in keys)}</p>'


def _cells(line: Line) -> list[str]:
    return [_with_spread(y, spread) for _, y, spread in line.points]


def _with_spread(value: float, spread: float | None) -> str:
    return f"{value:.2f}" + ("" if spread is None else f" ± {spread:.2f}")


def _details(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>{content}</details>"

"""The sections of a study: further metrics, the metric by style and weather, training curves, what a search chose."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from markupsafe import Markup

from habn.layers import PARAMETERS
from habn.results import Metric, Row, Study, UnderWeather
from habn.results.statistics import standard_deviation
from habn.ui import words
from habn.ui.results.charts import Line, draw_chart, draw_key, find_range
from habn.ui.results.pieces import (
    data_name,
    draw_table,
    explain,
    fold,
    metric_column,
    metric_name,
    name_row,
    render,
    style_name,
    weather_name,
    write_difference,
    write_spread,
)


def draw_further_metrics(study: Study, language: str) -> Markup:
    """The further metrics of every row: a column each, with spread, difference to the baseline and deviation."""
    say = partial(words.say, language=language)
    heads = [metric_column(metric, f"{study.name}-further", language) for metric in study.further]
    rows = [
        [name_row(row), *(_figure_cell(study, metric, row, language) for metric in study.further)] for row in study.rows
    ]
    table = draw_table(say("results.figures_title"), [say("results.normalization"), *heads], rows)
    note = say("results.figures_note", baseline=study.baseline_label)
    return render("section.html", title=say("results.figures_title"), content=table, note=note)


def draw_styles(study: Study, language: str) -> Markup:
    """The metric in each style, with mean and spread over seeds: a row a style, a column a normalization."""
    title = words.say("results.by_style", language, metric=metric_name(study.metric, language))
    rows = [
        [
            style_name(style, language),
            *(_spread_of(row.styles.get(style), study.metric, language) for row in study.rows),
        ]
        for style in dict.fromkeys(style for row in study.rows for style in row.styles)
    ]
    head = [words.say("results.style", language), *(row.full_label for row in study.rows)]
    return fold(title, draw_table(title, head, rows))


def draw_weather(study: Study, weather: UnderWeather, language: str) -> Markup:
    """One chart per weather, a line per normalization and setting, and the same numbers as a table."""
    say = partial(words.say, language=language)
    strengths, strength = weather.strengths, say("results.strength")
    rows = [row for row in study.rows if row.weather]
    settings, metric = _settings(rows), metric_name(study.metric, language)
    lines_of = {
        kind: [_mean_line(row, settings, strengths, row.weather[kind]) for row in rows if kind in row.weather]
        for kind in dict.fromkeys(kind for row in rows for kind in row.weather)
    }
    y_range = find_range(line for lines in lines_of.values() for line in lines)
    charts, numbers = [], []
    for kind, lines in lines_of.items():
        title = weather_name(kind, language)
        summary = _summary(lines, strength, language)
        charts.append(draw_chart(title, summary, strength, metric, lines, y_range))
        numbers += [[title, line.label, *_cells(line, language)] for line in lines]
    head = [say("results.weather"), say("results.normalization"), *(f"{value:g}" for value in strengths)]
    return render(
        "charts.html",
        title=say("results.weather_title", metric=metric),
        help=explain("weather", study.name, language),
        keys=_keys(line for lines in lines_of.values() for line in lines),
        label=say("results.weather"),
        charts=charts,
        numbers=fold(say("results.numbers"), draw_table(say("results.numbers"), head, numbers)),
        wide=False,
    )


def draw_curves(study: Study, language: str) -> Markup:
    """The metric on val while the networks were trained: every seed thin, their mean thick."""
    say = partial(words.say, language=language)
    rows = [row for row in study.rows if row.curves]
    metric, step, settings = metric_name(study.metric, language), say("results.step"), _settings(rows)
    seeds, means = [], []
    for row in rows:
        steps = [step for step in row.curves[0].steps if all(step in curve.steps for curve in row.curves)]
        values = [[curve.values[curve.steps.index(step)] for step in steps] for curve in row.curves]
        means.append(_mean_line(row, settings, steps, values))
        if len(row.curves) > 1:
            of_seeds = (_mean_line(row, settings, curve.steps, [curve.values]) for curve in row.curves)
            seeds += [replace(line, faint=True) for line in of_seeds]
    numbers = [
        [line.label, words.integer(int(step), language), cell]
        for line in means
        for (step, *_), cell in zip(line.points, _cells(line, language), strict=True)
    ]
    lines = [*seeds, *means]
    title = data_name(study.data, "val", language)
    head = [say("results.normalization"), step, metric]
    return render(
        "charts.html",
        title=say("results.curves_title", metric=metric),
        help="",
        keys=_keys(means),
        label=title,
        charts=[draw_chart(title, _summary(means, step, language), step, metric, lines, find_range(lines))],
        numbers=fold(say("results.numbers"), draw_table(say("results.numbers"), head, numbers)),
        wide=True,
    )


def draw_search(study: Study, language: str) -> Markup:
    """For each row with gates, layers by parameters: the gates' mean and spread over seeds, and sizes."""
    say = partial(words.say, language=language)
    head = [say("results.layer"), *(say(f"inspector.title_{gate}") for gate in PARAMETERS)]
    searched = [row for row in study.rows if row.search]
    tables = []
    for row in sorted(searched, key=_is_all_open):
        name = "search_none" if _is_all_open(row) else "search_of"
        title = say(f"results.{name}", label=row.full_label, count=len(row.search))
        cells = [
            [layer, *(_gate_cell(row, place, gate, language) for gate in range(len(PARAMETERS)))]
            for place, layer in enumerate(study.layers)
        ]
        tables.append(fold(title, Markup('<div class="heat">{}</div>').format(draw_table(title, head, cells))))
    return render(
        "search.html",
        title=say("results.search_title"),
        help=explain("gate", study.name, language),
        note=say("results.search_note"),
        tables=tables,
    )


def _is_all_open(row: Row) -> bool:
    return all(gate == 1 for choice in row.search for layer in choice.gates for gate in layer)


def _spread_of(values: Sequence[float] | None, metric: Metric, language: str) -> str:
    if values is None:
        return ""
    return write_spread(fmean(values), standard_deviation(values), metric.decimals, language)


def _figure_cell(study: Study, metric: Metric, row: Row, language: str) -> str:
    if metric.name not in row.figures:
        return ""
    own = row.figures[metric.name]
    of_metric = study.by_figure(metric)
    difference = of_metric.difference(next(other for other in of_metric.rows if other.identity == row.identity))
    mean, _, spread = _spread_of(own.values, metric, language).partition(" ± ")
    deviation = words.decimals(fmean(own.deviations), metric.decimals, language)
    return render(
        "figure.html",
        mean=mean,
        spread=spread,
        difference=write_difference(difference, metric, language),
        over_pictures=words.say("results.over_pictures", language, spread=deviation),
    )


def _gate_cell(row: Row, layer: int, gate: int, language: str) -> Markup:
    gates = [choice.gates[layer][gate] for choice in row.search]
    sizes = [choice.size[layer][gate] for choice in row.search]
    mean, _, spread = write_spread(fmean(gates), standard_deviation(gates), 2, language).partition(" ± ")
    return render("gate.html", share=fmean(gates), mean=mean, spread=spread, size=f"{fmean(sizes):.3g}")


def _mean_line(
    row: Row, settings: dict[tuple[str, str], int], xs: Sequence[float], by_seed: Sequence[Sequence[float]]
) -> Line:
    """The line of a row, with mean and spread over its seeds."""
    points = tuple(
        (x, fmean(values), standard_deviation(values)) for x, values in zip(xs, zip(*by_seed, strict=True), strict=True)
    )
    return Line(label=row.full_label, norm=row.norm, points=points, setting=settings[row.identity])


def _settings(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    """The place of every setting among those of its normalization."""
    places: dict[tuple[str, str], int] = {}
    seen: dict[str, int] = {}
    for row in rows:
        places[row.identity] = seen[row.norm] = seen.get(row.norm, -1) + 1
    return places


def _summary(lines: Sequence[Line], x_label: str, language: str) -> str:
    """First and last value of every line, in words."""
    ends = ((line.label, *line.points[0][:2], *line.points[-1][:2]) for line in lines)
    return "; ".join(
        f"{label}: {words.decimals(y, 1, language)} ({x_label} {x:g}), "
        f"{words.decimals(last_y, 1, language)} ({x_label} {last_x:g})"
        for label, x, y, last_x, last_y in ends
    )


def _keys(lines: Iterable[Line]) -> list[Markup]:
    return [draw_key(*key) for key in dict.fromkeys((line.norm, line.label, line.setting) for line in lines)]


def _cells(line: Line, language: str) -> list[str]:
    return [write_spread(y, spread, 2, language) for _, y, spread in line.points]

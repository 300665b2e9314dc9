"""The studies as Markdown tables, and their places in a README."""

import re
from collections.abc import Mapping, Sequence

from habn.results.models import FurtherRow, Metric, Row, Study, StyleRow, UnderWeather
from habn.results.statistics import PairedDifference, mean, standard_deviation
from habn.results.strict_json import ResultError

LANGUAGE = "en"
_PLACE = re.compile(r"(<!-- results:(?P<name>[\w/.-]+) -->\n)(?P<table>.*?)(<!-- /results -->)", re.DOTALL)


def tables_markdown(studies: Sequence[Study]) -> str:
    """All tables under their titles."""
    return "\n".join(f"## {study.title[LANGUAGE]}\n\n{table}" for study in studies for table in _tables(study).values())


def fill_places(text: str, studies: Sequence[Study], further: Mapping[str, str] | None = None) -> str:
    """`text` with every table made anew that stands between `<!-- results:NAME -->` and `<!-- /results -->`.

    NAME is a study's, NAME/weather and NAME/by-style for its further tables, or one of the `further` tables.

    Raises:
        ResultError: when there is no such table.
    """
    tables = {name: table for study in studies for name, table in _tables(study).items()} | dict(further or {})

    def fill(place: re.Match[str]) -> str:
        if place["name"] not in tables:
            raise ResultError(f"There is no table {place['name']!r}; choose one of {', '.join(tables) or 'none yet'}.")
        return f"{place[1]}\n{tables[place['name']]}\n{place[4]}"

    return _PLACE.sub(fill, text)


def format_difference(difference: PairedDifference | None, metric: Metric) -> str:
    """ "+0.41 (-0.20 to +1.02)", with the interval where there is one."""
    if difference is None:
        return ""
    mean, *ends = (f"{value:+.{metric.decimals}f}" for value in (difference.mean, *(difference.interval or ())))
    return f"{mean} ({ends[0]} to {ends[1]})" if ends else mean


def format_p(difference: PairedDifference | None) -> str:
    if difference is None or difference.p is None:
        return ""
    return "< 0.001" if difference.p < 0.001 else f"{difference.p:.3f}"


def format_spread(row: Row | FurtherRow | StyleRow, metric: Metric) -> str:
    """ "49.78 ± 0.31", mean and standard deviation over the seeds."""
    spread = standard_deviation(row.values)
    return " ± ".join(f"{value:.{metric.decimals}f}" for value in (mean(row.values), spread) if value is not None)


def _tables(study: Study) -> dict[str, str]:
    tables = {study.name: _table(study)}
    if study.weather is not None:
        tables[f"{study.name}/weather"] = _weather_table(study, study.weather)
    if study.by_style:
        tables[f"{study.name}/by-style"] = _style_table(study)
    return tables


def _table(study: Study) -> str:
    head = [
        "normalization",
        _metric_head(study.metric),
        f"minus {study.baseline_label} (95 % interval)",
        "p",
        *(_metric_head(figure.metric) for figure in study.figures),
        "seeds",
        "parameters",
    ]
    rows = [
        [
            row.full_label,
            format_spread(row, study.metric),
            format_difference(study.difference(row), study.metric),
            format_p(study.difference(row)),
            *_figure_cells(study, row),
            str(len(row.seeds)),
            f"{row.parameters:,}" + (f" (+{row.added_share:.2%})" if row.added else ""),
        ]
        for row in study.rows
    ]
    return f"{markdown(head, rows)}\n{_caption(study)}\n"


def _metric_head(metric: Metric) -> str:
    """An arrow where lower is better; that higher is, goes without saying."""
    return metric.label if metric.higher_is_better else f"{metric.label} ↓"


def _figure_cells(study: Study, row: Row) -> list[str]:
    found = ((figure.row_of(row), figure.metric) for figure in study.figures)
    return ["" if own is None else format_spread(own, metric) for own, metric in found]


def _style_table(study: Study) -> str:
    """The main metric in each style, over seeds, with a column for each row."""
    cells = {(row.style, row.norm, row.setting): format_spread(row, study.metric) for row in study.by_style}
    head = ["style", *(row.full_label for row in study.rows)]
    rows = [
        [style, *(cells.get((style, row.norm, row.setting), "") for row in study.rows)]
        for style in dict.fromkeys(row.style for row in study.by_style)
    ]
    return f"{markdown(head, rows)}\n{_metric_head(study.metric)} in each style.\n"


def _weather_table(study: Study, weather: UnderWeather) -> str:
    """The mean over seeds and over the strengths above 0, per weather and normalization."""
    columns = list(dict.fromkeys((row.norm, row.setting) for row in weather.rows))
    cells = {(row.weather, row.norm, row.setting): weather.mean(row.values) for row in weather.rows}
    head = ["weather", *(study.label_of(*column) for column in columns)]
    rows = [
        [kind, *(f"{cells[kind, *c]:.2f}" if (kind, *c) in cells else "" for c in columns)]
        for kind in dict.fromkeys(row.weather for row in weather.rows)
    ]
    summary = study.under_weather()
    means = {(row.norm, row.setting): row for row in summary.rows}
    rows.append(["all", *(format_spread(means[c], study.metric) for c in columns)])
    rows.append(
        [
            f"all, minus {study.baseline_label}",
            *(format_difference(summary.difference(means[c]), study.metric) for c in columns),
        ]
    )
    rows.append(["p", *(format_p(summary.difference(means[c])) for c in columns)])
    note = (
        f"Mean of {study.metric.label} over seeds and all strengths above 0, on {weather.pictures} pictures of "
        f"{study.split}, the same for all: intervals tell of other seeds, not of other pictures."
    )
    return f"{markdown(head, rows)}\n{note}\n"


def _caption(study: Study) -> str:
    epochs = "" if study.epochs is None else f", {study.epochs:g} epochs"
    sampling = "" if study.sampling is None else f" {study.sampling[LANGUAGE]}"
    where = f"{study.hardware}, {study.date}, commit {study.commit}"
    return (
        f"{study.data}, {study.split}, {study.size[0]} x {study.size[1]}; trained on {study.train}, "
        f"{study.steps:,} steps{epochs}, {study.protocol}; {where}.{sampling}"
    )


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)

"""The studies as Markdown tables, and their places in a README."""

import re
from collections.abc import Mapping, Sequence
from statistics import fmean

from habn.results.models import Metric, Study, UnderWeather
from habn.results.reading import ResultError
from habn.results.statistics import PairedDifference, standard_deviation

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


def format_spread(values: Sequence[float], metric: Metric) -> str:
    """ "49.78 ± 0.31", mean and standard deviation over the seeds."""
    spread = standard_deviation(values)
    return " ± ".join(f"{value:.{metric.decimals}f}" for value in (fmean(values), spread) if value is not None)


def _tables(study: Study) -> dict[str, str]:
    tables = {study.name: _table(study)}
    if study.weather is not None and (summary := study.under_weather()):
        tables[f"{study.name}/weather"] = _weather_table(study, summary, study.weather)
    if any(row.styles for row in study.rows):
        tables[f"{study.name}/by-style"] = _style_table(study)
    return tables


def _table(study: Study) -> str:
    head = [
        "normalization",
        _metric_head(study.metric),
        f"minus {study.baseline_label} (95 % interval)",
        "p",
        *map(_metric_head, study.further),
        "seeds",
        "parameters",
    ]
    rows = [
        [
            row.full_label,
            format_spread(row.values, study.metric),
            format_difference(study.difference(row), study.metric),
            format_p(study.difference(row)),
            *(
                format_spread(row.figures[metric.name].values, metric) if metric.name in row.figures else ""
                for metric in study.further
            ),
            str(len(row.seeds)),
            f"{row.parameters:,}" + (f" (+{row.added_share:.2%})" if row.added else ""),
        ]
        for row in study.rows
    ]
    return f"{markdown(head, rows)}\n{_caption(study)}\n"


def _metric_head(metric: Metric) -> str:
    """An arrow where lower is better; that higher is, goes without saying."""
    return metric.label if metric.higher_is_better else f"{metric.label} ↓"


def _style_table(study: Study) -> str:
    """The main metric in each style, over seeds, with a column for each row."""
    head = ["style", *(row.full_label for row in study.rows)]
    rows = [
        [style, *(format_spread(row.styles[style], study.metric) if style in row.styles else "" for row in study.rows)]
        for style in dict.fromkeys(style for row in study.rows for style in row.styles)
    ]
    return f"{markdown(head, rows)}\n{_metric_head(study.metric)} in each style.\n"


def _weather_table(study: Study, summary: Study, weather: UnderWeather) -> str:
    """The mean over seeds and over the strengths above 0, per weather and normalization."""
    head = ["weather", *(row.full_label for row in summary.rows)]
    rows = [
        [kind, *(f"{weather.mean(row.weather[kind]):.2f}" if kind in row.weather else "" for row in summary.rows)]
        for kind in dict.fromkeys(kind for row in summary.rows for kind in row.weather)
    ]
    differences = [summary.difference(row) for row in summary.rows]
    rows += [
        ["all", *(format_spread(row.values, study.metric) for row in summary.rows)],
        [f"all, minus {study.baseline_label}", *(format_difference(found, study.metric) for found in differences)],
        ["p", *map(format_p, differences)],
    ]
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

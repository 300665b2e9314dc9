"""What all parts of the tab are made of: templates, tables, names and numbers in the visitor's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from habn.data.styles import STYLES
from habn.data.weather import WEATHER
from habn.results import Metric, Row
from habn.results.statistics import PairedDifference
from habn.ui import words
from habn.ui.help import TERMS, draw_help
from habn.ui.templates import load_templates

render = load_templates(Path(__file__).parent / "templates")

NONE = Markup('<span class="none">–</span>')
"""What a cell shows that has nothing to show."""


@dataclass(frozen=True)
class Column:
    """The head of a column: its text, a smaller text below it, and a "?" that explains it."""

    text: str
    note: str = ""
    help: Markup = Markup()  # noqa: RUF009


def draw_table(caption: str, head: Sequence[Column | str], rows: Sequence[Sequence[str]]) -> Markup:
    """A table, the first cell of each row its heading; wider than the window, it scrolls by itself.

    On a phone each row stands as a block in which every cell has its column's text above it, without the "?" after it.
    """
    columns = [Column(column) if isinstance(column, str) else column for column in head]
    return render("table.html", caption=caption, columns=columns, rows=rows)


def fold(summary: str, content: Markup) -> Markup:
    """Something that is opened by whoever wants to see it."""
    return Markup("<details><summary>{}</summary>{}</details>").format(summary, content)


def explain(term: str, place: str, language: str) -> Markup:
    """The "?" beside a term that has a sentence in the words of help; `place` as in `draw_help`."""
    return Markup(draw_help(term, f"results-{place}", language)) if term in TERMS else Markup()


def metric_column(metric: Metric, place: str, language: str) -> Column:
    """The head of a column of values: the metric's name, which way is better, and what it is."""
    better = words.say("results.higher" if metric.higher_is_better else "results.lower", language)
    return Column(metric_name(metric, language), better, explain(metric.name, place, language))


def metric_name(metric: Metric, language: str) -> str:
    """The name of a metric in the visitor's language, or its own where there is none."""
    return words.table("results")[language].get(f"name_{metric.name}", metric.label)


def name_row(row: Row) -> Markup:
    """The head of a row: its normalization beside a patch of its colour, and its setting."""
    return render("row_name.html", row=row)


def data_name(data: str, split: str, language: str) -> str:
    """The names of a data set and of its part for people, or their own where there are none."""
    names = words.table("results")[language]
    return f"{names.get(f'data_{data}', data)}, {names.get(f'split_{split}', split)}"


def weather_name(kind: str, language: str) -> str:
    """The name of a kind of weather for people, as in the tab Experiment, or its own where there is none."""
    return words.say(f"experiment.{kind}", language) if kind in WEATHER else kind


def style_name(style: str, language: str) -> str:
    """The title of a painting in the visitor's language, or the name of one that has none."""
    return words.say(f"styles.{style}", language) if style in STYLES else style


def signed(value: float, digits: int, language: str) -> str:
    """A number that always has its sign."""
    text = words.decimals(value, digits, language)
    return text if text.startswith("−") else f"+{text}"


def write_spread(value: float, spread: float | None, digits: int, language: str) -> str:
    """ "49.78 ± 0.31", or the value alone."""
    both = [words.decimals(number, digits, language) for number in (value, spread) if number is not None]
    return " ± ".join(both)


def write_difference(difference: PairedDifference | None, metric: Metric, language: str) -> str:
    """ "+0.41 (-0.20 to +1.02)", with the interval where there is one."""
    if difference is None:
        return ""
    centre, *ends = (
        signed(value, metric.decimals, language) for value in (difference.mean, *(difference.interval or ()))
    )
    return words.say("results.interval", language, mean=centre, low=ends[0], high=ends[1]) if ends else centre


def write_p(difference: PairedDifference | None, language: str) -> str:
    if difference is None or difference.p is None:
        return ""
    return (
        f"< {words.decimals(0.001, 3, language)}" if difference.p < 0.001 else words.decimals(difference.p, 3, language)
    )

"""Writing studies, so that no number in results/*.json is typed by hand."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from habn.results.models import FurtherMetric, FurtherRow, Row, Study, StyleRow, UnderWeather
from habn.results.reading import load_study
from habn.results.strict_json import ResultError

Part = TypeVar("Part", bound=Row | FurtherRow | StyleRow)

_OPTIONAL = ("curves", "weather", "search", "figures", "by_style", "sampling")
_OWN_OF_A_ROW = ("rows", "figures", "by_style", "command", "date")  # may differ between a file and an added row


def save_study(study: Study, folder: str | Path) -> Path:
    """Write `study` as FOLDER/NAME.json and return the path.

    Raises:
        ResultError: when what was written could not be read again.
    """
    path = Path(folder) / f"{study.name}.json"
    content = {key: value for key, value in asdict(study).items() if key != "name"}
    content = {key: value for key, value in content.items() if value or key not in _OPTIONAL}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".json.new")
    draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        load_study(draft)
    except ResultError:
        draft.unlink()
        raise
    os.replace(draft, path)
    return path


def add_rows(study: Study, folder: str | Path) -> Path:
    """Write `study`, keeping the rows of the same study that are there already, except those that it brings anew.

    Raises:
        ResultError: when the file holds another study, so that its rows could not be compared.
    """
    path = Path(folder) / f"{study.name}.json"
    if not path.exists():
        return save_study(study, folder)
    old = load_study(path)
    weather = _merge_weather(old.weather, study.weather, path)
    for key, value in asdict(replace(study, curves=old.curves, weather=old.weather, search=old.search)).items():
        if key not in _OWN_OF_A_ROW and value != asdict(old)[key]:
            raise ResultError(f"{path} was measured with another {key!r}; measure its rows together, in a new file.")
    commands = dict.fromkeys([*old.command.splitlines(), *study.command.splitlines()])
    both = replace(
        old,
        rows=_merge(old.rows, study.rows),
        weather=weather,
        figures=_merge_figures(old.figures, study.figures),
        by_style=_merge(old.by_style, study.by_style),
        command="\n".join(commands),
        date=study.date,
    )
    return save_study(both, folder)


def _merge(old: Iterable[Part], new: Iterable[Part]) -> tuple[Part, ...]:
    """Rows by their normalization and setting, and style where they have one; new ones in the place of old ones."""
    merged: dict[tuple[str, str, str], Part] = {}
    for row in (*old, *new):
        merged[row.norm, row.setting, getattr(row, "style", "")] = row
    return tuple(merged.values())


def _merge_weather(old: UnderWeather | None, new: UnderWeather | None, path: Path) -> UnderWeather | None:
    """Raises ResultError where one was measured under weather and the other one not, or otherwise."""
    measured = [None if weather is None else (weather.pictures, weather.strengths) for weather in (old, new)]
    if measured[0] != measured[1]:
        raise ResultError(f"{path} was measured with another 'weather'; measure its rows together, in a new file.")
    if old is None or new is None:
        return None
    rows = {(row.norm, row.setting, row.weather): row for row in (*old.rows, *new.rows)}
    return replace(old, rows=tuple(rows.values()))


def _merge_figures(old: tuple[FurtherMetric, ...], new: tuple[FurtherMetric, ...]) -> tuple[FurtherMetric, ...]:
    rows = {figure.metric: figure.rows for figure in old}
    rows |= {figure.metric: _merge(rows.get(figure.metric, ()), figure.rows) for figure in new}
    return tuple(FurtherMetric(metric, of_metric) for metric, of_metric in rows.items())

"""Strict reading of results/*.json: what does not fit is refused in one sentence that names file, key and remedy.

A file is one study. {"en": ..., "es": ...} may stand for a text; keys in brackets may be missing.

    title, question     texts; the question may be empty
    protocol            branched | scratch | shipped
    data, split         "camvid", "test"
    size                [H, W]
    train               what was trained on
    steps, epochs       a whole number; a number, or null where it is not known
    hardware, commit, date (YYYY-MM-DD), command
    metric              {name, unit, higher_is_better}
    baseline            the norm of a row
    rows                [{norm, label, setting, seeds, values, parameters, added}]
    [curves]            [{norm, [setting], seed, steps, values}]
    [weather]           {strengths, rows: [{norm, [setting], weather, values: a list per seed of one per strength}]}
    [search]            {layers, rows: [{norm, [setting], seed, gates: [4] per layer, size: [4] per layer}]}
    [figures]           [{metric, rows: [{norm, [setting], values: one per seed, deviations: one per seed}]}]
    [by_style]          [{norm, [setting], style, values: one per seed}]
    [sampling]          text

What belongs to a row may repeat its label.
"""

import json
import math
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from habn.results.study import (
    LANGUAGES,
    PROTOCOLS,
    Claim,
    Claims,
    Curve,
    Figure,
    FigureRow,
    Metric,
    Row,
    Search,
    SearchRow,
    Study,
    StyleRow,
    Text,
    Weather,
    WeatherRow,
)

FOLDER = Path(__file__).resolve().parents[2] / "results"
CLAIMS = "claimed.json"
GATES = 4


class ResultError(ValueError):
    """One sentence on a file of results that cannot be read: which file, which key, and what to do."""


def load_results(folder: str | Path = FOLDER) -> tuple[Study, ...]:
    """All studies of a folder, in the order of their files' names; none if there is no such folder.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    paths = sorted(path for path in Path(folder).glob("*.json") if path.name != CLAIMS)
    return tuple(load_study(path) for path in paths)


def load_study(path: str | Path) -> Study:
    """The study of one file.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    return _in_file(Path(path), lambda content: _study(Path(path).stem, content))


def load_claims(folder: str | Path = FOLDER) -> Claims | None:
    """What the source text claims (claimed.json), or None where the file is missing.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    path = Path(folder) / CLAIMS
    return _in_file(path, _claims) if path.exists() else None


class _Misfit(ValueError):
    """What does not fit, without its file."""


class _Object:
    """A JSON object whose keys are taken one by one; a key that nobody takes is an error."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise _Misfit(f"{place or 'the file'} must be an object")
        self.values, self.place = dict(value), place

    def __enter__(self) -> "_Object":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None and self.values:
            raise _Misfit(f"the key '{self.place}{next(iter(self.values))}' is not known")

    def take(self, key: str, read: Callable[[Any, str], Any]) -> Any:
        if key not in self.values:
            raise _Misfit(f"the key '{self.place}{key}' is missing")
        return read(self.values.pop(key), f"{self.place}{key}")

    def take_if_there(self, key: str, read: Callable[[Any, str], Any], otherwise: Any) -> Any:
        return self.take(key, read) if key in self.values else otherwise


def _in_file(path: Path, read: Callable[[Any], Any]) -> Any:
    remedy = "run the command again that writes the file, or correct it"
    try:
        return read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ResultError(f"{path} is missing; {remedy}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ResultError(f"{path} is not valid JSON; {remedy}.") from None
    except _Misfit as misfit:
        raise ResultError(f"{path}: {misfit}; {remedy}.") from None


def _study(name: str, content: Any) -> Study:
    with _Object(content, "") as file:
        study = Study(
            name=name,
            title=file.take("title", _text),
            question=file.take("question", partial(_text, read=_any_string)),
            protocol=file.take("protocol", _one_of(PROTOCOLS)),
            data=file.take("data", _string),
            split=file.take("split", _string),
            size=file.take("size", _list(_whole, 2)),
            train=file.take("train", _string),
            steps=file.take("steps", _whole),
            epochs=file.take("epochs", lambda value, place: None if value is None else _number(value, place)),
            hardware=file.take("hardware", _string),
            commit=file.take("commit", _string),
            date=file.take("date", _date),
            command=file.take("command", _string),
            metric=file.take("metric", _metric),
            baseline=file.take("baseline", _string),
            rows=file.take("rows", _list(_row)),
            curves=file.take_if_there("curves", _list(_curve), ()),
            weather=file.take_if_there("weather", _weather, None),
            search=file.take_if_there("search", _search, None),
            figures=file.take_if_there("figures", _list(_figure), ()),
            by_style=file.take_if_there("by_style", _list(_style_row), ()),
            sampling=file.take_if_there("sampling", _text, None),
        )
    if study.baseline not in {row.norm for row in study.rows}:
        raise _Misfit(f"'baseline' is {study.baseline!r}, which no row has as its norm")
    _refuse_strangers(study)
    return study


def _refuse_strangers(study: Study) -> None:
    """Refuse rows of figures and styles that do not have the seeds of a row of the study."""
    seeds = {(row.norm, row.setting): len(row.seeds) for row in study.rows}
    parts = {"figures": [row for figure in study.figures for row in figure.rows], "by_style": study.by_style}
    for place, rows in parts.items():
        for row in rows:
            if len(row.values) != seeds.get((row.norm, row.setting)):
                raise _Misfit(f"'{place}' has a row of {row.norm!r} without a value for each seed of such a row")


def _metric(value: Any, place: str) -> Metric:
    with _Object(value, f"{place}.") as metric:
        return Metric(
            metric.take("name", _string), metric.take("unit", _any_string), metric.take("higher_is_better", _truth)
        )


def _row(value: Any, place: str) -> Row:
    with _Object(value, f"{place}.") as row:
        norm, label = row.take("norm", _string), row.take("label", _string)
        setting, seeds = row.take("setting", _any_string), row.take("seeds", _list(_whole))
        if not seeds or len(set(seeds)) < len(seeds):
            raise _Misfit(f"'{place}.seeds' must hold at least one seed, and each only once")
        values = row.take("values", _list(_number, len(seeds)))
        return Row(norm, label, setting, seeds, values, row.take("parameters", _whole), row.take("added", _whole))


def _identity(part: _Object) -> dict[str, str]:
    """To which row a part belongs: its norm and setting; the label is the row's."""
    part.take_if_there("label", _string, None)
    return {"norm": part.take("norm", _string), "setting": part.take_if_there("setting", _any_string, "")}


def _curve(value: Any, place: str) -> Curve:
    with _Object(value, f"{place}.") as curve:
        identity, seed, steps = _identity(curve), curve.take("seed", _whole), curve.take("steps", _list(_whole))
        return Curve(**identity, seed=seed, steps=steps, values=curve.take("values", _list(_number, len(steps))))


def _weather(value: Any, place: str) -> Weather:
    with _Object(value, f"{place}.") as weather:
        strengths = weather.take("strengths", _list(_number))
        by_seed = _list(_list(_number, len(strengths)))

        def row(value: Any, place: str) -> WeatherRow:
            with _Object(value, f"{place}.") as row:
                identity, kind = _identity(row), row.take("weather", _string)
                return WeatherRow(**identity, weather=kind, values=row.take("values", by_seed))

        return Weather(strengths, weather.take("rows", _list(row)))


def _figure(value: Any, place: str) -> Figure:
    with _Object(value, f"{place}.") as figure:
        return Figure(figure.take("metric", _metric), figure.take("rows", _list(_figure_row)))


def _figure_row(value: Any, place: str) -> FigureRow:
    with _Object(value, f"{place}.") as row:
        identity, values = _identity(row), row.take("values", _list(_number))
        return FigureRow(**identity, values=values, deviations=row.take("deviations", _list(_number, len(values))))


def _style_row(value: Any, place: str) -> StyleRow:
    with _Object(value, f"{place}.") as row:
        identity, style = _identity(row), row.take("style", _string)
        return StyleRow(**identity, style=style, values=row.take("values", _list(_number)))


def _search(value: Any, place: str) -> Search:
    with _Object(value, f"{place}.") as search:
        layers = search.take("layers", _list(_string))
        by_layer = _list(_list(_number, GATES), len(layers))

        def row(value: Any, place: str) -> SearchRow:
            with _Object(value, f"{place}.") as row:
                identity, seed = _identity(row), row.take("seed", _whole)
                return SearchRow(
                    **identity, seed=seed, gates=row.take("gates", by_layer), size=row.take("size", by_layer)
                )

        return Search(layers, search.take("rows", _list(row)))


def _claims(content: Any) -> Claims:
    with _Object(content, "") as file:
        return Claims(file.take("note", _text), file.take("claims", _list(_claim)))


def _claim(value: Any, place: str) -> Claim:
    with _Object(value, f"{place}.") as claim:
        figures = {key: claim.take_if_there(key, _number, None) for key in ("before", "after", "change")}
        return Claim(claim.take("what", _text), claim.take("unit", _any_string), **figures)


def _string(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Misfit(f"'{place}' must be a text that is not empty")
    return value


def _any_string(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise _Misfit(f"'{place}' must be a text")
    return value


def _text(value: Any, place: str, read: Callable[[Any, str], str] = _string) -> Text:
    if isinstance(value, str):
        return dict.fromkeys(LANGUAGES, read(value, place))
    with _Object(value, f"{place}.") as text:
        return {language: text.take(language, read) for language in LANGUAGES}


def _date(value: Any, place: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise _Misfit(f"'{place}' must be a date such as 2026-01-31") from None


def _truth(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise _Misfit(f"'{place}' must be true or false")
    return value


def _whole(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _Misfit(f"'{place}' must be a whole number from 0")
    return value


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Misfit(f"'{place}' must be a finite number")
    return float(value)


def _one_of(choices: tuple[str, ...]) -> Callable[[Any, str], str]:
    def read(value: Any, place: str) -> str:
        if value not in choices:
            raise _Misfit(f"'{place}' must be one of {', '.join(choices)}")
        return value

    return read


def _list(read: Callable[[Any, str], Any], length: int | None = None) -> Callable[[Any, str], tuple]:
    def read_list(value: Any, place: str) -> tuple:
        if not isinstance(value, list) or length not in (None, len(value)):
            raise _Misfit(f"'{place}' must be a list" + ("" if length is None else f" of {length}"))
        return tuple(read(item, f"{place}[{index}]") for index, item in enumerate(value))

    return read_list

"""What stands in results/*.json; what does not fit is refused in one sentence that names file, key and remedy.

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
    [weather]           {pictures, strengths, rows: [{norm, [setting], weather, values}]}, the values a list per seed of
                        one per strength
    [search]            {layers, rows: [{norm, [setting], seed, gates: [4] per layer, size: [4] per layer}]}
    [figures]           [{metric, rows: [{norm, [setting], values: one per seed, deviations: one per seed}]}]
    [by_style]          [{norm, [setting], style, values: one per seed}]
    [sampling]          text

What belongs to a row may repeat its label.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from habn.results.models import (
    LANGUAGES,
    PROTOCOLS,
    Claim,
    Claims,
    Curve,
    FurtherMetric,
    FurtherRow,
    Metric,
    Row,
    Search,
    SearchRow,
    Study,
    StyleRow,
    Text,
    UnderWeather,
    WeatherRow,
)
from habn.results.strict_json import (
    Misfit,
    Object,
    Reader,
    any_string,
    iso_date,
    list_of,
    number,
    one_of,
    read_file,
    string,
    truth,
    whole,
)
from habn.shipped import shipped

FOLDER = shipped("results")
CLAIMS, BENCHMARK = "claimed.json", "benchmark.json"
GATES = 4


def load_results(folder: str | Path = FOLDER) -> tuple[Study, ...]:
    """All studies of a folder, those of the page's networks first, then by their files' names.

    None if there is no such folder.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    studies = (load_study(path) for path in Path(folder).glob("*.json") if path.name not in (CLAIMS, BENCHMARK))
    return tuple(sorted(studies, key=lambda study: (study.protocol != "shipped", study.name)))


def load_study(path: str | Path) -> Study:
    """The study of one file.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    return read_file(Path(path), lambda content: _study(Path(path).stem, content))


def load_claims(folder: str | Path = FOLDER) -> Claims | None:
    """What the source text claims (claimed.json), or None where the file is missing.

    Raises:
        ResultError: on the first key that is missing, unknown or does not fit.
    """
    path = Path(folder) / CLAIMS
    return read_file(path, _claims) if path.exists() else None


def _study(name: str, content: Any) -> Study:
    with Object(content, "") as file:
        study = Study(
            name=name,
            title=file.take("title", _text),
            question=file.take("question", partial(_text, read=any_string)),
            protocol=file.take("protocol", one_of(PROTOCOLS)),
            data=file.take("data", string),
            split=file.take("split", string),
            size=file.take("size", list_of(whole, 2)),
            train=file.take("train", string),
            steps=file.take("steps", whole),
            epochs=file.take("epochs", lambda value, place: None if value is None else number(value, place)),
            hardware=file.take("hardware", string),
            commit=file.take("commit", string),
            date=file.take("date", iso_date),
            command=file.take("command", string),
            metric=file.take("metric", _metric),
            baseline=file.take("baseline", string),
            rows=file.take("rows", list_of(_row)),
            curves=file.take_if_there("curves", list_of(_curve), ()),
            weather=file.take_if_there("weather", _weather, None),
            search=file.take_if_there("search", _search, None),
            figures=file.take_if_there("figures", list_of(_figure), ()),
            by_style=file.take_if_there("by_style", list_of(_style_row), ()),
            sampling=file.take_if_there("sampling", _text, None),
        )
    if study.baseline not in {row.norm for row in study.rows}:
        raise Misfit(f"'baseline' is {study.baseline!r}, which no row has as its norm")
    _check_that_rows_match(study)
    return study


def _check_that_rows_match(study: Study) -> None:
    """Refuse rows of figures and styles that do not have the seeds of a row of the study."""
    seeds = {(row.norm, row.setting): len(row.seeds) for row in study.rows}
    further = [row for figure in study.figures for row in figure.rows]
    parts: dict[str, Sequence[FurtherRow | StyleRow]] = {"figures": further, "by_style": study.by_style}
    for place, rows in parts.items():
        for row in rows:
            if len(row.values) != seeds.get((row.norm, row.setting)):
                raise Misfit(f"'{place}' has a row of {row.norm!r} without a value for each seed of such a row")


def _metric(value: Any, place: str) -> Metric:
    with Object(value, f"{place}.") as metric:
        return Metric(
            metric.take("name", string), metric.take("unit", any_string), metric.take("higher_is_better", truth)
        )


def _row(value: Any, place: str) -> Row:
    with Object(value, f"{place}.") as row:
        norm, label = row.take("norm", string), row.take("label", string)
        setting, seeds = row.take("setting", any_string), row.take("seeds", list_of(whole))
        if not seeds or len(set(seeds)) < len(seeds):
            raise Misfit(f"'{place}.seeds' must hold at least one seed, and each only once")
        values = row.take("values", list_of(number, len(seeds)))
        return Row(
            norm=norm,
            label=label,
            setting=setting,
            seeds=seeds,
            values=values,
            parameters=row.take("parameters", whole),
            added=row.take("added", whole),
        )


def _identity(part: Object) -> dict[str, str]:
    """To which row a part belongs: its norm and setting; the label is the row's."""
    part.take_if_there("label", string, None)
    return {"norm": part.take("norm", string), "setting": part.take_if_there("setting", any_string, "")}


def _curve(value: Any, place: str) -> Curve:
    with Object(value, f"{place}.") as curve:
        identity, seed, steps = _identity(curve), curve.take("seed", whole), curve.take("steps", list_of(whole))
        return Curve(**identity, seed=seed, steps=steps, values=curve.take("values", list_of(number, len(steps))))


def _weather(value: Any, place: str) -> UnderWeather:
    with Object(value, f"{place}.") as weather:
        pictures, strengths = weather.take("pictures", whole), weather.take("strengths", list_of(number))
        by_seed = list_of(list_of(number, len(strengths)))

        def row(value: Any, place: str) -> WeatherRow:
            with Object(value, f"{place}.") as row:
                identity, kind = _identity(row), row.take("weather", string)
                return WeatherRow(**identity, weather=kind, values=row.take("values", by_seed))

        return UnderWeather(pictures, strengths, weather.take("rows", list_of(row)))


def _figure(value: Any, place: str) -> FurtherMetric:
    with Object(value, f"{place}.") as figure:
        return FurtherMetric(figure.take("metric", _metric), figure.take("rows", list_of(_figure_row)))


def _figure_row(value: Any, place: str) -> FurtherRow:
    with Object(value, f"{place}.") as row:
        identity, values = _identity(row), row.take("values", list_of(number))
        return FurtherRow(**identity, values=values, deviations=row.take("deviations", list_of(number, len(values))))


def _style_row(value: Any, place: str) -> StyleRow:
    with Object(value, f"{place}.") as row:
        identity, style = _identity(row), row.take("style", string)
        return StyleRow(**identity, style=style, values=row.take("values", list_of(number)))


def _search(value: Any, place: str) -> Search:
    with Object(value, f"{place}.") as search:
        layers = search.take("layers", list_of(string))
        by_layer = list_of(list_of(number, GATES), len(layers))

        def row(value: Any, place: str) -> SearchRow:
            with Object(value, f"{place}.") as row:
                identity, seed = _identity(row), row.take("seed", whole)
                return SearchRow(
                    **identity, seed=seed, gates=row.take("gates", by_layer), size=row.take("size", by_layer)
                )

        return Search(layers, search.take("rows", list_of(row)))


def _claims(content: Any) -> Claims:
    with Object(content, "") as file:
        return Claims(file.take("note", _text), file.take("claims", list_of(_claim)))


def _claim(value: Any, place: str) -> Claim:
    with Object(value, f"{place}.") as claim:
        figures = {key: claim.take_if_there(key, number, None) for key in ("before", "after", "change")}
        return Claim(what=claim.take("what", _text), unit=claim.take("unit", any_string), **figures)


def _text(value: Any, place: str, read: Reader = string) -> Text:
    if isinstance(value, str):
        return {language: read(value, place) for language in LANGUAGES}
    with Object(value, f"{place}.") as text:
        return {language: text.take(language, read) for language in LANGUAGES}

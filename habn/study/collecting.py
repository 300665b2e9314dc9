"""Gathers what the runs of a study measured into one `habn.results.Study`, which becomes a file of results/."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import torch
from torch import nn

from habn.data.weather import STRENGTHS, WEATHER
from habn.layers import parameter_overhead
from habn.networks.normalization import NORM_LABELS
from habn.provenance import describe_commit, describe_hardware
from habn.results import Curve, Metric, Row, Search, SearchRow, Study, Weather, WeatherRow
from habn.results.study import Text
from habn.study.runs import MEASURED, StudyRuns
from habn.study.variants import VARIANTS


def collect(runs: StudyRuns, names: list[str], head: Study) -> Study | None:
    """Everything measured with those seeds that all of the variants have behind them: differences are paired.

    None where no seed is through with all of them.

    Args:
        runs: whose folder is read.
        names: of its variants; the first is the baseline.
        head: from `describe`.
    """
    measured = {name: _measured(runs.folder / name) for name in names}
    seeds = sorted(set.intersection(*(set(found) for found in measured.values())))
    if not seeds:
        return None
    kept = {name: {seed: found[seed] for seed in seeds} for name, found in measured.items()}
    every = [entry for entries in kept.values() for entry in entries.values()]
    return replace(
        head,
        epochs=kept[names[0]][seeds[0]]["epochs"],
        rows=tuple(_row(name, entries) for name, entries in kept.items()),
        # Where val was trained on, curves would be of pictures that were trained on.
        curves=() if runs.plan.with_val else tuple(_curves(kept)),
        weather=_weather(kept) if all("weather" in entry for entry in every) else None,
        search=_search({name: entries for name, entries in kept.items() if "search" in entries[seeds[0]]}),
    )


def describe(runs: StudyRuns, name: str, title: Text, question: Text, command: str) -> Study:
    """The head of a study, without rows and epochs: what was trained and measured, on what, and how to do it again."""
    plan = runs.plan
    accelerator = torch.cuda.get_device_name(0) if plan.device.startswith("cuda") else None
    return Study(
        name=name,
        title=title,
        question=question,
        protocol="scratch" if plan.trunk is None else "branched",
        data=plan.data,
        split=plan.split,
        size=tuple(runs.held_out.images.shape[2:]),
        train=_trained_on(runs),
        steps=plan.options.steps,
        epochs=None,
        hardware=describe_hardware(accelerator),
        commit=describe_commit(),
        date=date.today().isoformat(),
        command=command,
        metric=Metric("mean_iou", "%", higher_is_better=True),
        baseline=VARIANTS[runs.baseline].norm,
        rows=(),
    )


def build_row(
    name: str, seeds: list[int], values: list[float], sizes: dict[str, int], setting: str | None = None
) -> Row:
    """A row of a variant; sizes has its parameters, and how many of them its normalization added."""
    variant = VARIANTS[name]
    setting = variant.setting if setting is None else setting
    return Row(variant.norm, NORM_LABELS[variant.norm], setting, tuple(seeds), tuple(values), **sizes)


def sizes_of(network: nn.Module) -> dict[str, int]:
    """Parameters of a network, and how many of them its normalization added."""
    overhead = parameter_overhead(network)
    return {"parameters": overhead.total, "added": overhead.added}


def _measured(folder: Path) -> dict[int, dict]:
    return {int(path.parent.name): json.loads(path.read_text()) for path in folder.glob(f"*/{MEASURED}")}


def _identity(name: str) -> dict[str, str]:
    return {"norm": VARIANTS[name].norm, "setting": VARIANTS[name].setting}


def _row(name: str, entries: dict[int, dict]) -> Row:
    first = next(iter(entries.values()))
    sizes = {key: first[key] for key in ("parameters", "added")}
    return build_row(name, list(entries), [entry["clean"]["mean_iou"] for entry in entries.values()], sizes)


def _curves(kept: dict[str, dict[int, dict]]):
    for name, entries in kept.items():
        for seed, entry in entries.items():
            curve = entry["curve"]
            yield Curve(**_identity(name), seed=seed, steps=tuple(curve["steps"]), values=tuple(curve["values"]))


def _weather(kept: dict[str, dict[int, dict]]) -> Weather:
    rows = [
        WeatherRow(
            **_identity(name),
            weather=weather,
            values=tuple(tuple(round(v, 2) for v in entry["weather"][weather]) for entry in entries.values()),
        )
        for name, entries in kept.items()
        for weather in WEATHER
    ]
    return Weather((0.0, *map(float, STRENGTHS)), tuple(rows))


def _search(searched: dict[str, dict[int, dict]]) -> Search | None:
    """Gates and sizes of all HABN layers, those of variants that searched first."""
    rows = [
        SearchRow(
            **_identity(name),
            seed=seed,
            gates=tuple(map(tuple, entry["search"]["gates"])),
            size=tuple(map(tuple, entry["search"]["size"])),
        )
        for name, entries in sorted(searched.items(), key=lambda found: VARIANTS[found[0]].search is None)
        for seed, entry in entries.items()
    ]
    if not rows:
        return None
    first = next(iter(next(iter(searched.values())).values()))
    return Search(tuple(first["search"]["layers"]), tuple(rows))


def _trained_on(runs: StudyRuns) -> str:
    plan = runs.plan
    parts = ["train + val" if plan.with_val else "train"]
    if plan.scenes:
        parts.append(f"{plan.scenes} drawn scenes")
    text = " and ".join(parts) + (", with weather" if plan.recipe.weather else "")
    return text if plan.trunk is None else f"{text}; from the trunk {plan.trunk.name}"

"""Gathers what the runs of a study measured into one `habn.results.Study`, which becomes a file of results/."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import torch
from torch import nn

from habn.layers import parameter_overhead
from habn.networks.normalization import NORM_LABELS
from habn.provenance import describe_commit, describe_hardware
from habn.results import Row, Search, SearchRow, Study
from habn.results.study import Text
from habn.study.runs import MEASURED, StudyRuns
from habn.study.variants import Variant


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
    return replace(
        head,
        epochs=kept[names[0]][seeds[0]]["epochs"],
        rows=tuple(_row(runs, name, entries) for name, entries in kept.items()),
        search=_search(runs, {name: entries for name, entries in kept.items() if "search" in entries[seeds[0]]}),
        **runs.parts_of(kept),
    )


def describe(runs: StudyRuns, name: str, title: Text, question: Text, command: str) -> Study:
    """The head of a study, without rows and epochs: what was trained and measured, on what, and how to do it again."""
    plan, data = runs.plan, runs.describe_data()
    accelerator = torch.cuda.get_device_name(0) if plan.device.startswith("cuda") else None
    trunk = "" if plan.trunk is None else f"; from the trunk {plan.trunk.name}"
    return Study(
        name=name,
        title=title,
        question=question,
        protocol="scratch" if plan.trunk is None else "branched",
        steps=plan.options.steps,
        epochs=None,
        hardware=describe_hardware(accelerator),
        commit=describe_commit(),
        date=date.today().isoformat(),
        command=command,
        metric=runs.metric,
        baseline=runs.variants[runs.baseline].norm,
        rows=(),
        **{**data, "train": data["train"] + trunk},
    )


def build_row(
    variant: Variant, seeds: list[int], values: list[float], sizes: dict[str, int], setting: str | None = None
) -> Row:
    """A row of a variant; sizes has its parameters, and how many of them its normalization added."""
    setting = variant.setting if setting is None else setting
    return Row(variant.norm, NORM_LABELS[variant.norm], setting, tuple(seeds), tuple(values), **sizes)


def sizes_of(network: nn.Module) -> dict[str, int]:
    """Parameters of a network, and how many of them its normalization added."""
    overhead = parameter_overhead(network)
    return {"parameters": overhead.total, "added": overhead.added}


def _measured(folder: Path) -> dict[int, dict]:
    return {int(path.parent.name): json.loads(path.read_text()) for path in folder.glob(f"*/{MEASURED}")}


def _row(runs: StudyRuns, name: str, entries: dict[int, dict]) -> Row:
    first = next(iter(entries.values()))
    sizes = {key: first[key] for key in ("parameters", "added")}
    return build_row(runs.variants[name], list(entries), [runs.value_of(entry) for entry in entries.values()], sizes)


def _search(runs: StudyRuns, searched: dict[str, dict[int, dict]]) -> Search | None:
    """Gates and sizes of all HABN layers, those of variants that searched first."""
    rows = [
        SearchRow(
            **runs.variants[name].identity,
            seed=seed,
            gates=tuple(map(tuple, entry["search"]["gates"])),
            size=tuple(map(tuple, entry["search"]["size"])),
        )
        for name, entries in sorted(searched.items(), key=lambda found: runs.variants[found[0]].search is None)
        for seed, entry in entries.items()
    ]
    if not rows:
        return None
    first = next(iter(next(iter(searched.values())).values()))
    return Search(tuple(first["search"]["layers"]), tuple(rows))

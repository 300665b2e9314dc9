"""Gathers what the runs of a study measured into one `habn.results.Study`, which becomes a file of results/."""

from dataclasses import replace
from datetime import date
from typing import Any

from habn.errors import HabnError
from habn.layers.normalization import NORM_LABELS
from habn.results import Choice, Row, Study
from habn.results.models import Text
from habn.results.provenance import describe_commit
from habn.study.runs import MEASURED, StudyRuns
from habn.study.variants import Variant


def collect(runs: StudyRuns, names: list[str], seeds: list[int], head: Study) -> Study | None:
    """What was measured with those of the seeds with which all variants are finished: differences are paired.

    None where there is no such seed.

    Args:
        runs: whose folder is read.
        names: of its variants; the first is the baseline.
        seeds: that are asked for.
        head: from `describe`.

    Raises:
        HabnError: when the runs differ in code or machine, or were made for another plan.
    """
    finished = [seed for seed in seeds if all(_is_finished(runs, name, seed) for name in names)]
    if not finished:
        return None
    kept = {name: {seed: runs.measured(name, seed) for seed in finished} for name in names}
    every = [entry for entries in kept.values() for entry in entries.values()]
    return replace(
        head,
        **_provenance(every),
        epochs=every[0]["epochs"],
        rows=tuple(_row(runs, name, entries) for name, entries in kept.items()),
        layers=next((tuple(entry["search"]["layers"]) for entry in every if "search" in entry), ()),
        **runs.further(every),
    )


def describe(runs: StudyRuns, name: str, title: Text, question: Text, command: str) -> Study:
    """The head of a study, without rows and epochs: what was trained and measured, on what, and how to do it again."""
    plan, data = runs.plan, runs.describe_data()
    trunk = "" if plan.trunk is None else f"; from the trunk {plan.trunk.name}"
    return Study(
        name=name,
        title=title,
        question=question,
        protocol="scratch" if plan.trunk is None else "branched",
        steps=plan.options.steps,
        epochs=None,
        hardware=runs.hardware(),
        commit=describe_commit(),
        date=date.today(),
        command=command,
        metric=runs.metric,
        baseline=runs.variants[runs.baseline].norm,
        rows=(),
        **{**data, "train": data["train"] + trunk},
    )


def build_row(
    variant: Variant,
    seeds: list[int],
    values: list[float],
    sizes: dict[str, int],
    *,
    setting: str | None = None,
    **parts: Any,
) -> Row:
    """A row of a variant; sizes is from `habn.networks.count_parameters`, parts are further fields."""
    return Row(
        norm=variant.norm,
        label=NORM_LABELS[variant.norm],
        setting=variant.setting if setting is None else setting,
        seeds=tuple(seeds),
        values=tuple(values),
        **(sizes | parts),
    )


def _is_finished(runs: StudyRuns, name: str, seed: int) -> bool:
    return (runs.folder / name / str(seed) / MEASURED).is_file()


def _provenance(every: list[dict]) -> dict[str, Any]:
    """The commit and the machine of all runs. Raises HabnError where they are not the same."""
    shared = {}
    for key in ("commit", "hardware"):
        values = {entry[key] for entry in every}
        if len(values) > 1:
            raise HabnError(
                f"The runs differ in {key} ({', '.join(sorted(values))}) and cannot be compared; give another --run."
            )
        shared[key] = values.pop()
    return shared


def _row(runs: StudyRuns, name: str, entries: dict[int, dict]) -> Row:
    measured = list(entries.values())
    sizes = {key: measured[0][key] for key in ("parameters", "added")}
    values = [runs.value_of(entry) for entry in measured]
    chosen = tuple(_choice(seed, entry["search"]) for seed, entry in entries.items() if "search" in entry)
    return build_row(runs.variants[name], list(entries), values, sizes, search=chosen, **runs.parts_of(entries))


def _choice(seed: int, search: dict) -> Choice:
    gates, size = (tuple(map(tuple, search[key])) for key in ("gates", "size"))
    return Choice(seed=seed, gates=gates, size=size)

"""What normalizations cost, from results/benchmark.json, which `python -m habn.benchmark` writes."""

import dataclasses
from datetime import date
from pathlib import Path

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from habn.results.models import STRICT, Words
from habn.results.reading import BENCHMARK, FOLDER, adapter, read_file
from habn.results.tables import markdown

NAME = "benchmark"
COLUMNS = {
    "evaluation": ("network", "evaluation", "float32"),
    "training step": ("network", "training step", "float32"),
    "in bfloat16": ("network", "training step", "bfloat16"),
    "memory of a training step": ("network", "memory of a training step", "float32"),
}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Timing:
    """What one candidate took.

    Attributes:
        what: "network" (SPVCNN), "layer", or "layer, growth"; `shape` is that of its input.
        work: "evaluation", "training step" (forward and backward), or "memory of a training step".
        precision: "float32" or "bfloat16".
        threads: of PyTorch.
        norm: a key of the report's labels.
        amount: median, in milliseconds, or in MiB for memory.
        ratio: median of the amount over the baseline's of the same turn; `quartiles` of the same.
    """

    what: Words
    shape: tuple[PositiveInt, ...]
    work: Words
    precision: Words
    threads: PositiveInt
    norm: Words
    amount: float
    ratio: float
    quartiles: tuple[float, float]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Benchmark:
    """The content of results/benchmark.json.

    Attributes:
        load: of the machine over 1, 5 and 15 minutes, where the system tells.
        repeats: turns of each candidate.
        labels: of all candidates, for people.
    """

    hardware: Words
    load: tuple[float, float, float] | None
    torch: Words
    commit: Words
    date: date
    repeats: PositiveInt
    labels: dict[str, str]
    timings: tuple[Timing, ...]


def save_benchmark(report: Benchmark, path: Path) -> None:
    path.write_bytes(adapter(Benchmark).dump_json(report, indent=1) + b"\n")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpeedTable:
    """SPVCNN with each normalization as multiples of the same network with BN.

    Attributes:
        columns: what was measured, a key of `COLUMNS`, and with how many threads.
        rows: of each normalization a ratio for every column, None where it was not measured.
        labels: of the normalizations.
        repeats: turns that each ratio is the median of.
        where: machine, version of torch, date, commit and load.
    """

    columns: tuple[tuple[str, int], ...]
    rows: dict[str, tuple[float | None, ...]]
    labels: dict[str, str]
    repeats: int
    where: str


def load_speed(folder: str | Path = FOLDER) -> SpeedTable | None:
    """The table; None where the file is missing.

    Raises:
        ResultError: when it is no JSON, or a key is missing.
    """
    path = Path(folder) / BENCHMARK
    return _table(read_file(path, Benchmark)) if path.exists() else None


def speed_markdown(folder: str | Path = FOLDER) -> str | None:
    """The table as Markdown; see `load_speed`."""
    table = load_speed(folder)
    if table is None:
        return None
    head = ["SPVCNN with", *(f"{column}, {_threads(count)}" for column, count in table.columns)]
    rows = [[table.labels[norm], *("" if r is None else f"{r:.2f}" for r in own)] for norm, own in table.rows.items()]
    note = f"Multiples of BN, medians of {table.repeats} turns (a third of them for training): {table.where}."
    return f"{markdown(head, rows)}\n{note}\n"


def _table(report: Benchmark) -> SpeedTable:
    cells: dict[tuple[str, int], dict[str, float]] = {}
    for timing in report.timings:
        for column, key in COLUMNS.items():
            if (timing.what, timing.work, timing.precision) == key:
                cells.setdefault((column, timing.threads), {})[timing.norm] = timing.ratio
    columns = sorted(cells, key=lambda cell: (cell[1], [*COLUMNS].index(cell[0])))
    norms = dict.fromkeys(norm for cell in cells.values() for norm in cell)
    load = "" if report.load is None else f"; load {report.load[0]:.1f}"
    return SpeedTable(
        columns=tuple(columns),
        rows={norm: tuple(cells[column].get(norm) for column in columns) for norm in norms},
        labels=report.labels,
        repeats=report.repeats,
        where=f"{report.hardware}, torch {report.torch}, {report.date}, commit {report.commit}{load}",
    )


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"

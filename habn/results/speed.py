"""What normalizations cost, from results/benchmark.json, which `python -m habn.benchmark` writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from habn.results.reading import BENCHMARK, FOLDER
from habn.results.strict_json import read_file
from habn.results.tables import markdown

NAME = "benchmark"
COLUMNS = {
    "evaluation": ("network", "evaluation", "float32"),
    "training step": ("network", "training step", "float32"),
    "in bfloat16": ("network", "training step", "bfloat16"),
    "memory of a training step": ("network", "memory of a training step", "float32"),
}


@dataclass(frozen=True, kw_only=True)
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
    return read_file(path, _table) if path.exists() else None


def speed_markdown(folder: str | Path = FOLDER) -> str | None:
    """The table as Markdown; see `load_speed`."""
    table = load_speed(folder)
    if table is None:
        return None
    head = ["SPVCNN with", *(f"{column}, {_threads(count)}" for column, count in table.columns)]
    rows = [[table.labels[norm], *("" if r is None else f"{r:.2f}" for r in own)] for norm, own in table.rows.items()]
    note = f"Multiples of BN, medians of {table.repeats} turns (a third of them for training): {table.where}."
    return f"{markdown(head, rows)}\n{note}\n"


def _table(report: Any) -> SpeedTable:
    cells: dict[tuple[str, int], dict[str, float]] = {}
    for timing in report["timings"]:
        for column, key in COLUMNS.items():
            if (timing["what"], timing["work"], timing["precision"]) == key:
                cells.setdefault((column, timing["threads"]), {})[timing["norm"]] = timing["ratio"]
    columns = sorted(cells, key=lambda cell: (cell[1], [*COLUMNS].index(cell[0])))
    norms = dict.fromkeys(norm for cell in cells.values() for norm in cell)
    load = "" if report["load"] is None else f"; load {report['load'][0]:.1f}"
    return SpeedTable(
        columns=tuple(columns),
        rows={norm: tuple(cells[column].get(norm) for column in columns) for norm in norms},
        labels=report["labels"],
        repeats=report["repeats"],
        where=f"{report['hardware']}, torch {report['torch']}, {report['date']}, commit {report['commit']}{load}",
    )


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"

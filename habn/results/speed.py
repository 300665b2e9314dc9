"""The table of what normalizations cost, from results/benchmark.json, which `python -m habn.benchmark` writes."""

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


def speed_markdown(folder: str | Path = FOLDER) -> str | None:
    """SPVCNN with each normalization as multiples of the same network with BN; None where the file is missing.

    Raises:
        ResultError: when it is no JSON, or a key is missing.
    """
    path = Path(folder) / BENCHMARK
    return read_file(path, _table) if path.exists() else None


def _table(report: Any) -> str:
    labels = report["labels"]
    cells: dict[tuple[str, int], dict[str, str]] = {}
    for timing in report["timings"]:
        for column, key in COLUMNS.items():
            if (timing["what"], timing["work"], timing["precision"]) == key:
                cells.setdefault((column, timing["threads"]), {})[timing["norm"]] = f"{timing['ratio']:.2f}"
    columns = sorted(cells, key=lambda cell: (cell[1], [*COLUMNS].index(cell[0])))
    norms = dict.fromkeys(norm for cell in cells.values() for norm in cell)
    head = ["SPVCNN with", *(f"{column}, {_threads(count)}" for column, count in columns)]
    rows = [[labels[norm], *(cells[column].get(norm, "") for column in columns)] for norm in norms]
    load = "" if report["load"] is None else f"; load {report['load'][0]:.1f}"
    where = f"{report['hardware']}, torch {report['torch']}, {report['date']}, commit {report['commit']}{load}"
    note = f"Multiples of BN, medians of {report['repeats']} turns (a third of them for training): {where}."
    return f"{markdown(head, rows)}\n{note}\n"


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"

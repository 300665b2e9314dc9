"""The networks of the page as the browser runs them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from habn.checkpoints import CHECKPOINTS, open_checkpoint
from habn.comparison.request import PAIRS
from habn.export import files
from habn.layers.normalization import NORM_LABELS
from habn.networks import count_parameters


def checkpoints_of(pairs: Iterable[str]) -> list[str]:
    """The checkpoints that so many pairs are made of, each once."""
    return list(dict.fromkeys(name for pair in pairs for name in (PAIRS[pair].first, PAIRS[pair].second)))


def write_network(name: str, folder: Path) -> None:
    """Write NAME.onnx, NAME.layers, which makes a file with all layers of it, and NAME.json, checked against PyTorch.

    Raises:
        ExportError: when ONNX Runtime and PyTorch differ, or one of them is not installed.
    """
    exported = files.export(open_checkpoint(CHECKPOINTS / name))
    files.check(exported)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(exported.model)
    (folder / f"{name}.layers").write_bytes(exported.layers)
    (folder / f"{name}.json").write_text(json.dumps(exported.facts, separators=(",", ":")))


def describe_network(name: str) -> dict[str, Any]:
    """What the page says of a network: label, parameters, how it was measured, and what it grew from."""
    loaded = open_checkpoint(CHECKPOINTS / name)
    return {
        "norm": loaded.network.norm,
        "label": NORM_LABELS[loaded.network.norm],
        **count_parameters(loaded.network),
        "metrics": loaded.metadata.get("metrics", {}),
        "trunk": loaded.metadata.get("trunk"),
        "rows": loaded.network.config.get("num_styles", 0),
    }

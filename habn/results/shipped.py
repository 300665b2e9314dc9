"""What the shipped checkpoints say was measured of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from habn.checkpoints import CHECKPOINTS
from habn.results.reading import read_file


@dataclass(frozen=True, kw_only=True)
class ShippedScore:
    """One number of one checkpoint's metadata, as "mean_iou" on "test"."""

    checkpoint: str
    data: str
    split: str
    metric: str
    value: float


def load_shipped_scores(folder: str | Path = CHECKPOINTS) -> tuple[ShippedScore, ...]:
    """Every single number under "metrics" in every config.json below `folder`, by the checkpoints' names."""
    scores = []
    for path in sorted(Path(folder).glob("*/config.json")):
        metadata = read_file(path, dict[str, Any])
        for split, measured in metadata.get("metrics", {}).items():
            scores += [
                ShippedScore(
                    checkpoint=path.parent.name,
                    data=metadata.get("data", ""),
                    split=split,
                    metric=metric,
                    value=float(value),
                )
                for metric, value in measured.items()
                if isinstance(value, int | float)
            ]
    return tuple(scores)

"""What the cards of the shipped checkpoints say was measured."""

from dataclasses import dataclass
from pathlib import Path

from habn.checkpoints import CHECKPOINTS
from habn.results.strict_json import read_file


@dataclass(frozen=True)
class ShippedFigure:
    """One number of one checkpoint's card, as "mean_iou" on "test"."""

    checkpoint: str
    data: str
    split: str
    metric: str
    value: float


def load_shipped_figures(folder: str | Path = CHECKPOINTS) -> tuple[ShippedFigure, ...]:
    """Every single number under "metrics" in the cards (config.json) below `folder`, by the checkpoints' names."""
    figures = []
    for path in sorted(Path(folder).glob("*/config.json")):
        card = read_file(path, dict)
        for split, metrics in card.get("metrics", {}).items():
            figures += [
                ShippedFigure(path.parent.name, card.get("data", ""), split, metric, float(value))
                for metric, value in metrics.items()
                if isinstance(value, int | float)
            ]
    return tuple(figures)

"""What the cards of the shipped checkpoints say was measured."""

import json
from dataclasses import dataclass
from pathlib import Path

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"


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
        card = json.loads(path.read_text(encoding="utf-8"))
        for split, metrics in card.get("metrics", {}).items():
            figures += [
                ShippedFigure(path.parent.name, card.get("data", ""), split, metric, float(value))
                for metric, value in metrics.items()
                if isinstance(value, int | float)
            ]
    return tuple(figures)

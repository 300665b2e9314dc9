"""Whether a segmentation network looks at what it knows: by how sure it is, held against what was measured."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from habn.comparison.request import Output
from habn.shipped import shipped


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """What `habn street_confidence` measured of a network: medians of `mean_sureness`, in [0, 1].

    Attributes:
        streets: over photos of streets.
        others: over photographs of anything.
        threshold: below it a photo is called no street.
    """

    streets: float
    others: float
    threshold: float


def mean_sureness(confidence: np.ndarray) -> float:
    """The mean over the pixels of the probability of the class that is named, in [0, 1], from (H, W) uint8, of 255."""
    return float(confidence.mean() / 255)


def best_threshold(streets: np.ndarray, others: np.ndarray) -> float:
    """The lowest value that tells most of both apart, each kind counting as much as the other; near the others."""
    values = np.unique(np.concatenate([streets, others]))
    between = np.concatenate([values[:1], values[:-1] + 0.1 * np.diff(values)])
    told = [(streets >= value).mean() + (others < value).mean() for value in between]
    return float(between[int(np.argmax(told))])


@cache
def load_sureness() -> dict[str, Sureness]:
    """By checkpoint."""
    path = shipped("assets") / "street_confidence.json"
    if not path.is_file():
        return {}
    networks = json.loads(path.read_text(encoding="utf-8"))["networks"]
    return {name: Sureness(**values) for name, values in networks.items()}


def looks_like_no_street(output: Output) -> Sureness | None:
    """What was measured of the network, if it is less sure than it is on streets; else, or if nothing was, None."""
    measured = load_sureness().get(output.checkpoint)
    if measured is None or output.confidence is None:
        return None
    return measured if mean_sureness(output.confidence) < measured.threshold else None

"""An experiment: one picture before and after a change of its light or of the adaptation, and what that changed."""

from dataclasses import dataclass, replace

import numpy as np

from habn.comparison import engine
from habn.comparison.request import Output, Request, Result
from habn.hooks.intervention import Intervention


@dataclass(frozen=True, eq=False)
class Change:
    """What changed in the answer of one network.

    Attributes:
        map: (H, W) float32 in [0, 1]: 1 where the class changed, or the mean absolute difference of the stylized
            pictures' RGB.
        share: the mean of the map: the share of pixels that changed class, or the distance of the pictures.
        mean_iou: before and after, each in [0, 1]; None without labels.
    """

    map: np.ndarray
    share: float
    mean_iou: tuple[float, float] | None

    @property
    def kept(self) -> float:
        """The share of pixels that kept their class, or how near the pictures remained, in [0, 1]."""
        return 1 - self.share


@dataclass(frozen=True, eq=False)
class Experiment:
    """Both networks' answers before and after.

    Attributes:
        before: to the picture as it is, from the networks as they were trained.
        after: to the request.
        first, second: what changed in the answer of each network.
    """

    before: Result
    after: Result
    first: Change
    second: Change


def run_experiment(request: Request) -> Experiment:
    """Hold a request against the same one without its weather and its intervention.

    What the layers did is recorded before and not after, so the engine's memory holds many experiments.

    Raises:
        RequestError, ImageError, CheckpointError, InterventionError: as `engine.run`.
    """
    before = engine.run(replace(request, weather=None, intervention=Intervention(), record=True))
    after = engine.run(replace(request, image=before.image, record=False))  # decoded and reduced already
    return Experiment(
        before, after, compare_outputs(before.first, after.first), compare_outputs(before.second, after.second)
    )


def compare_outputs(before: Output, after: Output) -> Change:
    """What changed between two answers of one network to one picture, both of one size."""
    changed = engine.difference(before, after)
    scores = None
    if before.mean_iou is not None and after.mean_iou is not None:
        scores = before.mean_iou, after.mean_iou
    return Change(changed, float(changed.mean()), scores)

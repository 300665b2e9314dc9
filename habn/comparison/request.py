"""What the engine is asked for and what it answers: a `Request` for a pair of networks; a `Result` of two `Output`s."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np

from habn.checkpoints import CHECKPOINTS, WEIGHTS
from habn.comparison.painting import Painting
from habn.data.weather import WeatherSetting
from habn.errors import HabnError
from habn.hooks.intervention import Intervention
from habn.hooks.record import LayerRecord
from habn.images import Source


@dataclass(frozen=True)
class Pair:
    """Two checkpoints to hold side by side, and their task: "segmentation" or "style"."""

    task: str
    first: str
    second: str


KNOWN_PAIRS = {
    "camvid": Pair("segmentation", "spvcnn-bn-camvid", "spvcnn-habn-camvid"),
    "camvid-plus": Pair("segmentation", "spvcnn-bn-camvid", "spvcnn-habn-plus-camvid"),
    "streets-plus": Pair("segmentation", "spvcnn-bn-streets", "spvcnn-habn-plus-streets"),
    "styles": Pair("style", "cfanet-bn-styles", "cfanet-habn-styles"),
    "styles-plus": Pair("style", "cfanet-bn-styles", "cfanet-habn-plus-styles"),
    "styles-in": Pair("style", "cfanet-bn-styles", "cfanet-in-styles"),
}


def pairs_in(folder: Path) -> dict[str, Pair]:
    """The pairs of which both checkpoints are there; where none is, all: who asks for one is told what is missing."""
    there = {
        name: pair
        for name, pair in KNOWN_PAIRS.items()
        if all((folder / checkpoint / WEIGHTS).is_file() for checkpoint in (pair.first, pair.second))
    }
    return there or KNOWN_PAIRS


PAIRS = pairs_in(CHECKPOINTS)


class RequestError(HabnError):
    """One sentence on a request that cannot be run, and what to do."""


@dataclass(frozen=True, eq=False)
class Request:
    """What to run.

    Attributes:
        image: a path, bytes, a PIL image, or an (H, W, 3) uint8 array; reduced so that its longer side is at most 480.
        pair: a key of `PAIRS`.
        painting: how a style pair paints; None for `Painting()`.
        labels: the true classes (H, W) uint8 of the reduced image, 255 where unknown, if there are any.
        intervention: what to change in the HABN layers of both networks.
        weather: what to lay over the reduced image before both networks see it.
        record: whether the result holds what every normalization layer did.
    """

    image: Source
    pair: str = "camvid"
    painting: Painting | None = None
    _: KW_ONLY
    labels: np.ndarray | None = None
    intervention: Intervention = Intervention()
    weather: WeatherSetting | None = None
    record: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class Output:
    """What one network made of the picture.

    Attributes:
        checkpoint: its name; `norm` and `label` name its normalization for programs and people.
        picture: (H, W, 3) uint8, the classes in colour or the stylized picture.
        labels: (H, W) uint8 classes; None for style.
        areas: share of the picture of each class that occurs, largest first.
        mean_iou: in [0, 1], over the classes that occur in the true labels or the answer; None where no pixel has a
            true label.
        seconds: of the forward pass, without what it takes to record it; None where nothing is recorded.
        parameters: of the network; `added` of them by HABN.
        records: one per normalization layer, in the order of evaluation; none where the request asks for none.
    """

    checkpoint: str
    norm: str
    label: str
    picture: np.ndarray
    labels: np.ndarray | None
    areas: dict[str, float]
    mean_iou: float | None
    seconds: float | None
    parameters: int
    added: int
    records: tuple[LayerRecord, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """Both networks' answers.

    Attributes:
        run_id: a hash of everything that the result depends on.
        painting: how a style pair painted; None for segmentation.
        image: (H, W, 3) uint8, the picture as the networks saw it, weather included.
        difference: (H, W) float32 in [0, 1]: 1 where the classes differ, or the mean absolute difference of the
            stylized pictures' RGB.
        gaps: lowest and highest value of the second network's x and y less those of the first, in each layer,
            (L, 2, 2) float32.
        correspond: whether channel k of one network is channel k of the other, since both grew from one trunk.
    """

    run_id: str
    task: str
    pair: str
    painting: Painting | None
    image: np.ndarray
    first: Output
    second: Output
    difference: np.ndarray
    gaps: np.ndarray
    correspond: bool

    @property
    def nbytes(self) -> int:
        """What it takes in memory, in bytes, without x and y of the layers."""
        outputs = (self.first, self.second)
        pictures = [self.image, self.difference, *(o.picture for o in outputs), *(o.labels for o in outputs)]
        records = [record for output in outputs for record in output.records]
        return sum(each.nbytes for each in (*pictures, self.gaps, *records) if each is not None)

"""What the engine is asked for and what it answers: a `Request` for a pair of networks; a `Result` of two `Output`s."""

import logging
import os
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np

from habn.checkpoints import CHECKPOINTS, WEIGHTS
from habn.comparison.compared import ComparedNetwork, NetworkSource, load_network
from habn.comparison.painting import Painting
from habn.data.weather import WeatherSetting
from habn.errors import HabnError
from habn.hooks.intervention import Intervention
from habn.hooks.record import LayerRecord
from habn.images import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pair:
    """Two networks to hold side by side, and under what the page lists them: "segmentation", "style" or "own".

    A pair of the owner's brings its title and the names of its classes along.
    """

    task: str
    first: str
    second: str
    _: KW_ONLY
    title: str = ""
    classes: tuple[str, ...] = ()


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


def pairs_of_owner(networks: str) -> dict[str, Pair]:
    """The first of the networks that a text names, apart by ";", beside each of the others; alone, beside itself.

    A network that cannot be built is logged and left out: it costs only its own pairs.
    """
    names = [name.strip() for name in networks.split(";") if name.strip()]
    good = {}
    for name in names:
        try:
            good[name] = load_network(name)
        except HabnError as error:
            log.error("%s is left out: %s", name, error)
    shown = list(good.values())
    return {f"own-{k}": _pair_of(shown[0], second) for k, second in enumerate(shown[1:] or shown, 1)}


def _pair_of(first: ComparedNetwork, second: ComparedNetwork) -> Pair:
    titles = [first.label, second.label] if first.label != second.label else [first.name, second.name]
    return Pair(task="own", first=first.name, second=second.name, title=" | ".join(titles), classes=second.classes)


def list_pairs() -> dict[str, Pair]:
    """The pairs of networks that `run` knows by name."""
    return dict(PAIRS)


PAIRS = pairs_of_owner(os.environ.get("HABN_NETWORKS", "")) | pairs_in(CHECKPOINTS)
"""Those of the owner of the page, who names networks of their own in HABN_NETWORKS, and those that are shipped."""


class RequestError(HabnError):
    """One sentence on a request that cannot be run, and what to do."""


@dataclass(frozen=True, eq=False)
class Request:
    """What to run.

    Attributes:
        image: a path, bytes, a PIL image, or an (H, W, 3) uint8 array; reduced so that its longer side is at most 480.
        pair: a key of `PAIRS`; see `list_pairs`.
        painting: how a style pair paints; None for `Painting()`.
        first, second: two networks in place of the pair, alike but for their normalization: each the name of a shipped
            checkpoint, a folder, a Hub id, "module:factory", a module of PyTorch, or an `OwnNetwork`.
        labels: the true classes (H, W) uint8 of the reduced image, 255 where unknown, if there are any.
        intervention: what to change in the HABN layers of both networks.
        weather: what to lay over the reduced image before both networks see it.
        record: whether the result holds what every normalization layer did.
    """

    image: Source
    pair: str = "camvid"
    painting: Painting | None = None
    _: KW_ONLY
    first: NetworkSource | None = None
    second: NetworkSource | None = None
    labels: np.ndarray | None = None
    intervention: Intervention = Intervention()
    weather: WeatherSetting | None = None
    record: bool = True

    def __post_init__(self) -> None:
        if (self.first is None) != (self.second is None):
            raise RequestError("One network alone is not compared; give both, first and second, or a pair.")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Output:
    """What one network made of the picture.

    Attributes:
        checkpoint: its name; `norm` and `label` name its normalization for programs and people.
        picture: (H, W, 3) uint8, the classes in colour or the stylized picture; the photo where nothing can be drawn.
        classes, palette: of a segmentation: K names, and their colours (K, 3) uint8.
        metrics: what its checkpoint says was measured, by split.
        summary: of an answer that cannot be drawn, in a line; None of any other.
        labels: (H, W) uint8 classes; None for style.
        confidence: (H, W) uint8, of 255: the probability of the class that is named; None for style.
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
    classes: tuple[str, ...]
    palette: np.ndarray
    metrics: dict[str, dict]
    summary: str | None
    picture: np.ndarray
    labels: np.ndarray | None
    confidence: np.ndarray | None
    areas: dict[str, float]
    mean_iou: float | None
    seconds: float | None
    parameters: int
    added: int
    records: tuple[LayerRecord, ...]

    def __repr__(self) -> str:
        return f"<{self.label} ({self.checkpoint}): {len(self.records)} layers recorded>"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Result:
    """Both networks' answers.

    Attributes:
        run_id: a hash of everything that the result depends on.
        task: "segmentation", "style", "image", or "other" where the answers are not drawn.
        pair: a key of `PAIRS`, or the names of both networks.
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

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        first, second = (f"{output.checkpoint} ({output.label})" for output in (self.first, self.second))
        return (
            f"<{type(self).__name__} of {first} and {second} on a picture of {width} x {height}: they differ by "
            f"{self.difference.mean():.1%}; {len(self.second.records)} layers recorded>"
        )

    @property
    def nbytes(self) -> int:
        """What it takes in memory, in bytes, without x and y of the layers."""
        outputs = (self.first, self.second)
        pictures = [self.image, self.difference, *(o.picture for o in outputs), *(o.labels for o in outputs)]
        records = [record for output in outputs for record in output.records]
        return sum(each.nbytes for each in (*pictures, self.gaps, *records) if each is not None)

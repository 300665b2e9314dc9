"""Runs a pair of networks on one picture. The page, the Python API and the commands all come through here."""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from habn.checkpoints import WEIGHTS, CheckpointError, load_checkpoint
from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.data.styles import STYLES
from habn.data.weather import WeatherSetting
from habn.images import open_image
from habn.intervention import Intervention, intervening
from habn.layers import parameter_overhead
from habn.metrics import class_iou, confusion_matrix
from habn.networks.normalization import NORM_LABELS
from habn.recording import LayerRecord, recording

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
LONGER_SIDE = 480
"""Pictures are reduced to this, the size of CamVid's, on which the networks were trained."""
CACHE_BYTES = 600_000_000


@dataclass(frozen=True)
class Pair:
    """Two checkpoints to hold side by side."""

    title: str
    task: str
    first: str
    second: str


PAIRS = {
    "camvid": Pair("Real streets: BN and HABN", "segmentation", "spvcnn-bn-camvid", "spvcnn-habn-camvid"),
    "camvid-plus": Pair("Real streets: BN and HABN+", "segmentation", "spvcnn-bn-camvid", "spvcnn-habn-plus-camvid"),
    "scenes": Pair("Drawn streets: BN and HABN", "segmentation", "spvcnn-bn-scenes", "spvcnn-habn-scenes"),
    "styles": Pair("Eight paintings: BN and HABN", "style", "cfanet-bn-styles", "cfanet-habn-styles"),
    "styles-in": Pair("Eight paintings: IN and HABN", "style", "cfanet-in-styles", "cfanet-habn-styles"),
}


class RequestError(ValueError):
    """One sentence on a request that cannot be run, and what to do."""


@dataclass(frozen=True, eq=False)
class Request:
    """What to run.

    Attributes:
        image: a path, bytes, a PIL image, or an (H, W, 3) uint8 array; reduced so that its longer side is at most 480.
        pair: a key of `PAIRS`.
        style: one of `STYLES`, for a style pair; None for the first.
        labels: the true classes (H, W) uint8 of the reduced image, 255 where unknown, if there are any.
        intervention: what to change in the HABN layers of both networks.
        weather: what to lay over the reduced image before both networks see it.
        record: whether the result holds what every normalization layer did; without, it is a hundredth as heavy.
    """

    image: object
    pair: str = "camvid"
    style: str | None = None
    labels: np.ndarray | None = None
    intervention: Intervention = Intervention()
    weather: WeatherSetting | None = None
    record: bool = True


@dataclass(frozen=True, eq=False)
class Output:
    """What one network made of the picture.

    Attributes:
        checkpoint: its name; `norm` and `label` name its normalization for programs and people.
        picture: (H, W, 3) uint8, the classes in colour or the stylized picture.
        labels: (H, W) uint8 classes; None for style.
        areas: share of the picture of each class that occurs, largest first.
        mean_iou: in [0, 1], over the classes that occur in the true labels or the answer; None without labels.
        seconds: of the forward pass alone.
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
    seconds: float
    parameters: int
    added: int
    records: tuple[LayerRecord, ...]


@dataclass(frozen=True, eq=False)
class Result:
    """Both networks' answers.

    Attributes:
        run_id: a hash of everything that the result depends on.
        image: (H, W, 3) uint8, the picture as the networks saw it, weather included.
        difference: (H, W) float32 in [0, 1]: 1 where the classes differ, or the mean absolute difference of the
            stylized pictures' RGB.
        correspond: whether channel k of one network is channel k of the other, since both grew from one trunk.
    """

    run_id: str
    task: str
    pair: str
    style: str | None
    image: np.ndarray
    first: Output
    second: Output
    difference: np.ndarray
    correspond: bool


@dataclass
class _Cache:
    """The latest results, as many as fit into CACHE_BYTES; at least one."""

    results: OrderedDict[str, Result] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, run_id: str) -> Result | None:
        with self.lock:
            if run_id in self.results:
                self.results.move_to_end(run_id)
            return self.results.get(run_id)

    def put(self, result: Result) -> None:
        with self.lock:
            self.results[result.run_id] = result
            while len(self.results) > 1 and sum(map(_bytes, self.results.values())) > CACHE_BYTES:
                self.results.popitem(last=False)


_cache = _Cache()
# Hooks are state of a network, so recording and pass are one; and two passes at once are slower than one by one.
_pass_lock = threading.Lock()
_load_lock = threading.Lock()


def run(request: Request) -> Result:
    """Run a pair of networks on a picture, recording every normalization layer.

    Raises:
        RequestError: on an unknown pair or style, or labels of another size.
        ImageError: on a picture that cannot be used.
        CheckpointError: when a checkpoint cannot be loaded.
        ValueError: on an intervention in a layer that a network with HABN does not have.
    """
    pair, style = _check(request)
    image = open_image(request.image, max_side=LONGER_SIDE)
    if request.labels is not None and request.labels.shape != image.shape[:2]:
        raise RequestError(
            f"The labels are {request.labels.shape}, but the picture is {image.shape[:2]} (height, width)."
        )
    if request.weather is not None:
        image = _picture(request.weather.apply(_pixels(image)))
    with _load_lock:
        networks = [load_network(pair.first), load_network(pair.second)]
    run_id = _run_id(request, style, image, networks)
    result = _cache.get(run_id)
    if result is None:
        with _pass_lock:
            outputs = [
                _apply(n, c, image, style, request) for n, c in zip(networks, (pair.first, pair.second), strict=True)
            ]
        result = Result(
            run_id, pair.task, request.pair, style, image, *outputs, difference(*outputs), _correspond(*networks)
        )
        _cache.put(result)
    return result


def recall(run_id: str) -> Result | None:
    """A result of a short while ago, by its id; None if it is no longer held."""
    return _cache.get(run_id)


def difference(first: Output, second: Output) -> np.ndarray:
    """(H, W) float32 in [0, 1]: 1 where the classes differ, or the mean absolute difference of the pictures' RGB."""
    if first.labels is not None:
        return (first.labels != second.labels).astype(np.float32)
    return np.abs(first.picture.astype(np.float32) - second.picture).mean(2) / 255


@lru_cache(maxsize=8)
def load_network(name: str) -> nn.Module:
    """The network of a checkpoint of this project, by its folder, with a digest of its weights; kept in memory."""
    # Convolutions, and the loops of habn.loops with them, are fastest with channels innermost.
    try:
        network = load_checkpoint(CHECKPOINTS / name).to(memory_format=torch.channels_last)
    except CheckpointError as error:
        # Visitors read the sentence; where the server keeps its files is not their business.
        raise CheckpointError(str(error).replace(f"{CHECKPOINTS.parent}/", "")) from None
    network.digest = hashlib.sha256((CHECKPOINTS / name / WEIGHTS).read_bytes()).hexdigest()
    return network


def _check(request: Request) -> tuple[Pair, str | None]:
    if request.pair not in PAIRS:
        raise RequestError(f"There is no pair {request.pair!r}; choose one of {', '.join(PAIRS)}.")
    pair = PAIRS[request.pair]
    if pair.task == "segmentation":
        return pair, None
    style = request.style or STYLES[0]
    if style not in STYLES:
        raise RequestError(f"There is no style {style!r}; choose one of {', '.join(STYLES)}.")
    return pair, style


def _run_id(request: Request, style: str | None, image: np.ndarray, networks: list[nn.Module]) -> str:
    digest = hashlib.sha256(
        f"{request.pair} {style} {image.shape} {request.intervention.key()} {request.record}".encode()
    )
    for network in networks:
        digest.update(network.digest.encode())
    digest.update(image.tobytes())
    if request.labels is not None:
        digest.update(request.labels.tobytes())
    return digest.hexdigest()[:20]


@torch.inference_mode()
def _apply(network: nn.Module, checkpoint: str, image: np.ndarray, style: str | None, request: Request) -> Output:
    given = _pixels(image), *_condition(style)
    records = []
    with intervening(network, request.intervention):
        if request.record:
            # Never the pass that is timed: the first at a size compiles loops and plans convolutions, and each waits for
            # new memory, since what is recorded cannot be written over.
            with recording(network) as records:
                network(*given)
        started = time.perf_counter()
        answer = network(*given)[0]
        seconds = time.perf_counter() - started
    if not torch.isfinite(answer).all():
        raise RequestError(
            f"The network {checkpoint} gave values that are not finite on this picture; try another picture."
        )
    labels = answer.argmax(0).to(torch.uint8).numpy() if style is None else None
    picture = STREET_PALETTE[labels] if style is None else _picture(answer[None])
    overhead = parameter_overhead(network)
    return Output(
        checkpoint=checkpoint,
        norm=network.norm,
        label=NORM_LABELS[network.norm],
        picture=picture,
        labels=labels,
        areas={} if labels is None else _areas(labels),
        mean_iou=None if labels is None or request.labels is None else _picture_iou(request.labels, labels),
        seconds=seconds,
        parameters=overhead.total,
        added=overhead.added,
        records=tuple(records),
    )


def _pixels(image: np.ndarray) -> torch.Tensor:
    """(1, 3, H, W) float32 in [0, 1] from an image (H, W, 3) uint8."""
    return torch.from_numpy(image).permute(2, 0, 1)[None].to(torch.float32) / 255


def _picture(pixels: torch.Tensor) -> np.ndarray:
    """The way back from `_pixels`."""
    return (pixels[0].permute(1, 2, 0) * 255).round().to(torch.uint8).contiguous().numpy()


def _condition(style: str | None) -> tuple[torch.Tensor, ...]:
    """What a network takes besides the picture: a one-hot row (1, S) for a style."""
    return () if style is None else (torch.eye(len(STYLES))[STYLES.index(style)][None],)


def _areas(labels: np.ndarray) -> dict[str, float]:
    shares = np.bincount(labels.ravel(), minlength=len(STREET_CLASSES)) / labels.size
    return {STREET_CLASSES[k]: float(shares[k]) for k in np.argsort(-shares) if shares[k] > 0}


def _picture_iou(truth: np.ndarray, labels: np.ndarray) -> float:
    return float(np.nanmean(class_iou(confusion_matrix(truth, labels, len(STREET_CLASSES)))))


def _correspond(first: nn.Module, second: nn.Module) -> bool:
    trunk = first.card.get("trunk")
    return trunk is not None and trunk == second.card.get("trunk")


def _bytes(result: Result) -> int:
    outputs = (result.first, result.second)
    pictures = [result.image, result.difference, *(o.picture for o in outputs), *(o.labels for o in outputs)]
    recorded = [array for output in outputs for record in output.records for array in (record.x, record.y)]
    return sum(array.nbytes for array in (*pictures, *recorded) if array is not None)

"""Runs a pair of networks on one picture. The page, the Python API and the commands all come through here."""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch

from habn.checkpoints import CHECKPOINTS, CheckpointError, LoadedNetwork, open_checkpoint
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS, Output, Pair, Request, RequestError, Result
from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.hooks.intervention import intervening
from habn.hooks.recording import recording
from habn.images import open_image
from habn.layers.normalization import NORM_LABELS
from habn.metrics import class_iou, confusion_matrix
from habn.networks import count_parameters
from habn.networks.network import Network
from habn.pixels import to_image, to_tensor

LONGER_SIDE = 480
"""Pictures are reduced to this, the size of CamVid's, on which the networks were trained."""
CACHE_BYTES = 600_000_000


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
            while len(self.results) > 1 and sum(result.nbytes for result in self.results.values()) > CACHE_BYTES:
                self.results.popitem(last=False)


_cache = _Cache()
# Hooks are state of a network, so recording and pass are one; and two passes at once are slower than one by one.
_pass_lock = threading.Lock()
_load_lock = threading.Lock()


def run(request: Request) -> Result:
    """Run a pair of networks on a picture, recording every normalization layer.

    Raises:
        RequestError: on an unknown pair, or labels of another size.
        PaintingError: on a strength below 1 where a network has no row for the photograph.
        ImageError: on a picture that cannot be used.
        CheckpointError: when a checkpoint cannot be loaded.
        InterventionError: on a layer that a network with HABN does not have.
    """
    pair, painting = _check(request)
    image = open_image(request.image, max_side=LONGER_SIDE)
    if request.labels is not None and request.labels.shape != image.shape[:2]:
        raise RequestError(
            f"The labels are {request.labels.shape}, but the picture is {image.shape[:2]} (height, width)."
        )
    if request.weather is not None:
        image = to_image(request.weather.apply(to_tensor(image)))
    with _load_lock:
        networks = [load_network(pair.first), load_network(pair.second)]
    run_id = _run_id(request, painting, image, networks)
    result = _cache.get(run_id)
    if result is None:
        with _pass_lock:
            first, second = (
                _apply(loaded.network, name, image, painting, request)
                for loaded, name in zip(networks, (pair.first, pair.second), strict=True)
            )
        result = Result(
            run_id=run_id,
            task=pair.task,
            pair=request.pair,
            painting=painting,
            image=image,
            first=first,
            second=second,
            difference=difference(first, second),
            correspond=_correspond(*networks),
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


@lru_cache(maxsize=16)
def load_network(name: str) -> LoadedNetwork:
    """The network of a checkpoint of this project, by its folder; kept in memory."""
    # Convolutions, and the loops of habn.layers.loops with them, are fastest with channels innermost.
    try:
        loaded = open_checkpoint(CHECKPOINTS / name)
    except CheckpointError as error:
        # Visitors read the sentence; where the server keeps its files is not their business.
        raise CheckpointError(str(error).replace(f"{CHECKPOINTS.parent}/", "")) from None
    loaded.network.to(memory_format=torch.channels_last)
    return loaded


def _check(request: Request) -> tuple[Pair, Painting | None]:
    if request.pair not in PAIRS:
        raise RequestError(f"There is no pair {request.pair!r}; choose one of {', '.join(PAIRS)}.")
    pair = PAIRS[request.pair]
    return pair, (request.painting or Painting()) if pair.task == "style" else None


def _run_id(request: Request, painting: Painting | None, image: np.ndarray, networks: list[LoadedNetwork]) -> str:
    digest = hashlib.sha256(
        f"{request.pair} {painting} {image.shape} {request.intervention.key()} {request.record}".encode()
    )
    for loaded in networks:
        digest.update(loaded.digest.encode())
    digest.update(image.tobytes())
    if request.labels is not None:
        digest.update(request.labels.tobytes())
    return digest.hexdigest()[:20]


@torch.inference_mode()
def _apply(network: Network, checkpoint: str, image: np.ndarray, painting: Painting | None, request: Request) -> Output:
    pixels = to_tensor(image)
    given = (pixels,) if painting is None else (pixels, painting.row(network.config["num_styles"]))
    records = []
    with intervening(network, request.intervention):
        if request.record:
            # Never the pass that is timed: the first at a size compiles loops and plans convolutions, and each waits
            # for new memory, since what is recorded cannot be written over.
            with recording(network) as records:
                network(*given)
        started = time.perf_counter()
        answer = network(*given)[0]
        seconds = time.perf_counter() - started
    if not torch.isfinite(answer).all():
        # No picture does that: it is bytes. Nor does any other intervention, all of which are bounded.
        cause, remedy = "its weights", "download or train it again"
        if request.intervention.painted is not None:
            cause, remedy = "the painted map", "paint one within [0, 1]"
        raise RequestError(f"The network {checkpoint} gave values that are not finite, by {cause}; {remedy}.")
    labels = answer.argmax(0).to(torch.uint8).numpy() if painting is None else None
    picture = STREET_PALETTE[labels] if painting is None else to_image(painting.finish(answer[None], pixels))
    return Output(
        checkpoint=checkpoint,
        norm=network.norm,
        label=NORM_LABELS[network.norm],
        picture=picture,
        labels=labels,
        areas={} if labels is None else _areas(labels),
        mean_iou=None if labels is None or request.labels is None else _picture_iou(request.labels, labels),
        seconds=seconds if request.record else None,
        **count_parameters(network),
        records=tuple(records),
    )


def _areas(labels: np.ndarray) -> dict[str, float]:
    shares = np.bincount(labels.ravel(), minlength=len(STREET_CLASSES)) / labels.size
    return {STREET_CLASSES[k]: float(shares[k]) for k in np.argsort(-shares) if shares[k] > 0}


def _picture_iou(truth: np.ndarray, labels: np.ndarray) -> float | None:
    confusion = confusion_matrix(truth, labels, len(STREET_CLASSES))
    return float(np.nanmean(class_iou(confusion))) if confusion.any() else None


def _correspond(first: LoadedNetwork, second: LoadedNetwork) -> bool:
    trunk = first.metadata.get("trunk")
    return trunk is not None and trunk == second.metadata.get("trunk")

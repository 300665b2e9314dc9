"""Runs a pair of networks on one picture. The page, the Python API and the commands all come through here."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from habn.checkpoints import CHECKPOINTS, CheckpointError, LoadedNetwork, open_checkpoint
from habn.comparison.memory import Memory
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS, Output, Pair, Request, RequestError, Result
from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.hooks.intervention import Intervention, intervening
from habn.hooks.record import LayerRecord, Maps, find_gaps
from habn.hooks.recording import make_maps, recording
from habn.images import open_image
from habn.layers.normalization import NORM_LABELS
from habn.metrics import class_iou, confusion_matrix
from habn.networks import count_parameters
from habn.networks.network import Network
from habn.pixels import to_image, to_tensor

Answer = TypeVar("Answer")

LONGER_SIDE = 480
"""Pictures are reduced to this, the size of CamVid's, on which the networks were trained."""
RESULT_BYTES = 100_000_000
"""What is remembered of results: some thirty of them, without x and y."""
MAPS_BYTES = 120_000_000
"""What is remembered of x and y: those of all layers of one result, or of the layers that were asked for last."""

_results: Memory[Result] = Memory(RESULT_BYTES)
_maps: Memory[Maps] = Memory(MAPS_BYTES)
_load_lock = threading.Lock()
# Hooks are state of a network, so recording and pass are one; and two passes at once are slower than one by one. One
# thread makes them all: each thread that runs a network keeps memory and a team of OpenMP's threads for good.
_passes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="networks")


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
    result = _results.get(run_id)
    if result is None:
        first, second = (
            _Pass(
                run_id=run_id,
                checkpoint=name,
                network=loaded.network,
                image=image,
                painting=painting,
                intervention=request.intervention,
            )
            for loaded, name in zip(networks, (pair.first, pair.second), strict=True)
        )
        answers = _in_turn(_compare, first, second, request)
        result = Result(
            run_id=run_id,
            task=pair.task,
            pair=request.pair,
            painting=painting,
            image=image,
            correspond=_correspond(*networks),
            **answers,
        )
        _results.put(run_id, result)
    return result


def recall(run_id: str) -> Result | None:
    """A result of a short while ago, by its id; None if it is no longer held."""
    return _results.get(run_id)


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


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pass:
    """One network on one picture: what its answer is made from, and x and y of its layers once more."""

    run_id: str
    checkpoint: str
    network: Network
    image: np.ndarray
    painting: Painting | None
    intervention: Intervention

    def given(self) -> tuple[Tensor, ...]:
        """What the network takes."""
        pixels = to_tensor(self.image)
        return (pixels,) if self.painting is None else (pixels, self.painting.row(self.network.config["num_styles"]))

    def maps(self, layer: str) -> Maps:
        """x and y of a layer: as they were, since a pass repeats itself to the last bit."""
        key = (self.run_id, self.checkpoint, layer)
        maps = _maps.get(key)
        if maps is None:
            maps = _in_turn(self._make_maps, layer)
            _maps.put(key, maps)
        return maps

    def release(self, records: Iterable[LayerRecord]) -> tuple[LayerRecord, ...]:
        """The records without x and y, which are remembered for a while and then made again."""
        for record in records:
            _maps.put((self.run_id, self.checkpoint, record.name), record.maps())
        return tuple(replace(record, maps=partial(self.maps, record.name)) for record in records)

    def _make_maps(self, layer: str) -> Maps:
        with torch.inference_mode(), intervening(self.network, self.intervention):
            return make_maps(self.network, layer, *self.given())


def _in_turn(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """What `work` returns, done when the networks are free, with as many threads as PyTorch has here."""

    def work_with(threads: int) -> Answer:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        return work(*arguments)

    return _passes.submit(work_with, torch.get_num_threads()).result()


def _compare(first: _Pass, second: _Pass, request: Request) -> dict[str, Any]:
    """What both networks make of a picture, and where they differ, as a `Result` names it."""
    here, there = _apply(first, request), _apply(second, request)
    return {
        "first": replace(here, records=first.release(here.records)),
        "second": replace(there, records=second.release(there.records)),
        "difference": difference(here, there),
        "gaps": find_gaps(here.records, there.records),
    }


@torch.inference_mode()
def _apply(asked: _Pass, request: Request) -> Output:
    network, painting, given = asked.network, asked.painting, asked.given()
    with intervening(network, asked.intervention), recording(network) if request.record else nullcontext() as records:
        started = time.perf_counter()
        answer = network(*given)[0]
        seconds = time.perf_counter() - started
    if not torch.isfinite(answer).all():
        # No picture does that: it is bytes. Nor does any other intervention, all of which are bounded.
        cause, remedy = "its weights", "download or train it again"
        if asked.intervention.painted is not None:
            cause, remedy = "the painted map", "paint one within [0, 1]"
        raise RequestError(f"The network {asked.checkpoint} gave values that are not finite, by {cause}; {remedy}.")
    labels = answer.argmax(0).to(torch.uint8).numpy() if painting is None else None
    picture = STREET_PALETTE[labels] if painting is None else to_image(painting.finish(answer[None], given[0]))
    return Output(
        checkpoint=asked.checkpoint,
        norm=network.norm,
        label=NORM_LABELS[network.norm],
        picture=picture,
        labels=labels,
        areas={} if labels is None else _areas(labels),
        mean_iou=None if labels is None or request.labels is None else _picture_iou(request.labels, labels),
        seconds=None if records is None else seconds - records.seconds,
        **count_parameters(network),
        records=tuple(records or ()),
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

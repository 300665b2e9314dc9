"""Runs a pair of networks on one picture. The page, the Python API and the commands all come through here."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from habn.comparison.compared import ComparedNetwork, difference_of_answers, load_network
from habn.comparison.memory import Memory
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS, Output, Request, RequestError, Result
from habn.data.segmentation import IGNORE, STREET_CLASSES
from habn.hooks.intervention import Intervention, intervening
from habn.hooks.record import LayerRecord, Maps, find_gaps
from habn.hooks.recording import make_maps, recording
from habn.images import open_image
from habn.metrics import class_iou, confusion_matrix
from habn.networks import count_parameters
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
        RequestError: on an unknown pair, networks that do not fit each other, or labels of another size.
        PaintingError: on a strength below 1 where a network has no row for the photograph.
        ImageError: on a picture that cannot be used.
        CheckpointError: when a checkpoint cannot be loaded.
        OwnNetworkError: when a network of one's own cannot be.
        InterventionError: on a layer that a network with HABN does not have.
    """
    with _load_lock:
        networks = _open_pair(request)
    task = networks[0].task
    painting = (request.painting or Painting()) if task == "style" else None
    image = open_image(request.image, max_side=LONGER_SIDE)
    if request.labels is not None and request.labels.shape != image.shape[:2]:
        raise RequestError(
            f"The labels are {request.labels.shape}, but the picture is {image.shape[:2]} (height, width)."
        )
    if request.weather is not None:
        image = to_image(request.weather.apply(to_tensor(image)))
    run_id = _run_id(request, painting, image, networks)
    result = _results.get(run_id)
    if result is None:
        first, second = (
            _Pass(
                run_id=run_id,
                compared=compared,
                image=image,
                painting=painting,
                intervention=request.intervention,
            )
            for compared in networks
        )
        answers = in_turn(_compare, first, second, request)
        result = Result(
            run_id=run_id,
            task=task,
            pair=_name(request, networks),
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


def _open_pair(request: Request) -> tuple[ComparedNetwork, ComparedNetwork]:
    """Both networks that a request asks for.

    Raises:
        RequestError: there is no such pair, or one answers what the other does not.
    """
    if request.first is not None and request.second is not None:
        sources = request.first, request.second
    elif request.pair in PAIRS:
        sources = PAIRS[request.pair].first, PAIRS[request.pair].second
    else:
        raise RequestError(f"There is no pair {request.pair!r}; choose one of {', '.join(PAIRS)}.")
    first, second = map(load_network, sources)
    if first.task != second.task or first.classes != second.classes:
        raise RequestError(
            f"{first.name} and {second.name} answer different questions ({_question(first)}; {_question(second)}); "
            "choose two networks of one task and the same classes."
        )
    return first, second


def _question(network: ComparedNetwork) -> str:
    classes = f" of {len(network.classes)} classes" if network.classes else ""
    return network.task + classes


def _name(request: Request, networks: tuple[ComparedNetwork, ComparedNetwork]) -> str:
    """What a pair is called: its key in `PAIRS`, or the names of both networks."""
    return request.pair if request.first is None else " | ".join(network.name for network in networks)


def _run_id(
    request: Request, painting: Painting | None, image: np.ndarray, networks: tuple[ComparedNetwork, ComparedNetwork]
) -> str:
    digest = hashlib.sha256(
        f"{_name(request, networks)} {painting} {image.shape} {request.intervention.key()} {request.record}".encode()
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
    compared: ComparedNetwork
    image: np.ndarray
    painting: Painting | None
    intervention: Intervention

    def maps(self, layer: str) -> Maps:
        """x and y of a layer: as they were, since a pass repeats itself to the last bit."""
        key = (self.run_id, self.compared.digest, layer)
        maps = _maps.get(key)
        if maps is None:
            maps = in_turn(self._make_maps, layer)
            _maps.put(key, maps)
        return maps

    def release(self, records: Iterable[LayerRecord]) -> tuple[LayerRecord, ...]:
        """The records without x and y, which are remembered for a while and then made again."""
        for record in records:
            _maps.put((self.run_id, self.compared.digest, record.name), record.maps())
        return tuple(replace(record, maps=partial(self.maps, record.name)) for record in records)

    def _make_maps(self, layer: str) -> Maps:
        network, pixels = self.compared.network, to_tensor(self.image)
        with torch.inference_mode(), intervening(network, self.intervention):
            return make_maps(network, layer, lambda: self.compared.ask(pixels, self.painting))


def in_turn(work: Callable[..., Answer], *arguments: Any) -> Answer:
    """What `work` returns, done when the networks are free, with as many threads as PyTorch has here."""

    def work_with(threads: int) -> Answer:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        return work(*arguments)

    return _passes.submit(work_with, torch.get_num_threads()).result()


def _compare(first: _Pass, second: _Pass, request: Request) -> dict[str, Any]:
    """What both networks make of a picture, and where they differ, as a `Result` names it."""
    (here, answer), (there, other) = _apply(first, request), _apply(second, request)
    if here.label == there.label:
        here, there = replace(here, label=here.checkpoint), replace(there, label=there.checkpoint)
    _check_that_layers_match(here, there)
    return {
        "first": replace(here, records=first.release(here.records)),
        "second": replace(there, records=second.release(there.records)),
        "difference": _difference(here, there, answer, other),
        "gaps": find_gaps(here.records, there.records),
    }


def _difference(first: Output, second: Output, answer: Tensor, other: Tensor) -> np.ndarray:
    """As `difference`; of answers that are not drawn, how far the numbers are apart, everywhere alike."""
    if first.summary is None:
        return difference(first, second)
    return np.full(first.picture.shape[:2], min(1.0, difference_of_answers(answer, other)), np.float32)


def _check_that_layers_match(first: Output, second: Output) -> None:
    """Refuse two networks whose layers cannot be held side by side."""
    ours, theirs = ([(record.name, record.shape) for record in output.records] for output in (first, second))
    remedy = "choose two networks that are alike but for their normalization."
    if len(ours) != len(theirs):
        raise RequestError(
            f"{first.checkpoint} has {len(ours)} normalization layers, {second.checkpoint} has {len(theirs)}; {remedy}"
        )
    for (name, shape), (_, other) in zip(ours, theirs, strict=True):
        if shape != other:
            raise RequestError(
                f"Layer {name} has the shape {shape} in {first.checkpoint} and {other} in {second.checkpoint}; {remedy}"
            )


@torch.inference_mode()
def _apply(asked: _Pass, request: Request) -> tuple[Output, Tensor]:
    """What one network makes of the picture, and its bare answer."""
    compared, painting, pixels = asked.compared, asked.painting, to_tensor(asked.image)
    network = compared.network
    with intervening(network, asked.intervention), recording(network) if request.record else nullcontext() as records:
        started = time.perf_counter()
        answer = compared.ask(pixels, painting)
        if answer.is_cuda:
            torch.cuda.synchronize()
        seconds = time.perf_counter() - started
    if not torch.isfinite(answer).all():
        # No picture does that: it is bytes. Nor does any other intervention, all of which are bounded.
        cause, remedy = "its weights", "download or train it again"
        if asked.intervention.painted is not None:
            cause, remedy = "the painted map", "paint one within [0, 1]"
        raise RequestError(f"The network {compared.name} gave values that are not finite, by {cause}; {remedy}.")
    picture, labels = compared.read(answer, pixels, painting)
    output = Output(
        checkpoint=compared.name,
        norm=compared.norm,
        label=compared.label,
        classes=compared.classes,
        palette=compared.palette,
        metrics=compared.metadata.get("metrics", {}),
        summary=_summarize(answer) if compared.task == "other" else None,
        picture=picture,
        labels=labels,
        confidence=None if labels is None or answer.shape[2:] != labels.shape else _confidence(answer[0]),
        areas={} if labels is None else areas_of(labels, compared.classes),
        mean_iou=None if labels is None or request.labels is None else _picture_iou(request.labels, labels, compared),
        seconds=None if records is None else seconds - records.seconds,
        **count_parameters(network),
        records=tuple(records or ()),
    )
    return output, answer.float().cpu()


def _confidence(logits: Tensor) -> np.ndarray:
    """(H, W) uint8, of 255, from logits (K, H, W)."""
    return (logits.float().softmax(0).amax(0) * 255).round().to(torch.uint8).cpu().numpy()


def _summarize(answer: Tensor) -> str:
    """Shape and spread of an answer that is not drawn, and where it is largest."""
    values = answer.float()
    text = f"shape {tuple(values.shape)}, mean {values.mean():.4g}, deviation {values.std():.4g}"
    return f"{text}, largest at {int(values[0].flatten().argmax())}"


def areas_of(labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """The share of a picture that each class takes which occurs in labels (H, W), largest first."""
    shares = np.bincount(labels.ravel(), minlength=len(classes)) / labels.size
    return {classes[k]: float(shares[k]) for k in np.argsort(-shares) if shares[k] > 0}


def _picture_iou(truth: np.ndarray, labels: np.ndarray, compared: ComparedNetwork) -> float | None:
    known = truth[truth != IGNORE]
    if compared.classes != STREET_CLASSES and known.size and known.max() >= len(compared.classes):
        return None  # labels of other classes
    confusion = confusion_matrix(truth, labels, len(compared.classes))
    return float(np.nanmean(class_iou(confusion))) if confusion.any() else None


def _correspond(first: ComparedNetwork, second: ComparedNetwork) -> bool:
    """Whether both grew from one trunk, as their checkpoints say."""
    return first.trunk is not None and first.trunk == second.trunk

"""What a study measures of trained networks: under weather, under interventions, and what the search chose."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from habn.data.segmentation import SegmentationData
from habn.data.weather import STRENGTHS, WEATHER, apply_weather
from habn.hooks.intervention import Intervention, intervening
from habn.hooks.recording import recording
from habn.metrics import mean_iou
from habn.training.segmentation import evaluate_segmentation


@torch.inference_mode()
def lay_weather(data: SegmentationData) -> dict[str, list[SegmentationData]]:
    """A split under each weather, at strength 0 and `STRENGTHS`, as 8-bit pictures.

    Picture i gets the weather of seed i.
    """
    seeds = torch.arange(len(data.images))

    def changed(name: str, strength: int) -> SegmentationData:
        pictures = [
            apply_weather(image[None].float() / 255, name, strength, seed[None])
            for image, seed in zip(data.images, seeds, strict=True)
        ]
        return SegmentationData(
            images=(torch.cat(pictures) * 255).round().to(torch.uint8), labels=data.labels, classes=data.classes
        )

    return {name: [data, *(changed(name, strength) for strength in STRENGTHS)] for name in WEATHER}


@torch.inference_mode()
def measure_weather(network: nn.Module, weathers: dict[str, list[SegmentationData]]) -> dict[str, list[float]]:
    """mIoU in percent under each weather, at each strength, on what `lay_weather` made."""
    clean = 100 * mean_iou(evaluate_segmentation(network, next(iter(weathers.values()))[0]))
    return {
        name: [clean, *(100 * mean_iou(evaluate_segmentation(network, data)) for data in changed[1:])]
        for name, changed in weathers.items()
    }


def measure_intervened(network: nn.Module, data: SegmentationData, intervention: Intervention) -> float:
    """mIoU in percent over a split, with the adaptation of the network's HABN layers changed."""
    with intervening(network, intervention), torch.inference_mode():
        return 100 * mean_iou(evaluate_segmentation(network, data))


@torch.inference_mode()
def measure_correspondence(
    first: nn.Module, second: nn.Module, inputs: Iterable[tuple[Tensor, ...]]
) -> dict[str, float]:
    """How far channel k of one network is channel k of another, by layer.

    The correlation over pixels of what comes into a channel in both networks, averaged over channels and pictures.
    """
    found: dict[str, list[float]] = {}
    for arguments in inputs:
        records = []
        for network in (first, second):
            with recording(network) as recorded:
                network(*arguments)
            records.append(recorded)
        for a, b in zip(*records, strict=True):
            found.setdefault(b.name, []).append(_mean_correlation(a.x, b.x))
    return {name: round(float(np.mean(values)), 4) for name, values in found.items()}


def _mean_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Mean over channels of the correlation of two (C, H, W), without channels that are constant in one of them."""
    a, b = (x.reshape(len(x), -1) - x.reshape(len(x), -1).mean(1, keepdims=True) for x in (first, second))
    sizes = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    varied = sizes > 0
    return float(((a * b).sum(1)[varied] / sizes[varied]).mean())


@torch.inference_mode()
def measure_search(network: nn.Module, inputs: Iterable[tuple[Tensor, ...]]) -> dict[str, list]:
    """The gates of each layer and how far its four parameters move, averaged over the pictures of `inputs`.

    Returns:
        "layers": names in the order of evaluation; "gates" and "size": one list of scale, bias, mean, var per layer.
    """
    sizes = []
    for arguments in inputs:
        with recording(network) as records:
            network(*arguments)
        sizes.append([record.strength for record in records])
    return {
        "layers": [record.name for record in records],
        "gates": [[round(float(g), 4) for g in record.gates] for record in records],
        "size": [[round(float(v), 5) for v in layer] for layer in np.mean(sizes, 0)],
    }

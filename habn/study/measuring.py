"""What a study measures of a trained segmentation network."""

import numpy as np
import torch
from torch import nn

from habn.data.segmentation import SegmentationData
from habn.data.weather import STRENGTHS, WEATHER, apply_weather
from habn.intervention import Intervention, intervening
from habn.metrics import confusion_matrix, mean_iou
from habn.recording import recording
from habn.training.segmentation import evaluate_segmentation


@torch.inference_mode()
def measure_weather(network: nn.Module, data: SegmentationData) -> dict[str, list[float]]:
    """mIoU in percent under each weather, at strength 0 and `STRENGTHS`; picture i gets the weather of seed i."""
    classes = len(data.classes)
    confusions = {name: np.zeros((1 + len(STRENGTHS), classes, classes), np.int64) for name in WEATHER}
    for seed, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        pixels, truth = image[None].float() / 255, label.cpu().numpy()
        clean = confusion_matrix(truth, network(pixels)[0].argmax(0).cpu().numpy(), classes)
        for name, confusion in confusions.items():
            confusion[0] += clean
            for strength in STRENGTHS:
                predicted = network(apply_weather(pixels, name, strength, seed))[0].argmax(0)
                confusion[strength] += confusion_matrix(truth, predicted.cpu().numpy(), classes)
    return {name: [100 * mean_iou(c) for c in confusion] for name, confusion in confusions.items()}


def measure_intervened(network: nn.Module, data: SegmentationData, intervention: Intervention) -> float:
    """mIoU in percent over a split, with the adaptation of the network's HABN layers changed."""
    with intervening(network, intervention), torch.inference_mode():
        return 100 * mean_iou(evaluate_segmentation(network, data))


@torch.inference_mode()
def measure_correspondence(first: nn.Module, second: nn.Module, data: SegmentationData) -> dict[str, float]:
    """How far channel k of one network is channel k of another, by layer.

    The correlation over pixels of what comes into a channel in both networks, averaged over channels and pictures.
    """
    found: dict[str, list[float]] = {}
    for image in data.images:
        records = []
        for network in (first, second):
            with recording(network) as recorded:
                network(image[None].float() / 255)
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
def measure_search(network: nn.Module, data: SegmentationData) -> dict[str, list]:
    """The gates of each layer and how far its four parameters move, averaged over a few pictures.

    Returns:
        "layers": names in the order of evaluation; "gates" and "size": one list of scale, bias, mean, var per layer.
    """
    sizes = []
    for image in data.images:
        with recording(network) as records:
            network(image[None].float() / 255)
        sizes.append([record.strength for record in records])
    return {
        "layers": [record.name for record in records],
        "gates": [[round(float(g), 4) for g in record.gates] for record in records],
        "size": [[round(float(v), 5) for v in layer] for layer in np.mean(sizes, 0)],
    }

"""The picture and the two layers of the lesson: a blue region beside a red one, normalized by BN and by HABN.

The layers are real ones on the picture's three channels. Both were trained on one small task, in the picture's red
channel: let each region come out with mean 0 and spread 1, which is what normalization promises for the picture as a
whole. `assets/fit_lesson.py` trained them; of what they do nothing is drawn or typed, it is recorded.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from habn.hooks.record import LayerRecord
from habn.hooks.recording import recording
from habn.layers import HyperAdaptiveBatchNorm2d, parameter_overhead
from habn.layers.normalization import NORM_LABELS
from habn.pixels import to_tensor
from habn.shipped import shipped

HEIGHT, WIDTH = 72, 96
REGIONS = ("blue", "red")
CHANNEL = 0
"""The channel that the lesson and its task speak of: red."""
START, TRAINED = 0, 1
"""Each layer's records: before training, when both layers are the same plain normalization, and after it."""

MEANS = np.array([[0.36, 0.42, 0.74], [0.62, 0.30, 0.26]])  # of red, green and blue in each region
SPREADS = np.array([[0.05, 0.05, 0.05], [0.12, 0.06, 0.03]])
GRAIN = 5  # pixels: the texture is smooth below it
BORDER = 8  # pixels: how far the twins lie from the other region and the edge
WEIGHTS = shipped("assets") / "lesson.safetensors"


class LessonLayer(NamedTuple):
    """One of the two layers, as the inspector shows it: its name, its records START and TRAINED, no classes."""

    label: str
    records: tuple[LayerRecord, ...]
    labels: None = None
    classes: tuple[str, ...] = ()
    palette: np.ndarray = np.empty((0, 3), np.uint8)


@dataclass(frozen=True, eq=False, kw_only=True)
class Lesson:
    """The two-region picture and what both layers did to it.

    Attributes:
        run_id: a hash of picture and weights, which names the inspector's files.
        image: (H, W, 3) uint8.
        regions: where each of REGIONS is, (H, W) bool.
        first, second: BN and HABN.
        twins: for each region a pixel, (row, column), both with the same value in CHANNEL, far from the border.
        misfit: of trained BN and HABN, how far the task was missed; see `misfit`.
        added: parameters that HABN has and BN has not.
    """

    run_id: str
    image: np.ndarray
    regions: dict[str, np.ndarray]
    first: LessonLayer
    second: LessonLayer
    twins: dict[str, tuple[int, int]]
    misfit: tuple[float, float]
    added: int

    def moments(self, values: np.ndarray) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of a map (H, W) in each region, and in the "whole" picture."""
        parts = {**self.regions, "whole": np.ones_like(self.regions["red"])}
        return {name: (float(values[where].mean()), float(values[where].std())) for name, where in parts.items()}


@cache
def load_lesson() -> Lesson:
    """Draw the picture and pass it through both trained layers, recording them. Some milliseconds, once.

    Raises:
        OSError, SafetensorError: when the file of the weights is missing or damaged.
    """
    image, regions = draw_picture()
    start, trained = build_layers(image), build_layers(image)
    trained.load_state_dict(load_file(WEIGHTS))
    x = to_tensor(image)
    first, second = (
        LessonLayer(
            label=NORM_LABELS[norm],
            records=(_record("start", start[norm], x), _record("trained", trained[norm], x)),
        )
        for norm in ("bn", "habn")
    )
    missed = [float(misfit(torch.from_numpy(side.records[TRAINED].y)[None], regions)) for side in (first, second)]
    digest = hashlib.sha256(WEIGHTS.read_bytes() + image.tobytes()).hexdigest()
    twins = find_twins(first.records[START].x[CHANNEL], regions)
    added = parameter_overhead(trained["habn"]).added
    return Lesson(
        run_id=digest[:20],
        image=image,
        regions=regions,
        first=first,
        second=second,
        twins=twins,
        misfit=(missed[0], missed[1]),
        added=added,
    )


def draw_picture() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw two regions of equal size, with texture: (H, W, 3) uint8, and where each region is, (H, W) bool.

    The red region is rougher in its red channel; there the values of the two regions overlap.
    """
    rng = np.random.default_rng(0)
    light, *tints = (_texture(rng) for _ in range(3))
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    is_red = columns > WIDTH / 2 - 0.5 + 6 * np.sin(2 * np.pi * rows / HEIGHT)
    texture = np.stack([light, *(0.8 * light + 0.6 * tint for tint in tints)], axis=-1)
    pixels = np.where(is_red[..., None], MEANS[1] + SPREADS[1] * texture, MEANS[0] + SPREADS[0] * texture)
    return (pixels.clip(0, 1) * 255).round().astype(np.uint8), {"blue": ~is_red, "red": is_red}


def build_layers(image: np.ndarray) -> nn.ModuleDict:
    """Both layers before training, by the names of their normalizations; their running statistics are the image's."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)  # of the encoder; from some starts it finds a map with the regions in several shades
        layers = nn.ModuleDict({"bn": nn.BatchNorm2d(3), "habn": HyperAdaptiveBatchNorm2d(3)}).eval()
    var, mean = torch.var_mean(to_tensor(image), (0, 2, 3), correction=0)
    for layer in layers.values():
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(var)
    return layers


def misfit(y: Tensor, regions: dict[str, np.ndarray]) -> Tensor:
    """The lesson's task: how far each region of y (1, 3, H, W) is from mean 0 and spread 1 in CHANNEL, on average.

    (var + mean^2 - 1 - ln var) / 2, the Kullback-Leibler divergence of a normal distribution from the standard one:
    0 where the promise is kept.
    """
    loss = 0.0
    for where in regions.values():
        var, mean = torch.var_mean(y[0, CHANNEL][torch.from_numpy(where)], correction=0)
        loss += (var + mean.square() - 1 - var.log()) / 2
    return loss / len(regions)


def find_twins(x: np.ndarray, regions: dict[str, np.ndarray]) -> dict[str, tuple[int, int]]:
    """A pixel in each region, both with the same x (H, W), at least BORDER pixels from the other region and the edge.

    Raises:
        ValueError: when the regions have no value in common there.
    """
    inner = {name: _inner(where) for name, where in regions.items()}
    shared = np.intersect1d(x[inner["blue"]], x[inner["red"]])
    if not shared.size:
        raise ValueError("The two regions have no value in common.")
    value = shared[len(shared) // 2]
    found = {name: np.argwhere(where & (x == value)) for name, where in inner.items()}
    middles = {name: pixels[len(pixels) // 2] for name, pixels in found.items()}
    return {name: (int(row), int(column)) for name, (row, column) in middles.items()}


def _record(name: str, layer: nn.Module, x: Tensor) -> LayerRecord:
    network = nn.Sequential(OrderedDict({name: layer})).eval()
    with torch.inference_mode(), recording(network) as records:
        network(x)
    return records[0]


def _inner(where: np.ndarray) -> np.ndarray:
    """The pixels of a region all of whose neighbours up to BORDER away are of the region too."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(where, BORDER), (2 * BORDER + 1,) * 2)
    return np.asarray(windows.all((2, 3)))


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Smooth noise (H, W) with mean 0 and spread 1."""
    noise = rng.normal(size=(HEIGHT + GRAIN - 1, WIDTH + GRAIN - 1))
    smooth = np.lib.stride_tricks.sliding_window_view(noise, (GRAIN, GRAIN)).mean((2, 3))
    return (smooth - smooth.mean()) / smooth.std()

"""What is measured of a style network on photographs that it never saw, at their own size, in every style.

    content     relative distance to the photograph in SqueezeNet's features, as in training; in [0, 1]
    style       relative distance to the painting in Gram matrices, the weighted mean over layers; in [0, 1]
    ssim        structural similarity of stylized and original photograph, in luma; at most 1
    frechet     SqueezeNet Fréchet distance: how far the windows of all stylized photographs are from the painting's

The last holds distributions against each other, not picture against picture: features of layer 4 (128 channels, a
quarter of the size) are averaged over windows of 8 x 8, which are 32 x 32 pixels. Those of a painting overlap, one
beginning every 16 pixels; those of photographs lie side by side. A Gaussian is fitted to either side, and their squared
Fréchet distance is divided by the trace of the painting's covariance:

    frechet = (||m - m_p||^2 + tr(C + C_p - 2 (C_p^(1/2) C C_p^(1/2))^(1/2))) / tr(C_p)

At 0 both have the same mean and covariance; at 1 lies what is the painting's mean everywhere. Undivided, paintings
whose features are strong would outweigh the others in the mean over styles. It is no FID: another network, pooled over
windows, with a unit of its own.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from habn.data.styles import STYLES, load_painting, load_photos
from habn.errors import HabnError
from habn.metrics import fit_gaussian, frechet_distance, luma, structural_similarity
from habn.training.features import SqueezeNetFeatures, load_features
from habn.training.style import CONTENT_LAYER, STYLE_LAYERS, StyleRecipe, gram_matrix, relative_distance

PHOTOS = 25
FIGURES = ("frechet", "content", "style", "ssim")
WINDOW_LAYER, PIXELS_A_FEATURE = 4, 4
WINDOW, PAINTING_STRIDE, PHOTO_STRIDE = 8, 4, 8  # in features


@dataclass(frozen=True)
class StyleScore:
    """One figure of a network.

    Attributes:
        mean: over photographs and styles.
        deviation: standard deviation over photographs and styles; of "frechet" over styles.
        by_style: mean over photographs in each style, by its name.
    """

    mean: float
    deviation: float
    by_style: dict[str, float]


@dataclass(frozen=True, eq=False)
class StyleTarget:
    """What stylized photographs are held against: the pixels (1, 3, H, W), Gram matrices by layer, and the Gaussian of
    the windows."""

    pixels: Tensor
    grams: dict[int, Tensor]
    gaussian: tuple[np.ndarray, np.ndarray]
    windows: int


class StyleEvaluation:
    """Photographs and paintings that many networks are measured on.

    Args:
        photos: each (3, H, W) uint8, H and W at least 32.
        paintings: one (1, 3, H, W) float in [0, 1] per style, in the order of STYLES.
        features: the frozen perceptual network, on its device.
        recipe: of the training, whose weights of layers the style distance has.
    """

    @torch.inference_mode()
    def __init__(
        self, photos: list[Tensor], paintings: list[Tensor], features: SqueezeNetFeatures, recipe: StyleRecipe
    ) -> None:
        self.features, self.recipe, self.device = features, recipe, features.mean.device
        self.photos = [photo[None].to(self.device) / 255 for photo in photos]
        self.paintings = [self._describe_painting(painting.to(self.device)) for painting in paintings]
        self.originals = [features(photo, last=WINDOW_LAYER) for photo in self.photos]
        self.windows = np.concatenate([pool_windows(maps[WINDOW_LAYER], PHOTO_STRIDE) for maps in self.originals])

    def _describe_painting(self, painting: Tensor) -> StyleTarget:
        maps = self.features(painting)
        windows = pool_windows(maps[WINDOW_LAYER], PAINTING_STRIDE)
        grams = {layer: gram_matrix(maps[layer]) for layer in STYLE_LAYERS}
        return StyleTarget(painting, grams, fit_gaussian(windows), len(windows))

    @torch.inference_mode()
    def measure(self, network: nn.Module) -> dict[str, StyleScore]:
        """All of FIGURES of a network in evaluation mode, on the same device.

        Raises:
            HabnError: when the network has fewer styles than there are paintings.
        """
        count = len(self.paintings)
        if network.num_styles < count:
            raise HabnError(f"The network has {network.num_styles} styles where {count} paintings are measured.")
        one_hot = torch.eye(network.num_styles, device=self.device)[:count, None]
        found = [self._measure_style(network, *style) for style in zip(one_hot, self.paintings, strict=True)]
        by_figure = {name: np.array([style[name] for style in found]) for name in FIGURES}  # (S, photos) or (S, 1)
        return {name: _summarize(values) for name, values in by_figure.items()}

    @property
    def size(self) -> tuple[int, int]:
        """The medians of the photographs' shorter and longer sides: their (H, W), were all alike and none upright."""
        sides = np.sort([photo.shape[2:] for photo in self.photos], axis=1)
        shorter, longer = np.median(sides, axis=0)
        return int(shorter), int(longer)

    def untouched(self) -> float:
        """The Fréchet distance of the photographs as they are, averaged over styles."""
        return float(np.mean([_relative_frechet(self.windows, painting) for painting in self.paintings]))

    def describe(self) -> dict[str, str]:
        """Of what the figures are made, in English and Spanish, as `habn.results.Study` wants it for its sampling."""
        windows = [painting.windows for painting in self.paintings]
        count, few, many = len(self.windows), min(windows), max(windows)
        pixels, dimensions = WINDOW * PIXELS_A_FEATURE, self.windows.shape[1]
        return {
            "en": f"{len(self.photos)} photographs in {len(windows)} styles. Fréchet distance of {dimensions} features "
            f"averaged over windows of {pixels} x {pixels} pixels, as a share of the painting's variance: in each "
            f"style {count:,} windows of photographs against {few:,} to {many:,} of the painting; "
            f"the photographs as they are have {self.untouched():.3f}.",
            "es": f"{len(self.photos)} fotografías en {len(windows)} estilos. Distancia de Fréchet de {dimensions} "
            f"características promediadas en ventanas de {pixels} x {pixels} píxeles, como parte de la varianza del "
            f"cuadro: en cada estilo {count:,} ventanas de fotografías frente a entre {few:,} y {many:,} del "
            f"cuadro; las fotografías tal cual tienen {self.untouched():.3f}.",
        }

    def _measure_style(self, network: nn.Module, row: Tensor, painting: StyleTarget) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {"content": [], "style": [], "ssim": []}
        windows = []
        for photo, original in zip(self.photos, self.originals, strict=True):
            stylized = network(photo, row).float()
            maps = self.features(stylized)
            found["content"].append(float(relative_distance(maps[CONTENT_LAYER], original[CONTENT_LAYER])))
            found["style"].append(self._style_distance(maps, painting))
            found["ssim"].append(structural_similarity(*(luma(x[0].cpu().numpy()) for x in (stylized, photo))))
            windows.append(pool_windows(maps[WINDOW_LAYER], PHOTO_STRIDE))
        return {**found, "frechet": [_relative_frechet(np.concatenate(windows), painting)]}

    def _style_distance(self, maps: dict[int, Tensor], painting: StyleTarget) -> float:
        distances = [relative_distance(gram_matrix(maps[layer]), painting.grams[layer]) for layer in STYLE_LAYERS]
        return float(np.average([float(d) for d in distances], weights=self.recipe.style_weights))


def load_style_evaluation(
    root: str | Path,
    squeezenet: str | Path,
    split: str = "test",
    count: int = PHOTOS,
    device: str | torch.device = "cpu",
) -> StyleEvaluation:
    """The evaluation on `count` photographs of `content/<split>`, evenly spread by name, or on all if they are fewer.

    Raises:
        DataError: photographs or paintings are missing.
        FeatureError: the weights do not fit.
    """
    recipe = StyleRecipe()
    features = load_features(squeezenet).to(device, memory_format=torch.channels_last)
    photos = load_photos(root, split)
    chosen = np.unique(np.linspace(0, len(photos) - 1, count).round().astype(int))
    paintings = [load_painting(root, name, recipe.painting_side) for name in STYLES]
    return StyleEvaluation([photos[k] for k in chosen], paintings, features, recipe)


def pool_windows(features: Tensor, stride: int) -> np.ndarray:
    """Means over all windows of 8 x 8 at a stride: (1, C, h, w) to samples (n, C) float64."""
    return F.avg_pool2d(features, WINDOW, stride)[0].flatten(1).T.double().cpu().numpy()


def _relative_frechet(windows: np.ndarray, painting: StyleTarget) -> float:
    return frechet_distance(painting.gaussian, fit_gaussian(windows)) / float(np.trace(painting.gaussian[1]))


def _summarize(values: np.ndarray) -> StyleScore:
    by_style = dict(zip(STYLES, (round(float(v), 4) for v in values.mean(1)), strict=True))
    return StyleScore(round(float(values.mean()), 4), round(float(values.std(ddof=1)), 4), by_style)

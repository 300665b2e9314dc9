"""Style transfer as a training task: perceptual losses on SqueezeNet features, all styles in every batch.

Losses follow Johnson et al., "Perceptual Losses for Real-Time Style Transfer" (2016), with one departure: each is
relative to the size of what it is compared with, so that no style and no layer dominates and one set of weights serves
eight paintings. One row of scales and biases more than there are paintings learns to give the photograph back, so that
a style can be weakened by blending its row with that one.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from habn.data.styles import STYLES, draw_crops, load_painting, load_photos
from habn.settings import setting
from habn.training.features import SqueezeNetFeatures, load_features

CONTENT_LAYER = 3
STYLE_LAYERS = (1, 4, 6, 7)
WEIGHT_DECAY = 1e-4  # of every style network; segmentation has the default of TrainingOptions

LEAST_GATE = 0.1
"""Mean and variance end at gates of 0.3 to 0.46, undecided. Closed at 0.5, they would take the picture's own statistics
away from a network that needs them: 1.16 of loss on val instead of 0.773 after 800 steps; at 0.1 it stays as it is."""


@dataclass(frozen=True, kw_only=True)
class StyleRecipe:
    """What a style network is trained on, and towards what; the weights were tuned by eye on `content/val`.

    Attributes:
        zoom: photographs are resized by a factor between these; beyond 1 they are what a large photograph looks like
            to a network, smooth at the size of its filters.
        early_steps: the first so many steps take crops of `early_crop_size`, which cost less than half.
    """

    batch_size: int = setting("paintings' crops of a batch, to which one photograph comes", 8)
    crop_size: int = 176
    zoom: tuple[float, float] = setting("range of the factor for photographs", (0.6, 1.1), metavar=("LOW", "HIGH"))
    early_steps: int = setting("so many steps begin on smaller crops", 0)
    early_crop_size: int = 112
    painting_side: int = 512
    content_weight: float = 1.0
    style_weights: tuple[float, ...] = (0.75, 1.5, 1.2, 0.9)  # of STYLE_LAYERS
    variation_weight: float = 0.2
    photo_weight: float = 0.3  # of the row that gives the photograph back
    val_photos: int = 4
    val_size: int = 256


def gram_matrix(features: Tensor) -> Tensor:
    """Gram matrix, sum over pixels of f f^T / (C H W): which channels fire together, wherever that is.

    Shape: (N, C, H, W) to (N, C, C).
    """
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


def relative_distance(x: Tensor, target: Tensor) -> Tensor:
    """||x - target||^2 / (||x||^2 + ||target||^2), averaged over samples: 0 where equal, 1 where they share nothing.

    Both norms, not the target's alone: an x twice too strong then costs as much as one half too weak. Otherwise a crop
    that happens to overshoot weighs so much that the network learns to paint dull (crops of The Scream themselves lie
    up to twice its norm from the whole of it).

    Shape: two of (N, ...) to a scalar.
    """
    x, target = x.flatten(1).float(), target.flatten(1).float()
    return ((x - target).square().sum(1) / (x.square().sum(1) + target.square().sum(1))).mean()


def total_variation(pixels: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels, down plus across."""
    return pixels.diff(dim=-1).abs().mean() + pixels.diff(dim=-2).abs().mean()


class StyleTask:
    """One network, all styles: batches, loss, validation and previews. Every batch is a function of (seed, step).

    The rows of the network are the paintings in their order, then the photograph's own.

    Args:
        photos: photographs to train on, each (3, H, W) uint8.
        val_photos: those to validate on; the first is shown in the preview.
        paintings: one (1, 3, H, W) float in [0, 1] per style, in the order of the network's styles.
        features: the frozen perceptual network, on its device.
        recipe: constants of the task.
    """

    name = "style"

    def __init__(
        self,
        photos: list[Tensor],
        val_photos: list[Tensor],
        paintings: list[Tensor],
        features: SqueezeNetFeatures,
        recipe: StyleRecipe,
    ) -> None:
        self.photos, self.features, self.recipe = photos, features, recipe
        self.device = features.mean.device
        self.num_paintings = len(paintings)
        self.one_hot = torch.eye(self.num_paintings + 1, device=self.device)
        self.grams = self._describe_paintings(paintings)
        size, once = recipe.val_size, (1.0, 1.0)
        crops = [draw_crops([photo], 1, size, once, torch.Generator().manual_seed(0)) for photo in val_photos]
        self.val_crops = torch.cat(crops).to(self.device)
        self.preview_photo = val_photos[0]

    @torch.no_grad()
    def _describe_paintings(self, paintings: list[Tensor]) -> dict[int, Tensor]:
        """The Gram matrices of all paintings, {layer: (S, C, C)}."""
        maps = [self.features(painting.to(self.device)) for painting in paintings]
        return {layer: torch.cat([gram_matrix(m[layer]) for m in maps]) for layer in STYLE_LAYERS}

    def batch(self, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """Crops (N + 1, 3, h, w) in [0, 1] and the row of each, (N + 1,) int64: N paintings in turn, one photograph."""
        recipe = self.recipe
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        size = recipe.early_crop_size if step < recipe.early_steps else recipe.crop_size
        crops = draw_crops(self.photos, recipe.batch_size + 1, size, recipe.zoom, generator)
        styles = (step * recipe.batch_size + torch.arange(recipe.batch_size)) % self.num_paintings
        styles = torch.cat([styles, torch.tensor([self.num_paintings])])
        return crops.to(self.device), styles.to(self.device)

    def loss(self, network: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of all distances, and each of them for the log."""
        pixels, styles = batch
        figures = self.distances(network(pixels, self.one_hot[styles]), pixels, styles)
        return self._total(figures), {key: value.detach() for key, value in figures.items()}

    def distances(self, stylized: Tensor, pixels: Tensor, styles: Tensor) -> dict[str, Tensor]:
        """Distances of stylized pictures (N, 3, H, W) from the photographs and the paintings of their rows (N,).

        "content", "style" and "variation" of those that have a painting, "photo" of those that have none: what of its
        own features and pixels the photograph lost.
        """
        with torch.no_grad():
            original = self.features(pixels, last=CONTENT_LAYER)
        maps = self.features(stylized)
        painted, figures = styles < self.num_paintings, {}
        if painted.any():
            grams = {layer: gram_matrix(maps[layer][painted]) for layer in STYLE_LAYERS}
            figures["content"] = relative_distance(maps[CONTENT_LAYER][painted], original[CONTENT_LAYER][painted])
            figures["style"] = sum(
                weight * relative_distance(grams[layer], self.grams[layer][styles[painted]])
                for layer, weight in zip(STYLE_LAYERS, self.recipe.style_weights, strict=True)
            )
            figures["variation"] = total_variation(stylized[painted].float())
        if not painted.all():
            figures["photo"] = sum(
                relative_distance(maps[layer][~painted], original[layer][~painted]) for layer in original
            ) + F.l1_loss(stylized[~painted].float(), pixels[~painted])
        return figures

    def _total(self, figures: dict[str, Tensor]) -> Tensor:
        recipe = self.recipe
        weights = {
            "content": recipe.content_weight,
            "style": 1.0,
            "variation": recipe.variation_weight,
            "photo": recipe.photo_weight,
        }
        return sum(weights[key] * value for key, value in figures.items())

    @torch.no_grad()
    def evaluate(self, network: nn.Module) -> dict[str, float]:
        """Mean distances of fixed crops of validation photographs in every row, and their weighted sum as "loss"."""
        found: dict[str, list[Tensor]] = {}
        for row in range(len(self.one_hot)):
            styles = torch.full((len(self.val_crops),), row, device=self.device)
            for key, value in self.loss(network, (self.val_crops, styles))[1].items():
                found.setdefault(key, []).append(value)
        means = {key: torch.stack(values).mean() for key, values in found.items()}
        return {key: float(value) for key, value in {"loss": self._total(means), **means}.items()}

    @torch.no_grad()
    def preview(self, network: nn.Module, path: Path) -> None:
        """One photograph, then the same in every row, on a sheet of five columns."""
        pixels = self.preview_photo.unsqueeze(0).to(self.device) / 255
        tiles = [pixels, *(network(pixels, row.unsqueeze(0)).float() for row in self.one_hot)]
        height, width = pixels.shape[-2:]
        sheet = np.full((math.ceil(len(tiles) / 5) * height, 5 * width, 3), 255, np.uint8)
        for index, tile in enumerate(tiles):
            y, x = index // 5 * height, index % 5 * width
            sheet[y : y + height, x : x + width] = (tile[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        Image.fromarray(sheet).save(path)


def build_style_task(
    root: str | Path, squeezenet: str | Path, recipe: StyleRecipe, device: str | torch.device = "cpu"
) -> StyleTask:
    """The task on a folder that holds `content/{train,val}` and `styles`, with SqueezeNet 1.1's weights from a file.

    Raises:
        DataError: photographs or paintings are missing.
        FeatureError: the weights do not fit.
    """
    return StyleTask(
        load_photos(root, "train"),
        load_photos(root, "val", recipe.val_photos),
        [load_painting(root, name, recipe.painting_side) for name in STYLES],
        load_features(squeezenet).to(device, memory_format=torch.channels_last),
        recipe,
    )

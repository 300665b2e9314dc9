"""The segmentation task: batches, loss and validation."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from habn.checkpoints import load_checkpoint
from habn.data import load_segmentation
from habn.data.drawn import load_scenes
from habn.data.facade import load_facade
from habn.data.segmentation import IGNORE, STREET_PALETTE, SegmentationData, class_shares, join
from habn.data.weather import random_weather
from habn.metrics import class_iou, confusion_matrix, mean_iou
from habn.settings import setting


@dataclass(frozen=True, kw_only=True)
class SegmentationRecipe:
    """How pictures are varied and weighed.

    Attributes:
        crop: (H, W) of a training crop.
        scale: range of the random scale of a picture, drawn log-uniformly.
        early_steps: the first so many steps take smaller crops of smaller pictures, `early_crop` and `early_scale`: at
            half the size a step costs a quarter, and sees as much of the street.
        facade: how many crops of a batch come from LabelMeFacade, if it is trained on besides.
        jitter: largest relative change of brightness, contrast and saturation.
        rare_class: c in the class weights 1 / ln(c + p), with p a class's share of the pixels (Paszke et al. 2016
            use 1.02).
        weather: whether half of the crops get a random change of light (`habn.data.weather`).
    """

    batch_size: int = setting("crops of a batch", 8)
    crop: tuple[int, int] = setting("size of a training crop", (192, 256), metavar=("H", "W"))
    scale: tuple[float, float] = setting("range of the random scale of a picture", (0.5, 1.5), metavar=("LOW", "HIGH"))
    jitter: float = 0.4
    rare_class: float = 1.10
    weather: bool = setting("lay changes of light over half of the crops", False)
    early_steps: int = setting("so many steps begin on crops of half the size", 0)
    early_crop: tuple[int, int] = (96, 128)
    early_scale: tuple[float, float] = (0.3, 1.0)
    facade: int = setting("crops of a batch that are from LabelMeFacade", 0, flag="facade-share", metavar="N")

    def crops_at(self, step: int) -> tuple[tuple[int, int], tuple[float, float]]:
        """Size and range of scales of the crops at a step."""
        return (self.early_crop, self.early_scale) if step < self.early_steps else (self.crop, self.scale)


class SegmentationTask:
    """Class-weighted cross-entropy on random crops; mIoU on val at full size. A batch is a function of (seed, step).

    Args:
        train, val: what to train and to validate on.
        recipe: constants of the task.
        held_out: pictures that are trained on by the gates of a bilevel search alone.
        facade: a second data set to train on, from which `recipe.facade` crops of each batch come.
    """

    name = "segmentation"

    def __init__(
        self,
        train: SegmentationData,
        val: SegmentationData,
        recipe: SegmentationRecipe,
        held_out: SegmentationData | None = None,
        facade: SegmentationData | None = None,
    ) -> None:
        self.train, self.val, self.recipe, self.held_out, self.facade = train, val, recipe, held_out, facade
        self.class_weights = 1 / torch.log(recipe.rare_class + class_shares(train))

    def batch(self, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """Pixels (N, 3, h, w) in [0, 1] and labels (N, h, w) int64, IGNORE outside of the picture."""
        return self._batch_of(self.train, seed, step)

    def held_out_batch(self, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """Likewise, of the pictures that are held out."""
        assert self.held_out is not None, "a bilevel search holds pictures out"
        return self._batch_of(self.held_out, seed, step)

    def _batch_of(self, data: SegmentationData, seed: int, step: int) -> tuple[Tensor, Tensor]:
        # Whatever the precision of the training: in bfloat16 the places where a crop is read are off by up to a pixel.
        with torch.autocast(data.images.device.type, enabled=False):
            return self._draw(data, seed, step)

    def _draw(self, data: SegmentationData, seed: int, step: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        of_facade = 0 if self.facade is None else self.recipe.facade
        parts = [self._draw_part(data, self.recipe.batch_size - of_facade, seed, step, generator)]
        if self.facade is not None and of_facade:
            parts.append(self._draw_part(self.facade, of_facade, seed, step, generator))
        pixels, labels = (torch.cat(part) for part in zip(*parts, strict=True))
        pixels = self._jitter(pixels, generator)
        return random_weather(pixels, generator) if self.recipe.weather else pixels, labels

    def _draw_part(
        self, data: SegmentationData, count: int, seed: int, step: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Crops of the next pictures of one data set, without a change of colours."""
        index = shuffled(len(data.images), count, seed, step)
        images, labels = data.images[index], data.labels[index]
        fills = None if data.sizes is None else data.sizes[index] / torch.tensor(images.shape[2:])
        grid = self._random_crops(images.shape, fills, step, generator).to(images.device)
        pixels = F.grid_sample(images.float() / 255, grid, padding_mode="reflection", align_corners=False)
        # Labels travel as label + 1 so that the 0 beyond the border comes out as one that is ignored.
        moved = F.grid_sample((labels[:, None] + 1.0) % 256, grid, mode="nearest", align_corners=False)
        return pixels, (moved[:, 0].long() - 1) % 256

    def _random_crops(self, shape: torch.Size, fills: Tensor | None, step: int, generator: torch.Generator) -> Tensor:
        """A sampling grid (N, h, w, 2) for each picture: scale, place and mirror.

        fills: (N, 2), which part of the height and width of the tensor a picture fills; None: all of it.
        """
        n, _, height, width = shape
        (h, w), scales = self.recipe.crops_at(step)
        low, high = torch.tensor(scales).log()
        scale = torch.exp(low + (high - low) * torch.rand(n, generator=generator))
        extent = torch.stack([w / (scale * width), h / (scale * height)], 1)  # of the crop, in pictures
        filled = torch.ones(n, 2) if fills is None else fills.flip(1)
        room = (filled - extent).clamp(min=0)
        # In units of half a tensor from its middle; the middle of what a picture fills lies to the left and above.
        centre = (2 * torch.rand(n, 2, generator=generator) - 1) * room + filled - 1
        mirror = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
        theta = torch.zeros(n, 2, 3)
        theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = extent[:, 0] * mirror, extent[:, 1], centre
        return F.affine_grid(theta, [n, 1, h, w], align_corners=False)

    def _jitter(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        factors = 1 + self.recipe.jitter * (2 * torch.rand(3, len(pixels), 1, 1, 1, generator=generator) - 1)
        brightness, contrast, saturation = factors.to(pixels.device)
        pixels = pixels * brightness
        mean = pixels.mean((1, 2, 3), keepdim=True)
        pixels = mean + (pixels - mean) * contrast
        grey = pixels.mean(1, keepdim=True)
        return (grey + (pixels - grey) * saturation).clamp(0, 1)

    def loss(self, network: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        pixels, labels = batch
        logits = network(pixels).float()
        loss = F.cross_entropy(logits, labels, self.class_weights.to(logits.device), ignore_index=IGNORE)
        return loss, {"loss": loss.detach()}

    def evaluate(self, network: nn.Module) -> dict[str, float]:
        """mIoU on val, all classes counted."""
        return {"val_mean_iou": mean_iou(evaluate_segmentation(network, self.val))}

    def preview(self, network: nn.Module, path: Path) -> None:
        """Write three val pictures above their predicted classes."""
        columns = []
        for image in self.val.images[:: max(1, len(self.val.images) // 3)][:3]:
            classes = predict_classes(network, image[None])[0].cpu().numpy()
            colours = STREET_PALETTE[classes % len(STREET_PALETTE)]
            columns.append(np.concatenate([image.permute(1, 2, 0).cpu().numpy(), colours], 0))
        Image.fromarray(np.concatenate(columns, 1)).save(path)


def build_segmentation_task(
    name: str,
    root: Path | None,
    recipe: SegmentationRecipe,
    scenes: int = 0,
    with_val: bool = False,
    hold_out: bool = False,
    device: torch.device | str = "cpu",
    facade: SegmentationData | None = None,
) -> SegmentationTask:
    """The task on a data set by name.

    Args:
        name, root: as in `habn.data.load_segmentation`.
        recipe: constants of the task.
        scenes: drawn scenes to train on besides.
        with_val: train on the validation split too; what is then measured on it says nothing.
        hold_out: keep every fifth picture of train for the gates of a bilevel search.
        device: where the pictures stay.
        facade: what else to train on, see `SegmentationTask`.

    Raises:
        DataError: when the folder is not as it should be.
    """
    train, val = load_segmentation(name, root, "train"), load_segmentation(name, root, "val")
    held_out = None
    if hold_out:
        fifth = torch.arange(len(train.images)) % 5 == 0
        held_out, train = train.part(fifth), train.part(~fifth)
    if with_val:
        train = join(train, val)
    if scenes:
        train = join(train, load_scenes("train", scenes, tuple(train.images.shape[2:])))
    held_out = held_out.to(device) if held_out else None
    facade = facade.to(device) if facade else None
    return SegmentationTask(train.to(device), val.to(device), recipe, held_out, facade)


@torch.inference_mode()
def ignore_unlabelled(data: SegmentationData, teacher: nn.Module) -> SegmentationData:
    """Partial labels without the pixels that a trained network takes for one of the classes that they do not know.

    Such a pixel is a pole or a person whose label is that of the wall behind it. Counting both as right teaches nothing
    against the class that is missing, which then spreads over the picture.
    """
    missing = torch.tensor([k for k in range(len(data.classes)) if k not in (data.scored or ())])
    labels = data.labels.clone()
    for (image, known), target in zip(data.pictures(), labels, strict=True):
        taken = torch.isin(predict_classes(teacher, image[None])[0].cpu(), missing)
        target[: known.shape[0], : known.shape[1]][taken] = IGNORE
    return replace(data, labels=labels)


def load_facade_for_training(root: Path, teacher: Path) -> SegmentationData:
    """LabelMeFacade's train split, less what a checkpoint takes for a class that its labels lack.

    Raises:
        DataError, CheckpointError: one sentence on the folder that is not as it should be.
    """
    network = load_checkpoint(teacher).to(memory_format=torch.channels_last).eval()
    return ignore_unlabelled(load_facade(root, "train"), network)


def shuffled(count: int, batch_size: int, seed: int, step: int) -> Tensor:
    """Indices of the batch at a step, (batch_size,) int64; every epoch visits all items, in an order of its own."""
    positions = torch.arange(step * batch_size, (step + 1) * batch_size)
    orders = {
        epoch: torch.randperm(count, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
        for epoch in range(int(positions[0]) // count, int(positions[-1]) // count + 1)
    }
    return torch.stack([orders[int(position) // count][position % count] for position in positions])


@torch.no_grad()
def predict_classes(network: nn.Module, images: Tensor) -> Tensor:
    """Class of each pixel, (N, H, W) int64, for images (N, 3, H, W) uint8, by a network in evaluation mode."""
    return network(images.float() / 255).argmax(1)


def evaluate_segmentation(network: nn.Module, data: SegmentationData) -> np.ndarray:
    """The confusion matrix over a whole split at its own resolution, (K, K); the network is left in its mode."""
    was_training = network.training
    network.eval()
    confusion = np.zeros((len(data.classes),) * 2, np.int64)
    for image, label in data.pictures():
        predicted = predict_classes(network, image[None])[0]
        confusion += confusion_matrix(label.cpu().numpy(), predicted.cpu().numpy(), len(data.classes))
    network.train(was_training)
    return confusion


def describe_segmentation(
    confusion: np.ndarray, classes: tuple[str, ...], scored: tuple[int, ...] | None = None
) -> dict:
    """mIoU and each class's IoU, in percent, for metadata and the evaluation command.

    Where labels know some classes only, `scored` are those, and a pixel that is given another one is a fault.
    """
    scored = tuple(range(len(classes))) if scored is None else scored
    iou = 100 * np.nan_to_num(class_iou(confusion))
    per_class = {classes[k]: round(float(iou[k]), 2) for k in scored}
    return {"mean_iou": round(float(np.mean([iou[k] for k in scored])), 2), "class_iou": per_class}

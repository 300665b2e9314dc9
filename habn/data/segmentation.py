"""What every segmentation data set is once it is in memory, and how pictures and labels on disk find each other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from habn.data.pictures import DataError, by_stem, read_labels, read_picture

IGNORE = 255
"""The label of pixels that are neither trained on nor scored (CamVid's void)."""

STREET_CLASSES = (
    "Sky",
    "Building",
    "Pole",
    "Road",
    "Pavement",
    "Tree",
    "Sign",
    "Fence",
    "Car",
    "Pedestrian",
    "Bicyclist",
)
"""CamVid's eleven classes, which the drawn scenes share, in the order of their labels."""

STREET_PALETTE = np.array(
    [
        [135, 190, 230],
        [150, 90, 70],
        [215, 205, 130],
        [125, 95, 140],
        [235, 130, 190],
        [75, 140, 60],
        [250, 200, 40],
        [200, 150, 115],
        [35, 70, 200],
        [220, 40, 60],
        [120, 240, 215],
    ],
    dtype=np.uint8,
)
"""One RGB colour per street class, far apart in lightness or hue for normal and colour-deficient eyes."""


@dataclass(frozen=True, kw_only=True)
class SegmentationData:
    """A split in memory.

    Attributes:
        images: (N, 3, H, W) uint8, RGB.
        labels: (N, H, W) uint8, a class index or IGNORE.
        classes: the names of the classes.
        sizes: (N, 2) int64, height and width of each picture, where pictures differ in size: they then lie in the upper
            left corner, and beyond it images go on as in a mirror and labels are IGNORE. None: all are H x W.
        scored: indices of the classes that the labels know, which alone are scored. None: all.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    sizes: Tensor | None = None
    scored: tuple[int, ...] | None = None

    def to(self, device: torch.device | str) -> "SegmentationData":
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def part(self, chosen: Tensor) -> "SegmentationData":
        """The pictures that an index or a mask (N,) chooses."""
        sizes = None if self.sizes is None else self.sizes[chosen]
        return replace(self, images=self.images[chosen], labels=self.labels[chosen], sizes=sizes)

    def pictures(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each image (3, h, w) with its labels (h, w), at its own size."""
        for index, (image, labels) in enumerate(zip(self.images, self.labels, strict=True)):
            height, width = self.images.shape[2:] if self.sizes is None else self.sizes[index].tolist()
            yield image[:, :height, :width], labels[:height, :width]


def join(first: SegmentationData, second: SegmentationData) -> SegmentationData:
    """One data set of two with the same classes and picture sizes.

    Raises:
        DataError: when their classes differ.
    """
    if first.classes != second.classes:
        raise DataError("Only data sets with the same classes can be trained on together; drawn scenes have CamVid's.")
    images, labels = torch.cat([first.images, second.images]), torch.cat([first.labels, second.labels])
    return SegmentationData(images=images, labels=labels, classes=first.classes)


def pair_by_stem(
    images: Iterable[Path], labels: Iterable[Path], stem=lambda path: path.stem
) -> list[tuple[Path, Path]]:
    """Pairs of picture and label file with the same stem, in the order of the pictures.

    Raises:
        DataError: when there is no picture at all, a file has no partner, or two have one stem; the sentence names it.
    """
    pictures, partners = by_stem(images, stem), by_stem(labels, stem)
    found = [(path, partners.pop(name, None)) for name, path in pictures.items()]
    if not found:
        raise DataError("The data folder holds no pictures; give the folder that contains the splits.")
    without_partner = [image for image, label in found if label is None] + list(partners.values())
    if without_partner:
        raise DataError(
            f"{without_partner[0]} has no partner of the same name; add the missing file or remove this one."
        )
    return [(image, label) for image, label in found if label is not None]


def read_pairs(
    pairs: list[tuple[Path, Path]],
    classes: tuple[str, ...],
    to_class: dict[int, int],
    size: tuple[int, int] | None = None,
    sizes_differ: bool = False,
) -> SegmentationData:
    """Read picture and label files into memory.

    Args:
        pairs: from `pair_by_stem`.
        classes: names of the classes.
        to_class: the class of each value that a label file may hold, or IGNORE.
        size: (H, W) to which all are resized; None if they have one size already.
        sizes_differ: keep pictures of several sizes as they are, as `SegmentationData.sizes` says.

    Raises:
        DataError: on a file that `read_picture` or `read_labels` refuses, sizes that differ, labels that are no class,
            or none that is.
    """
    images, labels = [], []
    for image_path, label_path in pairs:
        image, values = read_picture(image_path), read_labels(label_path)
        if image.size != values.shape[::-1]:
            raise DataError(f"{label_path} is {values.shape[::-1]}, but its picture is {image.size} (width, height).")
        label = Image.fromarray(_classes(values, to_class, label_path))
        if size is not None:
            image = image.resize(size[::-1], Image.Resampling.BOX)
            label = label.resize(size[::-1], Image.Resampling.NEAREST)
        images.append(np.asarray(image).transpose(2, 0, 1))
        labels.append(np.asarray(label))
        if images[-1].shape != images[0].shape and not sizes_differ:
            raise DataError(f"{image_path} is {image.size} (width, height), unlike those before; give all one size.")
    if all((label == IGNORE).all() for label in labels):
        raise DataError(
            f"No pixel is labelled in {pairs[0][1].parent}, so nothing can be learnt or measured; check the labels."
        )
    sizes = torch.tensor([label.shape for label in labels]) if sizes_differ else None
    side = np.max([label.shape for label in labels], 0)
    images = [np.pad(image, [(0, 0), *_room(image, side)], mode="symmetric") for image in images]
    labels = [np.pad(label, _room(label, side), constant_values=IGNORE) for label in labels]
    return SegmentationData(
        images=torch.from_numpy(np.stack(images)),
        labels=torch.from_numpy(np.stack(labels)),
        classes=classes,
        sizes=sizes,
    )


def _room(array: np.ndarray, side: np.ndarray) -> list[tuple[int, int]]:
    """What lies between the last two dimensions of an array and (H, W), at their ends."""
    return [(0, int(room)) for room in side - array.shape[-2:]]


def _classes(values: np.ndarray, to_class: dict[int, int], path: Path) -> np.ndarray:
    table = np.full(256, -1, np.int16)
    table[list(to_class)] = list(to_class.values())
    classes = table[values]
    if (classes < 0).any():
        last = max(value for value in to_class if value != IGNORE)
        raise DataError(
            f"{path} holds the value {values[classes < 0][0]}, which is no class; give labels of 0 to {last}, or "
            f"{IGNORE} for none."
        )
    return classes.astype(np.uint8)


def class_shares(data: SegmentationData) -> Tensor:
    """The share p of each class among the labelled pixels, (K,) float32."""
    counts = torch.bincount(data.labels.flatten().long(), minlength=256)[: len(data.classes)]
    return counts / counts.sum()

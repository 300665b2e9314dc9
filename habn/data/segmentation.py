"""What every segmentation data set is once it is in memory, and how pictures and labels on disk find each other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from habn.errors import HabnError

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


class DataError(HabnError):
    """One sentence on a data folder that is not as it should be."""


def pair_by_stem(
    images: Iterable[Path], labels: Iterable[Path], stem=lambda path: path.stem
) -> list[tuple[Path, Path]]:
    """Pairs of picture and label file with the same stem, sorted.

    Raises:
        DataError: when there is no picture at all, or a file has no partner; the sentence names the file.
    """
    by_stem = {stem(path): path for path in labels}
    found = [(path, by_stem.pop(stem(path), None)) for path in sorted(images)]
    if not found:
        raise DataError("The data folder holds no pictures; give the folder that contains the splits.")
    without_partner = [image for image, label in found if label is None] + sorted(by_stem.values())
    if without_partner:
        raise DataError(
            f"{without_partner[0]} has no partner of the same name; add the missing file or remove this one."
        )
    return [(image, label) for image, label in found if label is not None]


def read_pairs(
    pairs: list[tuple[Path, Path]],
    classes: tuple[str, ...],
    to_class: np.ndarray,
    size: tuple[int, int] | None = None,
    sizes_differ: bool = False,
) -> SegmentationData:
    """Read picture and label files into memory.

    Args:
        pairs: from `pair_by_stem`.
        classes: names of the classes.
        to_class: (256,) uint8, the class of each value in a label file, or IGNORE.
        size: (H, W) to which all are resized; None if they have one size already.
        sizes_differ: keep pictures of several sizes as they are, as `SegmentationData.sizes` says.

    Raises:
        DataError: on a file that is no picture, labels of more than 8 bits or in colours, or sizes that differ.
    """
    images, labels = [], []
    for image_path, label_path in pairs:
        with _open(image_path) as image, _open(label_path) as label:
            if image.size != label.size:
                raise DataError(f"{label_path} is {label.size}, but its picture is {image.size} (width, height).")
            if label.mode not in ("L", "P"):
                raise DataError(f"{label_path} must hold one 8-bit class per pixel, but its mode is {label.mode}.")
            if size is not None:
                image = image.resize(size[::-1], Image.Resampling.BOX)
                label = label.resize(size[::-1], Image.Resampling.NEAREST)
            images.append(np.asarray(image.convert("RGB")).transpose(2, 0, 1))
            labels.append(to_class[np.asarray(label)])
        if images[-1].shape != images[0].shape and not sizes_differ:
            raise DataError(f"{image_path} is {image.size} (width, height), unlike those before; give all one size.")
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


def _open(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except (OSError, SyntaxError):  # Pillow raises the latter on some damaged PNG files
        raise DataError(f"{path} is not a picture, or damaged; replace it or remove it with its partner.") from None
    return image


def class_shares(data: SegmentationData) -> Tensor:
    """The share p of each class among the labelled pixels, (K,) float32."""
    counts = torch.bincount(data.labels.flatten().long(), minlength=256)[: len(data.classes)]
    return counts / counts.sum()

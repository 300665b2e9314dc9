"""Cityscapes in its 19 training classes (Cordts et al. 2016), from the folders of the official archives."""

from pathlib import Path

import numpy as np

from habn.data.segmentation import IGNORE, DataError, SegmentationData, pair_by_stem, read_pairs

# Official label id to name, in the order of the official training ids.
TRAIN_IDS = {
    7: "road",
    8: "sidewalk",
    11: "building",
    12: "wall",
    13: "fence",
    17: "pole",
    19: "traffic light",
    20: "traffic sign",
    21: "vegetation",
    22: "terrain",
    23: "sky",
    24: "person",
    25: "rider",
    26: "car",
    27: "truck",
    28: "bus",
    31: "train",
    32: "motorcycle",
    33: "bicycle",
}
SIZE = (512, 1024)
"""Pictures are read at half their width and height, at which small networks are usually compared."""


def load_cityscapes(root: Path, split: str) -> SegmentationData:
    """Read ``root/leftImg8bit/SPLIT/CITY/*_leftImg8bit.png`` with ``root/gtFine/SPLIT/CITY/*_gtFine_labelIds.png``.

    Raises:
        DataError: on a missing folder or partner, and for "test", whose labels are not public.
    """
    if split == "test":
        raise DataError("Cityscapes keeps the labels of test to itself; give --split val.")
    images, labels = Path(root) / "leftImg8bit" / split, Path(root) / "gtFine" / split
    for folder in (images, labels):
        if not folder.is_dir():
            raise DataError(f"{folder} is missing; give the folder that holds leftImg8bit and gtFine.")
    to_class = np.full(256, IGNORE, np.uint8)
    to_class[list(TRAIN_IDS)] = np.arange(len(TRAIN_IDS))
    pairs = pair_by_stem(
        images.glob("*/*_leftImg8bit.png"),
        labels.glob("*/*_gtFine_labelIds.png"),
        stem=lambda p: "_".join(p.stem.split("_")[:3]),
    )
    return read_pairs(pairs, tuple(TRAIN_IDS.values()), to_class, SIZE)

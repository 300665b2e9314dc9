"""Cityscapes in its 19 training classes (Cordts et al. 2016), from the folders of the official archives.

Tried on a small tree in their layout only: the data themselves were not at hand.
"""

from pathlib import Path

from habn.data.pictures import DataError, list_files, list_folders
from habn.data.segmentation import IGNORE, SegmentationData, pair_by_stem, read_pairs

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
LAST_ID = 33
"""Ids between those above are official too, but not trained on; a licence plate, -1, is 255 in 8 bits."""

SIZE = (512, 1024)
"""Pictures are read at half their width and height, at which small networks are usually compared."""


def load_cityscapes(root: Path, split: str) -> SegmentationData:
    """Read ``root/leftImg8bit/SPLIT/CITY/*_leftImg8bit.png`` with ``root/gtFine/SPLIT/CITY/*_gtFine_labelIds.png``.

    Raises:
        DataError: on a missing folder or partner, for "test", whose labels are not public, or as `read_pairs`.
    """
    if split == "test":
        raise DataError("Cityscapes keeps the labels of test to itself; give --split val.")
    images, labels = Path(root) / "leftImg8bit" / split, Path(root) / "gtFine" / split
    for folder in (images, labels):
        if not folder.is_dir():
            raise DataError(f"{folder} is missing; give the folder that holds leftImg8bit and gtFine.")
    to_class = {value: IGNORE for value in (*range(LAST_ID + 1), IGNORE)}
    to_class |= {value: index for index, value in enumerate(TRAIN_IDS)}
    pairs = pair_by_stem(
        [path for city in list_folders(images) for path in list_files(city, "_leftImg8bit.png")],
        [path for city in list_folders(labels) for path in list_files(city, "_gtFine_labelIds.png")],
        stem=lambda p: "_".join(p.stem.split("_")[:3]),
    )
    return read_pairs(pairs, tuple(TRAIN_IDS.values()), to_class, SIZE)

"""CamVid in eleven classes: Brostow et al. 2009, with the split and the labels of Badrinarayanan et al. 2015."""

from pathlib import Path

from habn.data.pictures import DataError, list_files
from habn.data.segmentation import IGNORE, STREET_CLASSES, SegmentationData, pair_by_stem, read_pairs

VOID = 11


def load_camvid(root: Path, split: str) -> SegmentationData:
    """Read ``root/{train,val,test}/{images,labels}``: pictures, and PNG files of class ids with the same stems.

    Raises:
        DataError: on a missing folder or partner, or as `read_pairs`.
    """
    return read_split(root, split, "CamVid's")


def read_split(root: Path, split: str, whose: str, sizes_differ: bool = False) -> SegmentationData:
    """A split in CamVid's layout and class ids.

    Args:
        whose: the data set's name in the sentence on a folder that is missing.
        sizes_differ: as in `read_pairs`.

    Raises:
        DataError: on a missing folder or partner, or as `read_pairs`.
    """
    folder = Path(root) / split
    for part in ("images", "labels"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder / part} is missing; give the folder that holds {whose} train, val and test.")
    to_class = {**{value: value for value in range(VOID)}, VOID: IGNORE, IGNORE: IGNORE}
    pairs = pair_by_stem(list_files(folder / "images"), list_files(folder / "labels"))
    return read_pairs(pairs, STREET_CLASSES, to_class, sizes_differ=sizes_differ)

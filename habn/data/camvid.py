"""CamVid in eleven classes: Brostow et al. 2009, with the split and the labels of Badrinarayanan et al. 2015."""

from pathlib import Path

import numpy as np

from habn.data.segmentation import IGNORE, STREET_CLASSES, DataError, SegmentationData, pair_by_stem, read_pairs

VOID = 11


def load_camvid(root: Path, split: str) -> SegmentationData:
    """Read ``root/{train,val,test}/{images,labels}``: pictures, and 8-bit files of class ids with the same stems.

    Raises:
        DataError: on a missing folder or partner.
    """
    folder = Path(root) / split
    for part in ("images", "labels"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder / part} is missing; give the folder that holds CamVid's train, val and test.")
    to_class = np.full(256, IGNORE, np.uint8)
    to_class[:VOID] = np.arange(VOID)
    pairs = pair_by_stem((folder / "images").iterdir(), (folder / "labels").iterdir())
    return read_pairs(pairs, STREET_CLASSES, to_class)

"""LabelMeFacade in CamVid's classes: Froehlich and Rodner 2010, photographs of houses and streets from LabelMe.

Its labels are partial: poles, signs, fences, pedestrians and bicyclists carry the class of what lies behind them.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from habn.data.segmentation import IGNORE, STREET_CLASSES, DataError, SegmentationData, pair_by_stem, read_pairs

VARIOUS = 11
LABELLED = tuple(STREET_CLASSES.index(name) for name in ("Sky", "Building", "Road", "Pavement", "Tree", "Car"))


def load_facade(root: Path, split: str) -> SegmentationData:
    """Read ``root/{train,val,test}/{images,labels}``: pictures of any size, and 8-bit files of CamVid's class ids.

    Raises:
        DataError: on a missing folder or partner.
    """
    folder = Path(root) / split
    for part in ("images", "labels"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder / part} is missing; give the folder that holds the facades' train, val and test.")
    to_class = np.full(256, IGNORE, np.uint8)
    to_class[:VARIOUS] = np.arange(VARIOUS)
    pairs = pair_by_stem((folder / "images").iterdir(), (folder / "labels").iterdir())
    return replace(read_pairs(pairs, STREET_CLASSES, to_class, sizes_differ=True), scored=LABELLED)

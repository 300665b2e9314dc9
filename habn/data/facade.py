"""LabelMeFacade in CamVid's classes: Froehlich and Rodner 2010, photographs of houses and streets from LabelMe.

Its labels are partial: poles, signs, fences, pedestrians and bicyclists carry the class of what lies behind them.
"""

from dataclasses import replace
from pathlib import Path

from habn.data.camvid import read_split
from habn.data.segmentation import STREET_CLASSES, SegmentationData

LABELLED = tuple(STREET_CLASSES.index(name) for name in ("Sky", "Building", "Road", "Pavement", "Tree", "Car"))


def load_facade(root: Path, split: str) -> SegmentationData:
    """Read ``root/{train,val,test}/{images,labels}``: pictures of any size, and PNG files of CamVid's class ids.

    Raises:
        DataError: on a missing folder or partner, or as `read_pairs`.
    """
    return replace(read_split(root, split, "the facades'", sizes_differ=True), scored=LABELLED)

"""LabelMeFacade in CamVid's classes: Froehlich and Rodner 2010, photographs of houses and streets from LabelMe.

Its labels are partial: poles, signs, fences, pedestrians and bicyclists carry the class of what lies behind them.
"""

from dataclasses import replace
from pathlib import Path

from habn.data.pictures import DataError, list_files
from habn.data.segmentation import IGNORE, STREET_CLASSES, SegmentationData, pair_by_stem, read_pairs

VARIOUS = 11
LABELLED = tuple(STREET_CLASSES.index(name) for name in ("Sky", "Building", "Road", "Pavement", "Tree", "Car"))


def load_facade(root: Path, split: str) -> SegmentationData:
    """Read ``root/{train,val,test}/{images,labels}``: pictures of any size, and PNG files of CamVid's class ids.

    Raises:
        DataError: on a missing folder or partner, or as `read_pairs`.
    """
    folder = Path(root) / split
    for part in ("images", "labels"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder / part} is missing; give the folder that holds the facades' train, val and test.")
    to_class = {**{value: value for value in range(VARIOUS)}, VARIOUS: IGNORE, IGNORE: IGNORE}
    pairs = pair_by_stem(list_files(folder / "images"), list_files(folder / "labels"))
    return replace(read_pairs(pairs, STREET_CLASSES, to_class, sizes_differ=True), scored=LABELLED)

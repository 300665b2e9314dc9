"""Data sets by name. A segmentation loader takes (root, split) and returns `SegmentationData`."""

from pathlib import Path

from habn.data.camvid import load_camvid
from habn.data.cityscapes import load_cityscapes
from habn.data.drawn import load_scenes
from habn.data.facade import load_facade
from habn.data.segmentation import DataError, SegmentationData

SPLITS = ("train", "val", "test")


def load_segmentation(name: str, root: Path | None, split: str) -> SegmentationData:
    """A split of "camvid", "cityscapes", "facade" or "scenes"; the latter are drawn and need no root.

    Raises:
        DataError: on an unknown name or split, or a missing root, and when the folder is not as it should be.
    """
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}; choose one of {', '.join(SPLITS)}.")
    if name == "scenes":
        return load_scenes(split)
    loaders = {"camvid": load_camvid, "cityscapes": load_cityscapes, "facade": load_facade}
    if name not in loaders:
        raise DataError(f"There is no data set {name!r}; choose one of scenes, {', '.join(loaders)}.")
    if root is None:
        raise DataError(f"The data set {name} is read from a folder; name it with --root DIR.")
    return loaders[name](root, split)

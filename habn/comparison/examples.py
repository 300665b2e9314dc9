"""The example pictures that are shipped with the page, and the labels that belong to some of them."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from habn.shipped import shipped

FOLDER = shipped("assets") / "examples"
EXAMPLES = (*sorted(FOLDER.glob("scene_*.jpg")), *sorted(FOLDER.glob("lake_*.jpg")))


def labels_of(photo: str) -> np.ndarray | None:
    """Return the labels (H, W), uint8, of a shipped example, or None for any other picture.

    An example is known by its bytes, whatever its name: the browser and the API send it back as a copy.
    """
    example = _example_of(photo)
    if example is None or not (path := example.with_name(f"{example.stem}_labels.png")).is_file():
        return None
    with Image.open(path) as labels:
        return np.array(labels)


def example_of(photo: str) -> str | None:
    """The stem of the shipped example that a picture is, or None for any other picture, and for one that is gone."""
    example = _example_of(photo)
    return None if example is None else example.stem


def original_of(photo: str) -> str:
    """The shipped example that a picture is a copy of, or the picture itself."""
    return str(_example_of(photo) or photo)


def _example_of(photo: str) -> Path | None:
    path = Path(photo)
    return _examples().get(_digest(path)) if path.is_file() else None


@cache
def _examples() -> dict[str, Path]:
    return {_digest(path): path for path in EXAMPLES}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

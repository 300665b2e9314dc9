"""The example pictures that are shipped with the page, and the labels that belong to some of them."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parents[2] / "assets" / "examples"
EXAMPLES = (*sorted(FOLDER.glob("scene_*.jpg")), *sorted(FOLDER.glob("lake_*.jpg")))


def labels_of(photo: str) -> np.ndarray | None:
    """Return the labels (H, W), uint8, of a shipped example, or None for any other picture.

    An example is known by its bytes, whatever its name: the browser and the API send it back as a copy.
    """
    path = _labelled().get(_digest(Path(photo)))
    if path is None:
        return None
    with Image.open(path) as labels:
        return np.array(labels)


def example_of(photo: str) -> str | None:
    """The stem of the shipped example that a picture is, or None for any other picture."""
    return _stems().get(_digest(Path(photo)))


@cache
def _stems() -> dict[str, str]:
    return {_digest(path): path.stem for path in EXAMPLES}


@cache
def _labelled() -> dict[str, Path]:
    labels = {path: path.with_name(f"{path.stem}_labels.png") for path in EXAMPLES}
    return {_digest(path): labels[path] for path in EXAMPLES if labels[path].exists()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

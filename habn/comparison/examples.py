"""The example pictures of the page: those that are shipped, with the labels of some of them, and real photographs.

No photograph is part of this project. Installed packages carry some for their own examples; they are read where they
lie, and a page whose packages lack one has one less.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from habn.shipped import shipped

FOLDER = shipped("assets") / "examples"
EXAMPLES = (*sorted(FOLDER.glob("scene_*.jpg")), *sorted(FOLDER.glob("lake_*.jpg")))
"""The shipped ones, all drawn by this project."""

_PACKAGES = {
    "lion": ("gradio", "media_assets/images/lion.jpg"),
    "cheetah": ("gradio", "media_assets/images/cheetah1.jpg"),
    "running_cheetah": ("gradio", "media_assets/images/cheetah.jpg"),
    "tower": ("gradio", "media_assets/images/tower.jpg"),
    "grace_hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
}


def _find_photographs() -> dict[str, Path]:
    found = {}
    for name, (package, place) in _PACKAGES.items():
        spec = find_spec(package)  # the package itself need not be imported
        path = Path(spec.origin).parent / place if spec and spec.origin else None
        if path and path.is_file():
            found[name] = path
    return found


PHOTOGRAPHS = _find_photographs()
"""Photographs of installed packages, by name; `source_of` says whose."""

PATHS = {path.stem: path for path in EXAMPLES} | PHOTOGRAPHS
"""Every example, by the name that links use."""


def source_of(example: str) -> str:
    """The package that a photograph comes with."""
    return _PACKAGES[example][0]


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
    """The name of the example that a picture is, or None for any other picture, and for one that is gone."""
    example = _example_of(photo)
    return next((name for name, path in PATHS.items() if path == example), None)


def original_of(photo: str) -> str:
    """The example that a picture is a copy of, or the picture itself."""
    return str(_example_of(photo) or photo)


def _example_of(photo: str) -> Path | None:
    path = Path(photo)
    return _examples().get(_digest(path)) if path.is_file() else None


@cache
def _examples() -> dict[str, Path]:
    return {_digest(path): path for path in PATHS.values()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

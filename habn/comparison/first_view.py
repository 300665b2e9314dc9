"""What the page opens on: the example on which two networks differ most to the eye; `habn first_view` measures it."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from habn.comparison.request import Result
from habn.metrics import structural_similarity
from habn.pixels import LUMA
from habn.shipped import shipped

PATCH = 16  # pixels: finer strokes are texture to the eye, and the difference of two textures is none
BAR = 0.05  # of the colour range: a median below it is not seen without looking for it


@dataclass(frozen=True, kw_only=True)
class FirstView:
    """A view, and what was measured of it.

    Attributes:
        example: stem of a shipped example's file.
        pair: a key of `PAIRS`.
        style: a key of `STYLES`; of a segmentation pair the first one, which means nothing.
        effect: `effect` of both pictures, in [0, 1].
        kept: structural similarity to the photo of the first network's picture and of the second's.
    """

    example: str
    pair: str
    style: str
    effect: float
    kept: tuple[float, float]

    @property
    def is_honest(self) -> bool:
        """Whether the second network keeps at least as much of the photo: a difference alone would also be a mess."""
        return self.kept[1] >= self.kept[0]


def effect(first: np.ndarray, second: np.ndarray) -> float:
    """How much two pictures (H, W, 3) uint8 differ to the eye: the median over patches of 16 x 16 pixels of the mean
    absolute difference of the patches' RGB, as a share of the colour range.
    """
    size = (max(1, first.shape[1] // PATCH), max(1, first.shape[0] // PATCH))
    patches = [
        np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.float32)
        for picture in (first, second)
    ]
    return float(np.median(np.abs(patches[0] - patches[1]).mean(2)) / 255)


def kept_of_photo(result: Result) -> tuple[float, float]:
    """Structural similarity to the photo of both networks' pictures, in grey."""
    photo = _grey(result.image)
    first, second = (structural_similarity(photo, _grey(output.picture)) for output in (result.first, result.second))
    return first, second


@cache
def load_first_view() -> FirstView:
    """The view that was chosen."""
    values = json.loads((shipped("assets") / "first_view.json").read_text(encoding="utf-8"))
    return FirstView(**{**values["views"][0], "kept": tuple(values["views"][0]["kept"])})


def _grey(picture: np.ndarray) -> np.ndarray:
    return (picture / 255) @ np.asarray(LUMA)

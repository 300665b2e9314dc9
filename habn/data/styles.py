"""Photographs and paintings for style transfer: `content/{train,val,test}` and `styles/<name>.jpg` in one folder."""

import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from habn.data.pictures import DataError, by_stem, list_files, read_picture

# In the order of a network's style rows; shipped checkpoints depend on it.
STYLES: tuple[str, ...] = (
    "composition_vii",
    "great_wave",
    "houses",
    "shipwreck",
    "starry_night",
    "the_scream",
    "udnie",
    "wheat_field",
)

PHOTO_ROW = len(STYLES)
"""The row after the paintings' own, which gives the photograph back: a blend with it is a weaker style."""

STYLE_TITLES: dict[str, str] = {
    "composition_vii": "Composition VII, Wassily Kandinsky, 1913",
    "great_wave": "The Great Wave off Kanagawa, Katsushika Hokusai, 1831",
    "houses": "Houses at Auvers, Vincent van Gogh, 1890",
    "shipwreck": "The Wreck of a Transport Ship, J. M. W. Turner, 1810",
    "starry_night": "The Starry Night, Vincent van Gogh, 1889",
    "the_scream": "The Scream, Edvard Munch, 1893",
    "udnie": "Udnie, Francis Picabia, 1913",
    "wheat_field": "Wheat Field with Cypresses, Vincent van Gogh, 1889",
}


def list_styles() -> tuple[str, ...]:
    """The paintings that the style networks know: what a `Painting` may name."""
    return STYLES


def to_pixels(image: Image.Image) -> Tensor:
    """RGB image to (3, H, W) uint8."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def load_photos(root: str | Path, split: str, count: int | None = None) -> list[Tensor]:
    """The first `count` photographs of `content/<split>` by name, or all of them, each (3, H, W) uint8, upright.

    Raises:
        DataError: the folder holds no picture, or one that cannot be used.
    """
    folder = Path(root) / "content" / split
    paths = list(by_stem(list_files(folder)).values()) if folder.is_dir() else []
    if not paths:
        raise DataError(f"{folder} holds no photograph: put .jpg, .png or .webp files there.")
    return [to_pixels(read_picture(path, stored_turned=True)) for path in paths[:count]]


def load_painting(root: str | Path, name: str, shorter_side: int) -> Tensor:
    """The painting `styles/<name>.jpg`, resized so that its strokes fit photographs of about 480 pixels.

    Returns (1, 3, H, W) float in [0, 1] with min(H, W) = shorter_side.

    Raises:
        DataError: the painting is missing or cannot be used.
    """
    path = Path(root) / "styles" / f"{name}.jpg"
    if not path.exists():
        raise DataError(f"{path} does not exist: the folder needs content/<split> and styles/<name>.jpg.")
    image = read_picture(path, stored_turned=True)
    scale = shorter_side / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    return to_pixels(image.resize((width, height), Image.Resampling.LANCZOS)).unsqueeze(0) / 255


def draw_crops(
    photos: list[Tensor], count: int, size: int, zoom: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """Random square crops of random photographs, enlarged by a factor drawn from `zoom`, half of them mirrored.

    A crop never exceeds its photograph: where `zoom` would ask for more, the whole shorter side is taken.

    Returns (count, 3, size, size) float in [0, 1].
    """
    crops = []
    for _ in range(count):
        which, factor, top, left, mirror = torch.rand(5, generator=generator).tolist()
        photo = photos[int(which * len(photos))]
        height, width = photo.shape[-2:]
        factor = math.exp(math.log(zoom[0]) + factor * math.log(zoom[1] / zoom[0]))
        side = min(round(size / factor), height, width)
        y, x = int(top * (height - side + 1)), int(left * (width - side + 1))
        crop = photo[None, :, y : y + side, x : x + side].float() / 255
        crop = F.interpolate(crop, size=(size, size), mode="bilinear", antialias=True)
        crops.append(crop.flip(-1) if mirror < 0.5 else crop)
    return torch.cat(crops).clamp(0, 1)

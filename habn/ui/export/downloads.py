"""What is shown, as files to keep: each picture and both side by side, the label map, and the areas of the classes."""

import csv
import io
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
from PIL import Image

from habn.comparison.large import paint_large
from habn.comparison.request import Result
from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.ui import pictures

PICTURES = ("first", "second", "both")
FORMATS = ("png", "jpeg")
JPEG_QUALITY = 95
MARGIN = 8  # pixels between two pictures side by side


def draw_pictures(
    result: Result, photo: str, opacity: int, tell: Callable[[float], object]
) -> tuple[np.ndarray, np.ndarray]:
    """Both networks' pictures as large as they can be had: a painting at the photo's own size, classes as shown."""
    if result.painting is not None:
        return paint_large(photo, result.pair, result.painting, tell)
    first, second = (pictures.draw_answer(result.image, output, opacity) for output in (result.first, result.second))
    return first, second


def write_picture(both: tuple[np.ndarray, np.ndarray], which: str, form: str, file: BinaryIO) -> None:
    """One picture or both side by side; which is one of PICTURES, form one of FORMATS."""
    first, second = both
    gap = np.full((first.shape[0], MARGIN, 3), 255, np.uint8)
    chosen = {"first": first, "second": second, "both": np.hstack([first, gap, second])}[which]
    Image.fromarray(chosen).save(file, form.upper(), **({"quality": JPEG_QUALITY} if form == "jpeg" else {}))


def write_labels(labels: np.ndarray, file: BinaryIO) -> None:
    """A label map (H, W) uint8 as an indexed PNG: a pixel's index is its class, its colour that of the page."""
    picture = Image.fromarray(labels).convert("L")
    indexed = Image.frombytes("P", picture.size, picture.tobytes())
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(STREET_PALETTE)] = STREET_PALETTE
    indexed.putpalette(palette.ravel().tolist())
    indexed.save(file, "PNG")


def write_areas(result: Result, file: BinaryIO) -> None:
    """The share of the photo of each class in both networks' answers, as CSV: names in English, shares of 1."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["class", result.first.label, result.second.label])
    for name in STREET_CLASSES:
        rows.writerow([name, *(f"{output.areas.get(name, 0.0):.6f}" for output in (result.first, result.second))])
    file.write(text.getvalue().encode())

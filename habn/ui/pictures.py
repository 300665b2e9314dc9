"""The pictures that the page shows of a result, published as files."""

import hashlib
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from habn.comparison.request import Output, Result
from habn.comparison.sheet import SEQUENTIAL
from habn.images import save_indexed_png, save_png

CHANGED = np.array([255, 122, 26], np.float32)  # orange: far from every class colour, seen with any colour vision
CONTEXT_COVER = 0.7  # of a context map over the photo: both can be read
FULL_DIFFERENCE = 0.25  # of the colour range, where a stylized picture's difference is drawn at its strongest


def draw_pair(result: Result, opacity: int) -> tuple[str, str]:
    """Publish both networks' pictures and return their paths; `opacity` as in `draw_answer`."""
    first, second = (publish(draw_answer(result.image, output, opacity)) for output in (result.first, result.second))
    return first, second


def draw_difference(result: Result) -> str:
    """Publish the photo in grey with the places where the two networks differ in orange, and return its path."""
    return publish(draw_map(result.image, result.difference, result.task))


def draw_answer(image: np.ndarray, output: Output, opacity: int) -> np.ndarray:
    """A network's answer to an image, (H, W, 3) uint8.

    Args:
        image: what the network saw.
        output: what it made of it.
        opacity: of the classes' colours over the image, in percent; a stylized picture always replaces it.
    """
    return _blend(image, output.picture, 1.0 if output.labels is None else opacity / 100)


def draw_map(image: np.ndarray, amounts: np.ndarray, task: str) -> np.ndarray:
    """An image in grey, orange by `amounts` (H, W) in [0, 1]: a difference or a change between two answers."""
    full = 1.0 if task == "segmentation" else FULL_DIFFERENCE
    amount = np.clip(amounts / full, 0, 1)[..., None]
    grey = image.mean(axis=2, keepdims=True) * 0.45
    return (grey * (1 - amount) + CHANGED * amount).astype(np.uint8)


def draw_context(image: np.ndarray, context: np.ndarray) -> np.ndarray:
    """A context map (h, w) in the inspector's colours over an image in grey, (H, W, 3) uint8; NaN is left grey."""
    height, width = image.shape[:2]
    low, high = np.nanmin(context), np.nanmax(context)
    levels = np.nan_to_num((context - low) / ((high - low) or 1))
    levels = Image.fromarray(levels.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    colours = SEQUENTIAL(np.asarray(levels))[..., :3] * 255
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    return _blend(grey, colours, CONTEXT_COVER)


def _blend(photo: np.ndarray, picture: np.ndarray, share: float) -> np.ndarray:
    if share == 1:
        return picture
    return (photo * np.float32(1 - share) + picture * np.float32(share)).astype(np.uint8)


def publish_file(image: np.ndarray) -> dict[str, Any]:
    """Publish `image` and return it as the FileData that a script finds its address in."""
    return gr.FileData(path=publish(image), mime_type="image/png").model_dump()


def publish_classes(labels: np.ndarray, palette: np.ndarray) -> str:
    """Write classes (H, W) as an indexed PNG into Gradio's cache, named by its content, and return its path."""
    folder = Path(get_upload_folder()) / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(repr(labels.shape).encode() + labels.tobytes() + palette.tobytes()).hexdigest()
    return str(save_indexed_png(labels, palette, folder / f"{name}-classes.png"))


def publish(image: np.ndarray) -> str:
    """Write `image` into Gradio's cache, named by its content: only who has the picture can know its address."""
    folder = Path(get_upload_folder()) / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()
    return str(save_png(image, folder / f"{name}.png"))

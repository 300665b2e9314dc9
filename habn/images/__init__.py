"""The one way in for an image, and the one way out. What may come in is judged in `habn.images.files`, unseen."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from habn.images import avif
from habn.images.files import FORMATS, ImageError, check_size, open_stream, read_header, refusing

__all__ = [
    "ImageError",
    "Source",
    "flatten",
    "is_deep",
    "open_image",
    "read_orientation",
    "save_indexed_png",
    "save_png",
    "turn_upright",
]

Source = str | os.PathLike | bytes | Image.Image | np.ndarray

_UPRIGHT = {  # EXIF orientation -> what makes the picture upright (Exif 2.32, section 4.6.4)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_image(source: Source, max_side: int = 640) -> np.ndarray:
    """Open an image as upright RGB, its longer side reduced to `max_side` (and never enlarged).

    Of an animation only the first frame is read, transparency is laid on white, grey of more than 8 bits is stretched
    from its lowest to its highest value, and ICC profiles are left alone.

    Args:
        source: path of a file, the bytes of one, a PIL image, or a uint8 array (H, W) or (H, W, C) with C = 1, 3 or 4.
        max_side: upper bound of the result's longer side, in pixels.

    Returns:
        uint8 array (H, W, 3), range 0 to 255.

    Raises:
        ImageError: not an image, damaged, of another format or colour mode, missing, a URL, or outside `LIMITS`.
    """
    if max_side < 1:
        raise ImageError("The longer side cannot be {side} pixels; ask for at least 1.", side=max_side)
    if isinstance(source, np.ndarray | Image.Image):
        image = _from_array(source) if isinstance(source, np.ndarray) else _from_pil(source)
        return _to_rgb(image, _reduced_size(image, max_side))
    with open_stream(source) as stream:
        image = read_header(stream)
        size = _reduced_size(image, max_side)  # before a JPEG is decoded at a reduced, rounded size
        with refusing("The {format} file is damaged or cut short; save or download it again.", format=image.format):
            image = _decode(image, size, stream)
        return _to_rgb(image, size)


def save_png(image: Image.Image | np.ndarray, path: str | os.PathLike) -> Path:
    """Write `image` (PIL, or uint8 HWC) as a PNG that appears under `path` whole or not at all, and return the path.

    A reader of `path` sees the old file or the new one, also when several writers publish the same name at once.
    """
    path = Path(path)
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    temporary = path.with_name(f".{uuid.uuid4().hex}.png")
    try:
        image.save(temporary, "PNG", compress_level=1)  # 6: up to six times as long, 0 to 15 % smaller
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def save_indexed_png(labels: np.ndarray, palette: np.ndarray, path: str | os.PathLike) -> Path:
    """Write classes (H, W) uint8 as a PNG whose values are the classes and whose palette (K, 3) uint8 colours them."""
    image = Image.fromarray(labels)
    image.putpalette(palette.astype(np.uint8).tobytes())
    return save_png(image, path)


def _reduced_size(image: Image.Image, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(image.size))
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _decode(image: ImageFile, size: tuple[int, int], stream: BinaryIO) -> Image.Image:
    """Decode the first frame, a JPEG and an AVIF at a fraction of their size, yet no smaller than twice `size`."""
    if isinstance(image, AvifImageFile):
        factor = max(1, min(image.width // size[0], image.height // size[1]) // 2)
        stream.seek(0)
        decoded = avif.decode(stream.read(), image.size, image.mode, factor)
        decoded.info["exif"] = image.info.get("exif", b"")
        return decoded
    if isinstance(image, JpegImageFile):
        image.draft(None, (2 * size[0], 2 * size[1]))
    image.load()
    return image


def _from_pil(image: Image.Image) -> Image.Image:
    if image.format not in FORMATS:  # it may still be lazy, and then loading it would run that format's decoder
        raise ImageError("The picture comes from a {format} file; save it as JPEG or PNG first.", format=image.format)
    check_size(*image.size)
    with refusing("The picture cannot be decoded; save or download its file again."):
        image.load()
    return image


def _from_array(array: np.ndarray) -> Image.Image:
    if array.dtype != np.uint8:
        raise ImageError("The array holds {dtype} values; convert them to uint8 from 0 to 255.", dtype=array.dtype)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if not (array.ndim == 2 or array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ImageError("The array has the shape {shape}; give (H, W), (H, W, 3) or (H, W, 4).", shape=array.shape)
    height, width = array.shape[:2]
    check_size(width, height)
    return Image.fromarray(array)


def _to_rgb(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Turn a decoded image of any mode and orientation into an array (H, W, 3), small first and then right."""
    orientation = read_orientation(image)
    strange = "The picture's colour mode {mode} cannot be converted; save it as an RGB picture."
    with refusing(strange, mode=image.mode):
        image = _shrink(image, size)
    return np.array(turn_upright(flatten(image), orientation))


def flatten(image: Image.Image) -> Image.Image:
    """A picture of 8 bits per channel as RGB, what is transparent laid on white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _shrink(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in mode L, RGB or RGBA and of `size`.

    A large one is averaged to at least twice that size first, as `Image.resize` does with a `reducing_gap` of 2, but in
    strips: a copy of the whole in another mode would take up to 100 MB.
    """
    scale = image.width / size[0], image.height / size[1]
    factor = max(1, int(scale[0] / 2)), max(1, int(scale[1] / 2))
    height = factor[1] * max(1, 256 // factor[1])
    to_bytes = _stretch_over_range(image, height) if is_deep(image) else _to_bytes
    strips = [to_bytes(strip).reduce(factor) for strip in _strips(image, height)]
    reduced = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        reduced.paste(strip, (0, top))
        top += strip.height
    if image.size == size:
        return reduced
    box = (0, 0, image.width / factor[0], image.height / factor[1])
    return reduced.resize(size, Image.Resampling.LANCZOS, box)


def _strips(image: Image.Image, height: int) -> Iterator[Image.Image]:
    for top in range(0, image.height, height):
        yield image.crop((0, top, image.width, min(top + height, image.height)))


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def read_orientation(image: Image.Image) -> int:
    """How a picture is stored, as its EXIF data say: 1 is upright."""
    with suppress(Exception):  # a photo with damaged EXIF data is still a photo
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    return 1


def is_deep(image: Image.Image) -> bool:
    """Whether it is grey of more than 8 bits, or of numbers with a fraction."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _to_bytes(image: Image.Image) -> Image.Image:
    """One byte per channel, without a palette: mode L, RGB or RGBA."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _stretch_over_range(image: Image.Image, height: int) -> Callable[[Image.Image], Image.Image]:
    """Of strips of a deep image, grey of 8 bits: from the image's lowest value (black) to its highest (white)."""
    # The least of NaN and a number is NaN for NumPy, not for Python's min or Pillow.
    extrema = [(values.min(), values.max()) for values in (np.array(s, np.float32) for s in _strips(image, height))]
    low, high = float(np.min(extrema)), float(np.max(extrema))
    if not high - low < np.finfo(np.float32).max:  # also false for NaN
        raise ImageError("The picture holds NaN, infinite or huge values; replace them and save it again.")

    def stretch(strip: Image.Image) -> Image.Image:
        values = np.array(strip, dtype=np.float32)
        values -= low
        values /= (high - low) or 1.0
        values *= 255
        return Image.fromarray(np.rint(values, out=values).astype(np.uint8))

    return stretch

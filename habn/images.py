"""The one way in for an image, and the one way out.

A file's size is read from its header and judged before a pixel is decoded: pixels, not bytes, fill the memory.
Whatever is wrong with an image becomes an `ImageError` of one sentence that can be shown to the person who gave it.
"""

import io
import os
import re
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

Source = str | os.PathLike | bytes | Image.Image | np.ndarray


class ImageError(ValueError):
    """An image cannot be used; the message is one sentence: what is wrong, and what to do.

    Args:
        sentence: with {fields} for what differs from image to image; a translation is looked up by it.
        fields: what they are.
    """

    def __init__(self, sentence: str, **fields: object):
        super().__init__(sentence.format(**fields))
        self.sentence, self.fields = sentence, fields


@dataclass(frozen=True)
class Limits:
    """What an image may be at most (and its smaller side at least), in pixels of its header."""

    max_pixels: int = 25_000_000
    max_side: int = 16_384
    max_aspect: int = 20
    min_side: int = 16
    max_scans: int = 100  # of a progressive JPEG: each goes over all coefficients again, for a cost of a few bytes


LIMITS = Limits()

# Pillow's decoders are called directly: `Image.open` would give a Python warning about large sizes before we see them.
_DECODERS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (rb"\xff\xd8\xff", JpegImageFile),  # of a phone's MPO this reads the first picture
    (rb"\x89PNG\r\n\x1a\n", PngImageFile),
    (rb"RIFF....WEBP", WebPImageFile),
    (rb"GIF8[79]a", GifImageFile),
    (rb"II[*+]\0|MM\0[*+]", TiffImageFile),
    (rb"BM", BmpImageFile),
)
_FORMATS = {None, "MPO", *(decoder.format for _, decoder in _DECODERS)}

_STRANGERS = (
    (rb"%PDF", "The file is a PDF document; save it as JPEG or PNG first."),
    (rb"(\xef\xbb\xbf)?\s*(<[?!].*)?<svg\b", "The file is an SVG drawing; save it as JPEG or PNG first."),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)\b", "The file is a web page; save it as JPEG or PNG first."),
    (rb"....ftyp(heic|heix|hevc|mif1|msf1)", "The file is a HEIC photo; save it as JPEG or PNG first."),
    (rb"....ftypavi[fs]", "The file is an AVIF picture; save it as JPEG or PNG first."),
    (rb"....ftyp", "The file is a video; save it as JPEG or PNG first."),
)

_URL = re.compile(r"\s*([a-z][a-z0-9+.-]+:/|data:)", re.IGNORECASE)

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
    with _open_stream(source) as stream:
        image = _read_header(stream)
        size = _reduced_size(image, max_side)  # before a JPEG is decoded at a reduced, rounded size
        with _refusing("The {format} file is damaged or cut short; save or download it again.", format=image.format):
            _decode(image, size)
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


@contextmanager
def _refusing(sentence: str, **fields: object) -> Iterator[None]:
    """Turn any failure inside into an `ImageError`: decoders keep no list of what they raise on hostile bytes."""
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(sentence, **fields) from error


def _open_stream(source: str | os.PathLike | bytes) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if not isinstance(source, str | os.PathLike):
        kind = "nothing" if source is None else type(source).__name__
        raise ImageError("Expected an image, got {kind}; give a path, bytes, a PIL image or a uint8 array.", kind=kind)
    path = os.fspath(source)
    if isinstance(path, str) and _URL.match(path):
        raise ImageError("Web addresses are not opened; download the picture and give the file.")
    name = os.path.basename(path)
    if not os.path.isfile(path):
        raise ImageError("There is no file {name!r}; check the name and the folder.", name=name)
    with _refusing("The file {name!r} cannot be read; check its permissions.", name=name):
        return open(path, "rb")


def _read_header(stream: BinaryIO) -> ImageFile:
    """Recognize the format by its signature and judge the size that the header states; no pixel is decoded."""
    head = stream.read(1024)
    stream.seek(0)
    decoder = next((decoder for signature, decoder in _DECODERS if re.match(signature, head, re.DOTALL)), None)
    if decoder is None:
        raise _strange(head)
    damaged = "The {format} file is damaged or states an impossible size; save or download it again."
    with _refusing(damaged, format=decoder.format):
        if decoder is GifImageFile:  # which reserves the first frame while it reads the header
            _check_size(*struct.unpack("<HH", head[6:10]))
        image = decoder(stream)
        _check_size(*image.size)
        if decoder is TiffImageFile:
            _check_tile(image)
        if decoder is JpegImageFile:
            _check_scans(stream)
    return image


def _strange(head: bytes) -> ImageError:
    """What to say of a file that begins like none of the formats that can be read."""
    if not head:
        return ImageError("The file is empty; save or download the picture again.")
    for signature, sentence in _STRANGERS:
        if re.match(signature, head, re.DOTALL | re.IGNORECASE):
            return ImageError(sentence)
    return ImageError("The file is not an image that can be read here; use JPEG, PNG, WEBP, BMP, GIF or TIFF.")


def _check_size(width: int, height: int) -> None:
    small, large = sorted((width, height))
    if small < LIMITS.min_side:
        bound = LIMITS.min_side
        sentence = "The picture is {width:,} x {height:,} pixels; use one with at least {bound} pixels on each side."
    elif large > LIMITS.max_side:
        bound = LIMITS.max_side
        sentence = "The picture is {width:,} x {height:,} pixels; shrink it to at most {bound:,} pixels on each side."
    elif width * height > LIMITS.max_pixels:
        bound = LIMITS.max_pixels // 1_000_000
        sentence = "The picture is {width:,} x {height:,} pixels; shrink it to at most {bound} megapixels."
    elif large > LIMITS.max_aspect * small:
        bound = LIMITS.max_aspect
        sentence = (
            "The picture is {width:,} x {height:,} pixels; crop it so that one side is at most {bound} times the other."
        )
    else:
        return
    raise ImageError(sentence, width=width, height=height, bound=bound)


def _check_tile(image: TiffImageFile) -> None:
    """Refuse a TIFF whose tiles are larger than a picture may be: each is decoded whole, whatever part is shown."""
    width, height = (int(image.tag_v2.get(tag, 0)) for tag in (TILEWIDTH, TILELENGTH))
    if width * height > LIMITS.max_pixels:
        raise ImageError(
            "The TIFF file has tiles of {width:,} x {height:,} pixels, far more than a photo needs; save it again as "
            "PNG.",
            width=width,
            height=height,
        )


def _check_scans(stream: BinaryIO) -> None:
    """Refuse a JPEG whose decoding would never end; inside compressed data the marker's two bytes cannot occur."""
    position = stream.tell()
    stream.seek(0)
    scans = stream.read().count(b"\xff\xda")
    stream.seek(position)
    if scans > LIMITS.max_scans:
        raise ImageError(
            "The JPEG file has {scans:,} scans, far more than a photo needs; save it again as PNG.", scans=scans
        )


def _reduced_size(image: Image.Image, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(image.size))
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _decode(image: ImageFile, size: tuple[int, int]) -> None:
    """Decode the first frame; a JPEG at a half, a quarter or an eighth, yet no smaller than twice `size`."""
    if isinstance(image, JpegImageFile):
        image.draft(None, (2 * size[0], 2 * size[1]))
    image.load()


def _from_pil(image: Image.Image) -> Image.Image:
    if image.format not in _FORMATS:  # it may still be lazy, and then loading it would run that format's decoder
        raise ImageError("The picture comes from a {format} file; save it as JPEG or PNG first.", format=image.format)
    _check_size(*image.size)
    with _refusing("The picture cannot be decoded; save or download its file again."):
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
    _check_size(width, height)
    return Image.fromarray(array)


def _to_rgb(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Turn a decoded image of any mode and orientation into an array (H, W, 3), small first and then right."""
    orientation = _read_orientation(image)
    strange = "The picture's colour mode {mode} cannot be converted; save it as an RGB picture."
    with _refusing(strange, mode=image.mode):
        image = _to_bytes(image)
        if image.size != size:
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    return np.array(image.convert("RGB"))


def _read_orientation(image: Image.Image) -> int:
    with suppress(Exception):  # a photo with damaged EXIF data is still a photo
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    return 1


def _to_bytes(image: Image.Image) -> Image.Image:
    """One byte per channel, without a palette: mode L, RGB or RGBA."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _stretch(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or float as 8 bits, from its lowest value (black) to its highest (white)."""
    values = np.array(image, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    if not high - low < np.finfo(np.float32).max:  # also false for NaN
        raise ImageError("The picture holds NaN, infinite or huge values; replace them and save it again.")
    values -= low
    values /= (high - low) or 1.0
    values *= 255
    return Image.fromarray(np.rint(values, out=values).astype(np.uint8))

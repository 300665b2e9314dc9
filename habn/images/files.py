"""What a file is that is given as an image: known by its first bytes, judged by its header, no pixel decoded.

Pixels, not bytes, fill the memory. Whatever is wrong becomes an `ImageError` of one sentence that can be shown to the
person who gave the file.
"""

import io
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from habn.errors import HabnError


class ImageError(HabnError):
    """An image cannot be used; the message is one sentence: what is wrong, and what to do.

    Args:
        sentence: with {fields} for what differs from image to image; a translation is looked up by it.
        fields: what they are.
    """

    def __init__(self, sentence: str, **fields: object):
        super().__init__(sentence.format(**fields))
        self.sentence, self.fields = sentence, fields


@dataclass(frozen=True, kw_only=True)
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
FORMATS = {None, "MPO", *(decoder.format for _, decoder in _DECODERS)}

_STRANGERS = (
    (rb"%PDF", "The file is a PDF document; save it as JPEG or PNG first."),
    (rb"(\xef\xbb\xbf)?\s*(<[?!].*)?<svg\b", "The file is an SVG drawing; save it as JPEG or PNG first."),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)\b", "The file is a web page; save it as JPEG or PNG first."),
    (rb"....ftyp(heic|heix|hevc|mif1|msf1)", "The file is a HEIC photo; save it as JPEG or PNG first."),
    (rb"....ftypavi[fs]", "The file is an AVIF picture; save it as JPEG or PNG first."),
    (rb"....ftyp", "The file is a video; save it as JPEG or PNG first."),
)

_URL = re.compile(r"\s*([a-z][a-z0-9+.-]+:/|data:)", re.IGNORECASE)


@contextmanager
def refusing(sentence: str, **fields: object) -> Iterator[None]:
    """Turn any failure inside into an `ImageError` of that sentence and its fields.

    Decoders keep no list of what they raise on hostile bytes.
    """
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(sentence, **fields) from error


def open_stream(source: str | os.PathLike | bytes) -> BinaryIO:
    """The file of that path, or the bytes of one.

    Raises:
        ImageError: a web address, a file that is missing or cannot be read, or what is none of these.
    """
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
    with refusing("The file {name!r} cannot be read; check its permissions.", name=name):
        return open(path, "rb")


def read_header(stream: BinaryIO) -> ImageFile:
    """Recognize the format by its signature and judge the size that the header states; no pixel is decoded.

    Raises:
        ImageError: of no format that is read here, damaged, or outside `LIMITS`.
    """
    head = stream.read(1024)
    stream.seek(0)
    decoder = next((decoder for signature, decoder in _DECODERS if re.match(signature, head, re.DOTALL)), None)
    if decoder is None:
        raise _strange(head)
    damaged = "The {format} file is damaged or states an impossible size; save or download it again."
    with refusing(damaged, format=decoder.format):
        if decoder is GifImageFile:  # which reserves the first frame while it reads the header
            check_size(*struct.unpack("<HH", head[6:10]))
        image = decoder(stream)
        check_size(*image.size)
        if isinstance(image, TiffImageFile):
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


def check_size(width: int, height: int) -> None:
    """Raise an ImageError where a picture of so many pixels is outside `LIMITS`."""
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

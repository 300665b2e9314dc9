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

from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import (
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    TILEBYTECOUNTS,
    TILELENGTH,
    TILEOFFSETS,
    TILEWIDTH,
    TiffImageFile,
)
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
    max_copied_pixels: int = 12_500_000  # of a format whose decoder holds the picture several times, see _COPIED
    max_side: int = 16_384
    max_aspect: int = 20
    min_side: int = 16
    max_scans: int = (
        24  # of a JPEG: each goes over all coefficients again, for a cost of a few bytes; usual are 1 to 10
    )
    max_pieces: int = 200_000  # in which a file is read: chunks, segments, strips; a photo has some thousands


LIMITS = Limits()

# Pillow's decoders are called directly: `Image.open` would give a Python warning about large sizes before we see them.
_DECODERS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (rb"\xff\xd8\xff", JpegImageFile),  # of a phone's MPO this reads the first picture
    (rb"\x89PNG\r\n\x1a\n", PngImageFile),
    (rb"RIFF....WEBP", WebPImageFile),
    (rb"GIF8[79]a", GifImageFile),
    (rb"II[*+]\0|MM\0[*+]", TiffImageFile),
    (rb"BM", BmpImageFile),
    (rb"\0\0..ftyp(.{4}){0,20}?avi[fs]", AvifImageFile),
)
_COPIED = (WebPImageFile, AvifImageFile)  # 16 and 11 bytes a pixel at their peak, where a PNG takes 4
FORMATS = {None, "MPO", *(decoder.format for _, decoder in _DECODERS)}

_STRANGERS = (
    (rb"%PDF", "The file is a PDF document; save it as JPEG or PNG first."),
    (rb"(\xef\xbb\xbf)?\s*(<[?!].*)?<svg\b", "The file is an SVG drawing; save it as JPEG or PNG first."),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)\b", "The file is a web page; save it as JPEG or PNG first."),
    (rb"....ftyp(heic|heix|hevc|mif1|msf1)", "The file is a HEIC photo; save it as JPEG or PNG first."),
    (rb"....ftyp", "The file is a video; save it as JPEG or PNG first."),
    (rb"version https://git-lfs", "The file only points to the picture; fetch the picture itself with git lfs pull."),
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


class _Stream(io.BufferedReader):
    """A file that is read in so many pieces at most: a few bytes make a decoder take a step more, and keep the piece.

    Raises:
        ImageError: at the piece after the last.
    """

    pieces = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.pieces += 1
        if self.pieces > LIMITS.max_pieces:
            raise _in_pieces()
        return super().read(size)


def open_stream(source: str | os.PathLike | bytes) -> BinaryIO:
    """The file of that path, or the bytes of one.

    Raises:
        ImageError: a web address, a file that is missing or cannot be read, or what is none of these.
    """
    if isinstance(source, bytes):
        return _Stream(io.BytesIO(source))
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
        return _Stream(io.FileIO(path))


def read_header(stream: BinaryIO, limits: Limits = LIMITS) -> ImageFile:
    """Recognize the format by its signature and judge the size that the header states; no pixel is decoded.

    Raises:
        ImageError: of no format that is read here, damaged, or outside the limits.
    """
    head = stream.read(1024)
    stream.seek(0)
    decoder = next((decoder for signature, decoder in _DECODERS if re.match(signature, head, re.DOTALL)), None)
    if decoder is None:
        raise _strange(head)
    damaged = "The {format} file is damaged or states an impossible size; save or download it again."
    with refusing(damaged, format=decoder.format):
        if decoder in _STATED:
            check_size(*_STATED[decoder](head), limits, decoder)
        if decoder is TiffImageFile:
            _check_tags(stream)
        image = decoder(stream)
        check_size(*image.size, limits, decoder)
        if isinstance(image, TiffImageFile):
            _check_tiles(image)
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
    return ImageError("The file is not an image that can be read here; use JPEG, PNG, WEBP, AVIF, BMP, GIF or TIFF.")


def check_size(width: int, height: int, limits: Limits = LIMITS, decoder: type[ImageFile] | None = None) -> None:
    """Raise an ImageError where a picture of so many pixels is outside the limits."""
    small, large = sorted((width, height))
    max_pixels = limits.max_copied_pixels if decoder in _COPIED else limits.max_pixels
    if small < limits.min_side:
        bound = limits.min_side
        sentence = "The picture is {width:,} x {height:,} pixels; use one with at least {bound} pixels on each side."
    elif large > limits.max_side:
        bound = limits.max_side
        sentence = "The picture is {width:,} x {height:,} pixels; shrink it to at most {bound:,} pixels on each side."
    elif width * height > max_pixels:
        bound = max_pixels // 1_000_000
        sentence = "The picture is {width:,} x {height:,} pixels; shrink it to at most {bound} megapixels."
    elif large > limits.max_aspect * small:
        bound = limits.max_aspect
        sentence = (
            "The picture is {width:,} x {height:,} pixels; crop it so that one side is at most {bound} times the other."
        )
    else:
        return
    raise ImageError(sentence, width=width, height=height, bound=bound)


def _gif_size(head: bytes) -> tuple[int, int]:
    return struct.unpack("<HH", head[6:10])


def _webp_size(head: bytes) -> tuple[int, int]:
    """Of the first chunk: an extended file's canvas, or one lossless or lossy picture (RFC 9649)."""
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


# Their decoders reserve the whole picture while they read the header.
_STATED = {GifImageFile: _gif_size, WebPImageFile: _webp_size}


def _check_tags(stream: BinaryIO) -> None:
    """Refuse a TIFF of strips, tiles or other numbers without end: Pillow makes a Python object of each.

    The first directory is read as TIFF 6.0, section 2, says, or BigTIFF.
    """
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(16)
    order, big = "<" if head[:2] == b"II" else ">", 43 in head[2:4]
    stream.seek(struct.unpack(order + "Q", head[8:])[0] if big else struct.unpack(order + "I", head[4:8])[0])
    (entries,) = struct.unpack(order + "Q", stream.read(8)) if big else struct.unpack(order + "H", stream.read(2))
    entry = struct.Struct(order + ("HHQ8x" if big else "HHI4x"))
    directory = stream.read(min(entries * entry.size, length))
    stream.seek(0)
    for tag, kind, count in entry.iter_unpack(directory[: len(directory) // entry.size * entry.size]):
        # Of a count that the file cannot hold Pillow reads nothing.
        if LIMITS.max_pieces < count <= length and (kind not in _BYTES or tag in _PLACES):
            raise _in_pieces()


_BYTES = (1, 2, 6, 7)  # types of a tag whose values stay one string of bytes
_PLACES = (STRIPOFFSETS, STRIPBYTECOUNTS, TILEOFFSETS, TILEBYTECOUNTS)


def _check_tiles(image: TiffImageFile) -> None:
    """Refuse a TIFF whose tiles are larger than a picture may be: each is decoded whole, whatever part is shown."""
    width, height = (int(image.tag_v2.get(tag, 0)) for tag in (TILEWIDTH, TILELENGTH))
    if width * height > LIMITS.max_pixels:
        raise ImageError(
            "The TIFF file has tiles of {width:,} x {height:,} pixels, far more than a photo needs; save it again as "
            "PNG.",
            width=width,
            height=height,
        )


# Between two scans libjpeg passes over anything up to the next marker; within a scan FF is followed by 0 or a restart.
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd8])")
_START_OF_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"


def _check_scans(stream: BinaryIO) -> None:
    """Refuse a JPEG whose decoding would take too long; what follows its picture, as a phone's film, does not count."""
    position = stream.tell()
    stream.seek(0)
    data = stream.read()
    stream.seek(position)
    scans, pieces, end = 0, 0, 2
    while (marker := _MARKER.search(data, end)) and marker[1] != _END_OF_IMAGE:
        pieces += 1
        scans += marker[1] == _START_OF_SCAN
        end = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
        if scans > LIMITS.max_scans:
            raise ImageError(
                "The JPEG file has more than {bound} scans, far more than a photo needs; save it again as PNG.",
                bound=LIMITS.max_scans,
            )
        if pieces > LIMITS.max_pieces:
            raise _in_pieces()


def _in_pieces() -> ImageError:
    return ImageError(
        "The file is made of more than {bound:,} pieces, far more than a photo needs; save it again as PNG.",
        bound=LIMITS.max_pieces,
    )

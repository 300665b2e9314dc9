"""Files of data folders: which are meant, and how pictures and labels are read.

What would be measured as nonsense is refused in one sentence that names the file; nothing is guessed.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL.Image import Image
from PIL.ImageFile import ImageFile

from habn.errors import HabnError
from habn.images import ImageError, flatten, is_deep, read_orientation, turn_upright
from habn.images.files import Limits, open_stream, read_header, refusing

LIMITS = Limits(max_pixels=100_000_000, max_copied_pixels=100_000_000, max_aspect=100, min_side=1)
"""A scan of a painting may be large, and whoever has the folder chose what is in it."""

_FOREIGN = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"}  # what file managers leave behind
_NOTES = {".txt", ".md"}


class DataError(HabnError):
    """One sentence on a data folder that is not as it should be."""


def list_files(folder: Path, ending: str = "") -> list[Path]:
    """Files of a folder whose names have that ending, sorted; not hidden ones, notes, and what file managers add.

    Raises:
        DataError: when the folder cannot be read, or holds what is no file.
    """
    try:
        paths = sorted(folder.iterdir(), key=lambda path: _composed(path.name))
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}); check the folder and its permissions.") from None
    paths = [path for path in paths if _composed(path.name).endswith(ending) and not _is_foreign(path)]
    for path in paths:
        if path.is_dir():
            raise DataError(f"{path} is a folder among the files; move its pictures here or take it away.")
        if not path.is_file():
            raise DataError(f"{path} is neither a file nor a link to one; mend it or take it away.")
    return paths


def list_folders(folder: Path) -> list[Path]:
    """Folders of a folder, sorted; not hidden ones and what file managers add.

    Raises:
        DataError: when the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_foreign(path))
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror}); check the folder and its permissions.") from None


def by_stem(paths: Iterable[Path], stem: Callable[[Path], str] = lambda path: path.stem) -> dict[str, Path]:
    """Files by their stems, in the same order; accents count alike, however a file system spells them.

    Raises:
        DataError: when two files have one stem.
    """
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(_composed(stem(path)), path)
        if other is not path:
            raise DataError(f"{other} and {path.name} have the same name but for its ending; keep one of them.")
    return found


def read_picture(path: Path, stored_turned: bool = False) -> Image:
    """A picture as RGB of 8 bits, what is transparent laid on white.

    Args:
        path: its file, of a format that `habn.images` reads.
        stored_turned: turn a picture upright that is stored otherwise, as its EXIF orientation says.

    Raises:
        DataError: damaged, empty, too large, an animation, of more than 8 bits, or stored turned where that is refused.
    """
    image, _ = _read(path)
    if is_deep(image):
        raise DataError(f"{path} has more than 8 bits per pixel of grey; save it with 8.")
    if not stored_turned:
        _check_upright(path, image)
    with _naming(path), refusing("The colour mode {mode} cannot be converted; save it as RGB.", mode=image.mode):
        return turn_upright(flatten(image), read_orientation(image))


def read_labels(path: Path) -> np.ndarray:
    """The values of a label file, (H, W) uint8: a palette's indices, and grey of 1, 2 and 4 bits as it was written.

    Raises:
        DataError: as `read_picture`; also colours, and any format but PNG: others change values, or may.
    """
    image, header = _read(path)
    if image.format != "PNG":
        raise DataError(f"{path} is a {image.format} file, a format that may change labels; give the PNG they come as.")
    if image.mode not in ("1", "L", "P"):
        raise DataError(f"{path} must hold one 8-bit class per pixel, but its mode is {image.mode}.")
    _check_upright(path, image)
    values = np.array(image).astype(np.uint8)
    depth = header[24]  # PNG specification, 11.2.2: bits per sample
    return values // (255 // (2**depth - 1)) if image.mode == "L" else values  # Pillow stretches grey to 0 ... 255


def _read(path: Path) -> tuple[ImageFile, bytes]:
    """The decoded image of a file, and the file's first bytes."""
    with _naming(path), open_stream(path) as stream:
        header = stream.read(32)
        stream.seek(0)
        image = read_header(stream, LIMITS)
        with refusing("The {format} file is damaged or cut short; save or download it again.", format=image.format):
            if getattr(image, "is_animated", False):
                raise ImageError("The file holds several pictures; save the one that is meant.")
            image.load()
    return image, header


def _check_upright(path: Path, image: Image) -> None:
    if (orientation := read_orientation(image)) != 1:
        raise DataError(
            f"{path} is stored turned or mirrored (EXIF orientation {orientation}), so that pictures and labels need "
            "not lie over each other; save both upright."
        )


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what `habn.images` says of a picture into a sentence that names its file."""
    try:
        yield
    except ImageError as error:
        sentence = str(error)
        raise DataError(f"{path} cannot be used: {sentence[0].lower()}{sentence[1:]}") from None


def _is_foreign(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _FOREIGN or path.suffix.lower() in _NOTES


def _composed(name: str) -> str:
    """Accents as part of their letters: macOS stores them apart, and other systems what they are given."""
    return unicodedata.normalize("NFC", name)

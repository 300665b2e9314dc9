"""What the visitor's page shows, and what all tabs do with it: run it, recall it, inspect a layer of it, say a note."""

import logging
import os
import re
import struct
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from habn.comparison import engine
from habn.comparison.examples import PATHS, example_of, labels_of
from habn.comparison.large import LARGEST_SIDE
from habn.comparison.painting import Painting
from habn.errors import HabnError
from habn.images import ImageError, open_image, save_png
from habn.ui import words
from habn.ui.inspector import build_inspection
from habn.ui.link import FIRST_VIEW, Link
from habn.ui.refusals import GoneError, explain, guarded

log = logging.getLogger(__name__)

TITLE = "HABN Explorer"
SECONDS_OF_A_NOTE = 8


class Shown(NamedTuple):
    """What a visitor's page shows: enough to find the result in the engine's cache, or to make it again.

    An upload is deleted after a while, so of an example the photo is the file that is shipped.
    """

    run_id: str
    photo: str
    pair: str
    painting: Painting


_UPLOAD = re.compile(
    r"[0-9a-f]{64}/(?!\.{1,2}$)[^/]+"
)  # a hash of the file's bytes, which nobody guesses, and its name
LARGE = "large.jpg"  # beside an upload that is larger than what the networks see: for paintings at its own size
LARGE_QUALITY = 95


class ShownHolder(gr.HTML):
    """Keeps what a visitor's page shows in the page itself, out of sight.

    The server then remembers nothing of a visitor. A `gr.State` would hold one connection open for each tab, and a
    browser has six for a host; and a page would have nothing left once the server has started again. A photo is named
    by its place in the folder of uploads, so a page can speak of no other file.
    """

    def __init__(self, value: Shown | None = None, *, render: bool = True):
        super().__init__(value, html_template="", js_on_load=None, visible="hidden", render=render)

    def preprocess(self, payload: object) -> Shown | None:
        """What the page says that it shows.

        Raises:
            gr.Error: it says what no page says.
        """
        if payload is None:
            return None
        try:
            return _read_shown(payload)
        except (KeyError, TypeError, ValueError):
            raise gr.Error(words.say("server.unreadable", "en"), print_exception=False) from None

    def postprocess(self, value: Shown | None) -> dict[str, Any] | None:
        if value is None:
            return None
        photo = Path(value.photo)
        place = next((name for name, path in PATHS.items() if path == photo), "/".join(photo.parts[-2:]))
        return {"run": value.run_id, "photo": place, "pair": value.pair, "painting": asdict(value.painting)}

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "run, photo, pair and painting, or null"}


def _read_shown(payload: Any) -> Shown:
    run_id, place, pair, painting = (payload[key] for key in ("run", "photo", "pair", "painting"))
    if not (isinstance(run_id, str) and isinstance(pair, str)):
        raise ValueError("names are texts")
    if place in PATHS:
        return Shown(run_id, str(PATHS[place]), pair, Painting(**painting))
    if not _UPLOAD.fullmatch(place):
        raise ValueError("not an upload")
    return Shown(run_id, str(Path(get_upload_folder()) / place), pair, Painting(**painting))


def warm_up() -> None:
    """Load the networks by showing them the first example; what is wrong is logged, and the page stays up."""
    try:
        for view in (FIRST_VIEW, Link()):
            run(str(PATHS[view.example]), view.pair, view.painting)
    except HabnError as error:
        log.error("The networks could not be loaded: %s", error)
    except Exception:
        log.exception("The networks could not be loaded.")


def request_for(photo: str, pair: str, painting: Painting) -> engine.Request:
    """What the engine is asked for an uploaded photo: with its labels, if it is a shipped example that has some."""
    stylizing = pair in engine.PAIRS and engine.PAIRS[pair].task == "style"
    labels = None if stylizing else labels_of(photo)
    return engine.Request(photo, pair, painting if stylizing else None, labels=labels)


def run(photo: str, pair: str, painting: Painting) -> engine.Result:
    """Both networks' answer to an uploaded photo, of which only pictures without what came with it are kept.

    Raises:
        ImageError: the photo cannot be used.
        PaintingError: one of the networks cannot paint so.
        engine.RequestError: no such pair.
        CheckpointError: a network cannot be loaded.
    """
    request = request_for(photo, pair, painting)
    try:
        result = engine.run(request)
    except ImageError:
        forget_photo(photo)
        raise
    keep_photo(photo, result.image)
    return result


def keep_photo(photo: str, image: np.ndarray) -> None:
    """Put the reduced picture in the place of an upload: its EXIF data go, the place where it was taken with them.

    Of a larger photo another picture stands beside it, no larger than a painting may be. Both are as new after each
    use, for the server's folder removes what is old.
    """
    path = Path(photo)
    large = path.with_name(LARGE)
    if not _is_upload(path) or example_of(photo) is not None:
        return
    if not _is_kept(path, image.shape):
        pixels = open_image(path, max_side=LARGEST_SIDE)
        if pixels.shape != image.shape:
            Image.fromarray(pixels).save(large, quality=LARGE_QUALITY)
        save_png(image, path)
    for kept in (path, large):
        if kept.is_file():
            os.utime(kept)


def large_photo(photo: str) -> str:
    """The largest picture that is kept of a photo."""
    large = Path(photo).with_name(LARGE)
    return str(large) if _is_upload(large) and large.is_file() else photo


def forget_photo(photo: str) -> None:
    """Remove an upload that cannot be used."""
    if _is_upload(Path(photo)):
        Path(photo).unlink(missing_ok=True)


def _is_upload(path: Path) -> bool:
    return Path(get_upload_folder()) in path.parents


def _is_kept(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether a file is one that `keep_photo` wrote."""
    with path.open("rb") as file:
        head = file.read(41)
    is_png, size, next_chunk = head[:8] == b"\x89PNG\r\n\x1a\n", head[16:24], head[37:41]
    return is_png and next_chunk == b"IDAT" and size == struct.pack(">II", shape[1], shape[0])


def inspect(result: engine.Result, layer: int | None, channel: int | None, look: dict | None = None) -> dict:
    """An inspector's value for a result; see `build_inspection`."""
    return build_inspection(
        result.run_id,
        result.first,
        result.second,
        layer,
        channel,
        gaps=result.gaps,
        photo=result.image,
        correspond=result.correspond,
        look=look,
    )


@guarded
def on_select(shown: Shown | None, event: gr.EventData, request: gr.Request) -> dict:
    """Show the layer and the channel that were picked; a pick from an older result is left alone."""
    if shown is None or event.run != shown.run_id:
        return gr.skip()
    try:
        return inspect(recall(shown), event.layer, event.channel)
    except GoneError as error:
        return {"run": shown.run_id, "gone": explain(error, words.language_of(request))}
    except HabnError as error:
        return note(explain(error, words.language_of(request)))


def recall(shown: Shown) -> engine.Result:
    """What the page shows, remembered or made again.

    Raises:
        GoneError: the photo is no longer kept.
        ImageError, PaintingError, engine.RequestError, CheckpointError: as `run`.
    """
    result = engine.recall(shown.run_id)
    if result is None and not Path(shown.photo).is_file():
        raise GoneError
    return result or run(shown.photo, shown.pair, shown.painting)


def note(sentence: str) -> dict:
    """Say a sentence in a corner of the page for a while, and leave everything else as it is."""
    gr.Warning(escape(sentence, quote=False), duration=SECONDS_OF_A_NOTE, title=TITLE)
    return gr.skip()

"""What a page says that it shows: an example or an upload, never another file, and what is kept of an upload."""

import os
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from habn.comparison import engine
from habn.comparison.examples import EXAMPLES
from habn.comparison.memory import Memory
from habn.comparison.painting import Painting
from habn.images import ImageError, open_image
from habn.ui import shown
from habn.ui.refusals import GoneError
from habn.ui.shown import Shown, ShownHolder

HASH = "0123456789abcdef" * 4


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / HASH).mkdir()
    return tmp_path / HASH


@pytest.mark.parametrize("photo", ["example", "upload"])
def test_a_page_carries_what_it_shows(uploads, photo):
    path = str(EXAMPLES[1] if photo == "example" else uploads / "mine.jpg")
    value = Shown("0123", path, "styles", Painting("udnie", strength=0.5))
    carried = ShownHolder(render=False).postprocess(value)
    assert ShownHolder(render=False).preprocess(carried) == value
    assert str(uploads.parent) not in str(carried), "where the server keeps its files is not said"
    assert ShownHolder(render=False).preprocess(None) is ShownHolder(render=False).postprocess(None) is None


@pytest.mark.parametrize("change", [
    {"photo": "/etc/passwd"}, {"photo": f"{HASH}/../../secret"}, {"photo": f"{HASH}/.."}, {"photo": "lock"},
    {"photo": 5}, {"run": 5}, {"pair": ["camvid"]}, {"painting": {"style": "nobody"}}, {"painting": None},
    {"painting": {"x": 1}},
], ids=str)  # fmt: skip
def test_what_no_page_says_is_refused(uploads, change):
    said = {"run": "0123", "photo": "scene_1", "pair": "camvid", "painting": {}}
    assert ShownHolder(render=False).preprocess(said).run_id == "0123"
    with pytest.raises(gr.Error, match="reload the page"):
        ShownHolder(render=False).preprocess(said | change)


def test_a_photo_that_is_gone_is_said_to_be_gone(uploads):
    with pytest.raises(GoneError, match="no longer kept"):
        shown.recall(Shown("nothing", str(uploads / "mine.jpg"), "camvid", Painting()))


def test_of_an_upload_the_reduced_picture_is_kept(uploads, monkeypatch):
    path = uploads / "mine.jpg"
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "CAMERA", 6
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)).save(path, exif=exif)
    seen = open_image(path, max_side=engine.LONGER_SIDE)
    first = shown.run(str(path), "camvid", Painting())
    large = uploads / "large.jpg"
    assert b"CAMERA" not in path.read_bytes() and np.array_equal(open_image(path), seen)
    assert b"CAMERA" not in large.read_bytes() and open_image(large, max_side=1600).shape == (800, 600, 3), (
        "for large paintings"
    )
    assert shown.large_photo(str(path)) == str(large)
    kept = path.stat()
    for file in (path, large):
        os.utime(file, (0, 0))
    monkeypatch.setattr(engine, "_results", Memory(engine.RESULT_BYTES))
    assert shown.run(str(path), "camvid", Painting()).run_id == first.run_id
    assert path.stat().st_ino == kept.st_ino, "once is enough"
    assert min(path.stat().st_mtime, large.stat().st_mtime) > 0, "what is used is not old"


def test_an_upload_that_is_no_picture_is_not_kept(uploads):
    path = uploads / "mine.jpg"
    path.write_text("no picture")
    with pytest.raises(ImageError):
        shown.run(str(path), "camvid", Painting())
    assert not path.exists()

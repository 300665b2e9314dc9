"""A server from its start to its end: what it keeps of a photo, and what is left when it stops."""

import io
import json
import os
import signal
import stat
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from conftest import serving
from gradio_client import Client, handle_file
from PIL import Image

CAMERA = "the-name-of-my-camera"


def files_of(folder: Path) -> list[Path]:
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


@pytest.fixture
def photo(tmp_path) -> Path:
    """A photo that says with which camera, and where, it was taken."""
    noise = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)
    image = Image.fromarray(noise).resize((900, 600))
    exif = image.getexif()
    exif[0x010F], exif[0x0112] = CAMERA, 6
    exif.get_ifd(0x8825)[1] = "N"
    image.save(tmp_path / "mine.jpg", exif=exif)
    return tmp_path / "mine.jpg"


def test_a_photo_is_kept_reduced_and_goes_with_the_server(tmp_path, photo):
    with serving(tmp_path, HABN_HOST="127.0.0.1") as server:
        with closing(Client(server.address, download_files=tmp_path / "answers", verbose=False)) as client:
            figures = client.predict(handle_file(photo), "camvid", "starry_night", api_name="/compare")[2]
            assert figures["task"] == "segmentation"
        (upload,) = [path for path in files_of(server.files) if path.name == "mine.jpg"]
        with Image.open(upload) as kept:
            assert kept.size == (320, 480), "as the networks saw it: upright"
        for path in files_of(server.files):
            assert CAMERA.encode() not in path.read_bytes(), path
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.stat().st_mtime < upload.stat().st_ctime
        (folder,) = server.files.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with urllib.request.urlopen(f"{server.address}/healthz", timeout=10) as answer:
            health = json.load(io.BytesIO(answer.read()))
        assert health["status"] == "ok" and health["waiting"] == 0 and 100 < health["memory_mb"] < 2000
        assert "spvcnn-bn-camvid" in health["checkpoints"]
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(timeout=10)
        assert time.monotonic() - started < 10 and not list(server.files.iterdir())
    log = server.log.read_text()
    assert "mine.jpg" not in log and "Traceback" not in log and " 200, " in log


@pytest.mark.parametrize("environment, sentence", [
    ({"HABN_HOST": "203.0.113.1"}, "error: HABN_HOST is '203.0.113.1', which is no address of this machine"),
    ({"HABN_KEEP": "soon"}, "error: HABN_KEEP is 'soon'; it must be a number from 1 to"),
    ({"GRADIO_TEMP_DIR": "/proc/nothing/below"}, "error: Nothing can be written in /proc/nothing/below"),
])  # fmt: skip
def test_a_start_that_cannot_be_is_one_sentence(tmp_path, environment, sentence):
    with (
        pytest.raises(pytest.fail.Exception, match="app.py ended with status 1") as failure,
        serving(tmp_path, **environment),
    ):
        pass
    output = str(failure.value)
    assert sentence in output and "Traceback" not in output

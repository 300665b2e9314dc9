"""Draw the pictures of README and docs: the page as a visitor sees it, in Chromium.

    python -m assets.draw_docs

Starts the page on a free port and overwrites docs/*.png. Needs the packages of the tests, and Chromium.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
WAIT_MS = 180_000
ANSWER = """[...document.querySelectorAll(".answer img")]
    .filter((image) => image.complete && image.naturalWidth).length === 2"""
# Name, query, width and height of the window, colours, and what is there once all is drawn.
PICTURES = (
    ("first-view-light", "", (1280, 800), "light", ".answer img"),
    ("compare-light", "pair=camvid-plus", (1280, 1000), "light", ".legend tbody"),
    ("layers-light", "pair=styles-plus&tab=layers", (1280, 1100), "light", "[data-role=inspector][data-state=ready]"),
    ("experiment-dark", "tab=experiment&weather=haze", (1280, 900), "dark", "[data-role=outcome][data-state=ready]"),
    ("learn-light", "tab=learn&step=4", (1280, 1000), "light", "[data-role=lesson][data-state=ready]"),
    ("results-light", "tab=results", (1280, 1000), "light", ".results table"),
    ("phone-dark", "", (390, 844), "dark", ".answer img"),
)


def main() -> None:
    argparse.ArgumentParser(prog="python -m assets.draw_docs", description=__doc__.split("\n\n")[0]).parse_args()
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        sys.exit("error: there is no Chromium; install it first.")
    with serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for picture in PICTURES:
            print(draw(browser, address, *picture), flush=True)
        browser.close()


@contextmanager
def serving() -> Iterator[str]:
    """The page's address, while a process serves it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PORT": str(port), "GRADIO_TEMP_DIR": folder, "HF_HUB_OFFLINE": "1"}
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(30)


def wait_for(address: str, process: subprocess.Popen) -> None:
    """Wait until the page answers, at most as long as for a picture."""
    for _ in range(WAIT_MS // 500):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            if process.poll() is not None:
                sys.exit("error: app.py has ended; start it by itself to see why.")
            time.sleep(0.5)
    sys.exit("error: app.py does not answer.")


def draw(browser: Browser, address: str, name: str, query: str, size: tuple[int, int], scheme: str, ready: str) -> Path:
    """One picture."""
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(viewport=viewport, color_scheme=scheme)
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{address}/?{query}" if query else address)
    page.wait_for_selector(f"{ready} >> visible=true")
    if ready == ".answer img":
        page.wait_for_function(ANSWER)
    page.wait_for_timeout(1500)  # for what is drawn by and by, such as maps
    path = ROOT / "docs" / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    return path


if __name__ == "__main__":
    main()

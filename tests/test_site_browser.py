"""The page without a server, in Chromium: examples at once, own photos by the networks in the browser, offline.

The site is built once, for a pair of each task, which needs npm; HABN_SITE names one that was built already.
"""

import base64
import fcntl
import functools
import io
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from conftest import do_without
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_accessibility import READY, findings
from test_site import unpack

from habn.comparison import engine
from habn.comparison.experiment import run_experiment
from habn.comparison.painting import Painting
from habn.comparison.request import Request
from habn.data.weather import WeatherSetting, draw_place
from habn.hooks.intervention import Intervention
from habn.ui import words
from habn.ui.inspector.encoding import encode_view
from habn.ui.site import building

PAIRS = ("camvid-plus", "styles-in")
PATH = "/some/where/site/"
WAIT_MS = 90_000
ALIKE = 0.999  # of the pixels have PyTorch's class
EXAMPLE = building.EXAMPLES[0]

pytestmark = pytest.mark.timeout(900)
expect.set_options(timeout=WAIT_MS)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def build_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, which the first of the test processes builds while the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_suffix(".done")
        if not done.exists():
            building.build_site(folder, pairs=PAIRS, pictures=building.EXAMPLES[:1])
            done.touch()
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """Of the site, served under a path by what knows nothing of it."""
    root = tmp_path_factory.mktemp("host")
    folder = root / PATH.strip("/")
    built = os.environ.get("HABN_SITE")
    if built:
        shutil.copytree(built, folder)
    elif not (Path(sys.prefix) / "bin" / "npm").exists() and shutil.which("npm") is None:
        do_without("there is no npm, with which the site is built: make test installs it")
    else:
        shutil.copytree(build_once(tmp_path_factory), folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{PATH}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A new visitor's browser, in which a request to another host, or an error, fails the test."""
    wrong: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US") as context:
        context.set_default_timeout(WAIT_MS)
        host = address.removesuffix(PATH)
        context.on("request", lambda r: r.url.startswith((host, "data:", "blob:")) or wrong.append(r.url))
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        context.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        yield context
    assert not wrong


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}?pair=camvid-plus")
    page.locator(".answer img[src]").first.wait_for()
    return page


def own_photo() -> bytes:
    """A photo that is no example, stored on its side, as phones do."""
    image = Image.open(building.EXAMPLES[1]).convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    file = io.BytesIO()
    image.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


RUN = """async ([base, photo, pair, painting, changes]) => {
    const { run, answerAgain } = await import(base + "shown.js");
    const file = new File([Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0))], "photo");
    const before = await run({ url: "", file }, pair, painting);
    const result = changes ? await answerAgain(before, changes) : before;
    const text = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const { height, width } = result.image;
    const answer = ({ labels, picture }) => text(labels ?? picture.data);
    const [first, second] = [answer(result.first), answer(result.second)];
    return { height, width, image: text(result.image.data), first, second };
}"""


def run_in(page: Page, address: str, pair: str, painting: dict | None = None, changes: dict | None = None) -> dict:
    """Picture and answers of `own_photo` as the browser has them, (H, W) classes or (H, W, 3)."""
    photo = base64.b64encode(own_photo()).decode()
    got = page.evaluate(RUN, [address, photo, pair, painting, changes])
    shape = (got["height"], got["width"])
    arrays = {name: np.frombuffer(base64.b64decode(got[name]), np.uint8) for name in ("image", "first", "second")}
    return {
        name: array.reshape(shape if array.size == np.prod(shape) else (*shape, 3)) for name, array in arrays.items()
    }


def test_an_example_is_there_at_once_and_without_a_network(page: Page):
    expect(page.locator(".verdict")).to_contain_text("BN and HABN+ disagree on")
    result = engine.run(Request(str(EXAMPLE), "camvid-plus"))
    assert words.percent(float(result.difference.mean()), "en") in page.locator(".verdict").inner_text()
    page.click('[data-tab-id="layers"]')
    page.locator("#panel-37 .inspector[data-state=ready], .inspector[data-state=ready]").first.wait_for()
    asked = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert not [name for name in asked if name.endswith((".onnx", ".wasm"))]


def test_an_own_photo_has_pytorchs_classes(page: Page, address: str):
    got = run_in(page, address, "camvid-plus")
    wanted = engine.run(Request(own_photo(), "camvid-plus"))
    np.testing.assert_array_equal(got["image"], wanted.image)
    assert (got["first"] == wanted.first.labels).mean() >= ALIKE
    assert (got["second"] == wanted.second.labels).mean() >= ALIKE


def test_a_style_is_pytorchs(page: Page, address: str):
    painting = {"style": "udnie", "strength": 0.6, "second_style": "houses", "second_share": 0.25, "keep_colours": True}
    got = run_in(page, address, "styles-in", painting)
    wanted = engine.run(Request(own_photo(), "styles-in", Painting(**painting)))
    for side, output in (("first", wanted.first), ("second", wanted.second)):
        assert np.abs(got[side].astype(int) - output.picture).mean() <= 1


@pytest.mark.parametrize("context_map", ["own", "mean", "inverted", "shuffled", "painted"])
def test_knobs_do_what_they_do_on_the_server(page: Page, address: str, context_map: str):
    painted = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8) if context_map == "painted" else None
    intervention = Intervention((2.0, 1.0, 0.5, 0.0), context_map, painted)
    found = run_experiment(Request(own_photo(), "camvid-plus", intervention=intervention))
    sizes = sorted({record.context.shape for record in found.before.second.records}, reverse=True)
    change = {"strength": intervention.strength, "context": context_map, "layers": None, "sizes": sizes}
    if painted is not None:
        change["painted"] = {"data": painted.ravel().tolist(), "height": 6, "width": 8}
    got = run_in(page, address, "camvid-plus", changes={"change": change})
    assert (got["first"] == found.before.first.labels).mean() >= ALIKE
    assert (got["second"] == found.after.second.labels).mean() >= ALIKE
    assert found.second.share > 1 - ALIKE


def test_weather_changes_what_it_changes_on_the_server(page: Page, address: str):
    place = draw_place("darkness", 0)
    weather = WeatherSetting("darkness", 4, place)
    found = run_experiment(Request(own_photo(), "camvid-plus", weather=weather))
    got = run_in(page, address, "camvid-plus", changes={"weather": {"name": "darkness", "strength": 4, "place": place}})
    assert np.abs(got["image"].astype(int) - found.after.image).max() <= 1
    assert (got["second"] == found.after.second.labels).mean() >= ALIKE - 0.002


def test_a_pixel_has_the_servers_numbers(page: Page, address: str):
    result = engine.run(Request(own_photo(), "camvid-plus"))
    got = page.evaluate(
        """async ([base, photo]) => {
            const { run, inspect } = await import(base + "shown.js");
            const file = new File([Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0))], "photo");
            const { view } = await inspect(await run({ url: "", file }, "camvid-plus", null), 3, 7);
            const bytes = new Uint8Array(await (await fetch(view.url)).arrayBuffer());
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }""",
        [address, base64.b64encode(own_photo()).decode()],
    )
    wanted = encode_view(result.first.records[3], result.second.records[3], 7)
    (header, arrays), (wanted_header, wanted_arrays) = map(unpack, (base64.b64decode(got), wanted))
    assert header["shape"] == wanted_header["shape"] and arrays.keys() == wanted_arrays.keys()
    for name, array in wanted_arrays.items():
        size = np.abs(array).max()
        np.testing.assert_allclose(arrays[name], array, rtol=1e-4, atol=1e-4 * size, err_msg=name)


def test_the_page_takes_a_photo_and_shows_both_answers(page: Page, tmp_path: Path):
    (tmp_path / "photo.jpg").write_bytes(own_photo())
    page.locator("input[type=file]").set_input_files(tmp_path / "photo.jpg")
    expect(page.locator(".figures tbody")).to_contain_text("ms")
    wanted = engine.run(Request(own_photo(), "camvid-plus"))
    assert words.percent(float(wanted.difference.mean()), "en") in page.locator(".verdict").inner_text()
    run = page.locator("[data-role=inspector]").first
    page.click('[data-tab-id="layers"]')
    expect(run).to_have_attribute("data-state", "ready")
    page.click('[data-tab-id="experiment"]')
    expect(page.locator("[data-role=outcome]").first).to_have_attribute("data-state", "ready")
    page.click('[data-tab-id="adaptation"]')
    page.get_by_text("Freeze all four").click()
    expect(page.locator("[data-role=headline]").nth(1)).to_contain_text("All four parameters are frozen")
    page.click('[data-tab-id="learn"]')
    page.locator("[data-role=step]").nth(5).click()
    expect(page.locator("[data-role=lesson]")).to_have_attribute("data-state", "ready")
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator("[data-role=reply]")).to_contain_text("of the pixels change their class")


def test_a_file_that_is_no_photo_is_refused_in_a_sentence(page: Page, tmp_path: Path):
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7 " * 200)
    page.locator("input[type=file]").set_input_files(tmp_path / "letter.pdf")
    expect(page.locator(".verdict")).to_contain_text("The file is a PDF document; save it as JPEG or PNG first.")
    expect(page.locator(".photo-field img")).to_have_attribute("src", re.compile(r"scene_1\.webp$"))


def test_after_the_first_visit_it_works_offline(context: BrowserContext, page: Page, address: str, tmp_path: Path):
    (tmp_path / "photo.jpg").write_bytes(own_photo())
    page.locator("input[type=file]").set_input_files(tmp_path / "photo.jpg")
    expect(page.locator(".figures tbody")).to_contain_text("ms")
    page.evaluate("navigator.serviceWorker.ready")
    seen = f"{address}?pair=camvid-plus&tab=compare"
    page.goto(seen)  # now the service worker answers, and keeps what it sees
    take_photo_and_look_inside(page, tmp_path)
    context.set_offline(True)
    page.goto(seen)
    take_photo_and_look_inside(page, tmp_path)
    assert page.evaluate("crossOriginIsolated")


def take_photo_and_look_inside(page: Page, folder: Path) -> None:
    page.locator(".answer img[src]").first.wait_for()
    page.locator("input[type=file]").set_input_files(folder / "photo.jpg")
    expect(page.locator(".figures tbody")).to_contain_text("ms")
    page.click('[data-tab-id="layers"]')
    expect(page.locator("[data-role=inspector]").first).to_have_attribute("data-state", "ready")


def test_it_speaks_spanish_and_opens_a_link(browser: Browser, address: str):
    with browser.new_context(locale="es-ES") as context:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{address}?tab=layers&pair=camvid-plus&layer=stem.norm&channel=2&pixel=5,6")
        inspector = page.locator("[data-role=inspector]").first
        expect(inspector).to_have_attribute("data-state", "ready")
        assert inspector.get_attribute("data-layer") == "0" and inspector.get_attribute("data-channel") == "2"
        expect(page.get_by_role("tab", name="Capas")).to_have_attribute("aria-selected", "true")
        assert "layer=stem.norm" in page.url and "pixel=5,6" in page.url


def test_the_arrays_come_as_a_zip(page: Page):
    page.get_by_text("Save and export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Raw arrays").click()
    with np.load(download.value.path()) as arrays:
        wanted = engine.run(Request(str(EXAMPLE), "camvid-plus"))
        name = download.value.suggested_filename
        record = next(r for r in wanted.second.records if f"-{r.name}-" in name)
        np.testing.assert_allclose(arrays["second_x"], record.x, atol=1e-4 * np.abs(record.x).max())
        labels = np.asarray(Image.open(io.BytesIO(arrays["second_labels.png"])).convert("L"))
    assert (labels == wanted.second.labels).all()


@pytest.mark.parametrize("tab", ["compare", "layers", "experiment", "learn", "results"])
def test_axe_finds_nothing_serious(browser: Browser, address: str, axe: str, tab: str):
    with browser.new_context() as context:
        context.add_init_script(axe)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{address}?pair=camvid-plus&tab={tab}")
        page.locator(READY[tab]).first.wait_for()
        assert not findings(page)

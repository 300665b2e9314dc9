"""The inspector in a browser without Gradio: four names, a document and files as data addresses are enough."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from test_inspector import outputs

from habn.ui import inspector, words
from habn.ui.inspector import build_inspection
from habn.ui.inspector.encoding import adaptation_order

START = """([script, value]) => {
    window.looks = [];
    document.addEventListener("habn-look", (event) => looks.push(event.detail));
    window.asked = [];
    window.props = { value };
    const trigger = (name, data) => asked.push([name, data]);
    const watch = (name, react) => (window.arrive = (value) => { props.value = value; react(); });
    new Function("element", "props", "trigger", "watch", script)(document.body, props, trigger, watch);
}"""

HOVER = """([pixels, width]) => {
    const find = (role, inside = document) => inside.querySelector(`[data-role=${role}]`);
    const findAll = (role) => [...document.querySelectorAll(`[data-role=${role}]`)];
    const number = (text) => Number(text.replace("−", "-").replace("e−", "e-"));
    const frame = document.querySelector("[data-network-row=second][data-quantity=x] .frame");
    const box = frame.getBoundingClientRect();
    const size = box.width / width;
    return pixels.map((i) => {
        const clientX = box.left + (i % width + 0.5) * size;
        const clientY = box.top + (Math.floor(i / width) + 0.5) * size;
        frame.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX, clientY }));
        const cells = [...document.querySelectorAll("[data-role=map][data-network-row=second]")];
        return {
            ...find("maps").dataset,
            values: cells.map((cell) => number(find("value", cell).textContent)),
            results: findAll("equation").map((panel) => [
                find("result", panel).textContent, find("recorded", panel).textContent.replace("recorded ", ""),
            ]),
            bars: findAll("cause").map((row) => Number(find("amount", row).value)),
            gap: Number(find("amount", find("gap")).value),
        };
    });
}"""
# Where a map's cross-hair is, in percent of its frame.
LINES = """(frame) => {
    const at = (line, side) => parseFloat(getComputedStyle(frame, line)[side]);
    return [100 * at("::before", "left") / frame.clientWidth, 100 * at("::after", "top") / frame.clientHeight];
}"""
# Maps whose canvas has not one opaque pixel.
EMPTY = """() => [...document.querySelectorAll("[data-role=inspector] canvas")].filter((canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return !data.some((value, i) => i % 4 === 3 && value === 255);
}).length"""


@dataclass
class Bench:
    """An inspector of two small layers in a bare document."""

    page: Page
    folder: Path

    def value(self, *picked: int, run: str = "abc123", **given) -> dict:
        """What the server would send, each file as an address that holds it."""
        value = build_inspection(run, *outputs(), *picked, **given)
        return {key: self.embed(part) for key, part in value.items()}

    def embed(self, part: object) -> object:
        if not isinstance(part, dict) or "path" not in part:
            return part
        content = base64.b64encode(Path(part["path"]).read_bytes()).decode()
        return {"url": f"data:{part['mime_type']};base64,{content}"}

    def show(self, value: dict) -> None:
        self.page.evaluate("value => arrive(value)", value)
        self.wait_for(value["layer"], value["channel"])

    def wait_for(self, layer: int, channel: int) -> None:
        self.page.wait_for_selector(f"[data-state=ready][data-layer='{layer}'][data-channel='{channel}']")

    def look(self) -> dict:
        """What the inspector told the page last."""
        return self.page.evaluate("looks.at(-1)")


@pytest.fixture
def bench(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """The inspector at work; the parameter holds options of Playwright's page. Afterwards the console is clean."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    component = inspector.Inspector(render=False)
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **getattr(request, "param", {})})
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.set_content(f"<style>{component.css_template}</style>{component.html_template}")
    bench = Bench(page, tmp_path)
    value = bench.value()
    page.evaluate(START, [component.js_on_load, value])
    bench.wait_for(value["layer"], value["channel"])
    yield bench
    page.close()
    assert complaints == []


def test_a_value_sets_the_look_and_what_the_visitor_changes_is_told(bench: Bench):
    look = {
        "pixel": [3, 5],
        "range": "layer",
        "rows": ["second"],
        "columns": ["s", "y"],
        "parts": ["maps", "equations"],
    }
    bench.show(bench.value(0, 2, look=look))
    assert bench.page.evaluate("looks") == [], "what a value sets is not told"
    assert bench.page.locator("[data-role=maps]").get_attribute("data-row") == "3"
    assert bench.page.locator("[data-role=map]:visible").count() == 2
    assert not bench.page.locator("[data-role=strip]").is_visible()
    bench.page.keyboard.press("Tab")
    bench.page.locator("[data-role=maps]").press("ArrowRight")
    assert bench.look() == {
        "layer": "encoder.3.norm",
        "channel": 2,
        "pixel": [3, 6],
        "range": "layer",
        "order": "depth",
        "channels": "index",
        "zoom": 1,
        "overlay": 100,
    }
    bench.show(bench.value(1, 0, look={"range": "all", "pixel": "here", "rows": ["third"], "zoom": 3, "colour": "red"}))
    assert bench.page.locator("[data-role=map]:visible").count() == 28, "what is not valid is ignored"
    assert bench.page.locator("[data-role=maps]").get_attribute("data-pinned") == "false"
    assert json.dumps(bench.value(1, 0)) == json.dumps(bench.value(1, 0, look=None)), "the key may be missing"


def test_the_first_pixel_is_the_one_that_adaptation_changes_most(bench: Bench):
    value = build_inspection("abc123", *outputs())
    record, channel = outputs()[1].records[value["layer"]], value["channel"]
    scale, bias, mean, var = record.static[:, channel]
    still = (record.x[channel] - mean) / np.sqrt(var + record.eps) * scale + bias
    row, column = np.unravel_index(np.abs(record.y[channel] - still).argmax(), still.shape)
    maps = bench.page.locator("[data-role=maps]")
    expect(maps).to_have_attribute("data-row", str(row))
    expect(maps).to_have_attribute("data-column", str(column))
    expect(maps).to_have_attribute("data-pinned", "false")


def test_hovering_fills_in_every_pixel_exactly_and_asks_for_nothing(bench: Bench):
    bench.show(bench.value(1, 2))
    requests = []
    bench.page.on("request", lambda request: requests.append(request.url))
    first, second = (output.records[1] for output in outputs())
    pixels = np.random.default_rng(0).choice(12 * 16, 100, replace=False).tolist()
    for i, seen in zip(pixels, bench.page.evaluate(HOVER, [pixels, 16]), strict=True):
        row, column = divmod(i, 16)
        assert (seen["row"], seen["column"]) == (str(row), str(column))
        maps = [second.context, *second.parameters[:, 2], second.x[2], second.y[2]]
        assert seen["values"] == [pytest.approx(values[row, column], rel=1e-3, abs=1e-6) for values in maps]
        assert all(result == recorded for result, recorded in seen["results"]), "in both equations"
        assert len(seen["bars"]) == 5 and sum(seen["bars"]) == pytest.approx(seen["gap"], rel=1e-9, abs=1e-12)
        assert seen["gap"] == pytest.approx(second.y[2, row, column] - first.y[2, row, column], rel=1e-4, abs=1e-5)
    assert requests == [] and bench.page.evaluate("asked") == []


@pytest.mark.parametrize("bench", [{}, {"viewport": {"width": 390, "height": 844}, "has_touch": True}], indirect=True)
def test_corners_of_a_map_are_corner_pixels_at_every_zoom(bench: Bench):
    page, zoom = bench.page, bench.page.locator("[data-role=zoom]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    frame = page.locator("[data-network-row=second][data-quantity=scale] .frame")
    frame.scroll_into_view_if_needed()
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        for times in (1, 2, 4):
            zoom.select_option(str(times))  # about the pixel that is pinned: from the second on, this corner
            box = frame.bounding_box()
            page.mouse.click(box["x"] + 1 + right * (box["width"] - 2), box["y"] + 1 + down * (box["height"] - 2))
            assert (bench.look()["pixel"], bench.look()["zoom"]) == ([11 * down, 15 * right], times)
            expected = [abs(100 * right - 50 * times / 16), abs(100 * down - 50 * times / 12)]
            assert frame.evaluate(LINES) == pytest.approx(expected, abs=0.5)
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 9 + box["width"] / 2, box["y"] + 9, steps=3)
    page.mouse.up()
    assert bench.look()["pixel"] == [11, 15], "dragging moves the picture and pins nothing"
    page.mouse.click(box["x"] + 1, box["y"] + 1)
    assert bench.look()["pixel"] == [9, 10], "a window of 4 x 3 pixels, moved by two to the left"
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"])
    assert bench.look()["pixel"] == [10, 12]
    page.locator("[data-role=let-go]").click()
    assert bench.look()["pixel"] is None


def test_layers_and_channels_are_picked_by_keyboard_and_pointer(bench: Bench):
    page = bench.page
    second = outputs()[1].records
    adapted = [adaptation_order(record).tolist() for record in second]
    layers = page.locator("[data-role=layer]")
    names = "options => options.map((option) => Number(option.dataset.index))"
    assert layers.evaluate_all(names) == [0, 1]
    page.locator("[data-role=order]").select_option("strength")
    assert layers.evaluate_all(names) == [1, 0] and bench.look()["order"] == "strength"
    page.locator("[data-role=channels]").select_option("adapted")
    page.locator("[data-role=channel-slider]").press("ArrowRight")
    assert (bench.look()["channels"], bench.look()["channel"]) == ("adapted", adapted[1][1])
    page.locator("[data-role=layer][aria-selected=true]").press("ArrowRight")
    assert (bench.look()["layer"], bench.look()["channel"]) == ("encoder.3.norm", adapted[0][0])
    page.wait_for_function("asked.at(-1)?.[1].layer === 0")
    assert page.evaluate("asked.at(-1)") == ["select", {"run": "abc123", "layer": 0, "channel": adapted[0][0]}]
    bench.show(bench.value(0, adapted[0][0]))
    box = page.locator("[data-role=profile-plot]").bounding_box()
    page.locator("[data-role=profile-plot]").click(position={"x": box["width"] * 0.9, "y": 20})
    assert bench.look()["channel"] == adapted[0][4], "the last of five, in the order of adaptation"


def test_classes_the_photo_and_networks_that_do_not_correspond(bench: Bench):
    page = bench.page
    first, second = outputs()
    photo = np.full((48, 64, 3), 90, np.uint8)
    bench.show(bench.value(1, 2, photo=photo))
    labels = second.labels[2::4, 2::4]
    page.locator("[data-role=classes-quantity]").select_option("y")
    sizes = np.bincount(labels.ravel(), minlength=11)
    assert page.locator("[data-role=class]").count() == np.count_nonzero(sizes)
    largest = page.locator("[data-role=class]").first
    label = int(largest.get_attribute("data-label"))
    assert sizes[label] == sizes.max()
    means = [float(output.records[1].y[2][labels == label].mean()) for output in (first, second)]
    shown = [largest.locator(f"[data-role={name}-mean]").inner_text() for name in ("first", "second")]
    assert [float(text.replace("−", "-")) for text in shown] == pytest.approx(means, rel=1e-3)

    ground = page.locator("[data-network-row=second][data-quantity=y] .photo")
    assert ground.evaluate("node => getComputedStyle(node).backgroundImage") == "none", "not fetched before it is seen"
    page.locator("[data-role=overlay]").fill("40")
    assert "data:image/png" in ground.evaluate("node => getComputedStyle(node).backgroundImage")
    assert (
        page.locator("[data-network-row=second][data-quantity=y] canvas").evaluate(
            "node => getComputedStyle(node).opacity"
        )
        == "0.4"
    )
    expect(page.locator("[data-role=apart]")).to_be_hidden()

    for output in (first, second):
        output.labels = None
    value = build_inspection("of-a-style", first, second, correspond=False)
    bench.show({key: bench.embed(part) for key, part in value.items()})
    expect(page.locator("[data-role=apart]")).to_contain_text("trained apart")
    for role in ("classes", "profile-gap", "overlay-field"):
        expect(page.locator(f"[data-role={role}]")).to_be_hidden()


@pytest.mark.parametrize("bench", [{"locale": "es-MX"}], indirect=True)
def test_every_term_is_explained_by_keyboard_in_one_s_own_language(bench: Bench):
    page = bench.page
    texts = words.table("inspector")
    spoken = page.locator("[data-role=inspector]").inner_text()
    assert texts["es"]["attribution"] in spoken and texts["en"]["attribution"] not in spoken
    terms = {name.removeprefix("help_") for name in texts["es"] if name.startswith("help_")}
    explained = page.locator("[data-role=help] > [popover]").evaluate_all("nodes => nodes.map((n) => n.textContent)")
    assert {texts["es"][f"help_{term}"] for term in terms} == set(explained)
    button = page.locator("[data-role=column][data-quantity=bias] [data-role=help] button")
    assert button.get_attribute("aria-label") == "¿Qué es esto: sesgo?"
    button.press("Enter")
    expect(page.locator("[popover]:popover-open")).to_have_text(texts["es"]["help_bias"])
    box = page.locator("[popover]:popover-open").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] > button.bounding_box()["y"]
    page.keyboard.press("Escape")
    expect(page.locator("[popover]:popover-open")).to_have_count(0)
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        assert page.evaluate(EMPTY) == 0

"""The inspector in a browser without Gradio: four names, a document and files as data addresses are enough."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from test_inspector import outputs

from habn.ui import inspector
from habn.ui.inspector import build_inspection

START = """([script, value]) => {
    window.looks = [];
    document.addEventListener("habn-look", (event) => looks.push(event.detail));
    window.asked = [];
    window.props = { value };
    const trigger = (name, data) => asked.push([name, data]);
    const watch = (name, react) => (window.arrive = (value) => { props.value = value; react(); });
    new Function("element", "props", "trigger", "watch", script)(document.body, props, trigger, watch);
}"""


@dataclass
class Bench:
    """An inspector of two small layers in a bare document."""

    page: Page
    folder: Path

    def value(self, *picked: int, run: str = "abc123", **given) -> dict:
        """What the server would send, each file as an address that holds it."""

        def embed(part):
            if not isinstance(part, dict) or "path" not in part:
                return part
            content = base64.b64encode(Path(part["path"]).read_bytes()).decode()
            return {"url": f"data:{part['mime_type']};base64,{content}"}

        return {key: embed(part) for key, part in build_inspection(run, *outputs(), *picked, **given).items()}

    def show(self, value: dict) -> None:
        self.page.evaluate("value => arrive(value)", value)
        self.wait_for(value["layer"], value["channel"])

    def wait_for(self, layer: int, channel: int) -> None:
        self.page.wait_for_selector(f"[data-state=ready][data-layer='{layer}'][data-channel='{channel}']")

    def look(self) -> dict:
        """What the inspector told the page last."""
        return self.page.evaluate("looks.at(-1)")


@pytest.fixture
def bench(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    component = inspector.Inspector(render=False)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
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

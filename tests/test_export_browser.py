"""The exports as a visitor gets them: the report opens from disk and works, and every button saves its file."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from habn.comparison import engine
from habn.comparison.arrays import View
from habn.ui.export.report import write_report
from habn.ui.link import Link

expect.set_options(timeout=60_000)  # milliseconds: the first visitor waits for the networks to be loaded


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report on a small picture, as a file."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    patches = np.random.default_rng(3).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    picture = np.array(Image.fromarray(patches).resize((64, 48), Image.Resampling.BICUBIC))
    view = View(engine.run(engine.Request(picture, "camvid-plus")), layer=3, channel=7, pixel=(4, 5))
    path = tmp_path / "report.html"
    path.write_text(write_report(view, Link(), "en"), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_opens_from_disk_and_its_inspector_works(browser: Browser, report: Path, scheme: str):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(report.as_uri())
    page.wait_for_selector("[data-role=inspector][data-state=ready][data-layer='3'][data-channel='7']")
    expect(page.locator("[data-role=pixel]")).to_have_text("Row 4, column 5")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")

    page.locator("[data-role=maps]").press("Escape")
    canvas = page.locator("[data-network-row=second][data-quantity=y] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    equation = page.locator("[data-role=equation][data-network=second]")
    seen = [equation.inner_text()]
    for share in (0.15, 0.45, 0.85):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        expect(equation).not_to_have_text(seen[-1], use_inner_text=True)
        seen.append(equation.inner_text())

    data = json.loads(page.locator("script.data").text_content())
    other = next(value["channel"] for value in data["values"] if value["layer"] == 3 and value["channel"] != 7)
    page.locator("[data-role=channel-number]").fill("8" if other < 7 else "6")
    page.locator("[data-role=channel-number]").press("Enter")
    expect(page.locator(".redirected")).to_contain_text("is not in this file")
    page.locator("[data-role=layer][data-index='0']").click()
    page.wait_for_selector("[data-role=inspector][data-state=ready][data-layer='0']")
    assert {url.partition(":")[0] for url in requests} <= {"file", "blob", "data"}
    assert complaints == []
    context.close()


def test_every_button_saves_its_file_and_the_program_can_be_copied(browser: Browser, page_address: str, tmp_path: Path):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{page_address}/?layer=to_eighth.norm&channel=13&pixel=10,20")
    expect(page.locator(".answer img")).to_have_count(2)
    page.get_by_role("button", name="Save and export").click()
    starts = {"PNG": b"\x89PNG", "NPZ": b"PK", "HTML": b"<!DOCTYPE html>"}
    for name, start in starts.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=f"({name})").click()
        assert download.value.suggested_filename == f"habn-camvid-to_eighth.norm-13.{name.lower()}"
        saved = tmp_path / name
        download.value.save_as(saved)
        assert saved.read_bytes().startswith(start) and saved.stat().st_size < 15e6
        expect(page.locator(".offer a")).to_be_in_viewport()
    with page.expect_download() as download:
        page.get_by_role("button", name="Python program").click()
    assert download.value.suggested_filename == "habn-camvid-to_eighth.norm-13.py"
    expect(page.locator(".offer a")).to_contain_text("habn-camvid-to_eighth.norm-13.py")
    expect(page.locator(".cm-content")).to_contain_text("layer, channel, row, column = 4, 13, 10, 20")
    with page.expect_download():
        page.get_by_role("button", name="(NPZ)").click()
    expect(page.locator(".cm-content")).to_be_hidden()
    context.close()

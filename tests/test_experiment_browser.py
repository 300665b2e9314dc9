"""The tab Experiment in a browser, as a visitor uses it."""

import copy
import io
import re
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from habn.comparison import engine
from habn.comparison.examples import EXAMPLES
from habn.data.segmentation import STREET_PALETTE
from habn.layers import revert_batch_norm
from habn.pixels import to_tensor
from habn.ui import pictures
from habn.ui.experiment.outcome import OPACITY

expect.set_options(timeout=60_000)  # milliseconds: the first visitor waits for the networks to be loaded


@pytest.fixture
def page(browser: Browser, page_address: str) -> Iterator[Page]:
    """The page with its first answer; afterwards nothing was wrong in the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    page.goto(f"{page_address}/?pair=camvid")
    expect(page.locator(".answer img")).to_have_count(2)
    yield page
    context.close()
    assert complaints == []


def open_part(page: Page, name: str) -> Locator:
    """A part of the tab, once its first outcome is there."""
    page.get_by_role("tab", name="Experiment").click()
    page.get_by_role("tab", name=name).click()
    panel = page.get_by_role("tabpanel").filter(has=page.locator("[data-role=outcome]:visible")).last
    expect(panel.locator("[data-role=outcome][data-state=ready]")).to_be_visible()
    return panel


def outcome(panel: Locator) -> list[str]:
    """Addresses of the pictures, which are named by their content: row by row before, after and what changed."""
    return panel.locator("[data-role=outcome] img").evaluate_all("images => images.map((image) => image.src)")


def after(panel: Locator) -> Locator:
    """What HABN answers after the change."""
    return panel.locator("[data-side=second] img").nth(1)


def runs(page: Page) -> int:
    """How many events the page has sent to the server."""
    entries = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('queue/join')).length"
    return page.evaluate(entries)


def test_weather_changes_both_answers_once_it_is_let_go(page: Page):
    panel = open_part(page, "Weather")
    clear, before, asked = outcome(panel)[0], outcome(panel), runs(page)
    box = panel.locator("[data-role=stage]").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.75 * box["height"], steps=8)
    assert runs(page) == asked, "nothing runs while it is dragged"
    page.mouse.up()
    expect(after(panel)).not_to_have_attribute("src", before[4])
    assert outcome(panel)[1] != before[1] and outcome(panel)[0] == clear
    expect(page).to_have_url(re.compile("place=0.15,0.75"))

    dragged = outcome(panel)
    panel.get_by_role("button", name=re.compile("Place of the weather")).press("ArrowRight")
    expect(after(panel)).not_to_have_attribute("src", dragged[4])
    panel.get_by_role("button", name="Put everything back").click()
    expect(panel.locator("[data-role=headline]")).to_contain_text("No weather")
    pictures = outcome(panel)
    assert pictures[0] == pictures[1] == clear and pictures[3] == pictures[4]
    expect(panel.locator("[data-figure=kept] dd")).to_have_text(["100.0 %", "100.0 %"])


def test_of_many_quick_changes_the_newest_is_shown_and_remains(page: Page):
    panel = open_part(page, "Weather")
    seen = outcome(panel)[4]
    addresses = {}
    for weather in ("Wet road", "Darkness"):
        panel.get_by_label(weather).check()
        expect(after(panel)).not_to_have_attribute("src", seen)
        seen = addresses[weather] = outcome(panel)[4]
    asked = runs(page)
    for weather in ("Low sun", "Vignette", "Smear", "Haze", "Wet road"):
        panel.get_by_label(weather).check()
    expect(after(panel)).to_have_attribute("src", addresses["Wet road"])
    page.wait_for_timeout(1000)
    assert outcome(panel)[4] == addresses["Wet road"]
    assert runs(page) - asked < 5, "what was overtaken while it waited is not run"


def test_a_painted_map_and_a_frozen_adaptation_change_the_answer(page: Page):
    panel = open_part(page, "Adaptation")
    plain = outcome(panel)
    assert plain[0] == plain[1]
    panel.get_by_role("radio", name="painted").check()
    stage = panel.locator("canvas[data-role=map]")
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 20, steps=6)
    page.mouse.up()
    expect(after(panel)).not_to_have_attribute("src", plain[1])
    painted = outcome(panel)[1]
    panel.get_by_role("button", name="Undo").click()
    expect(after(panel)).to_have_attribute("src", plain[1])
    panel.get_by_role("button", name="Redo").click()
    expect(after(panel)).to_have_attribute("src", painted)

    panel.get_by_role("button", name="Freeze all four").click()
    expect(panel.locator("[data-role=headline]")).to_contain_text("exactly the network without adaptation")
    expect(page).to_have_url(re.compile("scale=0&bias=0&mean=0&var=0"))
    static = revert_batch_norm(copy.deepcopy(engine.load_network("spvcnn-habn-camvid").network))
    image = engine.open_image(EXAMPLES[0])
    with torch.inference_mode():
        labels = static(to_tensor(image))[0].argmax(0).numpy()
    expected = pictures.draw_answer(image, SimpleNamespace(picture=STREET_PALETTE[labels], labels=labels), OPACITY)
    shown = Image.open(io.BytesIO(page.request.get(outcome(panel)[1]).body()))
    assert (np.array(shown) == expected).all(axis=2).mean() > 0.9999

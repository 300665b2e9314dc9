"""The first seconds of a visit, in a browser: two pictures that differ, a sentence, the next thing to try."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from habn.comparison.first_view import BAR, effect

SIZES = ((1280, 800), (768, 1024), (390, 844))
SHIFTS = """window.shifts = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
MOST_SHIFT = 0.1  # what Web Vitals call good
DRAWN = """[...document.querySelectorAll(".answer img")]
    .filter((image) => image.complete && image.naturalWidth).length === 2"""


@pytest.fixture
def page(browser: Browser, page_address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = getattr(request, "param", SIZES[0])
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        context.add_init_script(SHIFTS)
        page = context.new_page()
        page.goto(page_address)
        page.wait_for_function(DRAWN, timeout=120_000)
        yield page


def fits(page: Page, selector: str) -> bool:
    box = page.locator(selector).first.bounding_box()
    return box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]


@pytest.mark.parametrize("page", SIZES, indirect=True, ids=str)
def test_pictures_sentence_and_next_step_need_no_scrolling(page: Page):
    expect(page.locator(".verdict")).to_contain_text("HABN+")
    for selector in (".verdict", ".answer img", "[data-role=story] [data-role=start]"):
        assert fits(page, selector), selector
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.evaluate("window.shifts") < MOST_SHIFT


def test_the_two_pictures_of_the_first_view_differ_to_the_eye(page: Page, tmp_path):
    pictures = []
    for number, image in enumerate(page.locator(".answer img").all()):
        path = tmp_path / f"{number}.png"
        path.write_bytes(page.request.get(image.evaluate("image => image.src")).body())
        pictures.append(np.asarray(Image.open(path).convert("RGB")))
    assert effect(*pictures) > BAR


def test_another_style_answers_in_place(page: Page):
    old = page.locator(".answer img").first.get_attribute("src")
    before = page.locator(".answer").bounding_box()
    swatch = page.get_by_role("radio", name="The Scream, Edvard Munch")
    assert fits(page, ".swatches") and page.evaluate("scrollY") == 0
    swatch.check()
    expect(page.locator(".answer img").first).not_to_have_attribute("src", old, timeout=60_000)
    assert page.evaluate("scrollY") == 0
    assert page.locator(".answer").bounding_box() == pytest.approx(before, abs=30)


def test_the_story_is_told_by_keyboard_and_ends_at_the_pictures(page: Page):
    story = page.locator("[data-role=story]")
    story.locator("[data-role=start]").press("Enter")
    sentences = set()
    for stop in range(1, 5):
        expect(story.locator("[data-role=place]")).to_have_text(f"{stop} of 4")
        page.wait_for_selector("[data-role=story][data-state=ready]", timeout=120_000)
        expect(story.locator("[data-role=sentence]")).to_be_focused()
        sentences.add(story.locator("[data-role=sentence]").inner_text())
        caption = story.locator("[data-role=caption]").inner_text()
        story.locator("[data-role=frame]").press("Home" if stop == 1 else "ArrowRight")
        if stop > 1:
            expect(story.locator("[data-role=caption]")).not_to_have_text(caption)
        assert page.locator(".answer").is_hidden()
        story.locator("[data-role=next]").press("Enter")
    assert len(sentences) == 4
    expect(page.locator(".answer")).to_be_visible()
    story.locator("[data-role=start]").press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".answer")).to_be_visible()

"""The tab Learn in a browser, as a student and a teacher use it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from habn.comparison.lesson import CHANNEL, REGIONS, TRAINED, load_lesson
from habn.ui import words

STEPS = (1, 2, 3, 4, 5, 6)
WAIT_MS = 60_000  # the first visitor waits for the networks to be loaded


@pytest.fixture
def visit(browser: Browser, page_address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page at a query string, in a window of a width; afterwards the console is clean."""
    contexts, complaints = [], []

    def open_page(query: str, width: int) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.goto(f"{page_address}/?{query}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def wait_for_step(page: Page, step: int) -> None:
    page.wait_for_selector(f"[data-role=lesson][data-state=ready][data-step='{step}']")
    page.wait_for_selector("[data-role=question-part][data-state=ready]")
    page.wait_for_selector("[data-role=inspector][data-state=ready] >> visible=true")


def shown(page: Page, attribute: str) -> set[str]:
    """Which rows or columns of maps the lesson's inspector shows."""
    maps = page.get_by_role("tabpanel").filter(has=page.locator(".lesson")).locator("[data-role=map]:visible")
    return set(maps.evaluate_all(f"maps => maps.map((map) => map.dataset.{attribute})"))


def test_a_link_opens_a_step_with_its_rows_its_columns_and_its_pixel(visit):
    page = visit("tab=learn&step=4&hide=answers", 1280)
    wait_for_step(page, 4)
    assert shown(page, "networkRow") == {"first", "second"}
    assert shown(page, "quantity") == {"s", "scale", "bias", "mean", "var", "y"}
    record, pixel = load_lesson().second.records[TRAINED], load_lesson().twins[REGIONS[1]]
    y = words.decimals(record.y[CHANNEL][pixel], 3, "en")
    expect(page.locator("[data-network=second] [data-role=result]:visible")).to_have_text(y)
    expect(page.locator("[data-role=table] tbody tr").last).to_contain_text(y)
    expect(page.locator("[data-role=show]")).to_be_hidden()
    for choice in page.locator("[data-role=choice]").all():
        choice.click()
        expect(choice).to_have_attribute("aria-pressed", "true")
        expect(page.locator("[data-verdict]")).to_have_count(0)
        expect(page.locator("[data-role=reply]")).to_be_empty()
    page.locator("[data-role=step][aria-current]").press("ArrowLeft")
    wait_for_step(page, 3)
    assert shown(page, "networkRow") == {"second"} and shown(page, "quantity") == {"s", "x"}
    page.wait_for_function("new URLSearchParams(location.search).get('step') === '3'")
    assert "pixel" not in page.url, "how the lesson looks at its inspector is no part of the address"


def test_all_six_steps_are_walked_on_a_phone_and_each_answers(visit):
    page = visit("tab=learn", 390)
    for step in STEPS:
        wait_for_step(page, step)
        if step == 1:
            expect(page.locator("[data-role=table] .secret").first).to_be_hidden()
        choices = page.locator("[data-role=choice]")
        for index in range(choices.count()):
            choices.nth(index).click()
            expect(page.locator("[data-role=reply]")).not_to_be_empty()
            if choices.nth(index).get_attribute("data-verdict") == "right":
                break
        expect(page.locator("[data-role=choice][data-verdict=right]")).to_have_count(1)
        expect(page.locator("[data-role=show]")).to_be_hidden()
        if step == 1:
            expect(page.locator("[data-role=table] .secret").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, step
        if step < STEPS[-1]:
            page.locator(".question [data-role=next]").press("Enter")
    expect(page.locator(".question [data-role=next]")).to_be_disabled()
    expect(page.locator("[data-role=reply] table tbody tr")).to_have_count(2)
    page.locator("[data-tab=experiment]").click()
    expect(page.locator("[data-role=lesson]")).to_be_hidden()


def test_a_link_to_the_photo_shows_it_once_the_photo_is_there(visit):
    page = visit("tab=learn&step=5&pair=camvid-plus", 1280)
    wait_for_step(page, 5)
    assert shown(page, "networkRow") == {"second"}
    expect(page.locator("[data-role=show]")).to_be_visible()

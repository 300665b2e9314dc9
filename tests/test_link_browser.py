"""Links in the browser: the address follows what is done, and opens what was seen."""

import time
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from habn.comparison.painting import Painting
from habn.ui import link
from habn.ui.link import FIRST_VIEW, PAINTING, Link

expect.set_options(timeout=60_000)  # milliseconds: the first visitor waits for the networks to be loaded

ANYWHERE = "http://page.test/"
QUIET = 300  # milliseconds, more than link.js waits before it writes


@pytest.fixture
def page(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def address(page: Page) -> Link:
    return Link.parse(dict(parse_qsl(urlsplit(page.url).query)))


def settled(page: Page, wanted: Link) -> Link:
    """The address once it says what is wanted, or after a minute: on a busy machine timers are late."""
    deadline = time.monotonic() + 60
    while address(page) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(QUIET / 6)
    return address(page)


LAYERS = {"camvid": ("stem.norm", "at_eighth.0.first.norm"), "styles": ("reduce1.norm", "blocks.1.norm2")}


def random_view(rng: np.random.Generator) -> Link:
    def pick(*values):
        return values[rng.integers(len(values))]

    pair = pick(*LAYERS)
    painting = Painting(
        pick("udnie", "starry_night"),
        strength=pick(1.0, 0.35),
        second_style=pick(None, "houses"),
        second_share=pick(0.5, 0.2),
        keep_colours=pick(False, True),
    )
    view = Link(
        tab=pick("compare", "layers"),
        example=pick("scene_2", "lake_1", "scene_1"),
        pair=pair,
        opacity=int(rng.integers(101)),
        layer=pick(*LAYERS[pair]),
        channel=int(rng.integers(24)),
        pixel=pick(None, (int(rng.integers(45)), int(rng.integers(60)))),
        range=pick("map", "layer", "network"),
        order=pick("depth", "strength"),
        channels=pick("index", "adapted"),
        zoom=pick(1, 2, 4),
        overlay=int(rng.integers(101)),
    )
    return view.painted(painting if pair == "styles" else None)  # a segmentation has none


LOOK = ("layer", "channel", "pixel", "range", "order", "channels", "zoom", "overlay")


def test_the_address_of_twenty_random_views_says_all_of_them(page: Page):
    page.route(f"{ANYWHERE}**", lambda route: route.fulfill(body=link.head(), content_type="text/html"))
    page.goto(f"{ANYWHERE}?__theme=dark")
    tell = "([name, detail]) => document.dispatchEvent(new CustomEvent(name, { detail }))"
    page.evaluate(tell, ["habn-link", {"tab": "results"}])
    page.wait_for_timeout(QUIET)
    assert address(page) == FIRST_VIEW, "what is told before the page has opened waits"
    page.evaluate(tell, ["habn-open", None])
    rng = np.random.default_rng(7)
    for _ in range(20):
        view = random_view(rng)
        values = {key: getattr(view, key) for key in ("tab", "example", "pair", *PAINTING, "opacity", *LOOK)}
        page.evaluate(tell, ["habn-link", {key: value for key, value in values.items() if key not in LOOK}])
        page.evaluate(tell, ["habn-look", {key: values[key] for key in LOOK}])
        assert settled(page, view) == view
        assert "__theme=dark" in page.url and urlsplit(page.url).query.removeprefix("__theme=dark&").count("%") == 0
    page.evaluate(tell, ["habn-link", dict.fromkeys(values)])
    expect(page).to_have_url(f"{ANYWHERE}?__theme=dark&pair=camvid")


def test_random_views_are_opened_by_links_and_told_by_the_address(page: Page, page_address: str):
    rng = np.random.default_rng(11)
    for view in [random_view(rng) for _ in range(6)]:
        page.goto(f"{page_address}/?{view.query()}")
        if view.tab == "layers":
            inspector = f"[data-role=inspector][data-state=ready][data-channel='{view.channel}']"
            expect(page.locator(f"{inspector} [data-role=layer-name]")).to_have_text(view.layer)
            if view.pixel is not None:
                expect(page.locator("[data-role=pixel]")).to_have_text("Row {}, column {}".format(*view.pixel))
            for key in ("range", "order", "channels", "zoom"):
                expect(page.locator(f"select[data-role={key}]")).to_have_value(str(getattr(view, key)))
        else:
            expect(page.locator(".answer img")).to_have_count(2)
        page.wait_for_timeout(QUIET)
        assert settled(page, view) == view


def test_a_link_keeps_its_tab_until_the_visitor_acts(page: Page):
    page.route(f"{ANYWHERE}**", lambda route: route.fulfill(body=link.head(), content_type="text/html"))
    page.goto(f"{ANYWHERE}?tab=learn&step=3")
    tell = "([name, detail]) => document.dispatchEvent(new CustomEvent(name, { detail }))"
    page.evaluate(tell, ["habn-open", None])
    page.evaluate(tell, ["habn-link", {"tab": "learn"}])
    page.evaluate(tell, ["habn-link", {"tab": "compare", "opacity": 20}])
    seen = Link(tab="learn", step=3, opacity=20)
    assert settled(page, seen) == seen
    page.keyboard.press("Tab")
    page.evaluate(tell, ["habn-link", {"tab": "layers"}])
    seen = Link(tab="layers", step=3, opacity=20)
    assert settled(page, seen) == seen


def test_the_address_is_written_before_the_visitor_goes_on(page: Page):
    page.route(f"{ANYWHERE}**", lambda route: route.fulfill(body=link.head(), content_type="text/html"))
    page.goto(f"{ANYWHERE}?pair=camvid")
    seen = page.evaluate("""() => {
        const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
        const addressAt = (act) => {
            let search = null;
            document.body.addEventListener(act.type, () => (search = location.search), { once: true });
            document.body.dispatchEvent(act);
            return search;
        };
        tell("habn-open");
        return ["pointerdown", "click", "change", "keydown"].map((type, channel) => {
            tell("habn-look", { channel });
            const held = addressAt(new KeyboardEvent("keydown", { repeat: true, bubbles: true }));
            return [held, addressAt(new Event(type, { bubbles: true }))];
        });
    }""")
    addresses = ["?pair=camvid", *(f"?pair=camvid&channel={channel}" for channel in range(4))]
    assert seen == [list(pair) for pair in pairwise(addresses)], "a key that is held down would change it too often"


@pytest.mark.parametrize("width", [1280, 390])
def test_back_and_forward_open_the_tab_and_the_step_before(browser: Browser, page_address: str, width: int):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(f"{page_address}/?tab=learn&step=2&pair=camvid-plus")
    lesson = page.locator("[data-role=lesson][data-state=ready]")
    expect(lesson).to_have_attribute("data-step", "2")
    expect(page.locator(".answer img")).to_have_count(2)
    page.evaluate("() => { window.isTheSamePage = true; }")
    page.locator("[data-role=step][data-step='3']").click()
    expect(lesson).to_have_attribute("data-step", "3")
    page.wait_for_function("location.search.includes('step=3')")
    page.evaluate("document.dispatchEvent(new CustomEvent('habn-link', { detail: { opacity: 20 } }))")
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator(".sides")).to_be_visible()
    page.wait_for_function("location.search.includes('opacity=20') && !location.search.includes('tab=learn')")
    for go, tab, step in (
        (page.go_back, "learn", 3),
        (page.go_back, "learn", 2),
        (page.go_forward, "learn", 3),
        (page.go_forward, "compare", 3),
    ):
        go()
        expect(page.locator(".sides")).to_be_visible(visible=tab == "compare")
        if tab == "learn":
            expect(lesson).to_be_visible()
            expect(lesson).to_have_attribute("data-step", str(step))
        wanted = Link(tab=tab, step=step, pair="camvid-plus", opacity=20)
        assert settled(page, wanted) == wanted, "the rest is what the page shows"
    assert page.evaluate("window.isTheSamePage")
    context.close()


def wait_for_layer(page: Page, layer: int, channel: int) -> None:
    page.wait_for_selector(f"[data-role=inspector][data-state=ready][data-layer='{layer}'][data-channel='{channel}']")


def test_a_link_opens_the_view_and_the_address_follows_the_visitor(page: Page, page_address: str):
    view = Link(
        tab="layers", example="lake_1", pair="styles", style="udnie", layer="blocks.1.norm2", channel=3, pixel=(10, 20)
    )
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(f"{page_address}/?{view.query()}&channel_=1&hide=introduction")
    wait_for_layer(page, 6, 3)
    expect(page.locator("[data-role=pixel]")).to_have_text("Row 10, column 20")
    expect(page.get_by_test_id("toast-body")).to_contain_text("channel_")
    expect(page.locator(".part-introduction").first).to_be_hidden()
    opened = Link(**{**vars(view), "hide": ("introduction",)})
    assert settled(page, opened) == opened and "channel_" not in page.url, "what it does not know leaves the address"

    page.locator("[data-role=layer][data-index='2']").click()
    page.get_by_role("tab", name="Compare").click()
    expect(page.get_by_label("Udnie")).to_be_checked()
    page.get_by_label("The Scream").check()
    expect(page.locator(".answer img")).to_have_count(2)
    page.wait_for_function("location.search.includes('style=the_scream')")
    followed = address(page)
    assert (followed.tab, followed.style, followed.layer) == ("compare", "the_scream", "reduce3.norm")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".copy-link")).to_contain_text("the link opens what you see now")

    address_copied = page.url
    page.goto("about:blank")
    page.goto(address_copied)
    expect(page.get_by_label("The Scream")).to_be_checked()
    page.get_by_role("tab", name="Layers").click()
    wait_for_layer(page, 2, followed.channel)
    assert complaints == []


def test_an_uploaded_photo_is_no_part_of_a_link_and_the_page_says_so(page: Page, page_address: str, tmp_path: Path):
    photo = tmp_path / "scene_2.png"
    Image.fromarray(np.random.default_rng(2).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(photo)
    page.goto(f"{page_address}/?example=scene_3&opacity=40")
    expect(page.get_by_label("number input for Colours over the photo (%)")).to_have_value("40")
    expect(page.locator(".answer img")).to_have_count(2)
    page.get_by_label("number input for Colours over the photo (%)").fill("55")
    page.wait_for_function("location.search === '?example=scene_3&opacity=55&pair=camvid'")
    page.get_by_label("Remove Image").click()
    page.locator("input[type=file]").first.set_input_files(photo)
    page.wait_for_function("location.search === '?opacity=55&pair=camvid'")
    # Without the right to write into the clipboard the address is shown, selected.
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('denied')); }")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".copy-link input")).to_have_value(page.url)
    expect(page.locator(".copy-link")).to_contain_text("your own photo stays with you")
    assert page.evaluate("getSelection().toString() || document.activeElement.value") == page.url

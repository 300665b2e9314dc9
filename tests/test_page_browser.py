"""The page in a browser, as a visitor uses it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from test_inspector_browser import EMPTY

from habn.results import load_results

expect.set_options(timeout=60_000)  # milliseconds: the first visitor waits for the networks to be loaded

# Gradio's front end says this whenever a file is uploaded.
GRADIOS_OWN = "Method not implemented."


CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


@dataclass
class Visit:
    """A page in the browser, and what it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and message.text != GRADIOS_OWN:
            self.complaints.append(message.text)

    def leave(self) -> None:
        """Go elsewhere; what Gradio says of answers that are under way then is no complaint."""
        before = len(self.complaints)
        self.page.goto("about:blank")
        del self.complaints[before:]

    def answer(self) -> list[str]:
        """Addresses of the two pictures in the slider, once both are drawn."""
        pictures = self.page.locator(".answer img")
        expect(pictures).to_have_count(2)
        for number in range(2):
            self.page.wait_for_function(
                "image => image.complete && image.naturalWidth > 0", arg=pictures.nth(number).element_handle()
            )
        return [pictures.nth(number).get_attribute("src") for number in range(2)]

    def wait_for_another_answer(self, old: list[str]) -> list[str]:
        expect(self.page.locator(".answer img").first).not_to_have_attribute("src", old[0])
        return self.answer()

    def upload(self, photo: Path) -> None:
        self.page.get_by_label("Remove Image").click()
        self.page.locator("input[type=file]").first.set_input_files(photo)


@pytest.fixture
def visit(browser: Browser, page_address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page, opened; afterwards nothing was asked of another host and the console is clean."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | getattr(request, "param", {}))
    visit = Visit(context.new_page())
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("console", visit.hear)
    visit.page.goto(f"{page_address}/?pair=camvid")
    yield visit
    hosts = {urlsplit(url).netloc for url in visit.requests if url.startswith("http")}
    context.close()
    assert hosts == {urlsplit(page_address).netloc}
    assert visit.complaints == []


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    """A photo that the page has not seen: sky over ground, upright."""
    rows, columns = np.mgrid[0:240, 0:320]
    ground = rows > 120 + 20 * np.sin(columns / 40)
    picture = np.where(ground[..., None], (96, 92, 90), (150, 190, 235)) + np.random.default_rng(1).normal(
        0, 8, (240, 320, 1)
    )
    path = tmp_path / "photo.jpg"
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return path


def test_the_first_comparison_is_there_without_a_click(visit: Visit):
    first, second = visit.answer()
    assert first != second
    expect(visit.page.locator(".verdict")).to_contain_text(re.compile(r"BN and HABN .*photo"))
    expect(visit.page.locator(".figures tbody tr")).to_have_count(2)
    expect(visit.page.locator(".figures")).to_contain_text("IoU here")
    expect(visit.page.locator(".legend")).to_contain_text("Road")


def test_an_uploaded_jpeg_is_answered_and_has_no_score(visit: Visit, jpeg: Path):
    old = visit.answer()
    visit.upload(jpeg)
    visit.wait_for_another_answer(old)
    assert visit.page.locator(".answer img").first.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [
        320,
        240,
    ]
    expect(visit.page.locator(".figures")).not_to_contain_text("IoU here")


def test_an_example_is_picked_by_name_and_the_address_tells_which(visit: Visit):
    old = visit.answer()
    visit.page.get_by_role("button", name="Wet street between trees").press("Enter")
    visit.wait_for_another_answer(old)
    expect(visit.page.locator(".figures")).to_contain_text("IoU here")
    expect(visit.page).to_have_url(re.compile("example=scene_3"))


def test_each_task_offers_its_own_pairs_and_every_style_repaints(visit: Visit):
    answer = visit.answer()
    expect(visit.page.get_by_text("The Great Wave")).to_be_hidden()
    visit.page.get_by_label("Style transfer").check()
    expect(visit.page.get_by_label("Starry Night")).to_be_checked()
    seen = [answer := visit.wait_for_another_answer(answer)]
    expect(visit.page.get_by_label("Real streets")).to_have_count(0)
    for title in ("The Great Wave", "The Scream"):
        visit.page.get_by_label(re.compile(title)).check()
        seen.append(answer := visit.wait_for_another_answer(answer))
    assert len({first for first, _ in seen}) == 3
    expect(visit.page.locator(".legend")).to_have_count(0)
    expect(visit.page.get_by_label("Colours over the photo")).to_have_count(0)
    expect(visit.page.locator(".verdict")).to_contain_text("colour range")


def test_strength_and_blend_change_both_pictures_and_the_address(visit: Visit):
    page, answer = visit.page, visit.answer()
    expect(page.locator(".painting, .most-adapted, .measured")).to_have_count(0)
    page.get_by_label("Style transfer").check()
    seen = [visit.wait_for_another_answer(answer)]

    def expect_another(part_of_address: str) -> None:
        seen.append(visit.wait_for_another_answer(seen[-1]))
        page.wait_for_function("(part) => location.search.includes(part)", arg=part_of_address)

    page.get_by_role("radio", name="The Starry Night, Vincent van Gogh, 1889").press("ArrowRight")
    expect_another("style=the_scream")
    expect(page.get_by_role("radio", name="The Scream, Edvard Munch")).to_be_checked()
    strength = page.get_by_role("slider", name="Strength of the style")
    strength.scroll_into_view_if_needed()
    box = strength.bounding_box()
    asked = len(visit.requests)
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.8, 0.4, 0.5):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    expect(page.locator("[data-role=strength-figure]")).to_have_text("50 %")
    assert visit.requests[asked:] == [], "the networks run when it is let go"
    page.mouse.up()
    expect_another("style_strength=50")
    share = page.get_by_role("slider", name="Share of the second style")
    expect(share).to_be_disabled()
    page.get_by_label("Second style", exact=True).select_option("Udnie")
    expect_another("second_style=udnie")
    share.press("ArrowRight")
    expect_another("second_share=55")
    page.get_by_label("Keep the photo's colours").check()
    expect_another("colours=photo")
    for side in range(2):
        assert len({pictures[side] for pictures in seen}) == len(seen), "each setting paints another picture"

    address = page.url
    visit.leave()
    page.goto(address)
    assert visit.answer() == seen[-1]
    expect(strength).to_have_value("50")
    expect(page.get_by_label("Keep the photo's colours")).to_be_checked()
    page.get_by_label("Segmentation").check()
    expect(page.locator(".painting, .most-adapted, .measured")).to_have_count(0)
    page.wait_for_function("!/style|colours|share/.test(location.search)")


def test_where_habn_adapts_most_is_one_press_from_its_layer(visit: Visit):
    page = visit.page
    page.goto(f"{page.url.partition('?')[0]}?pair=styles&layer=reduce1.norm")
    visit.answer()
    most_adapted = page.locator(".most-adapted")
    described = re.compile(r"layer (\S+): s is")
    expect(most_adapted.locator("img")).to_have_attribute("alt", described)
    layer = described.search(most_adapted.locator("img").get_attribute("alt"))[1]
    expect(most_adapted).to_contain_text(f"layer {layer}.")
    page.get_by_role("button", name="Look into this layer").press("Enter")
    shown = page.locator("[data-role=inspector][data-state=ready] [data-role=layer-name]:visible")
    expect(shown).to_have_text(layer)
    page.wait_for_function("(part) => location.search.includes(part)", arg=f"layer={layer}&tab=layers")


def test_a_file_that_is_no_picture_gets_one_sentence(visit: Visit, tmp_path: Path):
    old = visit.answer()
    wrong = tmp_path / "wrong.jpg"
    wrong.write_bytes(b"This is no picture.")
    visit.upload(wrong)
    expect(visit.page.get_by_role("alert")).to_contain_text("not an image")
    expect(visit.page.locator(".verdict")).to_contain_text("the answer before")
    expect(visit.page.get_by_test_id("toast-body")).to_have_count(0)
    expect(visit.page.locator(".part-photo img[src*='scene_1.jpg']")).to_be_visible()
    assert visit.answer() == old


def test_the_opacity_changes_the_picture_and_runs_no_network(visit: Visit):
    old = visit.answer()
    seconds = visit.page.locator(".figures").inner_text()
    visit.page.get_by_label("number input for Colours over the photo (%)").fill("0")
    first, second = visit.wait_for_another_answer(old)
    assert first == second, "without colours both halves are the photo"
    assert visit.page.locator(".figures").inner_text() == seconds


def test_the_line_between_both_answers_is_moved_by_keyboard(visit: Visit):
    visit.answer()
    line, handle = visit.page.get_by_label("The line between both answers"), visit.page.get_by_test_id("slider")
    wrap = visit.page.locator(".answer .slider-wrap").bounding_box()
    width = wrap["height"] * 480 / 360  # the photo's; the slider is wider, with room at both sides
    left = wrap["x"] + (wrap["width"] - width) / 2
    assert left > wrap["x"]
    line.focus()
    assert line.input_value() == "50", "where the line stands"
    for key, share in (("Home", 0.0), ("End", 1.0), ("ArrowLeft", 0.99)):
        line.press(key)
        box = handle.bounding_box()
        assert box["x"] + box["width"] / 2 == pytest.approx(left + share * width, abs=3)


def test_hovering_over_a_map_updates_the_equation_and_asks_nothing(visit: Visit):
    visit.answer()
    visit.page.get_by_role("tab", name="Layers").click()
    visit.page.wait_for_selector("[data-role=inspector][data-state=ready]")
    canvas = visit.page.locator("[data-network-row=static][data-quantity=x] canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    equations = visit.page.locator("[data-role=equation][data-network=second]")
    before, asked = equations.inner_text(), len(visit.requests)
    for share in (0.1, 0.35, 0.8):
        visit.page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        expect(equations).not_to_have_text(before, use_inner_text=True)
        before = equations.inner_text()
    assert visit.requests[asked:] == []


def test_no_map_is_empty_after_another_tab_theme_or_photo(visit: Visit, jpeg: Path):
    page = visit.page
    compare, layers = page.get_by_role("tab", name="Compare"), page.get_by_role("tab", name="Layers")
    inspector = page.locator("[data-role=inspector][data-state=ready]")
    old = visit.answer()
    layers.click()
    expect(inspector).to_be_visible()
    run = inspector.get_attribute("data-run")
    compare.click()
    layers.click()
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(EMPTY) == 0
    compare.click()
    visit.upload(jpeg)
    visit.wait_for_another_answer(old)
    layers.click()
    expect(inspector).not_to_have_attribute("data-run", run)
    assert page.evaluate(EMPTY) == 0


def test_picking_another_layer_shows_it(visit: Visit):
    visit.answer()
    visit.page.get_by_role("tab", name="Layers").click()
    visit.page.wait_for_selector("[data-role=inspector][data-state=ready]")
    visit.page.locator("[data-role=layer][data-index='2']").click()
    visit.page.wait_for_selector("[data-role=inspector][data-state=ready][data-layer='2']")


@pytest.mark.parametrize("visit", [{"viewport": {"width": 390, "height": 844}}], indirect=True)
def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit):
    visit.answer()
    width = "document.documentElement.scrollWidth"
    assert visit.page.evaluate(width) <= 390
    assert visit.page.locator(".answer").bounding_box()["width"] > 300
    for table in (".figures", ".legend"):
        box = visit.page.locator(table).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, table
    visit.page.get_by_role("tab", name="Layers").click()
    visit.page.wait_for_selector("[data-role=inspector][data-state=ready]")
    assert visit.page.evaluate(width) <= 390


@pytest.mark.parametrize("visit", [{"locale": "es-MX"}], indirect=True)
def test_a_visitor_from_mexico_is_answered_in_spanish(visit: Visit, tmp_path: Path):
    visit.answer()
    expect(visit.page.locator(".verdict")).to_contain_text("no coinciden")
    for text in ("Comparar", "Su foto", "Calles reales: BN y HABN", "Calzada"):
        expect(visit.page.get_by_text(text, exact=True).first).to_be_visible()
    for name, sentence in (("Explicar IoU", "Intersección"), ("Explicar pareja", "Dos redes")):
        visit.page.get_by_role("button", name=name, exact=True).press("Enter")
        expect(visit.page.locator(".help-text:popover-open")).to_contain_text(sentence)
        visit.page.keyboard.press("Escape")
        expect(visit.page.locator(".help-text:popover-open")).to_have_count(0)
    wrong = tmp_path / "wrong.jpg"
    wrong.write_bytes(b"<html>")
    visit.upload(wrong)
    expect(visit.page.locator(".verdict")).to_contain_text("El archivo es una página web")


@pytest.mark.parametrize(
    "visit", [{"viewport": {"width": 390, "height": 844}, "locale": "es"} | CLIPBOARD], indirect=True
)
def test_the_results_keep_claims_apart_and_fit_a_phone(visit: Visit):
    # On a phone Gradio keeps this tab behind a button with three dots; a link leads to it, too.
    visit.page.goto(f"{visit.page.url.partition('?')[0]}?tab=results")
    results = visit.page.locator(".results")
    expect(results.locator("details.claimed")).to_contain_text("Afirmado, sin comprobar")
    expect(results.locator("table").first).to_be_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in results.locator(".of-page .command button").all():
        button.locator("xpath=ancestor::details").locator("summary").press("Enter")
        button.press("Enter")
        expect(button).to_have_text("Copiado")


def test_results_open_with_a_forest_plot_and_fold_the_rest(visit: Visit):
    page = visit.page
    page.goto(f"{page.url.partition('?')[0]}?tab=results")
    expect(page.locator(".forest")).to_be_visible()
    held = [row for s in load_results() if s.baseline == "bn" for row in s.rows if s.difference(row)]
    marks = page.locator(".forest [data-role=mark] .marker:visible")
    expect(marks).to_have_count(len(held))
    zero = page.locator(".forest .lead .zero").first.bounding_box()["x"]
    first = page.locator(".forest [data-role=mark]").first
    is_ahead = first.locator("td").last.inner_text().startswith("+")
    assert (first.locator(".marker").bounding_box()["x"] > zero - 5) == is_ahead
    assert page.evaluate("document.documentElement.scrollHeight") < 2500
    study = page.locator(".more section").first
    expect(study).to_be_hidden()
    page.locator(f".forest a[href='#{study.get_attribute('id')}']").click()
    expect(study).to_be_in_viewport()

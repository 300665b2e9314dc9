"""A server that is killed and started again: the page says so, keeps what it shows, and goes on."""

from urllib.parse import urlsplit

from conftest import serving
from playwright.sync_api import Browser, expect

SECONDS = 60_000


def test_a_page_goes_on_after_its_server_was_killed(browser: Browser, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    page = browser.new_page(locale="en-US")
    with serving(tmp_path / "first") as server:
        page.goto(f"{server.address}/?tab=layers")
        inspector = page.locator('[data-role="inspector"]').first
        expect(inspector).to_have_attribute("data-state", "ready", timeout=SECONDS)
        before = inspector.get_attribute("data-layer")
        port = str(urlsplit(server.address).port)
        server.process.kill()
        server.process.wait()
    layers = inspector.locator('[data-role="strip"] [data-role="layer"]')
    other = 0 if before != "0" else 1
    layers.nth(other).click()
    bar = page.locator(".connection-lost")
    expect(bar).to_contain_text("The server does not answer", timeout=5000)
    expect(bar.get_by_role("button")).to_have_text("Reload")
    expect(inspector).to_have_attribute("data-state", "failed", timeout=5000)
    expect(layers.nth(int(before))).to_have_attribute("aria-selected", "true")
    with serving(tmp_path / "second", PORT=port):
        expect(bar).to_have_count(0, timeout=SECONDS)
        expect(inspector).to_have_attribute("data-layer", str(other), timeout=SECONDS)
        expect(inspector).to_have_attribute("data-state", "ready", timeout=SECONDS)
    page.close()

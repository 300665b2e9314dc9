"""What axe-core finds on the page: for a screen reader, a keyboard, and eyes that need contrast."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

WAIT_MS = 60_000  # the first visitor waits for the networks to be loaded
# No event runs, whose controls are greyed, and no colour fades from one theme into the other.
IDLE = """() => !document.querySelector(":is(.pending, .generating, .translucent):not(.hide)")
    && document.getAnimations().every((one) => one.playState !== "running" || one.effect.getTiming().iterations > 1)"""
GRAVE = ("serious", "critical")
LOOKS = (("light", 1280), ("dark", 390))

# Found in each tab: what is there once it shows all that it will.
READY = {
    "compare": ".answer img",
    "layers": "[data-role=inspector][data-state=ready]",
    "experiment": "[data-role=outcome][data-state=ready]",
    "learn": "[data-role=lesson][data-state=ready]",
    "results": ".results .forest",
}


@pytest.fixture
def page(browser: Browser, axe: str) -> Iterator[Page]:
    """A page on which axe-core is there before anything else."""
    with browser.new_context() as context:
        context.add_init_script(axe)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        yield page


def findings(page: Page) -> list[str]:
    """What axe-core finds in each of LOOKS, as "impact rule: element"."""
    found = []
    for scheme, width in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(IDLE)
        violations = page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then((all) => all.violations)")
        found += [
            f"{violation['impact']} {violation['id']}, {scheme}, {width} px: {node['html']}"
            for violation in violations
            for node in violation["nodes"]
            if violation["impact"] in GRAVE
        ]
    return found


def test_axe_finds_what_is_wrong(page: Page):
    page.set_content('<html lang="en"><title>-</title><button></button><p style="color: #ccc">pale</p></html>')
    rules = {finding.split()[1].rstrip(",") for finding in findings(page)}
    assert rules == {"button-name", "color-contrast"}


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("tab=compare", ("camvid", "styles")),
        ("tab=layers", ("camvid", "styles")),
        ("tab=experiment&weather=haze", ("camvid", "styles")),
        ("tab=experiment&scale=0", ("camvid",)),
        ("tab=learn&step=1", ("camvid",)),
        ("tab=learn&step=4", ("camvid",)),
        ("tab=learn&step=6", ("camvid",)),
        ("tab=results", ("camvid",)),
    ],
)
def test_nothing_on_a_tab_is_inaccessible(page: Page, page_address: str, query: str, pairs: tuple[str, ...]):
    for pair in pairs:
        page.goto(f"{page_address}/?{query}&pair={pair}")
        tab = query.partition("&")[0].removeprefix("tab=")
        page.wait_for_selector(f"{READY[tab]} >> visible=true")
        assert findings(page) == []

"""The page: its tabs, and which change calls which callback."""

from pathlib import Path
from typing import Any

import gradio as gr

from habn.ui import link, words
from habn.ui.blocks import Page
from habn.ui.compare import Compare, build_compare, callbacks
from habn.ui.copy_link import CopyLink
from habn.ui.endpoints import add_endpoints
from habn.ui.experiment import build_experiment
from habn.ui.export import build_export
from habn.ui.inspector import Inspector
from habn.ui.learn import build_learn
from habn.ui.results import build_results
from habn.ui.shown import TITLE, ShownHolder, on_select

NETWORK_SLOT = "network"  # one event at a time runs a network
DRAWINGS_AT_ONCE = 4

STYLESHEET = Path(__file__).with_name("style.css")


def build_theme() -> gr.themes.Base:
    """Calm colours for light and dark, and the fonts of the visitor's own system."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        font=("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"),
        font_mono=("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"),
    )
    return theme.set(
        block_border_width="0px",
        block_shadow="none",
        block_label_border_width="0px",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
    )


def build_page(kept_seconds: int = 7200) -> gr.Blocks:
    """Build the whole page; it is served by `launch`, which also takes theme and stylesheet.

    Args:
        kept_seconds: for how long the server keeps a photo; the page says so.
    """
    with Page(title=TITLE, analytics_enabled=False) as page:
        with gr.Row(elem_classes="header"):
            gr.Markdown(f"# {TITLE}", elem_classes="introduction")
            copy_link = CopyLink()
        gr.Markdown(words.label("page.introduction"), elem_classes=["introduction", "part-introduction"])
        shown = ShownHolder()
        with gr.Tabs(elem_classes="part-tabs") as tabs:
            with gr.Tab(words.label("page.compare"), id="compare"):
                compare = build_compare()
            with gr.Tab(words.label("page.layers"), id="layers"):
                gr.Markdown(words.label("page.layers_help"))
                inspector = Inspector()
            with gr.Tab(words.label("page.experiment"), id="experiment"):
                build_experiment(page, shown, NETWORK_SLOT, DRAWINGS_AT_ONCE)
            with gr.Tab(words.label("page.learn"), id="learn") as learn:
                build_learn(shown, tabs, learn, NETWORK_SLOT, DRAWINGS_AT_ONCE)
            with gr.Tab(words.label("page.results"), id="results"):
                build_results(page)
        build_export(shown)
        gr.HTML(f'<p class="kept">{_say_what_is_kept(kept_seconds)}</p>', elem_classes=["plain", "below"])
        answer = callbacks.Answer(shown=shown, copy_link=copy_link, **compare.answer())
        _bind_settings(page, tabs, compare, answer)
        _bind_views(tabs, compare, inspector, shown)
        add_endpoints(NETWORK_SLOT)
    return page


def _running(compare: Compare) -> dict[str, Any]:
    """Of an event that runs both networks: one at a time, and the answer shows that it is awaited."""
    return {
        "show_progress": "minimal",
        "show_progress_on": compare.slider,
        "concurrency_id": NETWORK_SLOT,
        "concurrency_limit": 1,
        "api_visibility": "private",
    }


def _bind_settings(page: gr.Blocks, tabs: gr.Tabs, compare: Compare, answer: callbacks.Answer) -> None:
    """Photo, task, pair, style and link: each change brings another answer."""
    running = _running(compare)
    at_once = {"api_visibility": "private", "queue": False}
    settings = [tabs, compare.task, compare.pair, compare.painting, compare.opacity]
    opened = page.load(callbacks.on_load, None, settings, **at_once)
    opened.then(callbacks.on_settings, None, [compare.photo, *answer], **running)
    question = [compare.photo, compare.pair, compare.painting, compare.opacity]
    # What each of them is given, and what it changes.
    places = {"inputs": [answer.shown, *question], "outputs": [compare.photo, *answer]}
    # What the visitor does, and not every change: the photo is also set by a link, and put back after a refusal.
    compare.photo.input(callbacks.on_change, **places, trigger_mode="always_last", **running)
    gr.on(
        [compare.pair.input, compare.painting.input],
        callbacks.on_choice,
        **places,
        trigger_mode="always_last",
        **running,
    )
    example = compare.examples.select(callbacks.on_example, None, compare.photo, **at_once)
    example.then(callbacks.on_change, **places, **running)
    picked = compare.task.input(callbacks.on_task, compare.task, [compare.pair, compare.painting], **at_once)
    picked.then(callbacks.on_choice, **places, **running)
    repainted = compare.repaint.click(
        callbacks.on_repaint, None, [compare.task, compare.pair, compare.painting], **at_once
    )
    repainted.then(callbacks.on_choice, **places, **running)


def _bind_views(tabs: gr.Tabs, compare: Compare, inspector: Inspector, shown: ShownHolder) -> None:
    """What is seen of an answer: the layers behind it, the story, the colours over the photo, the tab."""
    inside = callbacks.Inside(most_adapted=compare.most_adapted, inspector=inspector)
    running = _running(compare) | {"show_progress": "hidden"}
    shown.change(callbacks.on_shown, shown, list(inside), trigger_mode="always_last", **running)
    quick = {"show_progress": "hidden", "concurrency_limit": DRAWINGS_AT_ONCE, "api_visibility": "private"}
    compare.opacity.input(
        callbacks.on_opacity, [shown, compare.opacity], compare.slider, trigger_mode="always_last", **quick
    )
    compare.story.select(callbacks.on_story, shown, compare.story, trigger_mode="multiple", **running)
    # Gradio re-sends a deferred event with the data of the first one, so "always_last" would lose the second pick.
    compare.most_adapted.select(callbacks.on_most_adapted, shown, [inspector, tabs], trigger_mode="multiple", **quick)
    inspector.select(on_select, shown, inspector, trigger_mode="multiple", **quick)
    compare.opacity.input(None, compare.opacity, js=link.on_change_of("opacity"), api_visibility="private")
    for tab in tabs.children:
        tab.select(None, js=link.on_choice_of("tab", tab.id), api_visibility="private")


def _say_what_is_kept(seconds: int) -> str:
    unit, count = (
        ("hours", seconds // 3600) if seconds % 3600 == 0 and seconds >= 7200 else ("minutes", -(-seconds // 60))
    )
    texts = {
        language: words.say(
            "server.kept", language, time=words.say(f"server.{unit}", language, count=words.integer(count, language))
        )
        for language in words.LANGUAGES
    }
    return "".join(f'<span lang="{language}">{text}</span>' for language, text in texts.items())

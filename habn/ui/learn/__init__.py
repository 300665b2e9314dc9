"""The tab Learn: six steps from one global calculator to one per pixel, each with a question and the real inspector.

Steps 1 to 4 are about the two-region picture of `habn.comparison.lesson`, steps 5 and 6 about the visitor's photo.
"""

import gradio as gr

from habn.ui import words
from habn.ui.inspector import Inspector
from habn.ui.learn import callbacks
from habn.ui.learn.components import LessonText, Question
from habn.ui.shown import ShownHolder


def build_learn(shown: ShownHolder, tabs: gr.Tabs, tab: gr.Tab, network_slot: str, drawings_at_once: int) -> None:
    """Build the tab, and tie it to the page. Nothing runs until the tab is opened.

    Args:
        shown: what Compare shows, a `Shown`.
        tabs, tab: all tabs, and this one.
        network_slot: the concurrency id of what runs a network.
        drawings_at_once: the limit of what only draws.
    """
    lesson = LessonText()
    gr.HTML(f'<p class="lesson-help">{words.spans("learn.inspector_help")}</p>', elem_classes="plain")
    inspector = Inspector()
    question = Question()
    step = [lesson, inspector, question]
    quick = {"show_progress": "hidden", "concurrency_limit": drawings_at_once, "api_visibility": "private"}
    running = quick | {"concurrency_id": network_slot, "concurrency_limit": 1}
    # Gradio re-sends a deferred event with the data of the first one, so "always_last" would lose the second pick.
    lesson.select(callbacks.on_step, None, step, trigger_mode="multiple", **quick)
    lesson.submit(callbacks.on_photo_step, shown, step, trigger_mode="multiple", **running)
    # Nearly always nothing is left to do; where a network must run, the engine lets it wait for its turn.
    tab.select(callbacks.on_return, [shown, lesson], step, **quick)
    shown.change(callbacks.on_shown, [shown, lesson], step, **quick)
    inspector.select(callbacks.on_pick, shown, inspector, trigger_mode="multiple", **quick)
    question.select(callbacks.on_tab, None, tabs, **quick)

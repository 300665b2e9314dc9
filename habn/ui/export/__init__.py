"""Exports: what is shown as a printed sheet, as raw arrays, as a report that opens offline, and as a Python program.

Each is made when it is asked for, of the layer, channel and pixel that the page's address names.
"""

from typing import Any

import gradio as gr

from habn.ui import words
from habn.ui.export import callbacks
from habn.ui.export.downloads import FORMATS, PICTURES
from habn.ui.export.offer import Offer
from habn.ui.shown import ShownHolder

DRAWINGS_AT_ONCE = 1  # an export takes seconds and memory; what visitors look at goes first


def build_export(shown: ShownHolder) -> None:
    """Build the accordion and its events; `shown` is the page's state."""
    with gr.Accordion(words.label("export.title"), open=False, elem_classes="part-export"):
        gr.Markdown(words.label("export.pictures_help"), elem_classes="downloads-help")
        with gr.Row(elem_classes="downloads"):
            forms = [(name.upper(), name) for name in FORMATS]
            form = gr.Radio(forms, value=FORMATS[0], label=words.label("export.format"))
            pictures = {
                which: gr.Button(words.label(f"export.picture_{which}"), size="md", min_width=130) for which in PICTURES
            }
            labels = {
                side: gr.Button(words.label(f"export.labels_{side}"), size="md", min_width=130)
                for side in ("first", "second")
            }
            areas = gr.Button(words.label("export.areas"), size="md", min_width=130)
        gr.Markdown(words.label("export.help"))
        with gr.Row():
            sheet, arrays, report, program = (
                gr.Button(words.label(f"export.{name}"), size="md", min_width=150)
                for name in ("sheet", "arrays", "report", "program")
            )
        offer = Offer()
        code = gr.Code(
            language="python",
            label=words.label("export.program"),
            interactive=False,
            visible=False,
            buttons=["copy"],
        )
    limits = {
        "concurrency_id": "export",
        "concurrency_limit": DRAWINGS_AT_ONCE,
        "api_visibility": "private",
        "show_progress": "minimal",
    }
    makers = {
        sheet: callbacks.on_sheet,
        arrays: callbacks.on_arrays,
        report: callbacks.on_report,
        program: callbacks.on_program,
    }
    places: dict[str, Any] = {"outputs": [offer, code], **limits}
    for which, button in pictures.items():
        save = callbacks.make_picture_saver(which)
        button.click(save, [shown, form], show_progress_on=offer, **places | {"show_progress": "full"})
    for side, button in labels.items():
        button.click(callbacks.make_labels_saver(side), shown, show_progress_on=button, **places)
    areas.click(callbacks.on_areas, shown, show_progress_on=areas, **places)
    for button, make in makers.items():
        button.click(make, shown, [offer, code], show_progress_on=button, **limits)

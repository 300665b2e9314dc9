"""The button that copies a link to what is shown."""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from habn.ui import words

_HERE = Path(__file__).parent


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


class CopyLink(gr.HTML):
    """Copies the page's address; where the browser does not allow that, it shows the address, selected.

    Its value is {"entries": what the server puts into the address, as `Link.entries` returns it, "complete": whether
    the address says all of what is shown, which it cannot of an uploaded photo}, or None.
    """

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(
            value,
            html_template=_read("template.html"),
            css_template=_read("style.css"),
            js_on_load=f"const TEXTS = {json.dumps(words.table('link'))};\n{_read('script.js')}",
            apply_default_css=False,
            elem_classes="part-export",
            render=render,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "entries of the address and whether it is complete, or null"}

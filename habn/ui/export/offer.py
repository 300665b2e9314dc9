"""A file that the visitor asked for: it is saved when it arrives, and can be saved again."""

from pathlib import Path
from typing import Any

import gradio as gr

_HERE = Path(__file__).parent


class Offer(gr.HTML):
    """A download. Its value is {"file": its FileData, "name": of the saved file, "text": what to read}, or None."""

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(
            value,
            html_template='<p class="offer" role="status"><a hidden></a></p>',
            css_template=".offer { min-height: 1.5em; margin: 0; } .offer a { color: var(--link-text-color); }",
            js_on_load=(_HERE / "offer.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            render=render,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "file, name and text, or null"}

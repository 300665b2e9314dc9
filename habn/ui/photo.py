"""The page's photo component: it passes the visitor's file on and decodes nothing."""

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData


class Photo(gr.Image):
    """A `gr.Image` that hands over the path of the uploaded file, as it was uploaded.

    Gradio's own preprocessing turns 16-bit grey to white and GIFs to palette indices, and decodes any number of pixels.
    Here the file reaches `habn.images.open_image` untouched, inside the handler, which can then say in one sentence
    what is wrong and leave the result on the page as it is.
    """

    is_template = True

    def example_payload(self) -> dict[str, Any]:
        """What the page of the API shows: a file of one's own, since the server opens no web address."""
        return {"path": "photo.jpg", "meta": {"_type": "gradio.FileData"}}

    def example_value(self) -> str:
        return "photo.jpg"

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Return the path of the uploaded file, or None where there is no photo."""
        return payload.path if payload else None

"""The page's photo component: it passes the visitor's file on and decodes nothing."""

import gradio as gr
from gradio.data_classes import ImageData


class Photo(gr.Image):
    """A `gr.Image` that hands over the path of the uploaded file, as it was uploaded.

    Gradio's own preprocessing turns 16-bit grey to white and GIFs to palette indices, and decodes any number of pixels.
    Here the file reaches `habn.images.open_image` untouched, inside the handler, which can then say in one sentence
    what is wrong and leave the result on the page as it is.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Return the path of the uploaded file, or None where there is no photo."""
        return payload.path if payload else None

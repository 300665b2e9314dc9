"""The page's photo component: it passes the visitor's file on and decodes nothing."""

import gradio as gr
from gradio.data_classes import ImageData
from gradio_client.utils import is_http_url_like


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

    async def async_move_resource_to_block_cache(self, url_or_file_path) -> str | None:
        """Take uploaded files only: Gradio would fetch a web address here, without limits on its size or time.

        Raises:
            gr.Error: for a web address.
        """
        if is_http_url_like(str(url_or_file_path)):
            raise gr.Error(
                "Web addresses are not opened; download the picture and upload the file.", print_exception=False
            )
        return await super().async_move_resource_to_block_cache(url_or_file_path)

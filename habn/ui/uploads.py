"""What Gradio would do with files and is not to: fetch them from elsewhere."""

from typing import NoReturn

import gradio as gr
from gradio import processing_utils


def fetch_no_addresses() -> None:
    """Refuse every web address that a value names as its file.

    Gradio would download it, whatever its size, for an input of any component: all of them come to one function of
    its own, for which it has no setting, so that function is replaced.
    """
    processing_utils.async_ssrf_protected_download = _refuse_address


async def _refuse_address(url: str, cache_dir: str) -> NoReturn:
    raise gr.Error("Web addresses are not opened; download the picture and upload the file.", print_exception=False)

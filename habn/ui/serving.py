"""Serves the page: `python app.py`, `habn serve`, or a Space that finds `demo` in app.py."""

import logging
import os
import socket
import sys

import gradio as gr
from starlette.middleware import Middleware

from habn.comparison import examples
from habn.ui import link, shown, words
from habn.ui.middleware import RequestLimits, fetch_no_addresses
from habn.ui.page import STYLESHEET, build_page, build_theme

MEGABYTE = 1_000_000


def build_demo() -> gr.Blocks:
    """The page with its queue, ready to be launched."""
    fetch_no_addresses()
    return build_page().queue(max_size=32, api_open=False)


def port() -> int:
    """PORT, or one sentence and the end of the process."""
    value = os.environ.get("PORT", "7860")
    if not (value.isdecimal() and 0 < int(value) < 65536):
        sys.exit(f"error: PORT is {value!r}; it must be a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(value)))
        except OSError:
            sys.exit(f"error: port {value} is taken; choose another one, such as PORT={int(value) % 65535 + 1}.")
    return int(value)


def launch(demo: gr.Blocks) -> None:
    """Serve the page, load the networks once it answers, and stay until the process is ended."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    demo.launch(
        server_name=os.environ.get("HABN_HOST", "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1"),
        server_port=port(),
        theme=build_theme(),
        css_paths=STYLESHEET,
        head=link.head(),
        i18n=words.i18n(),
        app_kwargs={"middleware": [Middleware(RequestLimits, max_upload=11 * MEGABYTE, max_body=MEGABYTE)]},
        max_file_size="10mb",
        allowed_paths=[examples.FOLDER],
        state_session_capacity=200,
        footer_links=["api"],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        share=False,
        prevent_thread_lock=True,
    )
    shown.warm_up()
    demo.block_thread()

"""HABN Explorer as a web page: `python app.py`, or a Space that finds `demo` here.

Environment variables: PORT (7860), and HABN_HOST, the address to listen on (127.0.0.1; a Space listens on 0.0.0.0).
"""

import os

# Waiting OpenMP threads that spin stall every other process on the machine; torch reads this once, when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from starlette.middleware import Middleware

from habn.ui import callbacks
from habn.ui.middleware import RequestLimits
from habn.ui.page import STYLESHEET, build_page, build_theme

MEGABYTE = 1_000_000

demo = build_page().queue(max_size=32, api_open=False)


def launch() -> None:
    """Serve the page, load the networks once it answers, and stay until the process is ended."""
    demo.launch(
        server_name=os.environ.get("HABN_HOST", "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1"),
        server_port=int(os.environ.get("PORT", "7860")),
        theme=build_theme(),
        css_paths=STYLESHEET,
        app_kwargs={"middleware": [Middleware(RequestLimits, max_upload=11 * MEGABYTE, max_body=MEGABYTE)]},
        max_file_size="10mb",
        allowed_paths=[],
        state_session_capacity=200,
        footer_links=["api"],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        share=False,
        prevent_thread_lock=True,
    )
    callbacks.warm_up()
    demo.block_thread()


if __name__ == "__main__":
    launch()

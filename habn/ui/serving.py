"""Serves the page: `python app.py`, `habn serve`, or a Space that finds `demo` in app.py."""

import logging
import signal

import gradio as gr
from starlette.middleware import Middleware

from habn.comparison import examples
from habn.comparison.compared import loaded_networks
from habn.serving.answers import Answers
from habn.serving.health import health_of
from habn.serving.limits import KnownHosts, RequestLimits
from habn.serving.process import end, prepare, stop_as_ctrl_c_does
from habn.serving.queue import FairQueue, Listeners, install
from habn.serving.settings import MEGABYTE, read_settings
from habn.ui import connection, link, shown, words
from habn.ui.page import STYLESHEET, build_page, build_theme
from habn.ui.preview import ICON, Preview
from habn.ui.uploads import fetch_no_addresses


def build_demo() -> gr.Blocks:
    """The page with its queue, ready to be launched."""
    prepare()
    fetch_no_addresses()
    demo = build_page(read_settings().kept_seconds).queue(api_open=False)
    install(demo)
    return demo


def launch(demo: gr.Blocks) -> None:
    """Serve the page, load the networks once it answers, and stay until the process is ended."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("habn").setLevel(logging.INFO)
    settings = read_settings()
    settings.check_address()
    stop_as_ctrl_c_does()
    try:
        _serve(demo)
    except KeyboardInterrupt:
        demo.close(verbose=False)
        end()


def _serve(demo: gr.Blocks) -> None:
    settings = read_settings()
    demo.launch(
        server_name=settings.host,
        server_port=settings.port,
        theme=build_theme(),
        css_paths=STYLESHEET,
        head=link.head() + connection.head(),
        i18n=words.i18n(),
        app_kwargs={"middleware": _layers(demo._queue, settings.names)},
        favicon_path=ICON,
        max_file_size="10mb",
        allowed_paths=[examples.FOLDER, *examples.PHOTOGRAPHS.values()],
        state_session_capacity=200,
        footer_links=["api"],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
    )
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host
    print(f"HABN Explorer answers at http://{host}:{settings.port}", flush=True)
    prepare().start()
    shown.warm_up()
    signal.pause()


def _layers(queue: FairQueue, names: frozenset[str]) -> list[Middleware]:
    """What a request passes before it comes to Gradio, the outermost first."""
    health = health_of(lambda: {"checkpoints": loaded_networks(), "waiting": queue.waiting()})
    return [
        Middleware(Answers, health=health),
        Middleware(KnownHosts, names=names),
        Middleware(Preview),
        Middleware(RequestLimits, max_upload=11 * MEGABYTE, max_body=MEGABYTE),
        Middleware(Listeners, queue=queue),
    ]

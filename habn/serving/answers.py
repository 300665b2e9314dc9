"""What every answer carries or lacks: headers for the browser, no trace of a failure, a line in the log, less bytes."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from gradio.brotli_middleware import BrotliResponder, Mode
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipResponder
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), clipboard-read=(self), clipboard-write=(self), fullscreen=*, geolocation=(), "
    "microphone=()",
    # Gradio's front end makes functions of text. Spaces show the page within another one.
    "Content-Security-Policy": "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self' https://huggingface.co https://*.hf.space",
}
SMALLEST_COMPRESSED = 1000
QUALITY = 5  # of Brotli; 11 is a tenth smaller and takes a second


class Answers:
    """ASGI middleware over everything else.

    Args:
        app: the application behind it.
        health: what `/healthz` says.
    """

    def __init__(self, app: ASGIApp, health: Callable[[], dict[str, Any]]):
        self.app = app
        self.health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._answer(scope, receive, send_with_headers)
        except Exception as error:
            # Its text may quote what was sent.
            where = _innermost(error)
            log.error("%s %s failed: %s at %s", scope["method"], _what(scope["path"]), type(error).__name__, where)
            if status:
                raise ConnectionAbortedError("the answer had begun") from None
            full = isinstance(error, OSError) and error.errno is not None
            sentence = (
                "The server cannot store anything now; please try again in a minute."
                if full
                else "The server cannot do that; the request is not one that the page makes."
            )
            await JSONResponse({"detail": sentence}, 507 if full else 400)(scope, receive, send_with_headers)
        finally:
            milliseconds = 1000 * (time.perf_counter() - started)
            level = logging.DEBUG if _is_still(scope["path"]) else logging.INFO
            log.log(level, "%s %s %s, %.0f ms", scope["method"], _what(scope["path"]), status, milliseconds)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/healthz":
            await JSONResponse(self.health())(scope, receive, send)
            return
        await _compressing(self.app, scope)(scope, receive, send)


def _compressing(app: ASGIApp, scope: Scope) -> ASGIApp:
    """The application, its answer compressed where Gradio, which goes by names of files, leaves the page as it is."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if scope["method"] != "GET" or path.rstrip("/") not in ("", "/config", "/gradio_api/info"):
        return app
    accepted = Headers(scope=scope).get("accept-encoding", "")
    if "br" in accepted:
        return BrotliResponder(app, QUALITY, Mode.text, lgwin=22, lgblock=0, minimum_size=SMALLEST_COMPRESSED)
    return GZipResponder(app, SMALLEST_COMPRESSED) if "gzip" in accepted else app


def _what(path: str) -> str:
    """A path without what comes from a visitor: names of files, and keys of sessions and events."""
    head, separator, _ = path.partition("/file=")
    if separator:
        return f"{head}{separator}..."
    parts = path.split("/")
    return json.dumps("/".join(part if len(part) <= 24 else "..." for part in parts))[1:-1][:200]


def _is_still(path: str) -> bool:
    """Whether it is a part of the page that is the same for everybody."""
    return any(f"/{name}/" in path for name in ("assets", "static", "svelte", "theme.css"))


def _innermost(error: BaseException) -> str:
    """Where an error was raised: file and line."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"

"""Limits that Gradio leaves to the application: the size of a request, and whom the server may call."""

import re
from typing import NoReturn

import gradio as gr
from gradio import processing_utils
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PROXY = re.compile(r"/(file|proxy)[=/]\s*https?:", re.IGNORECASE)


class RequestLimits:
    """ASGI middleware that refuses bodies over a limit and requests that would make the server fetch another address.

    Args:
        app: the application behind it.
        max_upload: limit of a file upload's body, in bytes.
        max_body: limit of every other body, in bytes; events carry names and numbers, the files go through uploads.
    """

    def __init__(self, app: ASGIApp, max_upload: int, max_body: int):
        self.app = app
        self.max_upload = max_upload
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if _PROXY.search(path):
            await PlainTextResponse("Other addresses are not fetched here.", 403)(scope, receive, send)
            return
        limit = self.max_upload if path.rstrip("/").endswith("/upload") else self.max_body
        sentence = f"The request is larger than {limit:,} bytes; send a smaller file."
        if _content_length(scope) > limit:
            await PlainTextResponse(sentence, 413)(scope, receive, send)
            return
        await self.app(scope, _counting(receive, limit, sentence), send)


def fetch_no_addresses() -> None:
    """Refuse every web address that a value names as its file.

    Gradio would download it, whatever its size, for an input of any component: all of them come to one function of
    its own, for which it has no setting, so that function is replaced.
    """
    processing_utils.async_ssrf_protected_download = _refuse_address


async def _refuse_address(url: str, cache_dir: str) -> NoReturn:
    raise gr.Error("Web addresses are not opened; download the picture and upload the file.", print_exception=False)


def _content_length(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


def _counting(receive: Receive, limit: int, sentence: str) -> Receive:
    """Wrap `receive` so that a body without a stated length, or with a wrong one, ends at `limit` bytes."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, sentence)
        return message

    return counted

"""What the server takes from anybody: how large a request may be, for which host, and from which page."""

import ipaddress
import re
import socket
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PROXY = re.compile(r"/(file|proxy)[=/]\s*https?:", re.IGNORECASE)
_PORT = re.compile(r":\d+$")


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


class KnownHosts:
    """ASGI middleware that refuses requests for another host, and those that come from another page.

    A name that its owner points to this machine, or another page that is open beside this one, could otherwise speak to
    a server that only this machine can reach. Plain addresses are let in: no page can be served under one that is not
    the server's own.

    Args:
        app: the application behind it.
        names: of the server; `*.name` stands for every name below it, `*` lets all in.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()):
        self.app = app
        self.names = {name.lower() for name in names} | {"localhost", socket.gethostname().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = _name_of(headers.get("host", "")), headers.get("origin")
        if not self._is_known(host):
            sentence = "This server is not known under that name; HABN_HOSTS lists its names."
            await PlainTextResponse(sentence, 421)(scope, receive, send)
        elif origin is not None and not self._is_own(origin, host):
            await PlainTextResponse("Other pages cannot use this server.", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_own(self, origin: str, host: str) -> bool:
        name = _name_of(origin.partition("://")[2])
        return name == host or self._is_named(name)

    def _is_known(self, host: str) -> bool:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host == "localhost" or host == socket.gethostname().lower() or self._is_named(host)
        return True

    def _is_named(self, host: str) -> bool:
        return any(
            name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:])) for name in self.names if host
        )


def _name_of(host: str) -> str:
    """Without the port: `localhost:7860` is localhost, `[::1]:7860` is ::1."""
    return _PORT.sub("", host).strip("[]").lower() if host.startswith("[") or host.count(":") < 2 else host.lower()


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

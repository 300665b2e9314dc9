"""What a shared link shows before it is opened: title, sentence and picture (Open Graph), in place of Gradio's own."""

import re
from html import escape

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from habn.shipped import shipped
from habn.ui import words

TITLE = "HABN Explorer"
PICTURE = shipped("assets") / "preview.jpg"
"""1200 x 630 pixels; `habn first_view` draws it."""
ICON = shipped("assets") / "icon.svg"

_PLACE = "/preview.jpg"
_GRADIOS = re.compile(rb"""<meta\s+(?:property|name)=["'](?:og|twitter):[^>]*>""")


class Preview:
    """ASGI middleware that puts the page's own tags into its HTML, and serves the picture that they name."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"] not in ("/", _PLACE):
            await self.app(scope, receive, send)
        elif scope["path"] == _PLACE:
            await FileResponse(PICTURE)(scope, receive, send)
        else:
            await self._send_page(scope, receive, send)

    async def _send_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        started: list[Message] = []
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                await _respond(started[0], bytes(body), Request(scope))(scope, receive, send)

        await self.app(scope, receive, collect)


def _respond(start: Message, body: bytes, request: Request) -> Response:
    headers = Headers(raw=start["headers"])
    kept = {name: value for name, value in headers.items() if name != "content-length"}
    is_page = headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers
    if is_page:
        body = _GRADIOS.sub(b"", body).replace(b"<head>", b"<head>" + _tags(request).encode(), 1)
    return Response(body, start["status"], kept)


def _tags(request: Request) -> str:
    language = words.language_of(request)
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip()
    root = f"{scheme}://{request.headers.get('host', request.url.netloc)}"
    address = root + request.url.path + (f"?{request.url.query}" if request.url.query else "")
    said = words.say("page.preview", language)
    properties = {
        "og:type": "website",
        "og:url": address,
        "og:title": TITLE,
        "og:description": said,
        "og:image": root + _PLACE,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": words.say("page.preview_alt", language),
    }
    names = {"description": said, "twitter:card": "summary_large_image"}
    tags = [f'<meta property="{key}" content="{escape(text)}">' for key, text in properties.items()]
    return "".join([*tags, *(f'<meta name="{key}" content="{escape(text)}">' for key, text in names.items())])

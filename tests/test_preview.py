"""A shared link shows the page's own title, sentence and picture."""

import re

from PIL import Image
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from habn.ui import words
from habn.ui.preview import ICON, PICTURE, TITLE, Preview

GRADIOS = """<html><head><title>x</title><meta property="og:title" content="Gradio" /><meta
    name="twitter:image" content="a.png" /></head><body><p>og:</p></body></html>"""


def client() -> TestClient:
    routes = [Route("/", lambda _: HTMLResponse(GRADIOS)), Route("/other", lambda _: PlainTextResponse("og"))]
    app = Starlette(routes=routes)
    app.add_middleware(Preview)
    return TestClient(app, base_url="http://habn.example")


def tags(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="([\w:]+)" content="([^"]*)"', page))


def test_the_page_s_tags_take_the_place_of_gradio_s():
    page = client().get("/?tab=learn", headers={"accept-language": "es-MX", "x-forwarded-proto": "https"}).text
    found = tags(page)
    assert found["og:title"] == TITLE and found["og:description"] == words.say("page.preview", "es")
    assert found["og:image"] == "https://habn.example/preview.jpg"
    assert found["og:url"] == "https://habn.example/?tab=learn"
    assert "Gradio" not in page and "a.png" not in page and page.endswith("<p>og:</p></body></html>")


def test_an_address_cannot_bring_markup_into_the_tags():
    page = client().get('/?a="><script>', headers={"host": 'x"><script>'}).text
    assert "<script>" not in page


def test_the_picture_has_its_size_and_everything_else_passes():
    answer = client().get("/preview.jpg")
    assert answer.headers["content-type"] == "image/jpeg" and len(answer.content) == PICTURE.stat().st_size
    with Image.open(PICTURE) as picture:
        assert picture.size == (1200, 630)
    assert client().get("/other").text == "og" and client().get("/missing").status_code == 404
    assert ICON.read_text().startswith("<svg")

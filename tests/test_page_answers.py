"""What the page's server says to requests that no page makes: one sentence, never a trace, a path or null."""

import json
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from habn.ui.blocks import LONGEST

OTHERS = ["camvid", "starry_night", 1, "none", 0.5, False]
JSON = {"Content-Type": "application/json"}


def ask(address: str, method: str, path: str, body: object = None) -> tuple[int, str]:
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), JSON)
        with connection.getresponse() as response:
            return response.status, response.read().decode()


def call(address: str, name: str, values: list) -> str:
    """The sentence that an endpoint refuses these values with."""
    status, text = ask(address, "POST", f"/gradio_api/call/{name}", {"data": values})
    assert status == 200, text
    _, text = ask(address, "GET", f"/gradio_api/call/{name}/{json.loads(text)['event_id']}")
    event, data = text.strip().split("\n")[:2]
    assert event == "event: error"
    return json.loads(data.removeprefix("data: "))["error"]


def file(path: str | None, **fields: str) -> dict:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **fields}


@pytest.mark.parametrize("values, sentence", [
    ([file("/etc/passwd"), *OTHERS], "must be uploaded first"),
    ([file("data:image/png;base64,AAAA"), *OTHERS], "must be uploaded first"),
    ([5, *OTHERS], "not of the type"),
    ([[1, 2], *OTHERS], "not of the type"),
    ([file(None, url="data:image/png;base64,AAAA"), *OTHERS], "There is no photo"),
    ([None], "not the number of inputs"),
    ([None, 5, *OTHERS[1:]], "not in the list of choices"),
], ids=str)  # fmt: skip
def test_values_that_make_no_sense_are_refused_in_one_sentence(page_address, values, sentence):
    said = call(page_address, "compare", values)
    assert sentence in said and "Traceback" not in said and "/work" not in said and len(said) < 300


def test_what_a_sentence_quotes_is_cut_short(page_address):
    said = call(page_address, "compare", [None, "x" * 500_000, *OTHERS[1:]])
    assert len(said) <= LONGEST


@pytest.mark.parametrize("path", ["/gradio_api/run/unknown", "/gradio_api/call/unknown", "/gradio_api/run/5"])
def test_an_endpoint_that_does_not_exist_is_one_sentence(page_address, path):
    status, text = ask(page_address, "POST", path, {"data": []})
    assert status == 400 and json.loads(text)["detail"].endswith(".")

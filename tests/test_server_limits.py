"""What stands before the page: hosts, origins, sizes, headers, what is logged, and whose turn it is."""

import asyncio
import logging
from types import SimpleNamespace

import brotli
import pytest
from gradio.block_function import BlockFunction
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from habn.serving import queue as fair
from habn.serving.answers import Answers
from habn.serving.limits import KnownHosts
from habn.serving.queue import FairQueue

SECRET = "my-holiday-photo.jpg"


async def answer(request: Request) -> PlainTextResponse:
    if "fail" in request.url.path:
        raise ValueError(f"cannot read {SECRET}")
    if "full" in request.url.path:
        raise OSError(28, "No space left on device", SECRET)
    return PlainTextResponse("word " * 10_000)


def client(*, names=()) -> TestClient:
    routes = [Route("/{path:path}", answer, methods=["GET", "POST"])]
    layers = [Middleware(Answers, health=lambda: {"status": "ok"}), Middleware(KnownHosts, names=names)]
    return TestClient(Starlette(routes=routes, middleware=layers), base_url="http://localhost")


@pytest.mark.parametrize("host, names, status", [
    ("localhost:7860", (), 200), ("127.0.0.1", (), 200), ("[::1]:7860", (), 200), ("192.168.0.7:80", (), 200),
    ("evil.example", (), 421), ("localhost.evil.example", (), 421), ("", (), 421),
    ("habn.example", ("habn.example",), 200), ("a.hf.space", ("*.hf.space",), 200), ("hf.space", ("*.hf.space",), 421),
    ("evil-hf.space", ("*.hf.space",), 421), ("evil.example", ("*",), 200),
])  # fmt: skip
def test_only_the_servers_own_names_are_answered(host, names, status):
    assert client(names=names).get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize("origin, status", [
    ("http://localhost", 200), ("http://localhost:3000", 200), ("https://habn.example", 200),
    ("http://evil.example", 403), ("null", 403), ("http://localhost.evil.example", 403), ("", 403),
])  # fmt: skip
def test_another_page_cannot_use_the_server(origin, status):
    assert client(names=["habn.example"]).post("/queue/join", headers={"origin": origin}).status_code == status


def test_every_answer_has_the_headers_and_none_has_a_trace(caplog):
    caplog.set_level(logging.INFO)
    with client() as browser:
        for path, status in (("/", 200), ("/fail", 400), ("/full", 507), ("/healthz", 200)):
            answer = browser.get(path)
            assert answer.status_code == status
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'self' https://huggingface.co" in answer.headers["content-security-policy"]
            assert SECRET not in answer.text and "Traceback" not in answer.text
        assert answer.json() == {"status": "ok"}
        browser.get(f"/gradio_api/file=/tmp/{SECRET}")
        browser.get(f"/gradio_api/call/compare/{'0' * 32}")
    text = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("habn"))
    assert SECRET not in text and "Traceback" not in text and "0" * 32 not in text
    assert "GET /fail failed: ValueError at " in text and "GET /fail 400, " in text and "file=... 200, " in text


def test_the_page_is_sent_compressed():
    plain = client().get("/", headers={"accept-encoding": "identity"})
    small = client().get("/", headers={"accept-encoding": "br"})
    assert small.headers["content-encoding"] == "br" and int(small.headers["content-length"]) < len(plain.content) / 100
    assert small.content == plain.content or brotli.decompress(small.content) == plain.content
    assert client().get("/", headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client().get("/queue/data", headers={"accept-encoding": "br"}).headers


class Line:
    """A fair queue of one kind of event, without a page."""

    def __init__(self, monkeypatch):
        async def make() -> FairQueue:  # Gradio's locks take a loop that runs, or make one
            return FairQueue(
                live_updates=True, concurrency_count=4, update_intervals=1, max_size=1000, blocks=SimpleNamespace()
            )

        self.queue = asyncio.run(make())

        class fn:
            concurrency_id, concurrency_limit = "network", 1
            api_name, connection, validator, batch, fn = "compare", "sse", None, False, None

        monkeypatch.setattr("gradio.queueing.route_utils.get_fn", lambda *arguments: fn)

    def push(self, session: str | None, address: str = "10.0.0.1", path: str = "/queue/join", is_heard=True):
        body = PredictBodyInternal(session_hash=session, data=[], fn_index=0)
        request = SimpleNamespace(client=SimpleNamespace(host=address), url=SimpleNamespace(path=path))
        success, event_id, _ = asyncio.run(self.queue.push(body, request, None))
        if success and is_heard:
            self.queue.listening[event_id] += 1
        return event_id if success else None

    def order(self) -> list[str]:
        taken = []
        while events := self.queue.get_events():
            taken.append(events[0][0]._id)
        return taken


def test_every_visitor_has_a_turn(monkeypatch):
    line = Line(monkeypatch)
    script = [line.push(None, "10.0.0.9", "/call/compare") for _ in range(20)]
    anna = [line.push("anna") for _ in range(2)]
    bert = [line.push("bert")]
    assert line.order() == [script[0], anna[0], bert[0], script[1], anna[1], *script[2:]]


def test_no_visitor_has_more_waiting_than_others_can_bear(monkeypatch):
    line = Line(monkeypatch)
    calls = [line.push(None, "10.0.0.9", "/call/compare") for _ in range(200)]
    assert sum(call is not None for call in calls) == fair.MAX_OF_A_PROGRAM
    assert sum(line.push("anna") is not None for _ in range(200)) == fair.MAX_OF_A_PAGE
    forged = [line.push(f"made up {k}", "10.0.0.9", "/call/compare") for k in range(9)]
    assert forged == [None] * 9, "a session's name makes no other visitor of a program"
    assert line.push(None, "10.0.0.8", "/call/compare") is not None


def test_work_that_nobody_listens_to_is_not_begun(monkeypatch):
    line = Line(monkeypatch)
    unheard = line.push(None, path="/call/compare", is_heard=False)
    heard = line.push("anna", is_heard=False)
    with line.queue.listened_to("anna"):
        assert line.order() == [heard]
    assert line.queue.waiting() == 1 and unheard in line.queue.event_ids_to_events
    line.queue.event_ids_to_events[unheard].enqueue_time -= fair.SECONDS_UNHEARD + 1
    assert line.order() == [] and line.queue.waiting() == 0 and unheard not in line.queue.event_ids_to_events


@pytest.mark.parametrize("path, query, key", [
    ("/gradio_api/queue/data", b"session_hash=anna", "anna"),
    ("/gradio_api/call/compare/0123", b"", "0123"),
    ("/gradio_api/call/v2/compare/0123", b"", "0123"),
    ("/gradio_api/queue/data", b"", None),
    ("/gradio_api/file=/call/x/y", b"", None),
    ("/", b"session_hash=anna", None),
])  # fmt: skip
def test_who_listens_is_read_from_the_request(path, query, key):
    assert fair._key_of({"type": "http", "method": "GET", "path": path, "query_string": query}) == key


def test_gradio_still_has_what_the_queue_builds_on():
    assert {"push", "get_events", "broadcast_estimations"} <= vars(fair.Queue).keys()
    assert Event and BlockFunction

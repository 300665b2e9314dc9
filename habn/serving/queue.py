"""Whose turn it is: every visitor's in turn, and no more of one visitor than others can bear.

Gradio's queue is first come, first served. Of it two steps are replaced here: where an event is put in, and which one
is taken out.
"""

import re
import time
from collections import Counter
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from gradio.blocks import Blocks
from gradio.queueing import Event, Queue
from starlette.types import ASGIApp, Receive, Scope, Send

MAX_WAITING = 1000
MAX_OF_A_PAGE = 12
"""Events of one open page that wait or run: a page that opens has some four, each choice one or two."""
MAX_OF_A_PROGRAM = 24
"""Calls by programs at one address that wait or run."""
SECONDS_UNHEARD = 60
"""For which a call waits for somebody who listens to its answer."""

_CALL = re.compile(r"/gradio_api/call/(?:v2/)?\w+/(\w+)/?$")


class FairQueue(Queue):
    """Gradio's queue with turns.

    The n-th event of one visitor stands behind the n-th events of all others who wait. A visitor is a page that is
    open, or the address from which a program calls. An event is begun once somebody listens to its answer, and dropped
    if nobody does for a while.
    """

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self.listening: Counter[str] = Counter()
        self._places: dict[str, tuple[str, int]] = {}  # of each event: whose it is, and in which turn it comes

    async def push(self, body: Any, request: Any, username: str | None) -> tuple[bool, Any, Any]:
        visitor, most = _visitor_of(body, request)
        pending = self._pending(visitor)
        if pending >= most:
            return False, "Too much of yours is waiting already; please wait for an answer.", "queue_full"
        success, event_id, state = await super().push(body, request, username)
        event = self.event_ids_to_events.get(event_id) if success else None
        if event is not None:
            self._places[event_id] = (visitor, pending)
            self._take_turn(event)
        return success, event_id, state

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """The next event that somebody waits for; see `Queue.get_events`."""
        now = time.monotonic()
        for queue in self.event_queue_per_concurrency_id.values():
            unheard = [event for event in queue.queue if not self._is_heard(event)]
            for event in unheard:
                if now - event.enqueue_time > SECONDS_UNHEARD:
                    queue.queue.remove(event)
                    self._forget(event)
            is_free = queue.concurrency_limit is None or queue.current_concurrency < queue.concurrency_limit
            heard = next((event for event in queue.queue if self._is_heard(event)), None)
            if is_free and heard is not None:
                queue.queue.remove(heard)
                return [heard], False, queue.concurrency_id
        return None

    def waiting(self) -> int:
        """How many events wait."""
        return len(self)

    @contextmanager
    def listened_to(self, key: str):
        """Somebody listens to the answers to an event, or to all of a session."""
        self.listening[key] += 1
        try:
            yield
        finally:
            self.listening[key] -= 1
            if not self.listening[key]:
                del self.listening[key]

    def _is_heard(self, event: Event) -> bool:
        return event._id in self.listening or event.session_hash in self.listening

    def _pending(self, visitor: str) -> int:
        self._places = {key: place for key, place in self._places.items() if key in self.event_ids_to_events}
        return sum(whose == visitor for whose, _ in self._places.values())

    def _take_turn(self, event: Event) -> None:
        """Move an event that stands last to the end of its turn, and tell those behind it."""
        queue = self.event_queue_per_concurrency_id[event.concurrency_id].queue
        if not queue or queue[-1] is not event:
            return
        last = ("", 0)
        _, turn = self._places[event._id]
        place = next(
            k for k, other in enumerate(queue) if other is event or self._places.get(other._id, last)[1] > turn
        )
        queue.insert(place, queue.pop())
        self.broadcast_estimations(event.concurrency_id, place)

    def _forget(self, event: Event) -> None:
        self.event_ids_to_events.pop(event._id, None)
        self.pending_messages_per_session.pop(event.session_hash, None)
        self.pending_event_ids_session.pop(event.session_hash, None)


def install(page: Blocks, max_waiting: int = MAX_WAITING) -> FairQueue:
    """Give a page, whose `queue` has been called, a fair queue in the place of Gradio's."""
    page._queue = FairQueue(
        live_updates=True,
        concurrency_count=page.max_threads,
        update_intervals=1,
        max_size=max_waiting,
        blocks=page,
    )
    return page._queue


class Listeners:
    """ASGI middleware that tells the queue who listens to the answers to which events.

    Args:
        app: the application behind it.
        queue: whose events they are.
    """

    def __init__(self, app: ASGIApp, queue: FairQueue):
        self.app = app
        self.queue = queue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key_of(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        with self.queue.listened_to(key):
            await self.app(scope, receive, send)


def _key_of(scope: Scope) -> str | None:
    """The session or the event whose answers a request listens to."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    if scope["path"].endswith("/queue/data"):
        return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [])), None)
    call = _CALL.search(scope["path"])
    return call[1] if call else None


def _visitor_of(body: Any, request: Any) -> tuple[str, int]:
    """Whose an event is, and how many of theirs may wait and run."""
    if body.session_hash is None or "/call/" in request.url.path:
        return f"address {request.client.host if request.client else '?'}", MAX_OF_A_PROGRAM
    return f"page {body.session_hash}", MAX_OF_A_PAGE

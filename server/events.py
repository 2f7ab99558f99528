"""
GET /events: which tables changed, as server-sent events.

A browser holds one stream. On connecting it gets every table's revision, then, at most five times a second, the tables
that changed since. Nothing is queued: what waits for a client is one dictionary of at most as many entries as there are
tables, so a slow client costs nothing. Those events carry revisions only, never a row.

A wall names its language and the revision that it shows (`?lang=zh&since=812`), and is told after each event, as event
`scenes`, what changed in the scene files (server/changes.py). Its id is the revision, which a browser that lost its
stream sends by itself: it is then told what it missed.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from i18n import LANGUAGES, t

COALESCE_S = 0.2
HEARTBEAT_S = 15.0
MAX_CLIENTS = 64  # an office has a wall, some desks and tablets; each browser allows itself six connections a host

Describe = Callable[[int], Awaitable[tuple[int, str]]]
"""The newest revision, and JSON of what changed in the scene files after the one that is given."""


class _Client:
    """One stream's waiting revisions, and the flag that says so."""

    def __init__(self, snapshot: Mapping[str, int]) -> None:
        self.pending: dict[str, int] = dict(snapshot)
        self.wake = asyncio.Event()
        self.wake.set()


class EventHub:
    """
    Takes revisions from the store's writer thread, hands them to the streams on the server's loop.

    Attributes
    ----------
    coalesce_s
        Least time between two events of one stream, seconds.
    sent
        Events sent so far, over all streams.
    """

    def __init__(self, *, coalesce_s: float = COALESCE_S, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.coalesce_s = coalesce_s
        self.sent = 0
        self._heartbeat_s = heartbeat_s
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()
        self._revisions: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def clients(self) -> int:
        """Streams that are open now."""
        return len(self._clients)

    @property
    def is_full(self) -> bool:
        return len(self._clients) >= MAX_CLIENTS

    def open(self, revisions: Mapping[str, int], loop: asyncio.AbstractEventLoop) -> None:
        """Begin, on the server's loop, knowing `revisions`. Newer ones that were published before win."""
        with self._lock:
            self._revisions = {**revisions, **self._revisions}
        self._loop = loop
        self._closed = False

    def publish(self, revisions: Mapping[str, int]) -> None:
        """Tell every stream; called on any thread, returns at once, never raises into the writer."""
        with self._lock:
            self._revisions.update(revisions)
        self._call(lambda: self._spread(dict(revisions)))

    def close(self) -> None:
        """End every stream, so that the server can stop; called on any thread or in a signal handler."""
        self._closed = True
        self._call(lambda: self._spread({}))

    def _call(self, work: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(work)
        except RuntimeError:  # the loop closed between the question and the call: nobody listens any more
            return

    def _spread(self, revisions: dict[str, int]) -> None:
        for client in self._clients:
            client.pending.update(revisions)
            client.wake.set()

    async def stream(self, since: int = 0, describe: Describe | None = None) -> AsyncIterator[str]:
        """Text of one stream, until the client goes or the hub closes; with the scenes' changes after `since`."""
        with self._lock:
            client = _Client(self._revisions)
        self._clients.add(client)
        try:
            yield "retry: 1000\n\n"
            while not self._closed:
                try:
                    await asyncio.wait_for(client.wake.wait(), self._heartbeat_s)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                client.wake.clear()
                if client.pending:
                    pending, client.pending = client.pending, {}
                    self.sent += 1
                    text = f"event: revisions\ndata: {json.dumps(pending)}\n\n"
                    if describe is not None:
                        since, changes = await describe(since)
                        text += f"event: scenes\nid: {since}\ndata: {changes}\n\n"
                    yield text
                    await asyncio.sleep(self.coalesce_s)
        finally:
            self._clients.discard(client)


def find_since(request: Request) -> int | None:
    """Revision that a wall shows: at its beginning from the address, after a loss from the last event that it heard."""
    text = request.headers.get("last-event-id") or request.query_params.get("since", "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def respond_events(hub: EventHub, since: int = 0, describe: Describe | None = None) -> Response:
    """A new stream, or 503 when there are too many; `describe` for a wall that shows revision `since`."""
    if hub.is_full:
        text = "\n".join(t("server.too_many_streams", lang) for lang in LANGUAGES)
        return PlainTextResponse(text, status_code=503, headers={"Retry-After": "30", "Cache-Control": "no-store"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(hub.stream(since, describe), media_type="text/event-stream", headers=headers)

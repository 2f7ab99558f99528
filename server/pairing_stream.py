"""
One stream of a paired device, as server-sent events: `hello` with what was said last, `say`, `members`, `gone`.

Nothing is queued: of each topic the newest waits, so a slow device costs nothing and never lags behind.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

HEARTBEAT_S = 15.0


class PairStream:
    """What waits for one device; `tell`, `tell_members`, `end` and `stop` may be called on any thread."""

    def __init__(self, hello: Mapping[str, Any], *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.on_close: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._waiting: dict[str, dict[str, Any]] = {"hello": dict(hello)}
        self._said: dict[str, Any] = {}
        self._over = False
        self._heartbeat_s = heartbeat_s
        self._wake.set()

    def tell(self, topic: str, message: Mapping[str, Any]) -> None:
        """Something was said."""
        self._call(lambda: self._said.update({topic: dict(message)}))

    def tell_members(self, counts: Mapping[str, int]) -> None:
        """Who listens now."""
        self._call(lambda: self._waiting.update(members=dict(counts)))

    def end(self, why: str) -> None:
        """The device is not paired any more."""

        def go() -> None:
            self._waiting["gone"] = {"why": why}
            self._over = True

        self._call(go)

    def stop(self) -> None:
        """The server stops: the device comes back when it is there again."""
        self._call(lambda: setattr(self, "_over", True))

    def _call(self, work: Callable[[], None]) -> None:
        def both() -> None:
            work()
            self._wake.set()

        try:
            self._loop.call_soon_threadsafe(both)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return

    async def stream(self) -> AsyncIterator[str]:
        """Text of the stream, until the device goes or is unpaired."""
        try:
            yield "retry: 1000\n\n"
            while True:
                try:
                    await asyncio.wait_for(self._wake.wait(), self._heartbeat_s)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                self._wake.clear()
                waiting, self._waiting = self._waiting, {}
                if self._said:
                    waiting["say"], self._said = self._said, {}
                for name in ("hello", "members", "say", "gone"):
                    if name in waiting:
                        yield f"event: {name}\ndata: {json.dumps(waiting[name], ensure_ascii=False)}\n\n"
                if self._over and not self._waiting:  # "gone" may have come while these were on their way
                    return
        finally:
            self.on_close()

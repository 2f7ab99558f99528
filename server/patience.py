"""
Connections that take their time: closed when a request does not come in whole, and only so many from one address.

Uvicorn waits for the head of a request as long as it takes. A server that anybody can reach would fill up with
connections that never say anything; the body's time is watched by who reads it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from server.rate_limits import to_network

HEAD_S: Final = 15.0
"""For the head of a request, from the connection or its first byte on: a phone at the edge of its net needs seconds."""
MOST_OF_ADDRESS: Final = 200
MOST: Final = 800
"""Open at once; below the 1,024 files that systems usually let a process have."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn with an end to its patience."""

    head_s: float = HEAD_S
    most_of_address: int = MOST_OF_ADDRESS
    _open: ClassVar[Counter[str]] = Counter()  # of all connections, all on the one loop of the server

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn, within the number of an address."""
        super().connection_made(transport)
        self._head_timer: asyncio.TimerHandle | None = None
        self._from = to_network(self.client[0]) if self.client else ""
        self._open[self._from] += 1
        if self._open[self._from] > self.most_of_address:
            transport.abort()
        else:
            self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn."""
        super().connection_lost(exc)
        self._stop_watching()
        self._open[self._from] -= 1
        if self._open[self._from] <= 0:
            del self._open[self._from]

    def data_received(self, data: bytes) -> None:
        """As uvicorn; what is no whole head yet has its time."""
        super().data_received(data)
        if self._is_answering():
            self._stop_watching()
        elif not self.transport.is_closing():
            self._watch_head()

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _watch_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_s, self._end)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end(self) -> None:
        self._head_timer = None
        if not self._is_answering():
            self.transport.abort()

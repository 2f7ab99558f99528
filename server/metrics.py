"""
Figures of the running server for Prometheus, without anything about persons or places.

GET /metrics answers only programs on this machine that ask directly. Route labels are the routes as they are written in
the code, never what was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from data.store import Store
from server.answers import build_refusal
from server.events import EventHub
from server.guard import is_loopback_client

# Seconds. Requests: a click should answer within 0.2 s; writes: one durable commit takes some milliseconds; scenes: the
# slowest of the sample takes some tenths.
_REQUEST_S = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_WRITE_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
_SCENE_S = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Metrics:
    """Figures of one process; made at the entry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter("shapan_requests", "Requests answered.", ["route", "status"], registry=self.registry)
        self._request_s = Histogram(
            "shapan_request_seconds",
            "Time until an answer began.",
            ["route"],
            buckets=_REQUEST_S,
            registry=self.registry,
        )
        self._scene_s = Histogram(
            "shapan_scene_build_seconds",
            "Time to build a scene file.",
            ["layer"],
            buckets=_SCENE_S,
            registry=self.registry,
        )
        self._write_s = Histogram(
            "shapan_write_seconds",
            "Time from asking for a write until its commit or its failure.",
            buckets=_WRITE_S,
            registry=self.registry,
        )
        self._streams = Gauge("shapan_event_streams", "Event streams that are open.", registry=self.registry)
        self._revision = Gauge("shapan_store_revision", "Highest revision of the store.", registry=self.registry)
        self._log_bytes = Gauge(
            "shapan_store_log_bytes", "Size of the store's write-ahead log.", registry=self.registry
        )
        self._backup_age_s = Gauge(
            "shapan_backup_age_seconds", "Age of the newest backup; NaN: there is none.", registry=self.registry
        )
        self._backup_age_s.set(math.nan)

    def note_request(self, route: str, status: int, duration_s: float) -> None:
        """A request whose answer has begun."""
        self._requests.labels(route, str(status)).inc()
        self._request_s.labels(route).observe(duration_s)

    def note_scene(self, layer: str, duration_s: float) -> None:
        """A scene file that was built."""
        self._scene_s.labels(layer).observe(duration_s)

    def note_write(self, duration_s: float) -> None:
        """A write that was committed or failed; called on any thread."""
        self._write_s.observe(duration_s)

    def watch(self, store: Store, hub: EventHub) -> None:
        """Time the writes; read revision, log and streams whenever somebody asks for the figures."""
        store.time_writes(self.note_write)
        self._streams.set_function(lambda: hub.clients)
        self._revision.set_function(lambda: store.revision())
        self._log_bytes.set_function(lambda: _find_size_bytes(store.path.with_name(store.path.name + ".wal")))

    def watch_backups(self, find_age_s: Callable[[], float | None]) -> None:
        """Where the age of the newest backup comes from, seconds; None: there is none."""

        def read() -> float:
            age_s = find_age_s()
            return math.nan if age_s is None else age_s

        self._backup_age_s.set_function(read)

    def respond(self, request: Request) -> Response:
        """The figures as text; 403 for everybody but a program on this machine that asks directly."""
        if not is_loopback_client(request.scope) or any(name in request.headers for name in _FORWARDED):
            return build_refusal(
                403,
                "Figures are given to programs on the server itself only: ask http://localhost.",
                kind="RefusedError",
            )
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"}
        return Response(generate_latest(self.registry), headers=headers)


def _find_size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # the log has just been folded into the file
        return 0

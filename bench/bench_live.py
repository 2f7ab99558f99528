"""
One live thing changes: what goes over the wire to an open wall, and what the server works for it.

Ours: the event, and the scene files that the wall fetches because of it. The peer: the same buildings inline in
`st.pydeck_chart`, one other thing that moves. Server time is CPU time; what the server uses at rest is taken off.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.browsing import open_browser, open_page
from bench.peer import serve_peer, write_peer_scene
from bench.places import Place
from bench.processes import read_cpu_s
from bench.wire import Wire
from tests.fixtures.live_server import LiveServer, Statement

_SCREEN = (960, 540)  # small: what is drawn is not measured here, and software drawing takes the processor from it
_REST_S = 4.0
_ROUNDS = 5
_NOW = "2026-01-01 04:00:00"

Figures = dict[str, Any]
Known = dict[str, Any]


def _moved(known: Known, n: int) -> Statement:
    sql = "UPDATE responders SET position_utc = ?::TIMESTAMP, geom = ST_Point(?, ?) WHERE responder_id = ?"
    return ("responders", sql, [_NOW, known["x_m"] + 0.5 + n % 2, known["y_m"], known["responder"]])


def _reported(known: Known, n: int) -> Statement:
    sql = """INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, occurred_from_utc,
        occurred_to_utc, status, geom) VALUES (?, ?, 'routine', 'call', ?::TIMESTAMP, ?::TIMESTAMP, ?::TIMESTAMP, 'new',
        ST_Point(?, ?))"""
    return ("incidents", sql, [f"bench-{n}", known["category"], _NOW, _NOW, _NOW, known["x_m"], known["y_m"]])


def _closed(_: Known, n: int) -> Statement:
    return ("incidents", "UPDATE incidents SET status = 'closed' WHERE incident_id = ?", [f"bench-{n}"])


def _visited(known: Known, n: int) -> Statement:
    sql = "UPDATE rentals SET last_visit_on = DATE '2026-01-01' + ?::INTEGER WHERE rental_id = ?"
    return ("rentals", sql, [n, known["rental"]])


def _renamed(known: Known, n: int) -> Statement:
    return ("buildings", "UPDATE buildings SET name = ? WHERE building_id = ?", [f"{n}幢", known["building"]])


def _kept(n: int) -> Statement:
    """What no wall draws: all that it costs is the durable commit, and this benchmark's own question."""
    sql = "INSERT INTO aliases (alias, canonical, kind) VALUES (?, 'bench', 'site')"
    return ("aliases", sql, [f"bench-{n}"])


CHANGES: dict[str, Callable[[Known, int], Statement]] = {
    "a responder moves": _moved,
    "an incident is reported": _reported,
    "an incident is closed": _closed,
    "a rental is visited": _visited,
    "a building is renamed": _renamed,
}
_A_RESPONDER = """INSERT INTO responders (responder_id, call_sign, kind, full_time, geom)
    SELECT 'bench', 'B01', 'grid_worker', true, ST_Centroid(boundary) FROM community
    WHERE NOT EXISTS (FROM responders)"""

# Whom and what the statements are about: those that write live changes know it as well, it is no part of the change.
_KNOWN = """SELECT (SELECT min(responder_id) FROM responders) AS responder,
    (SELECT min(rental_id) FROM rentals) AS rental, (SELECT min(building_id) FROM buildings) AS building,
    (SELECT coalesce(min(category), 'other') FROM incident_categories) AS category,
    ST_X(ST_Centroid(boundary)) AS x_m, ST_Y(ST_Centroid(boundary)) AS y_m FROM community"""


def _rest(pid: int, wire: Wire) -> float:
    """CPU seconds a second of a server that has nothing to do."""
    wire.wait_quiet(quiet_s=1.0)
    before, begin = read_cpu_s(pid), time.monotonic()
    wire.wait_quiet(quiet_s=_REST_S)
    return (read_cpu_s(pid) - before) / (time.monotonic() - begin)


def measure_ours(place: Place) -> dict[str, Figures]:
    """By change: bytes by path, and milliseconds of the server's CPU."""
    figures: dict[str, Figures] = {}
    with LiveServer(place.home, place.store) as server, open_browser() as browser:
        pid = server.process.pid
        server.write(("responders", _A_RESPONDER, []))
        (known,) = server.read(_KNOWN)
        context, page = open_page(browser, _SCREEN)
        wire = Wire(context, page)
        page.goto(server.url)
        page.wait_for_selector('[data-ready="yes"]', timeout=180_000)
        rest = _rest(pid, wire)
        commit_ms = _measure_commit(server, wire, rest)
        for name, change in CHANGES.items():
            print(f"  {place.name}: {name}", file=sys.stderr, flush=True)
            server.write(change(known, 0))  # the first of its kind: what is loaded late is loaded now
            wire.wait_quiet(quiet_s=2.0)
            rounds, times = [], []
            for n in range(1, _ROUNDS + 1):
                wire.reset()
                before, begin = read_cpu_s(pid), time.monotonic()
                server.write(change(known, n))
                wire.wait_quiet(more_than=("/events", 0))
                times.append(read_cpu_s(pid) - before - rest * (time.monotonic() - begin))
                rounds.append(dict(wire.bytes))
            # Medians: what the wall asks only once a minute (hot places) falls into one round at most.
            paths = {path: statistics.median(one.get(path, 0) for one in rounds) for one in rounds for path in one}
            by_path = {path: round(size) for path, size in sorted(paths.items(), key=lambda pair: -pair[1]) if size}
            figures[name] = {
                "bytes": sum(by_path.values()),
                "server_ms": round(1000 * statistics.median(times), 1),
                "commit_ms": commit_ms,
                "server_ms_most": round(1000 * max(times), 1),
                "by_path": by_path,
            }
    return figures


def _measure_commit(server: LiveServer, wire: Wire, rest: float) -> float:
    """Milliseconds of the server's CPU for a durable write that reaches no page."""
    times = []
    for n in range(_ROUNDS + 1):
        before, begin = read_cpu_s(server.process.pid), time.monotonic()
        server.write(_kept(n))
        wire.wait_quiet()
        times.append(read_cpu_s(server.process.pid) - before - rest * (time.monotonic() - begin))
    return round(1000 * statistics.median(times[1:]), 1)


def measure_peer(place: Place) -> Figures:
    """Bytes and milliseconds of one press of the peer's button."""
    with LiveServer(place.home, place.store) as server:
        scene = write_peer_scene(server.url, place.home, zoom=12.0, height=_SCREEN[1] - 160)
    with serve_peer(place.home, scene) as peer, open_browser() as browser:
        context, page = open_page(browser, _SCREEN)
        wire = Wire(context, page)
        page.goto(peer.url)
        page.wait_for_selector("canvas", timeout=180_000)
        rest = _rest(peer.pid, wire)
        sizes, times = [], []
        for _ in range(3):
            wire.reset()
            before, begin = read_cpu_s(peer.pid), time.monotonic()
            page.get_by_role("button", name="move").click(timeout=180_000)
            wire.wait_quiet(quiet_s=3.0, more_than=("websocket", 1000))
            sizes.append(wire.bytes["websocket"])
            times.append(read_cpu_s(peer.pid) - before - rest * (time.monotonic() - begin))
    return {"bytes": round(statistics.median(sizes)), "server_ms": round(1000 * statistics.median(times), 1)}


def run(places: list[Place]) -> dict[str, dict[str, Figures]]:
    """Figures by place, then by change; `peer` beside them."""
    return {place.name: {**measure_ours(place), "peer": measure_peer(place)} for place in places}

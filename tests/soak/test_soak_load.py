"""A minute of a busy office: twenty readers of scene files, clients of the events, and rows written all the while."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from layers import SCENES
from tests.fixtures.live_server import LiveServer, Statement
from tests.fixtures.serving import run_shapan

MINUTE_S = 60.0
READERS = 20
LISTENERS = 20
MOST_MEMORY_MB = 500.0  # the issue's

MOVE = """UPDATE responders SET geom = ST_Point(ST_X(geom) + ?, ST_Y(geom))
    WHERE responder_id = (SELECT min(responder_id) FROM responders)"""
CLOSE = "UPDATE incidents SET disposition = ? WHERE incident_id = (SELECT min(incident_id) FROM incidents)"
VISIT = "UPDATE rentals SET rooms_count = ? WHERE rental_id = (SELECT min(rental_id) FROM rentals)"


def choose_change(n: int) -> Statement:
    """Positions most of the time, as radios report them; now and then an incident or a rental."""
    if n % 40 == 39:
        return ("rentals", VISIT, [n % 5 + 1])
    if n % 10 == 9:
        return ("incidents", CLOSE, [f"note {n}"])
    return ("responders", MOVE, [0.5 - n % 2])


class Crowd:
    """Threads that do something again and again until told to stop; what went wrong is kept."""

    def __init__(self, url: str) -> None:
        self.stop = threading.Event()
        self.problems: list[str] = []
        self.answers = 0
        self.heard: dict[int, int] = {}
        self._url = url
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[[int], None], count: int) -> None:
        for number in range(count):
            thread = threading.Thread(target=self._guard, args=(work, number))
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads)

    def read(self, number: int) -> None:
        """One reader: every scene file in turn, in both languages."""
        names = sorted(SCENES)
        with httpx.Client(base_url=self._url, trust_env=False, timeout=60) as client:
            for n in range(number, 10**9):
                if self.stop.is_set():
                    return
                name = names[n % len(names)]
                answer = client.get(f"/scene/{name}.json", params={"lang": ("zh", "en")[n % 2]})
                assert answer.status_code == 200, (name, answer.status_code, answer.text[:200])
                json.loads(answer.content)
                with self._lock:
                    self.answers += 1

    def listen(self, number: int) -> None:
        """One client of the events: the highest revision that it heard."""
        with (
            httpx.Client(base_url=self._url, trust_env=False, timeout=60) as client,
            client.stream("GET", "/events") as stream,
        ):
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    highest = max(json.loads(line.removeprefix("data: ")).values(), default=0)
                    assert highest >= self.heard.get(number, 0)
                    self.heard[number] = highest
                if self.stop.is_set():
                    return

    def _guard(self, work: Callable[[int], None], number: int) -> None:
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            self.problems.append(f"{work.__name__} {number}: {error!r}")


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_busy_minute_is_answered_and_forgotten(tmp_path: Path) -> None:
    made = run_shapan(tmp_path, "demo", "--store", "demo")
    assert made.returncode == 0, made.stderr
    with LiveServer(tmp_path, "demo") as server:
        process = psutil.Process(server.process.pid)
        crowd = Crowd(server.url)
        crowd.start(crowd.listen, LISTENERS)
        crowd.start(crowd.read, READERS)
        memory_mb: list[float] = []
        begin = time.monotonic()
        writes = 0
        while time.monotonic() - begin < MINUTE_S:
            server.write(choose_change(writes))
            writes += 1
            memory_mb.append(process.memory_info().rss / 1e6)
            time.sleep(0.2)  # the pace of the writer, five changes a second
        revision = int(server.read("SELECT max(revision) AS revision FROM revisions")[0]["revision"])
        end = time.monotonic() + 20
        while time.monotonic() < end and (
            len(crowd.heard) < LISTENERS or any(last < revision for last in crowd.heard.values())
        ):
            time.sleep(0.05)
        crowd.stop.set()
        server.write(choose_change(0))  # wakes the listeners, so that they see that it is over
        crowd.end()
        assert crowd.problems == []
        assert len(crowd.heard) == LISTENERS
        assert min(crowd.heard.values()) >= revision
        assert writes > 50
        assert crowd.answers > 10 * READERS
        assert "Traceback" not in server.log
        settled, last = max(memory_mb[writes // 3 : 2 * writes // 3]), max(memory_mb[2 * writes // 3 :])
        assert last < MOST_MEMORY_MB
        assert last < settled * 1.1, f"memory grew from {settled:.0f} to {last:.0f} MB in the last third"
        print(f"answers {crowd.answers}, writes {writes}, memory {memory_mb[0]:.0f} -> {settled:.0f} -> {last:.0f} MB")

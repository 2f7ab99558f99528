"""
A real server under a load of incidents, and killed under it: what was acknowledged is there, once.

Five seconds and three kills here, a minute and fifty in tests/soak/test_soak_intake.py.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.api_keys import put_key
from data.store import Store, utc_now
from tests.fixtures.intake_senders import Sent, start_senders
from tests.fixtures.serving import ROOT, ServerProcess

SENDERS = 4
EACH = 10


@dataclass(frozen=True)
class Place:
    """A store of the sample with keys for as many senders, and addresses of homes."""

    home: Path
    keys: tuple[str, ...]
    addresses: tuple[str, ...]

    def read(self, sql: str) -> pd.DataFrame:
        with Store.open_existing(self.home / "demo.duckdb") as store:
            return store.read(sql)


def build_place(home: Path, sample_file: Path) -> Place:
    """A copy of the sample in `home`, with keys."""
    with Store(Path(shutil.copy(sample_file, home))) as store:
        keys = tuple(
            store.write(
                lambda tx, n=number: put_key(
                    tx, f"system{n}", ["incidents:write"], rate_per_minute=6000, created_by="test", clock=utc_now
                )
            )[1]
            for number in range(SENDERS)
        )
        addresses = store.read("SELECT full_text FROM addresses WHERE unit_id IS NOT NULL ORDER BY 1 LIMIT 400")
    return Place(home, keys, tuple(addresses["full_text"]))


@pytest.fixture(scope="module")
def place(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return build_place(tmp_path_factory.mktemp("load"), sample_file)


def check_all_there(place: Place, sent: Sequence[Sent]) -> int:
    """Every acknowledged number is there once, with its steps and its sealed words; returns how many are."""
    assert [one.problems for one in sent] == [[] for _ in sent]
    acknowledged = {number: incident_id for one in sent for number, incident_id in one.acknowledged.items()}
    rows = place.read("SELECT number, incident_id, status FROM incidents WHERE sent_by IS NOT NULL")
    assert rows["number"].is_unique
    there = dict(zip(rows["number"], rows["incident_id"], strict=True))
    assert acknowledged.items() <= there.items()
    events = place.read(
        "SELECT subject_id, list(kind ORDER BY event_id) AS kinds FROM events WHERE kind LIKE 'incident.%' GROUP BY 1"
    )
    steps = {subject: list(kinds) for subject, kinds in events.itertuples(index=False)}
    assert steps == {incident_id: ["incident.receive", "incident.place"] for incident_id in there.values()}
    assert set(rows["status"]) <= {"placed"}
    sealed = place.read("SELECT subject_id FROM sealed_texts WHERE column_name = 'narrative'")["subject_id"]
    assert sorted(sealed) == sorted(there.values())
    numbers = place.read("SELECT max(event_id) - count(*) AS gap FROM events")
    assert int(numbers["gap"].iloc[0]) == 0
    return len(acknowledged)


def start_screens(url: str, count: int) -> subprocess.Popen[str] | None:
    """Screens that watch, in one process of their own; None for none."""
    if not count:
        return None
    command = [sys.executable, "-m", "tests.fixtures.light_screens", url, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def run_load(place: Place, *, seconds: float, per_s: float, run: str, screens: int = 0) -> tuple[int, float]:
    """Incidents that were acknowledged, and the 95th percentile of the answers' seconds."""
    with ServerProcess(place.home, "demo") as server:
        watching = start_screens(server.url, screens)
        for thread, _ in start_senders(
            server.url, place.keys, place.addresses, each=1, per_s=2, seconds=1, run=f"{run}w"
        ):
            thread.join()
        started = start_senders(
            server.url, place.keys, place.addresses, each=EACH, per_s=per_s / SENDERS / EACH, seconds=seconds, run=run
        )
        for thread, _ in started:
            thread.join()
        assert "Traceback" not in server.log
    if watching is not None:
        seen = json.loads(watching.communicate(timeout=60)[0])
        assert min(seen["heard"], seen["fetched"], seen["last_bytes"]) > 0, seen
        print(json.dumps(seen))
    sent = [one for _, one in started]
    check_all_there(place, sent)
    return sum(len(one.acknowledged) for one in sent), float(
        np.quantile([s for one in sent for s in one.answers_s], 0.95)
    )


def run_kills(place: Place, kills: int, *, seed: int) -> int:
    """Kill the server at random instants under load, look, go on with the same file; returns what was acknowledged."""
    rng = np.random.default_rng(seed)
    sent: list[Sent] = []
    for number in range(kills):
        server = ServerProcess(place.home, "demo")
        started = start_senders(
            server.url, place.keys, place.addresses, each=3, per_s=50, seconds=60, run=f"{seed}k{number}-"
        )
        sent += [one for _, one in started]
        # From the first answer on, so that a slow start does not leave nothing to lose.
        assert started[0][1].begun.wait(60), server.log
        threading.Timer(float(rng.uniform(0.0, 1.0)), server.process.send_signal, [signal.SIGKILL]).start()
        for thread, _ in started:
            thread.join(90)
            assert not thread.is_alive()
        assert server.process.wait(10) == -signal.SIGKILL
        server.stop()
    return check_all_there(place, sent)


def test_two_hundred_a_second_for_five_seconds_and_nothing_is_lost(place: Place) -> None:
    acknowledged, p95_s = run_load(place, seconds=5, per_s=200, run="a")
    print(json.dumps({"acknowledged": acknowledged, "p95_ms": round(p95_s * 1000)}))
    assert acknowledged == 1000
    assert p95_s < 5  # what counts is measured in tests/soak, where no other test runs


def test_what_was_acknowledged_survives_three_kills(place: Place) -> None:
    assert run_kills(place, 3, seed=1) > 3

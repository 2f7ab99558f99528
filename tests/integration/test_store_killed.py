"""Killed at a random instant in the middle of writing, the store keeps every acknowledged row and stays usable."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import shapely

from data.keys import to_key
from data.store import Store
from gis.errors import BadRecordError
from tests.fixtures.killed_writer import THREADS, delete, put, shape_of

ROOT = Path(__file__).resolve().parents[2]
Model = dict[str, int]


def write_and_kill(path: Path, seed: int, mode: str, key: str) -> list[list[str]]:
    """Lines that a writing process printed before it was killed at a random instant."""
    rng = np.random.default_rng([seed, 7])
    command = [sys.executable, "-m", "tests.fixtures.killed_writer", str(path), str(seed), mode, key]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines, left = [], int(rng.integers(1, 25))
        while left:  # a number of operations first: on a busy machine a time alone could pass without any
            lines.append(process.stdout.readline())
            assert lines[-1], "the writer ended before it was killed"
            left -= lines[-1].startswith("done")
        threading.Timer(rng.uniform(0, 0.06), process.kill).start()
        lines += process.stdout.read().splitlines(keepends=True)
        assert process.wait() == -9, "the writer ended before it was killed"
    return [line.split() for line in lines if line.endswith("\n")]  # the last may be half a line


def follow(model: Model, lines: list[list[str]]) -> dict[str, set[int | None]]:
    """Carry out what was acknowledged on `model`; what each row may be instead, where an answer was still due."""
    tried: dict[str, list[str]] = {}
    for word, *rest in (line for line in lines if line != ["ready"]):
        thread, kind, building_id, version = rest
        if word == "try":
            tried[thread] = rest
        else:
            assert tried.pop(thread) == rest
            if kind == "delete":
                del model[building_id]
            else:
                model[building_id] = int(version)
    assert len(tried) <= THREADS
    return {
        building_id: {model.get(building_id), None if kind == "delete" else int(version)}
        for _, kind, building_id, version in tried.values()
    }


def check_store(store: Store, model: Model, open_answers: dict[str, set[int | None]]) -> Model:
    """Everything that was acknowledged is there, in all tables alike; returns what is there."""
    rows = store.read_geo("SELECT building_id, height_m, ST_AsWKB(geom) AS geom FROM buildings")
    found = {i: int(v) for i, v in zip(rows["building_id"], rows["height_m"], strict=True)}
    assert len(found) == len(rows)
    for building_id in found.keys() | model.keys() | open_answers.keys():
        expected = open_answers.get(building_id, {model.get(building_id)})
        assert found.get(building_id) in expected, building_id
    for table in ("units", "rentals"):
        other = store.read(f"SELECT building_id, area_m2 FROM {table}")
        assert {i: int(v) for i, v in zip(other["building_id"], other["area_m2"], strict=True)} == found
    for table in store.tables:
        store.read(f"SELECT count(*), any_value(COLUMNS(*)) FROM {table}")

    # By the primary key's index, and by a scan that cannot use it.
    for building_id in [*list(found)[:10], "nobody"]:
        by_key = store.read("SELECT height_m FROM buildings WHERE building_id = ?", [building_id])["height_m"].tolist()
        scanned = store.read("SELECT height_m FROM buildings WHERE building_id || '' = ?", [building_id])
        assert by_key == scanned["height_m"].tolist() == ([found[building_id]] if building_id in found else [])

    # By space; GEOS is the oracle.
    window = shapely.box(100, 0, 420, 300)
    shapes = {i: shape_of(i, v) for i, v in found.items()}
    inside = store.read("SELECT building_id FROM buildings WHERE ST_Intersects(geom, ST_GeomFromText(?))", [window.wkt])
    assert set(inside["building_id"]) == {i for i, s in shapes.items() if s.intersects(window)}
    near = store.read("SELECT building_id FROM buildings WHERE ST_DWithin(geom, ST_Point(400, 200), 150)")
    assert set(near["building_id"]) == {i for i, s in shapes.items() if s.distance(shapely.Point(400, 200)) <= 150}
    return found


def check_writable(store: Store, found: Model) -> None:
    """Keys are guarded, rows can be deleted and put again, and the file can be brought in order."""
    for building_id, version in list(found.items())[:3]:
        with pytest.raises(BadRecordError, match="constraint"):
            store.write(lambda t, i=building_id: put(t, i, 1))
        store.write(lambda t, i=building_id: delete(t, i, 0))
        store.write(lambda t, i=building_id, v=version: put(t, i, v))
    before = store.revision()
    store.write(lambda t: put(t, "0-0-1", 5))
    store.write(lambda t: delete(t, "0-0-1", 0))
    assert store.revision() == before + 2


def run_rounds(path: Path, rounds: int, key: str = "") -> int:
    """Kill, look and go on with the same file; returns the acknowledged operations."""
    store_key = to_key(key) if key else None
    model: Model = {}
    acknowledged = 0
    for seed in range(1, rounds + 1):
        lines = write_and_kill(path, seed, ("write", "fold", "close")[seed % 3], key)
        acknowledged += sum(line[0] == "done" for line in lines)
        open_answers = follow(model, lines)
        with Store(path, key=store_key) as store:
            model = check_store(store, model, open_answers)
            check_writable(store, model)
        with Store(path, key=store_key) as store:
            assert store.is_encrypted == bool(key)
            check_store(store, model, {})
    return acknowledged


@pytest.mark.parametrize(("rounds", "key"), [(3, ""), (2, "a key for the test")], ids=["plain", "encrypted"])
def test_every_acknowledged_row_survives_a_kill(tmp_path: Path, rounds: int, key: str) -> None:
    assert run_rounds(tmp_path / "demo.duckdb", rounds, key) > 10


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("key", ["", "a key for the test"], ids=["plain", "encrypted"])
def test_every_acknowledged_row_survives_a_hundred_kills(tmp_path: Path, key: str) -> None:
    assert run_rounds(tmp_path / "demo.duckdb", 100, key) > 1000

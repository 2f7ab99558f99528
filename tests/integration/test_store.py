"""The store through its public door: what is written comes back, revisions, who owns it, its content."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from data.content import content_digest
from data.store import Store
from gis.errors import (
    BadFileError,
    BadRecordError,
    CrsMismatchError,
    StoreInUseError,
    StoreMissingError,
)
from tests.fixtures.killed_writer import put
from tests.fixtures.stores import NOON, add_alias

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "demo.duckdb", clock=lambda: NOON) as opened:
        yield opened


def test_rows_and_geometry_come_back_as_they_were_written(store: Store) -> None:
    community = {
        "community_id": "c",
        "name": "万户新村",
        "crs": "EPSG:4549",
        "synthetic": True,
        "boundary_source": "sample",
    }
    store.write(lambda t: t.append("community", pd.DataFrame([community])))
    trees = gpd.GeoDataFrame(
        {"land_id": ["t1", "t2"], "kind": "tree", "height_m": [4.5, None]},
        geometry=[Point(1.25, 2.5), box(0, 0, 3, 3)],
        crs="EPSG:4549",
    ).rename_geometry("geom")
    store.write(lambda t: t.append("land", trees))
    back = store.read_geo("SELECT land_id, kind, height_m, ST_AsWKB(geom) AS geom FROM land ORDER BY land_id")
    assert back.crs == "EPSG:4549"
    assert list(back.geometry) == list(trees.geometry)
    assert back["height_m"].iloc[0] == 4.5
    assert back["height_m"].isna().tolist() == [False, True]
    assert store.crs() == "EPSG:4549"


def test_the_crs_is_the_communitys_of_this_moment(store: Store) -> None:
    community = {"community_id": "c", "name": "n", "crs": "EPSG:4549", "synthetic": True, "boundary_source": "sample"}
    point = "SELECT ST_AsWKB(ST_Point(1, 2)) AS geom"
    assert (store.crs(), store.read_geo(point).crs) == (None, None)
    store.write(lambda t: t.append("community", pd.DataFrame([community])))
    assert (store.crs(), store.read_geo(point).crs) == ("EPSG:4549", "EPSG:4549")
    store.write(lambda t: t.execute("community", "UPDATE community SET crs = 'EPSG:4548'"))
    assert (store.crs(), store.read_geo(point).crs) == ("EPSG:4548", "EPSG:4548")


def test_frames_without_rows_or_with_nothing_but_nulls_are_written(store: Store) -> None:
    frame = gpd.GeoDataFrame(
        [{"responder_id": "w", "call_sign": "W1", "kind": "volunteer", "full_time": False, "name": None, "geom": None}],
        geometry="geom",
    )
    store.write(lambda t: t.append("responders", frame))
    store.write(lambda t: t.append("responders", frame.iloc[:0]))
    back = store.read_geo("SELECT * EXCLUDE geom, ST_AsWKB(geom) AS geom FROM responders")
    assert back["call_sign"].tolist() == ["W1"]
    assert back.geometry.isna().all()


def test_aware_times_are_stored_in_utc(store: Store) -> None:
    at = pd.Timestamp("2026-11-23 14:30", tz="Asia/Shanghai")
    event = {"event_id": 1, "at_utc": at, "kind": "test"}
    store.write(lambda t: t.append("events", pd.DataFrame([event])))
    assert store.read("SELECT at_utc FROM events")["at_utc"].iloc[0] == pd.Timestamp("2026-11-23 06:30")


def test_rows_in_another_crs_are_refused_and_both_are_named(store: Store) -> None:
    community = {"community_id": "c", "name": "n", "crs": "EPSG:4549", "synthetic": True, "boundary_source": "sample"}
    store.write(lambda t: t.append("community", pd.DataFrame([community])))
    degrees = gpd.GeoDataFrame(
        {"land_id": ["t1"], "kind": "tree", "geom": [Point(120, 33)]}, geometry="geom", crs="EPSG:4326"
    )
    with pytest.raises(CrsMismatchError, match="'land' are in EPSG:4326, the store is in EPSG:4549"):
        store.write(lambda t: t.append("land", degrees))


def test_a_table_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(ValueError, match="no table 'bildings'"):
        store.write(lambda t: t.execute("bildings", "DELETE FROM buildings"))
    with pytest.raises(ValueError, match="bildings"):
        store.revision("bildings")


# Revisions


def test_revisions_count_over_the_whole_file_whatever_the_clock_says(tmp_path: Path) -> None:
    path, hours = tmp_path / "demo.duckdb", [5, 4, -3, 0]
    last = None
    seen = []
    for hour in hours:
        with Store(path, clock=lambda h=hour: NOON + timedelta(hours=h)) as store:
            before = store.revision()
            assert before == (seen[-1] if seen else 0)
            assert store.find_written_utc() == last
            store.write(lambda t, h=hour: add_alias(t, f"at{h}"))
            store.write(lambda t: t.execute("events", "DELETE FROM events"))
            store.write(lambda t: t.fetch("SELECT 1"))  # changes nothing
            assert store.revision("aliases") == before + 1
            assert store.revision("events") == store.revision() == store.revision("aliases", "events") == before + 2
            assert store.revision("buildings") == 0
            last = store.find_written_utc()
            assert last == NOON + timedelta(hours=hour)
            seen.append(store.revision())
    assert seen == [2, 4, 6, 8]


def test_a_failed_write_gives_no_revision(store: Store) -> None:
    store.write(lambda t: add_alias(t, "a"))
    with pytest.raises(BadRecordError):
        store.write(lambda t: add_alias(t, "a"))
    assert store.revision("aliases") == 1


def test_listeners_hear_of_every_commit_before_its_answer_and_cannot_break_it(store: Store) -> None:
    heard: list[dict[str, int]] = []

    def break_down(_: object) -> None:
        raise ValueError("a listener's own trouble")

    store.subscribe(break_down)
    unsubscribe = store.subscribe(lambda revisions: heard.append(dict(revisions)))
    store.write(lambda t: add_alias(t, "a"))
    assert heard == [{"aliases": 1}]
    store.write(lambda t: (add_alias(t, "b"), t.execute("events", "DELETE FROM events")))
    assert heard[1:] == [{"aliases": 2, "events": 2}]
    with pytest.raises(BadRecordError):
        store.write(lambda t: add_alias(t, "b"))
    store.write(lambda t: t.fetch("SELECT 1"))
    unsubscribe()
    store.write(lambda t: add_alias(t, "c"))
    assert len(heard) == 2
    assert store.revision() == 3


# Ownership


def test_a_second_process_is_told_who_has_the_store_and_since_when(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    code = "import sys; from pathlib import Path; from data.store import Store; Store(Path(sys.argv[1]))"
    with Store(path, clock=lambda: NOON):
        second = subprocess.run(
            [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120
        )
    assert second.returncode == 1
    expected = (
        f"StoreInUseError: Store 'demo' is in use by process {os.getpid()} since 2026-11-23 14:30 (Asia/Shanghai)."
    )
    assert expected in second.stderr
    assert "--store NAME" in second.stderr


def test_the_same_process_cannot_open_a_store_twice_even_by_another_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with Store(tmp_path / "demo.duckdb"), pytest.raises(StoreInUseError, match=f"process {os.getpid()}"):
        Store(tmp_path / "link" / "demo.duckdb")
    Store(tmp_path / "link" / "demo.duckdb").close()


def test_a_lock_left_by_a_killed_process_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    code = (
        "import sys; from pathlib import Path; from data.store import Store; s = Store(Path(sys.argv[1])); "
        "print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        assert json.loads(path.with_name("demo.duckdb.lock").read_text())["pid"] == process.pid
        with pytest.raises(StoreInUseError, match=f"process {process.pid} since"):
            Store(path)
        process.kill()
        process.wait()
    with Store(path) as store:
        assert store.revision() == 0


def test_a_failed_opening_lets_the_lock_go(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    path.write_bytes(b"nothing of ours")
    for _ in range(2):
        with pytest.raises(BadFileError):
            Store(path)


def test_a_store_that_must_exist_is_missed_with_the_commands_that_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match=r"no store 'wanhu'.*shapan demo --store wanhu.*shapan import"):
        Store.open_existing(tmp_path / "wanhu.duckdb")
    assert list(tmp_path.iterdir()) == []
    Store(tmp_path / "wanhu.duckdb").close()
    Store.open_existing(tmp_path / "wanhu.duckdb").close()


# Content


def test_equal_content_has_an_equal_digest_whatever_the_order_and_time(tmp_path: Path) -> None:
    digests = []
    for name, ids, at in (("a", [1, 2], NOON), ("b", [2, 1], NOON + timedelta(days=3)), ("c", [1, 3], NOON)):
        with Store(tmp_path / f"{name}.duckdb", clock=lambda at=at: at) as store:
            for n in ids:
                store.write(lambda t, n=n: put(t, f"1-0-{n}", n))
            digests.append(content_digest(store))
            exported = store.export_tables()
            assert set(exported) == set(store.tables)
            assert exported["buildings"]["building_id"].tolist() == [f"1-0-{n}" for n in sorted(ids)]
            assert exported["buildings"]["geom"].iloc[0] == box(37, 1, 49, 10).wkb_hex
    assert digests[0] == digests[1] != digests[2]


def test_there_is_no_r_tree_in_the_file(store: Store) -> None:
    """After a kill an R-tree makes the file unusable (docs/decisions/2026-11-23-store.md)."""
    assert store.read("SELECT index_name, sql FROM duckdb_indexes()").empty


def test_every_table_and_column_says_what_it_means(store: Store) -> None:
    columns = store.read("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL")
    assert columns.empty
    assert store.read("SELECT table_name FROM duckdb_tables() WHERE NOT internal AND comment IS NULL").empty

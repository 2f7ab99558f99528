"""The sample in a store: everything in one transaction, only into an empty store, the same content to the byte."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import pytest

from data.store import Store
from gis.errors import RefusedError
from sample import SampleCommunity, write_sample
from tasks.cards import is_number
from tasks.ledger_check import check_book

ROOT = Path(__file__).resolve().parents[2]

DIGEST = "from sample import build_community; from tests.integration.test_sample_store import digest; "
DIGEST += "print(digest(build_community()))"


def digest(sample: SampleCommunity) -> str:
    """Of the content of every table in order, geometry as WKB, and of the truth."""
    found = hashlib.sha256()
    for name in sorted(sample.tables):
        frame = sample.tables[name]
        if isinstance(frame, gpd.GeoDataFrame):
            frame = frame.to_wkb(hex=True)
        found.update(name.encode() + frame.to_csv(index=False).encode())
    found.update(json.dumps(sample.truth, sort_keys=True).encode())
    return found.hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_another_process(sample_community: SampleCommunity) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(sample_community)


def test_a_written_sample_is_whole(tmp_path: Path, sample_community: SampleCommunity) -> None:
    steps: list[tuple[str, float]] = []
    truth_path = tmp_path / "beside" / "truth.json"
    with Store(tmp_path / "sample.duckdb") as store:
        begun = time.process_time()
        write_sample(store, truth_path, progress=lambda step, share: steps.append((step, share)))
        assert time.process_time() - begun < 15  # the issue: under 15 s
        for table, frame in sample_community.tables.items():
            columns = store.read(f"SELECT * FROM {table} LIMIT 0").columns
            assert set(frame.columns) <= set(columns), table
            assert store.read(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0] == len(frame), table
        told = store.rows("SELECT DISTINCT subject_table FROM events ORDER BY 1")
        assert [name for (name,) in told] == [
            "checkin_points", "checkins", "ledger_entries", "tasks", "volunteer_teams", "volunteers",
        ]  # fmt: skip
        check_volunteers(store)
        assert store.revision("incidents") == store.revision("community") == 1
        footprints = store.read_geo("SELECT building_id, ST_AsWKB(geom) AS geom FROM buildings ORDER BY building_id")
        assert footprints.geometry.geom_equals_exact(
            sample_community.tables["buildings"].sort_values("building_id", ignore_index=True)["geom"], 0
        ).all()
    assert json.loads(truth_path.read_text(encoding="utf-8")) == json.loads(json.dumps(sample_community.truth))
    assert [path.name for path in truth_path.parent.iterdir()] == ["truth.json"]
    assert steps[-1][1] == 1.0
    assert [share for _, share in steps] == sorted(share for _, share in steps)


def check_volunteers(store: Store) -> None:
    """Adults who agreed, places and gifts to look at, a book that adds up, something to decide, and nobody real."""
    assert check_book(store).is_whole
    people = store.rows("SELECT number, call_name, birth_year, consent_on, joined_utc FROM volunteers")
    assert len(people) == len({number for number, *_ in people}) == 12
    for number, name, year, agreed, joined in people:
        assert is_number(number)
        assert name.startswith("样例")
        assert int(year) <= 2026 - 40
        assert agreed <= joined.date()
    assert store.rows("SELECT count(*), count(*) FILTER (state = 'open') FROM checkin_points") == [(4, 4)]
    states = dict(store.rows("SELECT state, count(*) FROM checkins GROUP BY 1"))
    assert (states["pending"], set(states)) == (2, {"pending", "counted"})
    # What counted was booked, in the office's hours and by the rule of one in four hours.
    sql = """SELECT count(*), min(hour(done_utc + INTERVAL 8 HOUR)), max(hour(done_utc + INTERVAL 8 HOUR)),
        count(e.entry_id) FROM checkins c LEFT JOIN ledger_entries e ON e.entry_id = 'earn:' || checkin_id
        WHERE state = 'counted'"""
    ((number, first, last, booked),) = store.rows(sql)
    assert (booked, first >= 8, last < 18) == (number, True, True)
    sql = """SELECT gift_id, stock, price FROM (SELECT unit, sum(amount) AS stock FROM ledger_postings
        WHERE book_account LIKE '%:stock' GROUP BY 1) JOIN (SELECT gift_id, points AS price FROM gifts)
        ON unit = 'gift:' || gift_id WHERE stock = 1"""
    ((_, _, price),) = store.rows(sql)  # of one gift the last piece is left, and more than one could have it
    rich = store.rows(
        "SELECT book_account FROM ledger_postings WHERE book_account LIKE 'volunteer:%' GROUP BY 1 "
        "HAVING sum(amount) >= ?",
        [price],
    )
    assert len(rich) > 1


def test_a_store_with_a_community_is_refused_and_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "real.duckdb") as store:
        store.write(
            lambda transaction: transaction.execute(
                "community",
                "INSERT INTO community (community_id, name, crs, synthetic, boundary_source) VALUES (?, ?, ?, ?, ?)",
                ["real", "真实小区", "EPSG:4549", False, "file"],
            )
        )
        with pytest.raises(RefusedError, match=r"already holds the community '真实小区'.*--store NAME"):
            write_sample(store, tmp_path / "truth.json")
        assert store.read("SELECT name FROM community")["name"].tolist() == ["真实小区"]
        assert store.read("SELECT count(*) AS n FROM buildings")["n"].iloc[0] == 0
    assert not (tmp_path / "truth.json").exists()


def test_a_failure_in_the_middle_leaves_nothing(
    tmp_path: Path, sample_community: SampleCommunity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sample.write.build_community", lambda _seed: sample_community)

    def fail(step: str, _share: float) -> None:
        if step == "Writing units":
            raise OSError("no space left")

    with Store(tmp_path / "sample.duckdb") as store:
        with pytest.raises(OSError, match="no space left"):
            write_sample(store, tmp_path / "truth.json", progress=fail)
        for table in ("community", "buildings", "addresses"):
            assert store.read(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0] == 0
    assert [path.name for path in tmp_path.iterdir() if "truth" in path.name] == []

"""The sample in a store: everything in one transaction, only into an empty store, the same content to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.store import Store
from gis.errors import RefusedError
from sample import SampleCommunity, write_sample

ROOT = Path(__file__).resolve().parents[2]

# Content of every table in order, geometry as WKB, and the truth.
DIGEST = """
import hashlib, json
import geopandas as gpd
from sample import build_community
sample = build_community(int(__import__("sys").argv[1]))
digest = hashlib.sha256()
for name in sorted(sample.tables):
    frame = sample.tables[name]
    if isinstance(frame, gpd.GeoDataFrame):
        frame = frame.to_wkb(hex=True)
    digest.update(name.encode() + frame.to_csv(index=False).encode())
digest.update(json.dumps(sample.truth, sort_keys=True).encode())
print(digest.hexdigest())
"""


def _digest(hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo" if hash_seed == "1" else "UTC"}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, "7"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    first, second = _digest("1"), _digest("4242")
    assert len(first) == 64
    assert first == second


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
        assert store.read("SELECT DISTINCT subject_table AS name FROM events")["name"].tolist() == ["tasks"]
        assert store.revision("incidents") == store.revision("community") == 1
        footprints = store.read_geo("SELECT building_id, ST_AsWKB(geom) AS geom FROM buildings ORDER BY building_id")
        assert footprints.geometry.geom_equals_exact(
            sample_community.tables["buildings"].sort_values("building_id", ignore_index=True)["geom"], 0
        ).all()
    assert json.loads(truth_path.read_text(encoding="utf-8")) == json.loads(json.dumps(sample_community.truth))
    assert [path.name for path in truth_path.parent.iterdir()] == ["truth.json"]
    assert steps[-1][1] == 1.0
    assert [share for _, share in steps] == sorted(share for _, share in steps)


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

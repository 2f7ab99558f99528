"""
Import of 20,000 real buildings, beside the bare reading and writing of the same file with GeoPandas.

Both run in one process, one after the other, several times; both times are taken, because both use several threads.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd

from bench.replicated import SIDE, find_buildings_file, write_replicated
from data.importing import import_sources, read_folder
from data.store import Store


def _take(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of CPU and of the clock."""
    cpu_s, clock_s = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu_s, time.perf_counter() - clock_s


def run(*, side: int = SIDE, rounds: int = 5) -> dict[str, float]:
    """Medians over `rounds` pairs; the first pair, in which both load what they need, is not counted."""
    source = find_buildings_file()
    if source is None:
        return {}
    pairs = []
    with tempfile.TemporaryDirectory(prefix="shapan-bench-") as folder:
        home = Path(folder)
        files = home / "files"
        files.mkdir()
        path = write_replicated(source, files, side=side)
        for n in range(rounds + 1):
            bare = _take(lambda: gpd.read_file(path).to_parquet(home / "bare.parquet"))
            with Store(home / f"{n}.duckdb") as store:
                ours = _take(lambda: import_sources(store, read_folder(files)))
                count = int(store.read("SELECT count(*) AS n FROM buildings")["n"].iloc[0])
            pairs.append((*bare, *ours))
    bare_cpu, bare_clock, our_cpu, our_clock = zip(*pairs[1:], strict=True)
    return {
        "buildings": count,
        "bare_cpu_s": round(statistics.median(bare_cpu), 3),
        "ours_cpu_s": round(statistics.median(our_cpu), 3),
        "bare_clock_s": round(statistics.median(bare_clock), 3),
        "ours_clock_s": round(statistics.median(our_clock), 3),
        "ours_over_bare_cpu": _ratio(our_cpu, bare_cpu),
        "ours_over_bare_clock": _ratio(our_clock, bare_clock),
    }


def _ratio(ours: tuple[float, ...], bare: tuple[float, ...]) -> float:
    """The median of the pairs' ratios: what else the machine did meanwhile hit both halves of a pair."""
    return round(statistics.median(a / b for a, b in zip(ours, bare, strict=True)), 2)

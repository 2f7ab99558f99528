"""
What encryption at rest costs: the same store plain and encrypted, side by side in one run.

The sample is written into both. Each round takes the same work on both, one right after the other, and in turn which
of them comes first; what is told is the median of the rounds' ratios.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from data.backup import make_backup
from data.keys import StoreKey, to_key
from data.store import Store, utc_now
from sample import write_sample

Work = Callable[[Store], object]
_KEY = to_key("a key for the benchmark")
_INSERT = "INSERT INTO events SELECT coalesce(max(event_id), 0) + 1, now(), 'bench', NULL, NULL, NULL FROM events"
_INSERT_MANY = """INSERT INTO events SELECT range + 1 + (SELECT max(event_id) FROM events), now(),
    md5(range::VARCHAR), NULL, NULL, NULL FROM range(50000)"""
_QUERY = "SELECT building_id, height_m, ST_AsWKB(geom) AS geom FROM buildings WHERE building_id = ?"
_SCAN = "SELECT count(*), max(md5(COLUMNS(*)::VARCHAR)) FROM occupants"
_INSERTS, _QUERIES = 50, 50


def _insert(store: Store) -> None:
    for _ in range(_INSERTS):
        store.write(lambda transaction: transaction.execute("events", _INSERT))


def _insert_many(store: Store) -> None:
    store.write(lambda transaction: transaction.execute("events", _INSERT_MANY))


def _query(store: Store) -> None:
    ids = store.read("SELECT building_id FROM buildings ORDER BY 1 LIMIT 50")["building_id"]
    for building_id in ids[:_QUERIES]:
        store.read_geo(_QUERY, [building_id])


def _take(work: Callable[[], object]) -> float:
    """Seconds of the clock: waiting for the disk is part of it."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def run(*, rounds: int = 7) -> dict[str, float]:
    """Medians of seconds for plain and encrypted, and of their ratios."""
    with tempfile.TemporaryDirectory(prefix="shapan-bench-") as folder:
        home = Path(folder)
        paths: dict[str, tuple[Path, StoreKey | None]] = {
            "plain": (home / "plain.duckdb", None),
            "encrypted": (home / "encrypted.duckdb", _KEY),
        }
        for path, key in paths.values():
            with Store(path, key=key) as store:
                write_sample(store, path.with_suffix(".truth.json"), seed=7, progress=lambda *_: None)
        taken: dict[str, dict[str, list[float]]] = {}
        for n in range(rounds + 1):
            order = list(paths) if n % 2 else list(paths)[::-1]
            for name in order:
                for work, seconds in _measure(*paths[name], home / "backups").items():
                    if n:  # in the first both load what they need
                        taken.setdefault(work, {}).setdefault(name, []).append(seconds)
        sizes = {name: path.stat().st_size for name, (path, _) in paths.items()}
    figures: dict[str, float] = {"file_bytes_over_plain": round(sizes["encrypted"] / sizes["plain"], 2)}
    for work, by_name in taken.items():
        ratios = [a / b for a, b in zip(by_name["encrypted"], by_name["plain"], strict=True)]
        figures[f"{work}_plain_s"] = round(statistics.median(by_name["plain"]), 4)
        figures[f"{work}_encrypted_s"] = round(statistics.median(by_name["encrypted"]), 4)
        figures[f"{work}_encrypted_over_plain"] = round(statistics.median(ratios), 2)
    return figures


def _measure(path: Path, key: StoreKey | None, backups: Path) -> dict[str, float]:
    taken: dict[str, float] = {}
    opened: list[Store] = []
    taken["open"] = _take(lambda: opened.append(Store(path, key=key)))
    store = opened[0]
    works: dict[str, Work] = {
        "insert_one": _insert,
        "query_one": _query,
        "scan": lambda s: s.read(_SCAN),
        "insert_many": _insert_many,
        "backup": lambda s: make_backup(s, backups, clock=utc_now, keep=1),
    }
    for name, work in works.items():
        taken[name] = _take(lambda work=work: work(store))  # type: ignore[misc]
    taken["insert_one"] /= _INSERTS
    taken["query_one"] /= _QUERIES
    taken["close"] = _take(store.close)
    return taken

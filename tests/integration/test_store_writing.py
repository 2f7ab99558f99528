"""Writes that fail, wait, share a commit or come too late; reads beside them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from shapely import Point

from data.store import Store, Transaction
from gis.errors import (
    BadRecordError,
    RefusedError,
    StoreClosedError,
)
from tests.fixtures.stores import NOON, add_alias, count_aliases, wait_until_waiting

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "demo.duckdb", clock=lambda: NOON) as opened:
        yield opened


# Writing


def test_a_failing_write_leaves_nothing_and_the_store_usable(store: Store) -> None:
    def fail(transaction: Transaction) -> None:
        add_alias(transaction, "one")
        raise KeyError("own error")

    with pytest.raises(KeyError, match="own error"):
        store.write(fail)
    with pytest.raises(SystemExit):
        store.write(lambda t: sys.exit(1))
    store.write(lambda t: add_alias(t, "two"))
    with pytest.raises(BadRecordError, match=r"Nothing was written to store 'demo'.*two.*Correct that record"):
        store.write(lambda t: add_alias(t, "two"))
    assert store.read("SELECT alias FROM aliases")["alias"].tolist() == ["two"]


def test_a_write_returns_what_its_function_returns(store: Store) -> None:
    assert store.write(lambda t: int(t.fetch("SELECT 6 * 7 AS n")["n"].iloc[0])) == 42


MEMORY = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'TRANSACTION'"


def test_what_was_replaced_is_forgotten(tmp_path: Path) -> None:
    """
    Older versions of rows are kept only for who still reads: not for what was asked when the store was opened, nor for
    a cursor that four readers at once have left idle. DuckDB takes 256 KiB for each commit that it cannot forget.
    """
    path = tmp_path / "demo.duckdb"
    for _ in ("made", "opened again"):
        with Store(path, clock=lambda: NOON) as store:
            store.write(lambda t: t.execute("aliases", "INSERT OR REPLACE INTO aliases VALUES ('a', '0', 'site')"))
            together = threading.Barrier(4)

            def read(number: int, store: Store = store, together: threading.Barrier = together) -> None:
                asked: tuple[Callable[[str], object], ...] = (store.read, store.rows, store.columns, store.read_first)
                together.wait(30)
                for _ in range(20):
                    asked[number]("SELECT alias, canonical FROM aliases, range(5000)")

            with ThreadPoolExecutor(4) as readers:
                list(readers.map(read, range(4)))
            for n in range(40):
                store.write(lambda t, n=n: t.execute("aliases", "UPDATE aliases SET canonical = ?", [str(n)]))  # type: ignore[misc]
            assert store.rows(MEMORY)[0][0] < 8 * 2**18


def test_writes_that_wait_share_a_commit_and_a_failing_one_takes_none_with_it(store: Store) -> None:
    """While one write holds the writer, 20 more wait; those that may be repeated get one revision, and one fails."""
    holding, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        holding.set()
        assert go_on.wait(30)

    def write_alias(n: int) -> str:
        try:
            store.write(lambda t: add_alias(t, f"a{n % 19}"), repeatable=True)  # a0 is there twice
        except BadRecordError:
            return "refused"
        return "written"

    commits: list[int] = []
    store.subscribe(lambda revisions: commits.append(revisions["aliases"]))
    with ThreadPoolExecutor(21) as pool:
        held = pool.submit(store.write, hold)
        assert holding.wait(30)
        good = [pool.submit(store.write, lambda t, n=n: add_alias(t, f"b{n}"), repeatable=True) for n in range(10)]
        wait_until_waiting(store, 10)
        go_on.set()
        [future.result(30) for future in [held, *good]]
        assert len(commits) == 1
        holding.clear(), go_on.clear()
        held = pool.submit(store.write, hold)
        assert holding.wait(30)
        mixed = [pool.submit(write_alias, n) for n in range(20)]
        wait_until_waiting(store, 20)
        go_on.set()
        held.result(30)
        assert sorted(future.result(30) for future in mixed) == ["refused"] + ["written"] * 19
    assert count_aliases(store) == 29
    assert commits == sorted(set(commits))


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_itself(store: Store) -> None:
    with pytest.raises(RefusedError, match="write was called from inside a write"):
        store.write(lambda _: store.write(lambda t: add_alias(t, "x")))
    with pytest.raises(RefusedError, match="close was called from inside"):
        store.write(lambda _: store.close())
    assert store.write(lambda _: count_aliases(store)) == 0  # reading is allowed: it sees what is committed
    store.write(lambda t: add_alias(t, "x"))


def test_close_finishes_what_waits_and_then_takes_no_more(tmp_path: Path) -> None:
    store = Store(tmp_path / "demo.duckdb")
    holding, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        holding.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(8) as pool:
        held = pool.submit(store.write, hold)
        assert holding.wait(30)
        waiting = [pool.submit(store.write, lambda t, n=n: add_alias(t, f"a{n}")) for n in range(5)]
        wait_until_waiting(store, 5)
        closing = pool.submit(store.close)
        go_on.set()
        [future.result(30) for future in [held, *waiting, closing]]
    store.close()
    with pytest.raises(StoreClosedError, match="'demo' is closed"):
        store.write(lambda t: add_alias(t, "late"))
    with pytest.raises(StoreClosedError, match="'demo' is closed"):
        store.read("SELECT 1")
    with Store(tmp_path / "demo.duckdb") as again:
        assert count_aliases(again) == 5


# Threads


def test_eight_threads_read_four_hundred_answers_right_while_others_write(store: Store) -> None:
    """Shared connections gave 71 wrong answers of 400 without an error (docs/decisions/2026-11-23-store.md)."""
    store.write(
        lambda t: t.execute("aliases", "INSERT INTO aliases SELECT range::VARCHAR, 'x', 'site' FROM range(2000)")
    )

    def ask(n: int) -> bool:
        rows = store.read(
            "SELECT ?::INTEGER AS me, count(*) AS n, sum(alias::BIGINT) AS s FROM aliases "
            "WHERE kind = 'site' AND alias::INTEGER < ?",
            [n, n],
        ).iloc[0]
        square = store.read_geo("SELECT ST_AsWKB(ST_Point(?, ?)) AS geom", [n, -n]).geometry.iloc[0]
        return (rows["me"], rows["n"], rows["s"]) == (n, n, n * (n - 1) // 2) and square == Point(n, -n)

    with ThreadPoolExecutor(10) as pool:
        writers = [
            pool.submit(lambda k=k: [store.write(lambda t, i=i: add_alias(t, f"w{k}-{i}")) for i in range(20)])
            for k in range(2)
        ]
        readers = [pool.submit(lambda k=k: [ask(1 + (k * 50 + i) * 4) for i in range(50)]) for k in range(8)]
        answers = [answer for reader in readers for answer in reader.result(120)]
        [writer.result(120) for writer in writers]
    assert len(answers) == 400
    assert all(answers)
    assert count_aliases(store) == 2040

"""A disk that refuses, a database that breaks, a log that grows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from data.keys import to_key
from data.store import Store, Transaction
from gis.errors import ShapanError, StoreWriteError
from tests.fixtures.stores import NOON, add_alias, count_aliases

ROOT = Path(__file__).resolve().parents[2]
KEY = "a key for the test"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "demo.duckdb", clock=lambda: NOON) as opened:
        yield opened


# A disk that refuses

FULL_DISK = """
import os, resource, signal, sys
import pandas as pd
from pathlib import Path
from data.keys import to_key
from data.store import Store
from gis.errors import StoreWriteError
from tests.fixtures.killed_writer import put
path = Path(sys.argv[1])
key = to_key(sys.argv[3]) if sys.argv[3] else None
Store(path, key=key).close()
store = Store(path, key=key, log_limit_bytes=100_000 if sys.argv[2] == "fold" else 10**9)
def write(n):
    alias = {"alias": str(n), "canonical": os.urandom(10_000).hex(), "kind": "site"}
    store.write(lambda t: (put(t, f"1-0-{n}", 1), t.append("aliases", pd.DataFrame([alias]))))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
# Less than the file has: it is only read; neither the log nor a copy that takes it in can grow any longer.
limit = 400_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
written = 0
try:
    while written < 200:
        write(written)
        written += 1
except StoreWriteError as error:
    print("refused", error)
tables = ("buildings", "units", "rentals", "aliases")
found = [int(store.read(f"SELECT count(*) AS n FROM {t}")["n"].iloc[0]) for t in tables]
print("readable", written, *found, store.revision())
store.close()
store = Store(path, key=key)
print("opened while full", *[len(store.read(f"SELECT * FROM {t}")) for t in tables])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write(9999)
store.close()
print("closed")
"""


@pytest.mark.parametrize(
    ("fills", "key"),
    [
        ("log", ""),
        pytest.param("fold", "", marks=pytest.mark.soak),
        pytest.param("log", KEY, marks=pytest.mark.soak),
        ("fold", KEY),
    ],
)
def test_a_full_disk_is_said_clearly_and_leaves_nothing_half_written(tmp_path: Path, fills: str, key: str) -> None:
    """A limit on the size of files stands for the disk: the writes fail in the same calls (EFBIG for ENOSPC)."""
    path = tmp_path / "demo.duckdb"
    command = [sys.executable, "-c", FULL_DISK, str(path), fills, key]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert child.returncode == 0, child.stderr
    refused, readable, opened, closed = child.stdout.splitlines()
    assert "Nothing was written to store 'demo'" in refused
    assert "free space" in refused
    written, *found, revision = map(int, readable.split()[1:])
    assert written > 5
    assert found == [written] * 4
    assert revision == written
    assert opened == "opened while full" + f" {written}" * 4
    assert closed == "closed"
    assert "The log of store 'demo' stays beside it for now" in child.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["demo.duckdb", "demo.duckdb.lock"]
    with Store(path, key=to_key(key) if key else None) as store:
        assert len(store.read("SELECT * FROM buildings WHERE building_id = '1-0-9999'")) == 1
        assert len(store.read("SELECT * FROM units")) == written + 1


def test_a_store_that_broke_is_opened_anew_by_whoever_comes_next(store: Store) -> None:
    """A fatal error inside DuckDB is simulated: after a real one it answers nothing on its old connections."""
    store.write(lambda t: add_alias(t, "a"))
    broken = store._database._connection

    def fail(_: Transaction) -> None:
        raise duckdb.FatalException("FATAL Error: simulated\nwith a trace")

    with pytest.raises(
        StoreWriteError, match=r"Nothing was written to store 'demo': FATAL Error: simulated. Make sure"
    ):
        store.write(fail)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: count_aliases(store), range(8))) == [1] * 8
    assert store._database._connection is not broken
    store.write(lambda t: add_alias(t, "b"))
    assert store.revision() == 2


def test_a_long_log_is_folded_in_while_others_read_and_write(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    longest = 0
    with Store(path, log_limit_bytes=5_000) as store:
        files = {path.stat().st_ino}

        def write_some(k: int) -> None:
            nonlocal longest
            for i in range(20):
                store.write(lambda t, i=i: add_alias(t, f"{k}-{i}", "x" * 200))
                assert count_aliases(store) >= i + 1
                files.add(path.stat().st_ino)  # by the end a number may be used again
                log = path.with_name("demo.duckdb.wal")
                longest = max(longest, log.stat().st_size if log.exists() else 0)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(write_some, range(3)))
        assert count_aliases(store) == 60
        assert store.revision() == 60
        assert len(files) > 1, "another file has taken its place"
        assert longest < 10_000
    assert sorted(file.name for file in tmp_path.iterdir()) == ["demo.duckdb", "demo.duckdb.lock"]
    with Store(path) as store:
        assert (count_aliases(store), store.revision()) == (60, 60)


def test_errors_of_the_disk_are_errors_of_ours() -> None:
    assert issubclass(StoreWriteError, ShapanError)
    assert issubclass(StoreWriteError, OSError)

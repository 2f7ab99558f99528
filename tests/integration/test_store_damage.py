"""Damage by bit, cut and power loss, of plain and encrypted stores: found before anything is lost, with a way on."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from data.backup import make_backup
from data.keys import StoreKey, to_key
from data.log_check import mend_log
from data.store import Store
from gis.errors import BadFileError, StoreInUseError, StoreWriteError
from tests.fixtures.stores import NOON, add_alias, count_aliases

ROOT = Path(__file__).resolve().parents[2]
KEY_TEXT = "a key for the test"
ROWS = 12
# DuckDB's storage format: three headers, then blocks of 256 KiB.
HEADERS, BLOCK = 3 * 4096, 2**18
LEAVE_A_LOG = """
import os, sys; from pathlib import Path; from data.keys import to_key; from data.store import Store
from tests.fixtures.stores import add_alias
store = Store(Path(sys.argv[1]), key=to_key(sys.argv[2]) if sys.argv[2] else None)
for n in range(int(sys.argv[3])):
    store.write(lambda t, n=n: add_alias(t, f"a{n}"))
os._exit(9)
"""


@pytest.fixture(params=["", KEY_TEXT], ids=["plain", "encrypted"], scope="module")
def killed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, str]:
    """File, log and key of a store whose process was killed: twelve rows, in the log only."""
    path = tmp_path_factory.mktemp("killed") / "demo.duckdb"
    key = str(request.param)
    Store(path, key=to_key(key) if key else None).close()
    command = [sys.executable, "-c", LEAVE_A_LOG, str(path), key, str(ROWS)]
    assert subprocess.run(command, cwd=ROOT, timeout=120).returncode == 9
    return path.read_bytes(), path.with_name("demo.duckdb.wal").read_bytes(), key


def lay_out(tmp_path: Path, killed: tuple[bytes, bytes, str], log: bytes) -> tuple[Path, StoreKey | None]:
    path = tmp_path / "demo.duckdb"
    path.write_bytes(killed[0])
    path.with_name("demo.duckdb.wal").write_bytes(log)
    return path, to_key(killed[2]) if killed[2] else None


def find_entries(log: bytes) -> list[int]:
    """Where entries begin: an oracle of its own, which tries each distance around the size until all fits."""
    begin = log.index(b"\xff\xff") + 2
    for around in range(60):
        at, found = begin, []
        while at + 8 <= len(log) and (length := struct.unpack_from("<Q", log, at)[0]):
            found.append(at)
            at += 8 + around + length
        if at == len(log):
            return found
    raise AssertionError("the log has another layout")


def flip(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def test_zeros_that_a_power_cut_left_are_cut_off(tmp_path: Path, killed: tuple[bytes, bytes, str]) -> None:
    path, key = lay_out(tmp_path, killed, killed[1] + bytes(5000))
    with Store(path, key=key) as store:
        assert count_aliases(store) == ROWS


def test_a_log_of_nothing_but_zeros_is_an_empty_one(tmp_path: Path, killed: tuple[bytes, bytes, str]) -> None:
    path, key = lay_out(tmp_path, killed, bytes(4096))
    with Store(path, key=key) as store:
        assert count_aliases(store) == 0


def test_a_log_cut_off_anywhere_keeps_what_is_whole(tmp_path: Path, killed: tuple[bytes, bytes, str]) -> None:
    log, entries = killed[1], find_entries(killed[1])
    wal = tmp_path / "log"
    for length in [*range(0, len(log), 97), *entries, *(at + 5 for at in entries)]:
        wal.write_bytes(log[:length])
        assert mend_log(wal) is None
        assert wal.stat().st_size == length
    path, key = lay_out(tmp_path, killed, log[: len(log) * 2 // 3])
    with Store(path, key=key) as store:
        assert 0 < count_aliases(store) < ROWS


@pytest.mark.parametrize("place", ["head", "size", "body", "gap", "noise"])
def test_a_damaged_log_is_never_taken_for_an_empty_one(
    tmp_path: Path, killed: tuple[bytes, bytes, str], place: str
) -> None:
    log, entries = killed[1], find_entries(killed[1])
    middle = entries[len(entries) // 2]
    damaged = {
        "head": flip(log, 0),
        "size": flip(log, middle + 6),
        "body": flip(log, middle + 30),
        "gap": log[:middle] + bytes(8) + log[middle + 8 :],
        "noise": b"noise" * 700,
    }[place]
    path, key = lay_out(tmp_path, killed, damaged)
    with pytest.raises(BadFileError, match=r"demo.duckdb cannot be used as a store: its log is damaged, .* move .*wal"):
        Store(path, key=key)
    assert path.with_name("demo.duckdb.wal").read_bytes() == damaged
    assert path.read_bytes() == killed[0]
    path.with_name("demo.duckdb.wal").rename(tmp_path / "set aside")  # the way on that it names
    with Store(path, key=key) as store:
        assert count_aliases(store) == 0


def test_the_newest_backup_is_named_and_restores(tmp_path: Path, killed: tuple[bytes, bytes, str]) -> None:
    path, key = lay_out(tmp_path, killed, killed[1])
    with Store(path, key=key) as store:
        make_backup(store, tmp_path / "backups", clock=lambda: NOON)
        newest = make_backup(store, tmp_path / "backups", clock=lambda: NOON)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(BadFileError) as said:
        Store(path, key=key)
    command = re.search(r"shapan (restore .*)$", str(said.value))
    assert command is not None
    assert str(newest.path) in command[1]
    environ = {**os.environ, "SHAPAN_HOME": str(tmp_path), "SHAPAN_KEY": killed[2]}
    done = subprocess.run(
        [sys.executable, "-m", "cli", *command[1].split()], cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with Store(path, key=key) as store:
        assert count_aliases(store) == ROWS


@pytest.mark.parametrize("kept", [10, 4096, 12288, 0.5, 0.9])
def test_a_truncated_encrypted_store_is_refused_when_it_is_opened(tmp_path: Path, kept: float) -> None:
    path, key = tmp_path / "demo.duckdb", to_key(KEY_TEXT)
    with Store(path, key=key) as store:
        store.write(lambda t: add_alias(t, "a"))
    size = path.stat().st_size
    os.truncate(path, int(kept * size) if kept < 1 else int(kept))
    with pytest.raises(BadFileError, match=r"demo.duckdb cannot be used as a store: "):
        Store(path, key=key)


@pytest.mark.parametrize("key", [None, to_key(KEY_TEXT)], ids=["plain", "encrypted"])
def test_a_damaged_block_is_said_at_the_latest_when_it_is_read(tmp_path: Path, key: StoreKey | None) -> None:
    path = tmp_path / "demo.duckdb"
    with Store(path, key=key) as store:
        many = "INSERT INTO aliases SELECT md5(range::VARCHAR), md5((range + 7)::VARCHAR), 'site' FROM range(60000)"
        store.write(lambda t: t.execute("aliases", many))
    with Store(path, key=key) as store:
        sql = "SELECT quantile_disc(DISTINCT block_id, 0.5) AS block FROM pragma_storage_info('aliases') "
        sql += "WHERE persistent AND column_name = 'alias' AND segment_type = 'VARCHAR' AND block_id >= 0"
        block = int(store.read(sql)["block"].iloc[0])
    path.write_bytes(flip(path.read_bytes(), HEADERS + block * BLOCK + BLOCK // 2))

    def look() -> None:
        with Store(path, key=key) as store:
            with pytest.raises(StoreWriteError, match=r"was not backed up: .*Corrupt database file"):
                make_backup(store, tmp_path / "backups", clock=lambda: NOON)
            store.read("SELECT max(alias || canonical) FROM aliases")

    with pytest.raises(BadFileError, match=r"cannot be used as a store: .*(Corrupt database file|AES tag)"):
        look()


def test_a_second_process_is_told_who_has_an_encrypted_store(tmp_path: Path) -> None:
    path, key = tmp_path / "demo.duckdb", to_key(KEY_TEXT)
    with Store(path, key=key), pytest.raises(StoreInUseError, match=f"in use by process {os.getpid()}"):
        Store(path, key=key)

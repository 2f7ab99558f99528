"""An encrypted store: nothing of it lies in clear anywhere, it needs its key, and it can be given another."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from data import database
from data.connecting import connect, digest_tables, is_encrypted
from data.keys import StoreKey, to_key
from data.rekeying import change_key, find_clear_copies
from data.store import Store
from gis.errors import (
    BadFileError,
    RefusedError,
    StoreInUseError,
    StoreKeyError,
    StoreMissingError,
    StoreWriteError,
)
from tests.fixtures.stores import NOON, add_alias, count_aliases

ROOT = Path(__file__).resolve().parents[2]
KEY, OTHER = to_key("a key for the test"), to_key("another key for it")
CANARY = "明文金丝雀CANARY"
# Rows alike would be stored once; these are not.
MANY = f"INSERT INTO aliases SELECT '{CANARY}' || range, '{CANARY}' || md5(range::VARCHAR), 'site' FROM range(20000)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An encrypted store with canaries, closed."""
    place = tmp_path / "home" / "demo.duckdb"
    with Store(place, key=KEY) as store:
        store.write(lambda t: add_alias(t, CANARY))
    return place


def find_clear(folder: Path) -> list[str]:
    """Files in which the canary stands in clear."""
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and (CANARY.encode() in file.read_bytes() or b"aliases" in file.read_bytes())
    )


def test_no_clear_text_in_the_file_its_log_or_any_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = path.parent
    seen: set[str] = set()

    def look() -> None:
        assert find_clear(home) == []
        seen.update(file.name for file in home.iterdir())

    def look_at_sync(file: Path) -> None:
        look()
        original(file)

    original = database.sync
    monkeypatch.setattr(database, "sync", look_at_sync)  # between the copy and its taking the file's place
    look()
    with Store(path, key=KEY) as store:
        store.write(lambda t: add_alias(t, CANARY + "2"))
        look()
        store.write(lambda t: t.execute("aliases", MANY))  # so many that they go into blocks of the file at once
        look()
    look()
    newer = home.parent / "newer"
    newer.mkdir()
    number = max(int(f.name[:4]) for f in files("data.migrations").iterdir() if f.name[:4].isdigit()) + 1
    (newer / f"{number:04}_more.sql").write_text("CREATE TABLE more (a VARCHAR NOT NULL, PRIMARY KEY (a));")
    with Store(path, key=KEY, clock=lambda: NOON, migrations=[files("data.migrations"), newer]):
        look()
    assert {"demo.duckdb", "demo.duckdb.wal", "demo.duckdb.new"} <= seen
    assert any(name.startswith("demo.v") for name in seen)


def test_the_canary_is_found_in_a_plain_store(tmp_path: Path) -> None:
    """The test above would see it."""
    with Store(tmp_path / "demo.duckdb") as store:
        store.write(lambda t: add_alias(t, CANARY))
        assert find_clear(tmp_path) == ["demo.duckdb", "demo.duckdb.wal"]


def test_what_does_not_fit_into_memory_is_spilled_in_secret(path: Path) -> None:
    """The spilled files are read again and again while a sort of more than the memory runs."""
    with Store(path, key=KEY) as store:
        store.write(lambda t: t.execute("aliases", MANY))
    connection = connect(path, KEY)
    connection.execute("SET memory_limit = '50MB'; SET threads = 1")
    seen: set[str] = set()
    clear: set[str] = set()
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            for file in (path.parent / "demo.duckdb.tmp").glob("*"):
                try:
                    content = file.read_bytes()
                except FileNotFoundError:
                    continue
                if content:
                    seen.add(file.name)
                if CANARY.encode() in content:
                    clear.add(file.name)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        sql = "SELECT alias || n AS a, repeat(alias, 8) AS b FROM aliases, range(12) AS r(n) ORDER BY md5(a || b)"
        connection.execute(f"CREATE TEMP TABLE sorted AS {sql}")
    finally:
        is_over.set()
        watcher.join()
        connection.close()
    assert seen
    assert clear == set()


@pytest.mark.parametrize(("key", "said"), [(None, "no key was given"), (OTHER, "not with the key that was given")])
def test_without_its_key_it_stays_closed_and_as_it_was(path: Path, key: StoreKey | None, said: str) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreKeyError, match=f"Store 'demo' is encrypted.*{said}.*SHAPAN_KEY_FILE"):
        Store(path, key=key)
    assert path.read_bytes() == before
    assert sorted(f.name for f in path.parent.iterdir()) == ["demo.duckdb", "demo.duckdb.lock"]


def test_a_plain_store_stays_plain_whatever_key_there_is(tmp_path: Path) -> None:
    Store(tmp_path / "demo.duckdb").close()
    with Store(tmp_path / "demo.duckdb", key=KEY) as store:
        assert not store.is_encrypted
        store.write(lambda t: add_alias(t, "a"))
    with Store(tmp_path / "demo.duckdb") as store:
        assert count_aliases(store) == 1


def test_sql_reaches_no_file_and_no_host(path: Path) -> None:
    (path.parent / "other.csv").write_text("a,b\n1,2\n")
    with Store(path, key=KEY) as store:
        for source in (f"'{path.parent / 'other.csv'}'", "'https://localhost:9/x.csv'"):
            with pytest.raises(Exception, match=r"disabled by configuration|not allowed|Permission"):
                store.read(f"SELECT * FROM {source}")


def test_damaged_blocks_are_not_taken_for_a_wrong_key(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 + 200] ^= 0xFF  # both headers behind the first: whichever counts
    content[8192 + 200] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=r"cannot be used as a store: .* does not match its seal"):
        Store(path, key=KEY)


# Another key


@pytest.mark.parametrize("old", [None, KEY], ids=["encrypt", "rekey"])
def test_a_new_key_takes_the_place_of_the_old(tmp_path: Path, old: StoreKey | None) -> None:
    path = tmp_path / "demo.duckdb"
    with Store(path, key=old) as store:
        store.write(lambda t: add_alias(t, CANARY))
        before = store.export_tables()
    found = change_key(path, key=old, new_key=OTHER, clock=lambda: NOON)
    assert found["aliases"][0] == 1
    assert sorted(f.name for f in tmp_path.iterdir()) == ["demo.duckdb", "demo.duckdb.lock"]
    assert find_clear(tmp_path) == []
    with pytest.raises(StoreKeyError):
        Store(path, key=old)
    with Store(path, key=OTHER) as store:
        after = store.export_tables()
        assert store.is_encrypted
    assert {t: f.to_dict() for t, f in after.items()} == {t: f.to_dict() for t, f in before.items()}


def test_a_new_key_is_refused_where_it_cannot_be_given(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreMissingError, match="no store 'none'"):
        change_key(path.with_name("none.duckdb"), key=KEY, new_key=OTHER, clock=lambda: NOON)
    with pytest.raises(RefusedError, match="has this key already"):
        change_key(path, key=KEY, new_key=KEY, clock=lambda: NOON)
    for key in (None, OTHER):
        with pytest.raises(StoreKeyError, match="Store 'demo' is encrypted"):
            change_key(path, key=key, new_key=to_key("a third key"), clock=lambda: NOON)
    with Store(path, key=KEY), pytest.raises(StoreInUseError):
        change_key(path, key=KEY, new_key=OTHER, clock=lambda: NOON)

    def lose_a_row(*_: object, **__: object) -> dict[str, tuple[int, str]]:
        return {"aliases": (len(asked := lose_a_row.__dict__.setdefault("asked", [])), str(asked.append(1)))}

    monkeypatch.setattr("data.rekeying.digest_tables", lose_a_row)
    with pytest.raises(StoreWriteError, match=r"the new copy differs in aliases\. It is as it was"):
        change_key(path, key=KEY, new_key=OTHER, clock=lambda: NOON)
    assert path.read_bytes() == before
    assert sorted(f.name for f in path.parent.iterdir()) == ["demo.duckdb", "demo.duckdb.lock"]


def test_copies_left_in_clear_are_named(path: Path) -> None:
    plain = path.with_name("demo.v1-20261123T063000Z.duckdb")
    Store(plain).close()
    shutil.copy(path, path.with_name("demo.v2-20261123T063000Z.duckdb"))
    assert find_clear_copies(path) == [plain]


CHANGE = """
import sys; from pathlib import Path; from data.keys import to_key; from data.rekeying import change_key
from data.store import utc_now
keys = [None, *map(to_key, ("key number one", "key number two"))]
path, n = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
while True:
    change_key(path, key=keys[n], new_key=keys[3 - n if n else 1], clock=utc_now)
    n = 3 - n if n else 1
    print(n, flush=True)
"""


def run_key_kills(path: Path, rounds: int) -> int:
    """Change keys until killed, again and again; returns how many changes were seen through."""
    keys = [None, to_key("key number one"), to_key("key number two")]
    with Store(path) as store:
        store.write(lambda t: t.execute("aliases", MANY))
    expected, current, changed = digest_tables(path, None)["aliases"], 0, 0
    rng = np.random.default_rng(5)
    for _ in range(rounds):
        command = [sys.executable, "-c", CHANGE, str(path), str(current)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            threading.Timer(rng.uniform(0, 1.2), process.kill).start()
            said = process.stdout.read().split()
            assert process.wait() == -signal.SIGKILL
        changed += len(said)
        last = int(said[-1]) if said else current
        # The one that was seen through, or the next, whose answer was cut off.
        for n in (last, 3 - last if last else 1):
            try:
                with Store(path, key=keys[n]) as store:
                    assert store.is_encrypted == bool(n)
                current = n
                break
            except StoreKeyError:
                continue
        else:
            pytest.fail("neither the old nor the new key opens the store")
        assert digest_tables(path, keys[current])["aliases"] == expected
        assert sorted(f.name for f in path.parent.iterdir()) == ["demo.duckdb", "demo.duckdb.lock"]
    return changed


def test_a_kill_while_keys_change_leaves_one_of_both(tmp_path: Path) -> None:
    run_key_kills(tmp_path / "demo.duckdb", 2)


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_fifty_kills_while_keys_change_leave_one_of_both(tmp_path: Path) -> None:
    assert run_key_kills(tmp_path / "demo.duckdb", 50) > 20


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_is_encrypted_reads_the_files_own_mark(path: Path) -> None:
    Store(path.with_name("plain.duckdb")).close()
    assert is_encrypted(path)
    assert not is_encrypted(path.with_name("plain.duckdb"))
    assert not is_encrypted(path.with_name("none.duckdb"))

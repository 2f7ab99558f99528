"""Backups: made while others write, read back before they count, restored from every older schema."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from data import backup as backup_module
from data import restoring
from data.backup import Backup, make_backup, read_backup
from data.backup_files import find_backups
from data.keys import StoreKey, to_key
from data.migrating import find_migrations
from data.restoring import describe_replaced, restore_backup
from data.store import Store
from gis.errors import BadFileError, RefusedError, StoreInUseError, StoreKeyError, StoreVersionError, StoreWriteError
from tests.fixtures.killed_writer import put
from tests.fixtures.small_community import found
from tests.fixtures.stores import NOON, add_alias, count_aliases

KEY, OTHER = to_key("a key for the test"), to_key("another key for it")
CANARY = "明文金丝雀CANARY"
NEWEST = len(find_migrations())
BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
ENCRYPTED = pytest.mark.parametrize(
    "key", [pytest.param(None, marks=pytest.mark.soak), KEY], ids=["plain", "encrypted"]
)


def clock() -> datetime:
    return NOON


@cache
def build_file(key: StoreKey | None) -> bytes:
    """A real place, closed: made once, because a new store takes half a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "place.duckdb"
        with Store(path, key=key, clock=clock) as store:
            found(store)
            store.write(lambda t: add_alias(t, CANARY))
        return path.read_bytes()


def make_store(path: Path, key: StoreKey | None = None) -> Path:
    """A real place with a secret beside it, closed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build_file(key))
    path.with_name(f"{path.stem}.secret").write_text("5ec4e7" * 8 + CANARY)
    return path


def back_up(path: Path, folder: Path, key: StoreKey | None = None, **options: object) -> Backup:
    with Store(path, key=key, clock=clock) as store:
        return make_backup(store, folder, clock=clock, **options)  # type: ignore[arg-type]


def list_files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.suffix != ".lock")


@BOTH
def test_what_was_backed_up_comes_back(tmp_path: Path, key: StoreKey | None) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb", key)
    with Store(path, key=key) as store:
        store.write(lambda t: put(t, "1-0-1", 3))
        made = make_backup(store, tmp_path / "backups", clock=clock)
        expected = store.export_tables()
    assert made.path == tmp_path / "backups" / "place-20261123T063000Z.shapanbackup"
    assert list_files(tmp_path / "backups") == [made.path.name]
    assert list_files(path.parent) == ["place.duckdb", "place.secret"]
    assert (made.schema_version, made.community, made.synthetic) == (NEWEST, "小村", False)
    assert made.is_encrypted == bool(key)
    assert made.tables["aliases"][0] == made.tables["buildings"][0] == 1
    assert made.path.stat().st_mode & 0o077 == 0
    assert (CANARY.encode() in made.path.read_bytes()) == (key is None)

    target = tmp_path / "new" / "other.duckdb"
    done = restore_backup(read_backup(made.path, key), target, key=key, clock=clock)
    assert (done.from_version, done.to_version, done.set_aside) == (NEWEST, NEWEST, ())
    assert target.with_name("other.secret").read_text().endswith(CANARY)
    assert target.with_name("other.secret").stat().st_mode & 0o077 == 0
    with Store(target, key=key) as store:
        assert store.is_encrypted == bool(key)
        restored = store.export_tables()
    for table in expected.keys() - {"audit_log", "revisions"}:
        assert restored[table].equals(expected[table]), table
    assert [name for name in list_files(target.parent) if "restor" in name] == []


def test_a_plain_stores_backup_is_encrypted_when_there_is_a_key(tmp_path: Path) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb")
    made = back_up(path, tmp_path / "backups")
    assert not made.is_encrypted
    with Store(path) as store:
        sealed = make_backup(store, tmp_path / "backups", clock=clock, key=KEY)
    assert sealed.is_encrypted
    assert sealed.path.name == "place-20261123T063000Z-2.shapanbackup"
    assert CANARY.encode() not in sealed.path.read_bytes()


@ENCRYPTED
def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path, key: StoreKey | None) -> None:
    """Each write puts a row into two tables: a backup in which they differ would be of two moments."""
    path = tmp_path / "home" / "place.duckdb"
    is_over = threading.Event()
    with Store(path, key=key, log_limit_bytes=20_000) as store:
        found(store)

        def write() -> None:
            n = 0
            while not is_over.is_set():
                n += 1
                store.write(lambda t, n=n: (put(t, f"1-0-{n}", 1), add_alias(t, f"a{n}")), repeatable=n % 2 == 0)

        writers = threading.Thread(target=write)
        writers.start()
        made = []
        try:
            for _ in range(3):
                made.append(make_backup(store, tmp_path / "backups", clock=clock))
        finally:
            is_over.set()
            writers.join()
    rows = [backup.tables["aliases"][0] for backup in made]
    assert [backup.tables["units"][0] for backup in made] == rows
    assert rows == sorted(rows)
    assert rows[-1] > rows[0]


def test_backups_are_kept_by_number_and_only_those_of_this_store(tmp_path: Path) -> None:
    path, folder = make_store(tmp_path / "home" / "place.duckdb"), tmp_path / "backups"
    folder.mkdir()
    others = ["place-2-20200101T000000Z.shapanbackup", "place.txt", "placebo-20200101T000000Z.shapanbackup"]
    for name in others:
        (folder / name).write_text("not ours")
    with Store(path) as store:
        for day in range(4):
            make_backup(store, folder, clock=lambda d=day: NOON + timedelta(days=d), keep=2)
    kept = ["place-20261125T063000Z.shapanbackup", "place-20261126T063000Z.shapanbackup"]
    assert list_files(folder) == sorted([*others, *kept])
    assert [backup.name for backup in find_backups(folder, "place")] == kept[::-1]
    with Store(path) as store:  # the clock was set back: what was just made is not what goes
        newest = make_backup(store, folder, clock=lambda: NOON - timedelta(days=900), keep=1)
    assert list_files(folder) == sorted([*others, newest.path.name])


def test_a_backup_that_does_not_come_back_the_same_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = make_store(tmp_path / "home" / "place.duckdb"), tmp_path / "backups"
    good = back_up(path, folder)
    original = backup_module.copy_whole

    def lose_a_row(old: Path, new: Path, **keys: StoreKey | None) -> None:
        original(old, new, **keys)
        with Store(new) as store:
            store.write(lambda t: t.execute("aliases", "DELETE FROM aliases"))

    monkeypatch.setattr(backup_module, "copy_whole", lose_a_row)
    with (
        pytest.raises(
            StoreWriteError, match=r"not backed up: what was read back differs in aliases, revisions\. Older"
        ),
        Store(path) as store,
    ):
        make_backup(store, folder, clock=clock, keep=1)
    assert list_files(folder) == [good.path.name]
    assert list_files(path.parent) == ["place.duckdb", "place.secret"]


def test_a_kill_leaves_nothing_that_counts_and_the_next_backup_clears_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = make_store(tmp_path / "home" / "place.duckdb"), tmp_path / "backups"
    pid = os.fork()
    if not pid:
        monkeypatch.setattr(backup_module, "put_in_place", lambda *_: os._exit(9))
        back_up(path, folder)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert list_files(folder) == ["place-20261123T063000Z.partial"]
    assert find_backups(folder, "place") == []
    made = back_up(path, folder)
    assert list_files(folder) == [made.path.name]
    assert list_files(path.parent) == ["place.duckdb", "place.secret"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb")
    (tmp_path / "file").write_text("")
    with (
        Store(path) as store,
        pytest.raises(StoreWriteError, match=r"'place' was not backed up: .*Make sure that .*file"),
    ):
        make_backup(store, tmp_path / "file", clock=clock)


# Restoring


def make_version_1(path: Path) -> None:
    """A store as the first schema made it: only migration 0001 has run."""
    folder = path.parent / "first"
    folder.mkdir(parents=True)
    shutil.copy(str(files("data.migrations") / "0001_community.sql"), folder)
    with Store(path, migrations=[folder], clock=clock) as store:
        found(store)
        store.write(lambda t: put(t, "1-0-1", 4))
        store.write(lambda t: add_alias(t, "old"))
        make_backup(store, path.parent / "backups", clock=clock)
    shutil.rmtree(folder)


def test_a_backup_of_the_first_schema_is_brought_to_todays(tmp_path: Path) -> None:
    make_version_1(tmp_path / "then" / "place.duckdb")
    [file] = find_backups(tmp_path / "then" / "backups", "place")
    backup = read_backup(file, None)
    assert backup.schema_version == 1
    done = restore_backup(backup, tmp_path / "now" / "place.duckdb", key=None, clock=clock)
    assert (done.from_version, done.to_version) == (1, NEWEST)
    with Store(tmp_path / "now" / "place.duckdb") as store:
        assert store.read("SELECT height_m FROM buildings")["height_m"].tolist() == [4.0]
        assert count_aliases(store) == 1
        restored = store.read("SELECT action, detail FROM audit_log")
    assert restored["action"].tolist() == ["restore"]
    assert json.loads(restored["detail"][0])["from_version"] == 1


@ENCRYPTED
def test_a_store_that_is_there_is_set_aside(tmp_path: Path, key: StoreKey | None) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb", key)
    made = back_up(path, tmp_path / "backups", key)
    with Store(path, key=key) as store:
        store.write(lambda t: add_alias(t, "since"))
    path.with_name("place.secret").write_text("another")
    done = restore_backup(read_backup(made.path, key), path, key=key, clock=clock)
    aside = path.with_name("place.before-restore-20261123T063000Z.duckdb")
    assert done.set_aside == (aside, aside.with_suffix(".secret"))
    assert aside.with_suffix(".secret").read_text() == "another"
    with Store(path, key=key) as store:
        assert count_aliases(store) == 1
    with Store(aside, key=key) as store:
        assert count_aliases(store) == 2
    again = restore_backup(read_backup(made.path, key), path, key=key, clock=clock)
    assert again.set_aside[0].name == "place.before-restore-20261123T063000Z-2.duckdb"


def test_a_damaged_store_is_set_aside_with_its_log(tmp_path: Path) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb")
    made = back_up(path, tmp_path / "backups")
    path.write_bytes(b"\0" * 20_000)
    path.with_name("place.duckdb.wal").write_bytes(b"torn")
    assert "cannot_be_read" in (describe_replaced(path, None) or {})
    done = restore_backup(made, path, key=None, clock=clock)
    assert [file.name.partition("Z")[2] for file in done.set_aside] == [".duckdb", ".duckdb.wal", ".secret"]
    with Store(path) as store:
        assert count_aliases(store) == 1


def test_sessions_of_that_day_do_not_come_back(tmp_path: Path) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb")
    row = "INSERT INTO sessions BY NAME SELECT 's' AS session_id, 'x' AS token_sha256, 'a' AS account_id, "
    times = "now() AS started_utc, now() AS last_seen_utc, now() + INTERVAL 1 DAY AS ends_utc"
    with Store(path) as store:
        store.write(lambda t: t.execute("sessions", row + times))
        made = make_backup(store, tmp_path / "backups", clock=clock)
    assert made.tables["sessions"][0] == 1
    restore_backup(made, path, key=None, clock=clock)
    with Store(path) as store:
        assert store.read("SELECT count(*) AS n FROM sessions")["n"].tolist() == [0]


def test_the_sample_and_a_real_place_never_take_each_others_place(tmp_path: Path) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb")
    with Store(path) as store:
        store.write(lambda t: t.execute("community", "UPDATE community SET synthetic = true"))
        sample = make_backup(store, tmp_path / "backups", clock=clock)
        store.write(lambda t: t.execute("community", "UPDATE community SET synthetic = false"))
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="'place' holds a real place, 小村; the backup holds the sample, 小村"):
        restore_backup(sample, path, key=None, clock=clock)
    assert path.read_bytes() == before
    assert list_files(path.parent) == ["place.duckdb", "place.secret"]


def test_a_store_in_use_is_not_replaced(tmp_path: Path) -> None:
    path = make_store(tmp_path / "home" / "place.duckdb")
    with Store(path) as store:
        made = make_backup(store, tmp_path / "backups", clock=clock)
        with pytest.raises(StoreInUseError, match="'place' is in use by process"):
            restore_backup(made, path, key=None, clock=clock)


@pytest.mark.parametrize("step", ["put_in_place", "_set_aside", "_unmark"])
def test_cut_off_at_any_step_the_store_is_whole_or_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A process that is killed there: nothing after that step happens, and nothing is cleared away."""
    path = make_store(tmp_path / "home" / "place.duckdb")
    made = back_up(path, tmp_path / "backups")
    with Store(path) as store:
        store.write(lambda t: add_alias(t, "since"))
    pid = os.fork()
    if not pid:
        for name in (step,):
            monkeypatch.setattr(restoring, name, lambda *_: os._exit(9))
        restore_backup(made, path, key=None, clock=clock)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    with pytest.raises(BadFileError, match=rf"being restored .* shapan restore {made.path} --store place"):
        Store(path)
    restore_backup(made, path, key=None, clock=clock)
    with Store(path) as store:
        assert count_aliases(store) == 1
    counts = []
    for aside in path.parent.glob("place.before-restore-*.duckdb"):
        with Store(aside) as store:
            counts.append(count_aliases(store))
    assert 2 in counts
    assert [name for name in list_files(path.parent) if name.startswith("place.restor")] == []


# Files that are no backups


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = make_store(tmp_path / "home" / "place.duckdb", KEY)
    return back_up(path, tmp_path / "backups", KEY).path


def test_a_sealed_backup_needs_its_key(sealed: Path) -> None:
    with pytest.raises(StoreKeyError, match="encrypted and no key was given"):
        read_backup(sealed, None)
    with pytest.raises(StoreKeyError, match="encrypted, and not with the key that was given"):
        read_backup(sealed, OTHER)


@pytest.mark.parametrize("content", [b"", b"PK", b"building,height\n1,18\n" * 100])
def test_what_is_no_backup_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.shapanbackup"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=r"x.shapanbackup cannot be used as a backup"):
        read_backup(path, None)
    with pytest.raises(BadFileError, match="No such file"):
        read_backup(tmp_path / "none.shapanbackup", None)


def test_a_byte_that_was_changed_anywhere_is_found(sealed: Path, tmp_path: Path) -> None:
    whole = sealed.read_bytes()
    target = tmp_path / "new" / "place.duckdb"
    for at in range(40, len(whole) - 400, len(whole) // 23):
        sealed.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((BadFileError, StoreKeyError), match="damaged"):
            restore_backup(read_backup(sealed, KEY), target, key=KEY, clock=clock)
    sealed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadFileError, match="damaged"):
        read_backup(sealed, KEY)
    assert list_files(target.parent) == []
    sealed.write_bytes(whole)
    restore_backup(read_backup(sealed, KEY), target, key=KEY, clock=clock)


def test_another_database_in_a_sealed_backup_is_found(sealed: Path, tmp_path: Path) -> None:
    """Whoever has another backup of the same key cannot put its database under these contents."""
    other = back_up(make_store(tmp_path / "other" / "place.duckdb", KEY), tmp_path / "more", KEY).path
    mixed = tmp_path / "mixed.shapanbackup"
    with zipfile.ZipFile(mixed, "w") as target, zipfile.ZipFile(sealed) as one, zipfile.ZipFile(other) as two:
        for name in ("header.json", "contents.sealed"):
            target.writestr(name, one.read(name))
        target.writestr("store.duckdb", two.read("store.duckdb"))
    with pytest.raises(BadFileError, match="its database is damaged"):
        restore_backup(read_backup(mixed, KEY), tmp_path / "new" / "place.duckdb", key=KEY, clock=clock)


def test_a_newer_backup_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.shapanbackup"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps({"format": 2, "encrypted": False}))
    with pytest.raises(StoreVersionError, match="made by a newer program"):
        read_backup(path, None)


def test_times_are_aware(tmp_path: Path) -> None:
    made = back_up(make_store(tmp_path / "home" / "place.duckdb"), tmp_path / "backups")
    assert made.made_utc == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert "secret" not in json.dumps(made.to_dict()["rows"])
    assert "5ec4e7" not in json.dumps(made.to_dict())

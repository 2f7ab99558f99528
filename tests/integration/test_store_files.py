"""Files of stores: made, brought up to date after a copy is set aside, and refused with a sentence."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import duckdb
import pytest

from data import database
from data.migrating import find_migrations
from data.store import Store
from gis.errors import BadFileError, StoreInUseError, StoreMigrationError, StoreVersionError, StoreWriteError
from tests.fixtures.killed_writer import put

NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
OWN = files("data.migrations")
# DuckDB's storage format: three headers, then blocks of 256 KiB.
HEADERS, BLOCK = 3 * 4096, 2**18
NEWEST = len(find_migrations())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of today's schema with three rows."""
    place = tmp_path / "demo.duckdb"
    with Store(place) as store:
        store.write(lambda t: put(t, "1-0-1", 1))
    return place


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder with two more migrations; the second needs the first."""
    folder = tmp_path / "newer"
    folder.mkdir()
    first = "CREATE TABLE patrols (patrol_id VARCHAR NOT NULL, PRIMARY KEY (patrol_id));"
    second = (
        "ALTER TABLE patrols ADD COLUMN leader VARCHAR; COMMENT ON COLUMN patrols.leader IS '[person] Who leads';"
        "UPDATE buildings SET height_m = height_m + 1;"
    )
    (folder / f"{NEWEST + 1:04}_patrols.sql").write_text(first)
    (folder / f"{NEWEST + 2:04}_leaders.sql").write_text(second)
    return folder


def list_files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.is_file() and file.suffix != ".lock")


def hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_with(path: Path, *folders: Traversable) -> Store:
    return Store(path, clock=lambda: NOON, migrations=[OWN, *folders])


def test_a_new_store_knows_its_migrations(path: Path) -> None:
    with Store(path) as store:
        done = store.read("SELECT version, name FROM schema_migrations ORDER BY version")
    assert done["version"].tolist() == list(range(1, NEWEST + 1))
    assert done["name"].iloc[0] == "0001_community.sql"
    assert list_files(path.parent) == ["demo.duckdb"]


def test_an_older_store_is_migrated_after_a_copy_is_set_aside(path: Path, newer: Path) -> None:
    before = hash_file(path)
    with open_with(path, newer) as store:
        assert store.read("SELECT max(version) AS v FROM schema_migrations")["v"].iloc[0] == NEWEST + 2
        assert store.read("SELECT height_m FROM buildings")["height_m"].tolist() == [2.0]
        assert store.person_columns["patrols"] == ("leader",)
        assert store.revision("buildings") == 1
        store.write(lambda t: t.execute("patrols", "INSERT INTO patrols VALUES ('p', NULL)"))
    aside = f"demo.v{NEWEST}-20261123T063000Z.duckdb"
    assert list_files(path.parent) == ["demo.duckdb", aside]
    assert hash_file(path.parent / aside) == before
    with open_with(path, newer) as store:  # a second time there is nothing to do
        assert store.revision() == 2
    assert list_files(path.parent) == ["demo.duckdb", aside]
    with Store(path.parent / aside) as old:
        assert old.read("SELECT height_m FROM buildings")["height_m"].tolist() == [1.0]


def leave_a_log(path: Path) -> None:
    """A second building, written by a process that was then killed: it is in the log only."""
    code = (
        "import os, sys; from pathlib import Path; from data.store import Store; "
        "from tests.fixtures.killed_writer import put; s = Store(Path(sys.argv[1])); "
        "s.write(lambda t: put(t, '1-0-2', 2)); os._exit(9)"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code, str(path)], cwd=root, timeout=120).returncode == 9
    assert path.with_name("demo.duckdb.wal").stat().st_size > 0


def read_heights(path: Path) -> list[float]:
    with Store(path) as store:
        return store.read("SELECT height_m FROM buildings ORDER BY 1")["height_m"].tolist()


def test_a_store_with_rows_of_the_first_schema_reaches_todays(tmp_path: Path) -> None:
    """Columns are added to tables that hold rows: there DuckDB 1.5.5 does not commit several at once."""
    first, path = tmp_path / "first", tmp_path / "old.duckdb"
    first.mkdir()
    name = next(one.name for one in OWN.iterdir() if one.name.startswith("0001_"))
    (first / name).write_text((OWN / name).read_text(encoding="utf-8"), encoding="utf-8")
    rows = {
        "responders": "INSERT INTO responders (responder_id, call_sign, kind, full_time) "
        "SELECT 'r' || n, 'C' || n, 'volunteer', true FROM range(3) t(n)",
        "incident_categories": "INSERT INTO incident_categories (category, name_zh, name_en, sensitive) "
        "SELECT 'c' || n, '类', 'kind', false FROM range(3) t(n)",
        "incidents": "INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, "
        "occurred_from_utc, occurred_to_utc, status, geom) SELECT 'i' || n, 'c0', 'routine', 'call', "
        "TIMESTAMP '2025-01-01', TIMESTAMP '2025-01-01', TIMESTAMP '2025-01-01', 'new', ST_Point(1, 2) "
        "FROM range(3) t(n)",
    }
    with Store(path, migrations=[first]) as store:
        store.write(lambda tx: [tx.execute(table, sql) for table, sql in rows.items()])
    with Store(path) as store:
        versions = store.read("SELECT version FROM schema_migrations ORDER BY version")["version"]
        assert versions.tolist() == list(range(1, NEWEST + 1))
        for table in rows:
            assert len(store.read(f"SELECT * FROM {table}")) == 3


def test_what_a_killed_process_left_in_the_log_is_in_the_copy_and_in_the_migrated_store(
    path: Path, newer: Path
) -> None:
    leave_a_log(path)
    with open_with(path, newer) as store:
        assert store.read("SELECT height_m FROM buildings ORDER BY 1")["height_m"].tolist() == [2.0, 3.0]
    assert read_heights(path.parent / f"demo.v{NEWEST}-20261123T063000Z.duckdb") == [1.0, 2.0]


def test_a_failing_migration_leaves_the_original_and_names_itself(path: Path, newer: Path) -> None:
    before = hash_file(path)
    (newer / f"{NEWEST + 2:04}_leaders.sql").write_text("UPDATE buildings SET height_m = 0; SELECT * FROM nowhere;")
    with pytest.raises(
        StoreMigrationError, match=rf"from schema version {NEWEST} to {NEWEST + 2}: .*_leaders.sql.*nowhere"
    ):
        open_with(path, newer)
    assert list_files(path.parent) == ["demo.duckdb"]
    assert hash_file(path) == before
    with Store(path) as store:
        assert store.read("SELECT height_m FROM buildings")["height_m"].tolist() == [1.0]


def test_what_a_kill_in_a_migration_left_is_cleared_away(path: Path, newer: Path) -> None:
    shutil.copy(path, path.with_name("demo.duckdb.new"))
    path.with_name("demo.duckdb.new.wal").write_bytes(os.urandom(1000))
    with open_with(path, newer) as store:
        assert store.read("SELECT height_m FROM buildings")["height_m"].tolist() == [2.0]
    assert list_files(path.parent) == ["demo.duckdb", f"demo.v{NEWEST}-20261123T063000Z.duckdb"]


def test_a_store_that_is_newer_than_the_program_is_refused_untouched(path: Path, newer: Path) -> None:
    open_with(path, newer).close()
    before = hash_file(path)
    with pytest.raises(
        StoreVersionError, match=f"'demo' has schema version {NEWEST + 2}, this program knows .* {NEWEST}. Update"
    ):
        Store(path)
    assert hash_file(path) == before


@pytest.mark.parametrize("names", [["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"], ["0002_a.sql"]])
def test_migrations_with_a_gap_or_a_number_twice_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match="without gap"):
        find_migrations(tmp_path)


# The log


def test_duckdb_itself_never_changes_a_file_that_is_there(path: Path) -> None:
    """Its checkpoint would overwrite blocks in use; only a finished copy may take the file's place."""
    before = path.read_bytes()
    store = Store(path, log_limit_bytes=2**30)
    for n in range(2, 30):
        store.write(lambda t, n=n: put(t, f"1-0-{n}", n))
    # A log longer than what DuckDB takes in by itself, 16 MiB.
    long = "INSERT INTO events SELECT range, now(), repeat('x', 400), NULL, NULL, NULL FROM range(60000)"
    store.write(lambda t: t.execute("events", long))
    assert path.with_name("demo.duckdb.wal").stat().st_size > 2**24
    assert path.read_bytes() == before
    many = "INSERT INTO aliases SELECT 'a' || range, repeat('x', 50), 'site' FROM range(200000)"
    store.write(lambda t: t.execute("aliases", many))  # so many rows that DuckDB writes them into the file at once
    after = path.read_bytes()
    assert after[:HEADERS] == before[:HEADERS]
    changed = [at for at in range(HEADERS, len(before), BLOCK) if after[at : at + BLOCK] != before[at : at + BLOCK]]
    assert len(after) > len(before)
    for at in changed:  # blocks that were free: half written, they disturb nobody
        torn = path.with_name("torn.duckdb")
        torn.write_bytes(before[: at + 5000] + after[at + 5000 : at + BLOCK] + before[at + BLOCK :])
        assert read_heights(torn) == [1.0]
        torn.unlink()
    store._database._disconnect()
    assert path.read_bytes() == after
    store.close()
    assert list_files(path.parent) == ["demo.duckdb"]
    assert read_heights(path) == [float(n) for n in range(1, 30)]


def test_a_fold_that_ends_at_any_step_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_a_log(path)

    def stop(*_: object) -> None:
        raise OSError(5, "the disk is gone")

    with monkeypatch.context() as patch:  # the copy is not yet safe on the disk: it is worth nothing
        patch.setattr(database, "sync", stop)
        assert read_heights(path) == [1.0, 2.0]
        assert list_files(path.parent) == ["demo.duckdb", "demo.duckdb.wal"]
    with monkeypatch.context() as patch:  # the copy is safe, but not in its place: the file alone is not the whole
        patch.setattr(database, "put_in_place", stop)
        for _ in range(2):
            with pytest.raises(
                StoreWriteError, match=r"'demo' cannot be put in place: .*disk is gone. Nothing is lost"
            ):
                Store(path)
        assert list_files(path.parent) == ["demo.duckdb", "demo.duckdb.folded", "demo.duckdb.new"]
    shutil.copy(path.with_name("demo.duckdb.folded"), path.parent / "log")
    assert read_heights(path) == [1.0, 2.0]
    assert list_files(path.parent) == ["demo.duckdb", "log"]
    (path.parent / "log").rename(path.with_name("demo.duckdb.folded"))  # in its place, the log not yet thrown away
    assert read_heights(path) == [1.0, 2.0]
    assert list_files(path.parent) == ["demo.duckdb"]


# Files that are no stores


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"building,height\n1,18\n" * 1000, "it is not a DuckDB file"),
        # DuckDB would go to the internet for an extension that reads this.
        (b"SQLite format 3\0" + bytes(8000), "it is not a DuckDB file"),
        (b"PK\x03\x04" * 5000, "it is not a DuckDB file"),
    ],
)
def test_a_file_that_is_no_store_is_refused_untouched(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "demo.duckdb"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=rf"demo.duckdb cannot be used as a store: {reason}. Put a copy"):
        Store(path)
    assert path.read_bytes() == content
    assert list_files(tmp_path) == ["demo.duckdb"]


@pytest.mark.parametrize("kept", [10, 4096, 8192, 12288, 12288 + 262144, 0.5, 0.9])
def test_a_truncated_store_is_refused_when_it_is_opened_not_later(path: Path, kept: float) -> None:
    size = path.stat().st_size
    os.truncate(path, int(kept * size) if kept < 1 else int(kept))
    with pytest.raises(BadFileError, match=r"demo.duckdb cannot be used as a store: "):
        Store(path)


@pytest.mark.parametrize("sql", ["CREATE TABLE trips (id INTEGER)", "CREATE VIEW trips AS SELECT 1"])
def test_a_duckdb_file_that_is_not_ours_is_refused(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "demo.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute(sql)
    content = path.read_bytes()
    with pytest.raises(BadFileError, match="not one of Shapan"):
        Store(path)
    assert path.read_bytes() == content


def test_a_folder_in_the_place_of_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo.duckdb").mkdir()
    with pytest.raises(BadFileError, match=r"cannot be used as a store: Is a directory"):
        Store(tmp_path / "demo.duckdb")


def test_a_log_without_its_store_is_not_taken_for_a_new_store(path: Path) -> None:
    path.with_name("demo.duckdb.wal").write_bytes(b"\0" * 100)
    path.unlink()
    with pytest.raises(BadFileError, match="the log of a store is there without the store"):
        Store(path)


def test_a_store_that_another_program_has_open_is_in_use(path: Path) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(StoreInUseError, match=f"'demo' is in use by another program: .*PID {process.pid}"):
            Store(path)
        process.kill()
        process.wait()
    Store(path).close()


def test_a_slow_statement_draws_nothing_on_standard_output(path: Path) -> None:
    # DuckDB does, by its own default, where Python runs a text; in a file, as here, it never would.
    ask = "SELECT current_setting('enable_progress_bar')"
    code = "import sys; from pathlib import Path; from data.connecting import connect; "
    code += "print(connect(Path(sys.argv[1]), None).sql(sys.argv[2]).fetchone()[0])"
    command = [sys.executable, "-c", code, str(path), ask]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_power_cut_after_a_very_large_change_loses_nothing(tmp_path: Path) -> None:
    # DuckDB 1.5.5 cannot replay a change of a row that such a commit took out and put in again.
    rows = """INSERT INTO addresses (address_id, full_text) SELECT 'a' || n, 'x' || n FROM range(130_000) t(n)"""
    with Store(tmp_path / "large.duckdb") as store:
        store.write(lambda tx: tx.execute("addresses", rows))
        store.write(lambda tx: [tx.execute("addresses", "DELETE FROM addresses"), tx.execute("addresses", rows)])
        store.write(lambda tx: tx.execute("addresses", "UPDATE addresses SET full_text = 'y' WHERE address_id = 'a7'"))
        store.write(lambda tx: tx.execute("addresses", "DELETE FROM addresses WHERE address_id = 'a9'"))
        (tmp_path / "cut").mkdir()
        for name in ("large.duckdb", "large.duckdb.wal"):  # as a power cut leaves them
            shutil.copy(tmp_path / name, tmp_path / "cut" / name)
    with Store(tmp_path / "cut" / "large.duckdb") as store:
        kept = "SELECT count(*) AS n, count(*) FILTER (full_text = 'y') AS changed FROM addresses"
        assert store.read_first(kept) == {"n": 129_999, "changed": 1}
        store.write(lambda tx: tx.execute("addresses", "DELETE FROM addresses WHERE address_id = 'a8'"))
        assert store.read_first(kept) == {"n": 129_998, "changed": 1}

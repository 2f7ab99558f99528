"""
The database file under the store: opening it, leading it to today's schema, and folding its log into it.

DuckDB's own checkpoint overwrites blocks that the file still needs: a kill in the middle of one leaves a file that
nobody can open (measured, see docs/decisions/2026-11-23-store.md). So DuckDB never checkpoints this file. What was
written waits in its log, until a whole copy of both takes the file's place. Beside `demo.duckdb`
that needs

    demo.duckdb.new      the copy; unfinished and worthless while there is no .folded
    demo.duckdb.folded   the log that is in the copy: the copy is whole, and is to take the file's place
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data.connecting import (
    BROKEN,
    CATALOG,
    HEADERS_SIZE_BYTES,
    check_head,
    connect,
    copy_whole,
    fetch_first,
    first_line,
    is_encrypted,
    list_tables,
    to_bad_file,
    to_bad_log,
    use,
)
from data.durable import copy_durably, put_in_place, sync, sync_folder
from data.keys import StoreKey, build_key_missing
from data.log_check import mend_log
from data.migrating import Migration, copy_aside, find_pending
from gis.errors import (
    BadFileError,
    BadRecordError,
    ShapanError,
    StoreClosedError,
    StoreMigrationError,
    StoreVersionError,
    StoreWriteError,
)

# As DuckDB's own default for its checkpoints.
LOG_LIMIT_BYTES = 16 * 2**20
# Cursors kept for the next operation: choosing the catalog of a new one takes 0.2 ms, a third of a small query.
_MAX_IDLE = 16
# Beside a file that a restore is taking the place of: data/restoring.py.
RESTORING = ".restoring"
_log = logging.getLogger(__name__)


class Database:
    """
    The open file, opened anew by whoever comes next after a fatal error, and when its log has grown too long.

    DuckDB shares one instance of a file among all connections of a process, so every cursor has to be back before.
    """

    def __init__(
        self, path: Path, connection: duckdb.DuckDBPyConnection, *, key: StoreKey | None, log_limit_bytes: int
    ) -> None:
        self._path = path
        self._key = key
        self._log_limit_bytes = log_limit_bytes
        self._fold_at_bytes = log_limit_bytes
        self._connection: duckdb.DuckDBPyConnection | None = connection
        self._written_ns = path.stat().st_mtime_ns
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._changed = threading.Condition()
        self._held = threading.local()
        self._out = 0
        self._stale = False
        self._closed = False

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one operation, which has to end what it begins."""
        cursor = self._take()
        is_sound = False
        try:
            yield cursor
            is_sound = True
        except BROKEN:
            self._stale = True
            raise
        finally:
            self._held.count -= 1
            with self._changed:
                if is_sound and len(self._idle) < _MAX_IDLE:
                    self._idle.append(cursor)
                else:  # who knows what it still holds
                    with suppress(duckdb.Error):
                        cursor.close()
                self._out -= 1
                self._changed.notify_all()

    def copy_files(self, target: Path) -> None:
        """
        Copy file and log as they are, on the writer thread; both together are the state of this moment.

        While nobody commits neither of them changes, and while a cursor is out the log is not folded in.
        """
        with self.cursor():
            for ending in ("", ".wal"):
                source = self._path.with_name(self._path.name + ending)
                if source.exists():
                    shutil.copyfile(source, target.with_name(target.name + ending))

    def check_log(self) -> None:
        """
        After a commit: have a log that has grown too long, or that points into the file, folded in by who comes next.

        Of a very large commit DuckDB writes the rows into the file and into the log only where they are. When that is
        replayed, the index misses keys that the commit took out and put in again, and a later change of such a row
        cannot be replayed any more (docs/decisions/2026-11-28-large-commits.md). Nothing may be written in between.
        """
        if _measure_log(self._path) > self._fold_at_bytes or self._path.stat().st_mtime_ns != self._written_ns:
            self._stale = True

    def close(self) -> None:
        """Wait for cursors that are out, let the file go and fold its log in. A second time it does nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._out == 0)
            if not self._closed:
                self._closed = True
                self._disconnect()
                fold_log(self._path, self._key)

    def _take(self) -> duckdb.DuckDBPyConnection:
        with self._changed:
            mine = getattr(self._held, "count", 0)
            if self._stale and not mine:  # who holds one already would wait for itself, and gets another of the old
                self._changed.wait_for(lambda: not self._stale or self._out == 0)
            if self._closed:
                raise StoreClosedError(f"Store '{self._path.stem}' is closed. Open it again.")
            if self._connection is None or (self._stale and not mine):
                self._disconnect()
                fold_log(self._path, self._key)
                # Where that failed, the next try comes after as much again.
                self._fold_at_bytes = _measure_log(self._path) + self._log_limit_bytes
                self._connection = connect(self._path, self._key)
                self._written_ns = self._path.stat().st_mtime_ns
                self._stale = False
            if self._idle:
                cursor = self._idle.pop()
            else:
                cursor = self._connection.cursor()
                use(cursor)
            self._held.count = mine + 1
            self._out += 1
            return cursor

    def _disconnect(self) -> None:
        for connection in (*self._idle, self._connection):
            if connection is not None:
                with suppress(duckdb.Error):
                    connection.close()
        self._idle.clear()
        self._connection = None


def fold_log(path: Path, key: StoreKey | None) -> bool:
    """
    Take the log of a closed file into it, or finish what a killed process began; False, with a warning, when it cannot.

    At any moment either the file with its log, or the finished copy, is on the disk, and the next call finds out which.
    `StoreWriteError` when only the last step failed: then the file must not be opened before it is done.
    """
    log, work, folded = (path.with_name(path.name + ending) for ending in (".wal", ".new", ".folded"))
    try:
        if folded.exists():
            _finish_fold(path, work, folded)
        remove_files(work)
        if not log.exists():
            return True
        copy_whole(path, work, key=key, new_key=key)
        sync(work)
        log.replace(folded)
        sync_folder(path.parent)
        _finish_fold(path, work, folded)
    except (OSError, duckdb.Error, ShapanError) as error:
        if folded.exists():  # without its log the file must not be opened
            raise StoreWriteError(
                f"Store '{path.stem}' cannot be put in place: {first_line(error)}. Nothing is lost. "
                f"Make sure that {path.parent} can be written, then open it again."
            ) from error
        # Nothing is lost: the log stays beside the file, and DuckDB reads both.
        _log.warning("The log of store '%s' stays beside it for now: %s", path.stem, first_line(error))
        with suppress(OSError):
            remove_files(work)
        return False
    return True


def _finish_fold(path: Path, work: Path, folded: Path) -> None:
    if work.exists():
        put_in_place(work, path)
    folded.unlink()
    sync_folder(path.parent)


def _measure_log(path: Path) -> int:
    try:
        return path.with_name(path.name + ".wal").stat().st_size
    except OSError:
        return 0


def to_write_error(error: duckdb.Error, name: str, folder: Path) -> ShapanError | None:
    """What a failed transaction of store `name` says; None for errors that only a programmer can cause."""
    text = str(error)
    if isinstance(error, duckdb.ConstraintException) or "constraint" in text:
        return BadRecordError(
            f"Nothing was written to store '{name}': {first_line(error)}. Correct that record, then repeat it."
        )
    if isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException, *BROKEN)) or "Could not" in text:
        return StoreWriteError(
            f"Nothing was written to store '{name}': {first_line(error)}. "
            f"Make sure that there is free space in {folder}, then repeat it."
        )
    return None


def open_file(
    path: Path, migrations: Sequence[Migration], clock: Callable[[], datetime], key: StoreKey | None
) -> tuple[StoreKey | None, duckdb.DuckDBPyConnection]:
    """
    Make `path` a store of today's schema and open it, or raise and leave it as it was; the key that opens it is told.

    A new file is encrypted when there is a `key`; a plain one that is there stays plain.
    """
    key = _prepare_file(path, key)
    version = 0
    if path.exists():
        connection = connect(path, key)
        try:
            version = _check_file(connection, path)
            if version > len(migrations):
                raise StoreVersionError(
                    f"Store '{path.stem}' has schema version {version}, this program knows versions up to "
                    f"{len(migrations)}. Update Shapan, or work on another store with --store NAME."
                )
            if version == len(migrations):
                return key, connection
        except BaseException:
            connection.close()
            raise
        connection.close()
    _migrate_file(path, find_pending(migrations, version), clock, key)
    return key, connect(path, key)


def _prepare_file(path: Path, key: StoreKey | None) -> StoreKey | None:
    """Make `path` a file that can be opened, its log folded in, or raise; returns the key that opens it."""
    log, work = path.with_name(path.name + ".wal"), path.with_name(path.name + ".new")
    mark = path.with_name(path.name + RESTORING)
    if mark.exists():
        raise BadFileError(
            f"Store '{path.stem}' was being restored when that was cut off. Repeat it: shapan restore "
            f"{mark.read_text(encoding='utf-8') or 'FILE'} --store {path.stem}. What was there before lies beside it."
        )
    if path.exists():
        check_head(path)
        if not is_encrypted(path):
            key = None
        elif key is None:
            raise build_key_missing(path.stem)
        if log.exists() and (reason := mend_log(log)):
            raise to_bad_log(path, reason)
        fold_log(path, key)
    elif log.exists():
        raise to_bad_file(log, "the log of a store is there without the store")
    else:
        remove_files(work)
    return key


def _migrate_file(
    path: Path, pending: Sequence[Migration], clock: Callable[[], datetime], key: StoreKey | None
) -> None:
    """Bring a closed file, or one that is not there yet, to today's schema, or raise and leave it as it was."""
    log, work = path.with_name(path.name + ".wal"), path.with_name(path.name + ".new")
    version, latest = pending[0].version - 1, pending[-1].version
    aside = None
    try:
        if version:
            if log.exists():
                raise OSError("its log cannot be folded into it")
            aside = copy_aside(path, version=version, now=clock().astimezone(UTC))
            copy_durably(path, work)
        _migrate(work, pending, clock, key)
        put_in_place(work, path)
    except (OSError, duckdb.Error) as error:
        remove_files(work, *([aside] if aside else []))
        raise StoreMigrationError(
            f"Store '{path.stem}' could not be brought from schema version {version} to {latest}: "
            f"{first_line(error)}. It is as it was. Make sure that there is free space in {path.parent}; if there is, "
            "go back to the program that wrote it and report this sentence."
        ) from error


def _check_file(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Schema version of a file that is a whole store; it is not changed."""
    try:
        _check_length(connection, path)
        row = fetch_first(connection.execute("SELECT max(version) FROM schema_migrations"))
    except duckdb.CatalogException as error:
        raise to_bad_file(path, "it is a DuckDB file, but not one of Shapan") from error
    except duckdb.Error as error:
        raise to_bad_file(path, first_line(error)) from error
    return int(row[0]) if row and row[0] else 0


def _check_length(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """
    Raise when blocks that are in use lie behind the file's end: DuckDB itself would fail at the first query for them.

    Free blocks at the end are cut off by DuckDB, so the number of all blocks says nothing. While there is a log, what
    counts as in use is not all in the file yet.
    """
    log = path.with_name(path.name + ".wal")
    size = fetch_first(
        connection.execute(
            "SELECT block_size, used_blocks FROM pragma_database_size() WHERE database_name = ?", [CATALOG]
        )
    )
    tables = list_tables(connection)
    if size is None or not tables or (log.exists() and log.stat().st_size):
        return
    # One question for all tables takes a third of the time of one for each.
    blocks = " UNION ALL ".join(
        f"SELECT block_id, additional_block_ids FROM pragma_storage_info('{table}') WHERE persistent"
        for table in tables
    )
    row = fetch_first(
        connection.execute(
            f"SELECT max(greatest(block_id, coalesce(list_max(additional_block_ids), 0))) + 1 FROM ({blocks})"
        )
    )
    expected = HEADERS_SIZE_BYTES + size[0] * max(size[1], row[0] if row and row[0] else 0)
    if path.stat().st_size < expected:
        raise to_bad_file(path, f"it ends after {path.stat().st_size} of at least {expected} bytes")


def _migrate(work: Path, pending: Sequence[Migration], clock: Callable[[], datetime], key: StoreKey | None) -> None:
    """
    Run migrations on a file that is nobody's store yet: what fails half-way is thrown away with it.

    A file that has rows is changed statement by statement: DuckDB 1.5.5 does not commit several ALTER TABLE of a table
    with rows ("another transaction has altered this table"). A new one is not: three hundred commits take a second.
    """
    connection = connect(work, key)
    is_new = pending[0].version == 1
    try:
        for migration in pending:
            try:
                if is_new:
                    connection.execute("BEGIN")
                    connection.execute(migration.sql)
                else:
                    for statement in connection.extract_statements(migration.sql):
                        connection.execute(statement)
                    connection.execute("BEGIN")
                now = clock().astimezone(UTC).replace(tzinfo=None)
                connection.execute(
                    "INSERT INTO schema_migrations VALUES (?, ?, ?)", [migration.version, migration.name, now]
                )
                connection.execute("COMMIT")
            except duckdb.Error as error:
                raise OSError(f"{migration.name}: {first_line(error)}") from error
        connection.execute(f"CHECKPOINT {CATALOG}")
    finally:
        connection.close()


def remove_files(*paths: Path) -> None:
    """Delete database files, each with its log."""
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".wal").unlink(missing_ok=True)

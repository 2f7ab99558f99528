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
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import duckdb_extension_spatial

from data.durable import copy_durably, put_in_place, sync, sync_folder
from data.migrating import Migration, copy_aside, find_pending
from gis.errors import (
    BadFileError,
    BadRecordError,
    ShapanError,
    StoreClosedError,
    StoreInUseError,
    StoreMigrationError,
    StoreVersionError,
    StoreWriteError,
)

# Never look for an extension on the internet: DuckDB would, for a file that looks like SQLite's. Checking the signature
# of the 80 MB that pip has checked takes 0.3 s at each opening, and whoever can change that file can change this one.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_unsigned_extensions": True,
    "checkpoint_threshold": "1TB",
}
# Three headers of 4 KiB stand before the blocks; the first says DUCK behind its checksum (DuckDB's storage format).
_HEADERS_SIZE_BYTES = 3 * 4096
_MAGIC = b"DUCK"
_MAGIC_OFFSET_BYTES = 8
# After these DuckDB answers nothing until the file is opened anew.
BROKEN = (duckdb.FatalException, duckdb.InternalException)
# As DuckDB's own default for its checkpoints.
LOG_LIMIT_BYTES = 16 * 2**20
_log = logging.getLogger(__name__)


class Database:
    """
    The open file, opened anew by whoever comes next after a fatal error, and when its log has grown too long.

    DuckDB shares one instance of a file among all connections of a process, so every cursor has to be back before.
    """

    def __init__(self, path: Path, *, log_limit_bytes: int) -> None:
        self._path = path
        self._log_limit_bytes = log_limit_bytes
        self._fold_at_bytes = log_limit_bytes
        self._connection: duckdb.DuckDBPyConnection | None = _connect(path)
        self._changed = threading.Condition()
        self._held = threading.local()
        self._out = 0
        self._stale = False
        self._closed = False

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of its own for one operation."""
        cursor = self._take()
        try:
            yield cursor
        except BROKEN:
            self._stale = True
            raise
        finally:
            with suppress(duckdb.Error):
                cursor.close()
            self._held.count -= 1
            with self._changed:
                self._out -= 1
                self._changed.notify_all()

    def check_log(self) -> None:
        """After a commit: have a log that has grown too long folded in by whoever comes next."""
        if _measure_log(self._path) > self._fold_at_bytes:
            self._stale = True

    def close(self) -> None:
        """Wait for cursors that are out, let the file go and fold its log in. A second time it does nothing."""
        with self._changed:
            self._changed.wait_for(lambda: self._out == 0)
            if not self._closed:
                self._closed = True
                self._disconnect()
                fold_log(self._path)

    def _take(self) -> duckdb.DuckDBPyConnection:
        with self._changed:
            mine = getattr(self._held, "count", 0)
            if self._stale and not mine:  # who holds one already would wait for itself, and gets another of the old
                self._changed.wait_for(lambda: not self._stale or self._out == 0)
            if self._closed:
                raise StoreClosedError(f"Store '{self._path.stem}' is closed. Open it again.")
            if self._connection is None or (self._stale and not mine):
                self._disconnect()
                fold_log(self._path)
                # Where that failed, the next try comes after as much again.
                self._fold_at_bytes = _measure_log(self._path) + self._log_limit_bytes
                self._connection = _connect(self._path)
                self._stale = False
            cursor = self._connection.cursor()
            self._held.count = mine + 1
            self._out += 1
            return cursor

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()
        self._connection = None


def fold_log(path: Path) -> bool:
    """
    Take the log of a closed file into it, or finish what a killed process began; False, with a warning, when it cannot.

    At any moment either the file with its log, or the finished copy, is on the disk, and the next call finds out which.
    `StoreWriteError` when only the last step failed: then the file must not be opened before it is done.
    """
    log, work, folded = (path.with_name(path.name + ending) for ending in (".wal", ".new", ".folded"))
    try:
        if folded.exists():
            _finish_fold(path, work, folded)
        _remove(work)
        if not log.exists():
            return True
        _copy_whole(path, work)
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
            _remove(work)
        return False
    return True


def _copy_whole(path: Path, work: Path) -> None:
    """
    Write all that a closed file and its log hold into a new file; both stay untouched.

    Copied row by row, not block by block: every session that appends leaves small pieces, which nothing else joins.
    """
    connection = duckdb.connect(config=_CONFIG)
    try:
        _load_spatial(connection)
        for name, file, mode in (("old", path, " (READ_ONLY)"), ("new", work, "")):
            quoted = str(file).replace("'", "''")
            connection.execute(f"ATTACH '{quoted}' AS \"{name}\"{mode}")
        connection.execute('COPY FROM DATABASE "old" TO "new"')
        connection.execute('CHECKPOINT "new"')
    finally:
        connection.close()
    if work.with_name(work.name + ".wal").exists():
        raise OSError("the copy was not finished")


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


def first_line(error: BaseException) -> str:
    """The first line of an error without its stop: DuckDB's go on with a trace of its own."""
    return str(error).partition("\n")[0].rstrip(". ")


def _connect(path: Path, *, only_look: bool = False) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), read_only=only_look, config=_CONFIG)
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise StoreInUseError(
                f"Store '{path.stem}' is in use by another program: {first_line(error)}. Close that program."
            ) from error
        if "version number" in str(error):
            raise StoreVersionError(
                f"Store '{path.stem}' was written by a newer database: {first_line(error)}. Update Shapan."
            ) from error
        raise _to_bad_file(path, first_line(error)) from error
    if only_look:
        return connection
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    _load_spatial(connection)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def _load_spatial(connection: duckdb.DuckDBPyConnection) -> None:
    extension = next((Path(duckdb_extension_spatial.__path__[0]) / "extensions").rglob("spatial.duckdb_extension"))
    connection.load_extension(str(extension))


def prepare_file(path: Path, migrations: Sequence[Migration], clock: Callable[[], datetime]) -> None:
    """Make `path` a store of today's schema, or raise and leave it as it was."""
    log, work = path.with_name(path.name + ".wal"), path.with_name(path.name + ".new")
    if path.exists():
        _check_head(path)
        fold_log(path)
    elif log.exists():
        raise _to_bad_file(log, "the log of a store is there without the store")
    else:
        _remove(work)
    version = _check_file(path) if path.exists() else 0
    if version > len(migrations):
        raise StoreVersionError(
            f"Store '{path.stem}' has schema version {version}, this program knows versions up to {len(migrations)}. "
            "Update Shapan, or work on another store with --store NAME."
        )
    pending = find_pending(migrations, version)
    if not pending:
        return
    aside = None
    try:
        if version:
            if log.exists():
                raise OSError("its log cannot be folded into it")
            aside = copy_aside(path, version=version, now=clock().astimezone(UTC))
            copy_durably(path, work)
        _migrate(work, pending, clock)
        put_in_place(work, path)
    except (OSError, duckdb.Error) as error:
        _remove(work, *([aside] if aside else []))
        raise StoreMigrationError(
            f"Store '{path.stem}' could not be brought from schema version {version} to {len(migrations)}: "
            f"{first_line(error)}. It is as it was. Make sure that there is free space in {path.parent}; if there is, "
            "go back to the program that wrote it and report this sentence."
        ) from error


def _check_head(path: Path) -> None:
    """Raise when a file cannot be a database, before DuckDB sees it."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADERS_SIZE_BYTES)
    except OSError as error:
        raise _to_bad_file(path, str(error.strerror)) from error
    if head[_MAGIC_OFFSET_BYTES : _MAGIC_OFFSET_BYTES + len(_MAGIC)] != _MAGIC:
        raise _to_bad_file(path, "it is not a DuckDB file" if head else "it is empty")


def _check_file(path: Path) -> int:
    """Schema version of a file that is a whole store; it is not changed."""
    connection = _connect(path, only_look=True)
    try:
        _check_length(connection, path)
        row = connection.execute("SELECT max(version) FROM schema_migrations").fetchone()
    except duckdb.CatalogException as error:
        raise _to_bad_file(path, "it is a DuckDB file, but not one of Shapan") from error
    except duckdb.Error as error:
        raise _to_bad_file(path, first_line(error)) from error
    finally:
        connection.close()
    return int(row[0]) if row and row[0] else 0


def _check_length(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """
    Raise when blocks that are in use lie behind the file's end: DuckDB itself would fail at the first query for them.

    Free blocks at the end are cut off by DuckDB, so the number of all blocks says nothing. While there is a log, what
    counts as in use is not all in the file yet.
    """
    log = path.with_name(path.name + ".wal")
    size = connection.execute("SELECT block_size, used_blocks FROM pragma_database_size()").fetchone()
    if size is None or (log.exists() and log.stat().st_size):
        return
    needed = [size[1]]
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        row = connection.execute(
            "SELECT max(greatest(block_id, coalesce(list_max(additional_block_ids), 0))) + 1 "
            f"FROM pragma_storage_info('{table}') WHERE persistent"
        ).fetchone()
        needed.append(row[0] if row and row[0] else 0)
    expected = _HEADERS_SIZE_BYTES + size[0] * max(needed)
    if path.stat().st_size < expected:
        raise _to_bad_file(path, f"it ends after {path.stat().st_size} of at least {expected} bytes")


def _migrate(work: Path, pending: Sequence[Migration], clock: Callable[[], datetime]) -> None:
    """Run migrations on a file that is nobody's store yet."""
    connection = _connect(work)
    try:
        for migration in pending:
            try:
                connection.execute("BEGIN")
                connection.execute(migration.sql)
                now = clock().astimezone(UTC).replace(tzinfo=None)
                connection.execute(
                    "INSERT INTO schema_migrations VALUES (?, ?, ?)", [migration.version, migration.name, now]
                )
                connection.execute("COMMIT")
            except duckdb.Error as error:
                raise OSError(f"{migration.name}: {first_line(error)}") from error
        connection.execute("CHECKPOINT")
    finally:
        connection.close()


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".wal").unlink(missing_ok=True)


def _to_bad_file(path: Path, reason: str) -> BadFileError:
    return BadFileError(
        f"{path} cannot be used as a store: {reason}. "
        "Put a copy of the store in its place, or move it away and make a new one."
    )

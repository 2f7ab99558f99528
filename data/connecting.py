"""
One connection to one database file, plain or encrypted: the only place where DuckDB is told how to behave.

The file is attached to an instance of its own, because DuckDB takes a key only that way. It is the connection's current
catalog, so that everybody else writes `SELECT … FROM units` and knows nothing of it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

from data.backup_files import FOLDER, find_backups
from data.keys import StoreKey, build_key_missing, build_key_wrong
from gis.errors import BadFileError, StoreInUseError, StoreKeyError, StoreVersionError

CATALOG = "store"
DatabaseError = duckdb.Error
# After these DuckDB answers nothing until the file is opened anew.
BROKEN = (duckdb.FatalException, duckdb.InternalException)
# Three headers of 4 KiB stand before the blocks; the first says DUCK behind its checksum (DuckDB's storage format).
HEADERS_SIZE_BYTES = 3 * 4096
_MAGIC = b"DUCK"
_MAGIC_OFFSET_BYTES = 8
# Behind the version: flags, of which the lowest bit says that all else is encrypted.
_FLAGS_OFFSET_BYTES = 20
_SEAL = "Computed AES tag differs from read AES tag, are you using the right key?"
# Never look for an extension on the internet: DuckDB would, for a file that looks like SQLite's. Checking the signature
# of the 80 MB that pip has checked takes 0.3 s at each opening, and whoever can change that file can change this one.
# A name in SQL is never a variable of Python's. A question is answered on the thread that asks, many at once on many:
# DuckDB's own threads cost each small one as much as itself (docs/decisions/2026-11-29-one-thread-a-question.md).
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_unsigned_extensions": True,
    "checkpoint_threshold": "1TB",
    "threads": 1,
    "python_enable_replacements": False,
}


def connect(path: Path, key: StoreKey | None, *, only_look: bool = False) -> duckdb.DuckDBPyConnection:
    """
    The file at `path`, made when it is missing, as the current catalog of a connection; never checkpointed by itself.

    Cursors of it have no current catalog: see `use`.

    Raises
    ------
    StoreInUseError, StoreVersionError, StoreKeyError, BadFileError
        Another program has it; it is newer; the key is missing or wrong; it is damaged.
    """
    connection = _start(path, key)
    try:
        _attach(connection, CATALOG, path, key, only_look=only_look)
        use(connection)
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET GLOBAL enable_external_access = false")  # from here on SQL reaches no file and no host
    except BaseException:
        connection.close()
        raise
    return connection


def use(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the store's file the catalog of a cursor."""
    connection.execute(f"USE {CATALOG}")


def fetch_first(connection: duckdb.DuckDBPyConnection) -> tuple[Any, ...] | None:
    """
    First row of what was asked, all of which is fetched: a result that is not read to its end is a transaction that
    stays open. As long as it is, DuckDB keeps every older version of every row, and 256 KiB more with each commit.
    """
    rows = connection.fetchall()
    return rows[0] if rows else None


def copy_whole(path: Path, work: Path, *, key: StoreKey | None, new_key: StoreKey | None) -> None:
    """
    Write all that a closed file and its log hold into a new file, under `new_key`; both stay untouched.

    Copied row by row, not block by block: every session that appends leaves small pieces, which nothing else joins.
    """
    connection = _start(work, key or new_key)
    try:
        _attach(connection, "old", path, key, only_look=True)
        _attach(connection, "new", work, new_key)
        connection.execute('COPY FROM DATABASE "old" TO "new"')
        connection.execute('CHECKPOINT "new"')
    finally:
        connection.close()
    if work.with_name(work.name + ".wal").exists():
        raise OSError("the copy was not finished")


def digest_tables(path: Path, key: StoreKey | None) -> dict[str, tuple[int, str]]:
    """Number of rows of each table of a closed file, and a digest of them in which their order does not count."""
    connection = connect(path, key, only_look=True)
    try:
        return {table: _digest_table(connection, table) for table in list_tables(connection)}
    finally:
        connection.close()


def list_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the store's tables."""
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY 1", [CATALOG])
    return [name for (name,) in rows.fetchall()]


def _digest_table(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, str]:
    columns = connection.execute(f'DESCRIBE "{table}"').fetchall()
    shown = [f'ST_AsHEXWKB("{c}")' if kind.startswith("GEOMETRY") else f'"{c}"' for c, kind, *_ in columns]
    # Sums of the rows' digests: equal for equal rows in any order, and a row that is there twice counts twice.
    connection.execute(
        "SELECT count(*), coalesce(sum(md5_number_lower(line)), 0), coalesce(sum(md5_number_upper(line)), 0) "
        f'FROM (SELECT CAST(ROW({", ".join(shown)}) AS VARCHAR) AS line FROM "{table}")'
    )
    row = fetch_first(connection)
    assert row is not None  # noqa: S101 - an aggregate has one row
    return int(row[0]), f"{int(row[1]):x}-{int(row[2]):x}"


def check_head(path: Path) -> None:
    """Raise when a file cannot be a database, before DuckDB sees it."""
    try:
        with path.open("rb") as file:
            head = file.read(HEADERS_SIZE_BYTES)
    except OSError as error:
        raise to_bad_file(path, str(error.strerror)) from error
    if head[_MAGIC_OFFSET_BYTES : _MAGIC_OFFSET_BYTES + len(_MAGIC)] != _MAGIC:
        raise to_bad_file(path, "it is not a DuckDB file" if head else "it is empty")


def is_encrypted(path: Path) -> bool:
    """Whether a database file is encrypted; false for one that is missing or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_FLAGS_OFFSET_BYTES + 1)
    except OSError:
        return False
    return len(head) > _FLAGS_OFFSET_BYTES and bool(head[_FLAGS_OFFSET_BYTES] & 1)


def is_damage(error: duckdb.Error) -> bool:
    """Whether DuckDB says that bytes of the file are not as they were written."""
    return any(word in str(error) for word in ("Corrupt database file", "AES tag", "Could not read enough bytes"))


def first_line(error: BaseException) -> str:
    """The first line of an error without its stop: DuckDB's go on with a trace, or with the SQL, of its own."""
    line = str(error).partition("\n")[0].rstrip(". ")
    # The key is right, or the file's head would not have opened: DuckDB's question for it leads astray.
    return line.replace(_SEAL, "an encrypted part does not match its seal (AES tag)")


def to_bad_file(path: Path, reason: str) -> BadFileError:
    """What is said of a file that is no store, or a damaged one; names the newest backup beside it."""
    newest = next(iter(find_backups(path.parent / FOLDER, path.stem)), None)
    way_out = (
        "Put a copy of the store in its place, or move it away and make a new one."
        if newest is None
        else f"Restore the newest backup, what is there is set aside: shapan restore {newest} --store {path.stem}"
    )
    return BadFileError(f"{path} cannot be used as a store: {reason}. {way_out}")


def to_bad_log(path: Path, reason: str) -> BadFileError:
    """What is said of a store whose log is damaged."""
    log = path.with_name(path.name + ".wal")
    return to_bad_file(
        path,
        f"its log is damaged, {reason}. Without the log it is as it was when the log was last taken into it: "
        f"move {log} to another place to go on from there",
    )


def _start(path: Path, key: StoreKey | None) -> duckdb.DuckDBPyConnection:
    """An instance of its own, with what reads and writes our files."""
    # What does not fit into memory goes beside the file, and is as unreadable as the file is.
    config = {**_CONFIG, "temp_directory": f"{path}.tmp", "temp_file_encryption": key is not None}
    connection = duckdb.connect(config=config)
    try:
        # Under `python -c` DuckDB takes a person for present, and draws a bar on standard output after two seconds.
        connection.execute("SET enable_progress_bar = false")
        _load(connection, "spatial")
        if key is not None:
            _load(connection, "httpfs")  # its OpenSSL: DuckDB's own cipher only reads
    except BaseException:
        connection.close()
        raise
    return connection


def _load(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    folder = Path(import_module(f"duckdb_extension_{name}").__path__[0]) / "extensions"
    connection.load_extension(str(next(folder.rglob(f"{name}.duckdb_extension"))))


def _attach(
    connection: duckdb.DuckDBPyConnection, catalog: str, path: Path, key: StoreKey | None, *, only_look: bool = False
) -> None:
    quoted = str(path).replace("'", "''")
    options = ["READ_ONLY"] if only_look else ["READ_WRITE"]
    if key is not None:
        options.append(f"ENCRYPTION_KEY '{key.for_database}'")
    try:
        connection.execute(f"ATTACH '{quoted}' AS \"{catalog}\" ({', '.join(options)})")
    except duckdb.Error as error:
        # Not as its cause: what DuckDB says further on may quote the statement, and the key with it.
        raise _to_error(path, first_line(error)) from None


def _to_error(path: Path, said: str) -> BadFileError | StoreInUseError | StoreVersionError | StoreKeyError:
    if "Could not set lock" in said:
        return StoreInUseError(f"Store '{path.stem}' is in use by another program: {said}. Close that program.")
    if "version number" in said:
        return StoreVersionError(f"Store '{path.stem}' was written by a newer database: {said}. Update Shapan.")
    if "without a key" in said:
        return build_key_missing(path.stem)
    if "Wrong encryption key" in said:
        return build_key_wrong(path.stem)
    if "replaying WAL" in said:
        return to_bad_log(path, said.rpartition("WAL file: ")[2].partition(" computed")[0])
    return to_bad_file(path, said)

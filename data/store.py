"""
The store: one DuckDB file of one community, owned by one process, written by one thread.

Reads take a cursor each, so that any number of threads may read. Writes are functions given to `write`; a single
thread runs them, and an answer is given only after the commit. Why it is so: docs/decisions/2026-11-23-store.md.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from geopandas.array import GeometryArray
from pyproj import CRS

from data.changes import ChangeLog, Touched
from data.connecting import BROKEN, fetch_first, first_line, is_damage, to_bad_file
from data.database import LOG_LIMIT_BYTES, Database, open_file, to_write_error
from data.keys import StoreKey
from data.locking import OwnerLock
from data.migrating import find_migrations
from data.transaction import Parameters, Transaction
from data.writing import Work, Writer
from gis.errors import StoreMissingError

__all__ = ["Clock", "Listener", "Parameters", "Store", "Transaction", "utc_now"]

T = TypeVar("T")
Clock = Callable[[], datetime]
Listener = Callable[[Mapping[str, int]], None]
_COLUMNS = """
SELECT table_name, column_name, coalesce(comment LIKE '[person]%', false) FROM duckdb_columns()
WHERE NOT internal ORDER BY table_name, column_index
"""
_KEYS = """
SELECT table_name, constraint_column_names[1] FROM duckdb_constraints()
WHERE constraint_type = 'PRIMARY KEY' AND len(constraint_column_names) = 1
"""
_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The real clock; everything that needs the time takes a clock as an argument."""
    return datetime.now(UTC)


class Store:
    """
    Open with `Store(path)` or `Store.open_existing(path)`, close with `close()` or a `with` block.

    Parameters
    ----------
    path
        The file; made when it is missing.
    clock
        Gives aware times: of revisions, of migrations, and of "in use since".
    migrations
        Folders of migrations; none: the product's.
    key
        Opens an encrypted file, and encrypts a new one; a plain file stays plain.
    log_limit_bytes
        The log is folded into the file when it is longer, which holds everybody up for a moment.

    Raises
    ------
    StoreInUseError, StoreVersionError, StoreMigrationError, StoreKeyError, BadFileError
        The file is in use, newer than this program, cannot be migrated, is encrypted with another key, or is no
        store. It is as it was.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock = utc_now,
        migrations: Sequence[Traversable] = (),
        key: StoreKey | None = None,
        log_limit_bytes: int = LOG_LIMIT_BYTES,
    ) -> None:
        self.path = path.resolve()
        self._clock = clock
        self._listeners: list[Listener] = []
        self._crs: tuple[int, tuple[str | None, CRS | None]] | None = None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = OwnerLock(self.path, now=clock())
        try:
            self._key, connection = open_file(self.path, find_migrations(*migrations), clock, key)
            self._database = Database(self.path, connection, key=self._key, log_limit_bytes=log_limit_bytes)
            with self._database.cursor() as cursor:
                columns = cursor.execute(_COLUMNS).fetchall()
                self.keys: Mapping[str, str] = dict(cursor.execute(_KEYS).fetchall())
                revisions = cursor.execute("SELECT table_name, revision, changed_utc FROM revisions").fetchall()
        except BaseException:
            self._lock.release()
            raise
        self._revisions = {table: revision for table, revision, _ in revisions}
        self._written_utc = max((at for *_, at in revisions), default=None)
        self.tables = frozenset(table for table, *_ in columns)
        self.person_columns: Mapping[str, tuple[str, ...]] = {
            table: tuple(c for t, c, person in columns if t == table and person)
            for table in sorted({table for table, _, person in columns if person})
        }
        self._log = ChangeLog(max(self._revisions.values(), default=0))
        self._settled = threading.Lock()  # held while a commit's rows are there and its revisions are not
        self._writer = Writer(self._commit, name=self.path.stem)

    @classmethod
    def open_existing(cls, path: Path, *, clock: Clock = utc_now, key: StoreKey | None = None) -> Store:
        """As `Store(path)`, for a store that must be there; `StoreMissingError` names the commands that make one."""
        if not path.exists():
            raise StoreMissingError(
                f"There is no store '{path.stem}' in {path.parent}. Make the sample with 'shapan demo --store "
                f"{path.stem}', or bring a place in with 'shapan import FOLDER --store {path.stem}'."
            )
        return cls(path, clock=clock, key=key)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what waits to be written, then let the file go. A second time it does nothing."""
        self._writer.check_not_inside("close")
        self._writer.close()
        self._database.close()
        self._lock.release()

    def read(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """Rows of a query. Geometry must be selected as `ST_AsWKB(geom) AS geom`; `BadFileError` for a damaged file."""
        return self._ask(lambda cursor: cursor.execute(sql, parameters).df())

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """As `read`, as plain tuples: a frame costs more than the query where a handful of rows is asked for."""
        return self._ask(lambda cursor: cursor.execute(sql, parameters).fetchall())

    def columns(self, sql: str, parameters: Parameters = ()) -> dict[str, list[Any]]:
        """As `rows`, by the name of the column."""

        def ask(cursor: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
            rows = cursor.execute(sql, parameters).fetchall()
            names = [column[0] for column in cursor.description]
            return {name: [row[n] for row in rows] for n, name in enumerate(names)}

        return self._ask(ask)

    def _ask(self, question: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        try:
            try:
                with self._database.cursor() as cursor:
                    return question(cursor)
            except BROKEN:
                # Another operation broke the database under this one, or this query did: that shows on the fresh one.
                with self._database.cursor() as cursor:
                    return question(cursor)
        except duckdb.Error as error:
            if is_damage(error):  # blocks are looked at when they are first read
                raise to_bad_file(self.path, first_line(error)) from error
            raise

    def read_first(self, sql: str, parameters: Parameters = ()) -> dict[str, Any]:
        """First row of a small query by its columns, missing values None; empty where there is no row."""

        def ask(cursor: duckdb.DuckDBPyConnection) -> dict[str, Any]:
            row = fetch_first(cursor.execute(sql, parameters))
            return {} if row is None else dict(zip((column[0] for column in cursor.description), row, strict=True))

        return self._ask(ask)

    def read_settled(self, sql: str, parameters: Parameters = ()) -> tuple[dict[str, Any], Mapping[str, int]]:
        """Columns of a query and the revisions that they are of; no commit falls between. It must be a quick one."""
        with self._database.cursor() as cursor, self._settled:
            return cursor.execute(sql, parameters).fetchnumpy(), self._revisions

    def find_changed(self, table: str, since: int) -> frozenset[str] | None:
        """Keys of the rows of `table` that were written to after revision `since`; None: it may have been any row."""
        return frozenset() if self.revision(table) <= since else self._log.find(table, since)

    def read_geo(self, sql: str, parameters: Parameters = (), *, geometry: str = "geom") -> gpd.GeoDataFrame:
        """As `read`, with the WKB column `geometry` as geometry in the community's CRS."""
        return self.to_geo(self.read(sql, parameters), geometry)

    def to_geo(self, frame: pd.DataFrame, geometry: str = "geom") -> gpd.GeoDataFrame:
        """`frame` with its WKB column `geometry` as geometry in the community's CRS."""
        blobs = np.array(
            [None if blob is None or blob is pd.NA else bytes(blob) for blob in frame[geometry]], dtype=object
        )
        shapes = GeometryArray(shapely.from_wkb(blobs), crs=self._find_crs()[1])
        return gpd.GeoDataFrame(frame.assign(**{geometry: shapes}), geometry=geometry)

    @property
    def is_encrypted(self) -> bool:
        """Whether the file on the disk is encrypted."""
        return self._key is not None

    def crs(self) -> str | None:
        """CRS of the community, None while the file holds none."""
        return self._find_crs()[0]

    def _find_crs(self) -> tuple[str | None, CRS | None]:
        """As written and as an object; asked anew only after the community was written, because every query asks."""
        revision, known = self._revisions.get("community", 0), self._crs
        if known is None or known[0] != revision:
            rows = self.read("SELECT crs FROM community")
            text = None if rows.empty else str(rows["crs"].iloc[0])
            known = self._crs = (revision, (text, None if text is None else CRS.from_user_input(text)))
        return known[1]

    def revision(self, *tables: str) -> int:
        """Highest revision of `tables` (none named: of the whole file); 0 when never written."""
        if unknown := set(tables) - self.tables:
            raise ValueError(f"There is no table {sorted(unknown)}: expected some of {', '.join(sorted(self.tables))}.")
        revisions = self._revisions
        return max((revisions.get(table, 0) for table in tables or revisions), default=0)

    def find_written(self, since: int) -> frozenset[str]:
        """Tables that were written to after revision `since`."""
        return frozenset(table for table, revision in self._revisions.items() if revision > since)

    def find_written_utc(self) -> datetime | None:
        """When a table was written to last, aware; None when never."""
        return None if self._written_utc is None else self._written_utc.replace(tzinfo=UTC)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """
        Tell `listener` the new revision of each changed table after every commit; returns what ends that.

        It is called on the writer thread before the write is answered: it must be quick, and may read but not write.
        """
        self._listeners = [*self._listeners, listener]

        def unsubscribe() -> None:
            self._listeners = [other for other in self._listeners if other is not listener]

        return unsubscribe

    def time_writes(self, listener: Callable[[float], None]) -> None:
        """Tell `listener` the seconds from asking for a write to its commit or failure; called on any thread."""
        self._writer.on_write = listener

    def write(self, work: Callable[[Transaction], T], *, repeatable: bool = False) -> T:
        """
        Run `work` in a transaction on the writer thread; returns after the commit, raises after the rollback.

        Parameters
        ----------
        work
            What to do; its result is returned.
        repeatable
            `work` may be run a second time after its first run was rolled back (it consumes no iterator and does
            nothing outside the transaction). Then writes that wait share one commit.

        Raises
        ------
        StoreWriteError
            The disk refused; nothing was written.
        BadRecordError
            A key is there twice or a value is missing; nothing was written.
        StoreClosedError, RefusedError
            The store is closed; or `write` was called inside a write.
        """
        return self._writer.write(work, repeatable=repeatable)

    def copy_files(self, target: Path, *, beside: Mapping[Path, Path]) -> StoreKey | None:
        """
        Copy the file with its log, and small files that belong to it, all of one moment between two writes.

        Returns the key that opens the copy. Who writes waits meanwhile, who reads does not.

        Parameters
        ----------
        target
            Where the file goes; its log goes beside it.
        beside
            Other files, if they exist: from where to where. They are copied first.
        """

        def copy(_: Transaction) -> None:
            for source, copied in beside.items():
                if source.exists():
                    shutil.copyfile(source, copied)
            self._database.copy_files(target)

        self.write(copy)
        return self._key

    def export_tables(self) -> dict[str, pd.DataFrame]:
        """Content of all tables at one moment, rows by primary key, geometry as WKB in hexadecimal: for comparing."""
        with self._database.cursor() as cursor:
            cursor.execute("BEGIN")
            content = {}
            for table in sorted(self.tables):
                columns = cursor.execute(f"DESCRIBE {table}").fetchall()
                shown = [
                    f'hex(ST_AsWKB("{c}")) AS "{c}"' if kind.startswith("GEOMETRY") else f'"{c}"'
                    for c, kind, *_ in columns
                ]
                keys = [f'{table}."{c}"' for c, _, _, key, *_ in columns if key == "PRI"]
                content[table] = cursor.execute(
                    f"SELECT {', '.join(shown)} FROM {table} ORDER BY {', '.join(keys)}"
                ).df()
            cursor.execute("ROLLBACK")
            return content

    def _commit(self, works: Sequence[Work]) -> list[object]:
        try:
            with self._database.cursor() as cursor:
                transaction = Transaction(cursor, self.tables, self.keys)
                cursor.execute("BEGIN")
                try:
                    results = [work(transaction) for work in works]
                    touched = transaction.touched.to_dict()
                    now = self._clock().astimezone(UTC).replace(tzinfo=None)
                    changed = self._bump(cursor, touched, now)
                    with self._settled:
                        cursor.execute("COMMIT")
                        self._log.note(max(changed.values(), default=0), touched)
                        self._revisions = {**self._revisions, **changed}
                        if changed:
                            self._written_utc = now
                except BaseException:
                    with suppress(duckdb.Error):  # DuckDB may have rolled back by itself, or be broken
                        cursor.execute("ROLLBACK")
                    raise
        except duckdb.Error as error:
            raise to_write_error(error, self.path.stem, self.path.parent) or error from error
        self._database.check_log()
        if changed:
            self._tell(changed)
        return results

    def _bump(self, cursor: duckdb.DuckDBPyConnection, touched: Touched, now: datetime) -> dict[str, int]:
        """One more than any revision of the file, whatever the clock says, for each touched table."""
        revision = max(self._revisions.values(), default=0) + 1
        known = sorted(touched.keys() & self._revisions.keys())
        if known:  # one statement takes a third of the time of one for each, and changing half of replacing a row
            marks = ", ".join("?" * len(known))  # half the time of a list
            cursor.execute(
                f"UPDATE revisions SET revision = ?, changed_utc = ? WHERE table_name IN ({marks})",
                [revision, now, *known],
            )
        for table in sorted(touched.keys() - self._revisions.keys()):
            cursor.execute("INSERT INTO revisions VALUES (?, ?, ?)", [table, revision, now])
        return dict.fromkeys(touched, revision)

    def _tell(self, changed: Mapping[str, int]) -> None:
        for listener in self._listeners:
            try:
                listener(changed)
            except Exception:  # noqa: BLE001 - the rows are committed: this must not look like the write's failure
                _log.exception("A listener of store '%s' failed.", self.path.stem)

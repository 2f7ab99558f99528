"""
The store: one DuckDB file of one community, owned by one process, written by one thread.

Reads take a `cursor()` each, so that any number of threads may read. Writes are functions given to `write`; a single
thread runs them, and an answer is given only after the commit.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import duckdb
import duckdb_extension_spatial
import geopandas as gpd
import pandas as pd

T = TypeVar("T")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real clock; everything that needs the time takes a clock as an argument."""
    return datetime.now(UTC)


class Transaction:
    """One open transaction on the writer thread. Tables that it changes get a new revision at commit."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.touched: set[str] = set()

    def fetch(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> pd.DataFrame:
        """Rows of a query inside the transaction."""
        return self._connection.execute(sql, parameters).df()

    def execute(self, table: str, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> None:
        """Run a statement that changes `table`."""
        self._connection.execute(sql, parameters)
        self.touched.add(table)

    def append(self, table: str, frame: pd.DataFrame | gpd.GeoDataFrame) -> None:
        """Insert every row of `frame`; columns by name, absent ones null, a geometry column as geometry."""
        plain = pd.DataFrame(frame).copy()
        expressions = []
        for name in plain.columns:
            if isinstance(frame, gpd.GeoDataFrame) and name in frame.select_dtypes("geometry").columns:
                plain[name] = frame[name].to_wkb()
                expressions.append(f'ST_GeomFromWKB("{name}") AS "{name}"')
            else:
                expressions.append(f'"{name}"')
        self._connection.register("_appended", plain)
        self._connection.execute(f"INSERT INTO {table} BY NAME SELECT {', '.join(expressions)} FROM _appended")
        self._connection.unregister("_appended")
        self.touched.add(table)


class Store:
    """Open with `Store(path)`, close with `close()` or a `with` block."""

    def __init__(self, path: Path, *, clock: Clock = utc_now) -> None:
        self.path = path
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(str(path))
        extension = next((Path(duckdb_extension_spatial.__path__[0]) / "extensions").rglob("spatial.duckdb_extension"))
        self._connection.load_extension(str(extension))
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._migrate()
        self.person_columns = self._find_person_columns()
        self._work: queue.Queue[tuple[Callable[[Transaction], object], Future[object]] | None] = queue.Queue()
        self._writer = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._writer.start()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish what waits to be written, then let the file go."""
        self._work.put(None)
        self._writer.join()
        self._connection.close()

    def read(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> pd.DataFrame:
        """Rows of a query. Geometry must be selected as `ST_AsWKB(geom) AS geom`."""
        cursor = self._connection.cursor()
        try:
            return cursor.execute(sql, parameters).df()
        finally:
            cursor.close()

    def read_geo(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = (), *, geometry: str = "geom"
    ) -> gpd.GeoDataFrame:
        """As `read`, with the WKB column `geometry` as geometry in the community's CRS."""
        frame = self.read(sql, parameters)
        shapes = gpd.GeoSeries.from_wkb([None if b is None else bytes(b) for b in frame[geometry]], crs=self.crs())
        return gpd.GeoDataFrame(frame.drop(columns=geometry), geometry=shapes).rename_geometry(geometry)

    def crs(self) -> str | None:
        """CRS of the community, None while the file holds none."""
        rows = self.read("SELECT crs FROM community")
        return None if rows.empty else str(rows["crs"].iloc[0])

    def revision(self, *tables: str) -> int:
        """Highest revision of `tables` (none named: of the whole file); 0 when never written."""
        if not tables:
            rows = self.read("SELECT coalesce(max(revision), 0) AS r FROM revisions")
        else:
            marks = ", ".join("?" for _ in tables)
            rows = self.read(
                f"SELECT coalesce(max(revision), 0) AS r FROM revisions WHERE table_name IN ({marks})", list(tables)
            )
        return int(rows["r"].iloc[0])

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction on the writer thread; returns after the commit, raises after the rollback."""
        future: Future[object] = Future()
        self._work.put((work, future))
        return future.result()  # type: ignore[return-value]

    def _write_forever(self) -> None:
        connection = self._connection.cursor()
        while (item := self._work.get()) is not None:
            work, future = item
            transaction = Transaction(connection)
            try:
                connection.execute("BEGIN")
                result = work(transaction)
                self._bump(connection, transaction.touched)
                connection.execute("COMMIT")
            except BaseException as error:  # noqa: BLE001 - handed to the caller, the writer lives on
                connection.execute("ROLLBACK")
                future.set_exception(error)
            else:
                future.set_result(result)
        connection.close()

    def _bump(self, connection: duckdb.DuckDBPyConnection, touched: set[str]) -> None:
        if not touched:
            return
        row = connection.execute("SELECT coalesce(max(revision), 0) + 1 FROM revisions").fetchone()
        now = self._clock().astimezone(UTC).replace(tzinfo=None)
        for table in sorted(touched):
            connection.execute("INSERT OR REPLACE INTO revisions VALUES (?, ?, ?)", [table, row and row[0], now])

    def _find_person_columns(self) -> Mapping[str, tuple[str, ...]]:
        rows = self._connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE comment LIKE '[person]%' "
            "ORDER BY table_name, column_index"
        ).fetchall()
        return {table: tuple(c for t, c in rows if t == table) for table in sorted({t for t, _ in rows})}

    def _migrate(self) -> None:
        tables = self._connection.execute("SELECT table_name FROM duckdb_tables()").df()["table_name"].tolist()
        done = (
            set(self._connection.execute("SELECT version FROM schema_migrations").df()["version"])
            if "schema_migrations" in tables
            else set()
        )
        for file in sorted(files("data.migrations").iterdir(), key=lambda f: f.name):
            if not file.name.endswith(".sql") or int(file.name[:4]) in done:
                continue
            self._connection.execute("BEGIN")
            self._connection.execute(file.read_text(encoding="utf-8"))
            self._connection.execute(
                "INSERT INTO schema_migrations VALUES (?, ?, ?)",
                [int(file.name[:4]), file.name, self._clock().astimezone(UTC).replace(tzinfo=None)],
            )
            self._connection.execute("COMMIT")

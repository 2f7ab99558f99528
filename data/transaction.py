"""One open transaction, on the writer's thread: what a write may do, and which rows it touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import geopandas as gpd
import pandas as pd
from pyproj import CRS

from data.changes import MOST_KEYS, TouchedRows, may_return_keys
from data.connecting import fetch_first
from gis.errors import CrsMismatchError

Parameters = Sequence[object] | Mapping[str, object]


class Transaction:
    """One open transaction on the writer thread. Tables that it changes get a new revision at commit."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: frozenset[str], keys: Mapping[str, str]) -> None:
        self._connection = connection
        self._tables = tables
        self._keys = keys
        self.touched = TouchedRows()

    def fetch(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """Rows of a query inside the transaction."""
        return self._connection.execute(sql, parameters).df()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """As `fetch`, as plain tuples: a frame costs more than the query where a handful of rows is asked for."""
        return self._connection.execute(sql, parameters).fetchall()

    def first(self, sql: str, parameters: Parameters = ()) -> dict[str, Any]:
        """First row of a query by its columns, missing values None; empty where there is no row."""
        cursor = self._connection.execute(sql, parameters)
        row = fetch_first(cursor)
        return {} if row is None else dict(zip((column[0] for column in cursor.description), row, strict=True))

    def execute(self, table: str, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement that changes `table`."""
        self._check_table(table)
        key = self._keys.get(table)
        if key is not None and may_return_keys(sql, table, key):
            rows = self._connection.execute(f"{sql} RETURNING {key}", parameters).fetchall()
            self.touched.add(table, (str(row[0]) for row in rows))
        else:
            self._connection.execute(sql, parameters)
            self.touched.add(table, None)

    def append(self, table: str, frame: pd.DataFrame | gpd.GeoDataFrame) -> None:
        """
        Insert every row of `frame`; columns by name, absent ones null, geometry columns as geometry.

        Raises
        ------
        CrsMismatchError
            The frame says another coordinate system than the community's.
        """
        self._check_table(table)
        key = self._keys.get(table)
        is_known = key in frame.columns and len(frame) <= MOST_KEYS
        self.touched.add(table, map(str, frame[key]) if is_known else None)
        plain = pd.DataFrame(frame).copy()
        shapes = set(frame.select_dtypes("geometry").columns) if isinstance(frame, gpd.GeoDataFrame) else set()
        for name in shapes:
            self._check_crs(table, frame[name].crs)
            plain[name] = frame[name].to_wkb()
        # The cast is for columns of nulls alone, whose type nobody could tell.
        columns = [f'ST_GeomFromWKB("{c}"::BLOB) AS "{c}"' if c in shapes else f'"{c}"' for c in plain.columns]
        self._connection.register("_appended", plain)
        try:
            self._connection.execute(f"INSERT INTO {table} BY NAME SELECT {', '.join(columns)} FROM _appended")
        finally:
            with suppress(duckdb.Error):
                self._connection.unregister("_appended")

    def _check_table(self, table: str) -> None:
        if table not in self._tables:
            raise ValueError(
                f"There is no table '{table}' to change: expected one of {', '.join(sorted(self._tables))}."
            )

    def _check_crs(self, table: str, crs: CRS | None) -> None:
        row = fetch_first(self._connection.execute("SELECT crs FROM community"))
        if row and crs is not None and CRS.from_user_input(row[0]) != crs:
            raise CrsMismatchError(
                f"Rows for table '{table}' are in {crs.to_string()}, the store is in {row[0]}. Convert them first."
            )

"""Writing an import: only what differs, with what was there before, in one transaction; and taking it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.incoming import Incoming
from data.importing.report import ImportReport, TableCount
from data.store import Transaction

Mask = npt.NDArray[np.bool_]

KEYS: Final = {
    "community": "community_id",
    "grids": "grid_id",
    "buildings": "building_id",
    "units": "unit_id",
    "roads": "road_id",
    "gates": "gate_id",
    "walls": "wall_id",
    "land": "land_id",
    "addresses": "address_id",
    "aliases": "alias",
    "rentals": "rental_id",
    "key_sites": "site_id",
    "incident_categories": "category",
    "incidents": "incident_id",
    "occupants": "occupant_id",
    "sealed_texts": "sealed_id",
}
# Who looked at the door knows better than a file; only where a row lies among the grids follows the map.
_NOT_VERIFIED: Final = frozenset({"grid_id"})
BY_HAND: Final = frozenset({"gates", "walls"})  # drawn and taken off by hand (data/map_edits.py)
# Half a millimetre: what two PROJ versions may differ by is no change of a building.
_SAME_PLACE_M: Final = 0.0005


def read_rows(
    transaction: Transaction, table: str, where: str = "", parameters: list[object] | None = None
) -> pd.DataFrame:
    """Rows of a table inside the transaction, geometry as shapely objects."""
    columns = table_columns(transaction, table)
    chosen = ", ".join(f'ST_AsWKB("{n}") AS "{n}"' if t == "GEOMETRY" else f'"{n}"' for n, t in columns.items())
    frame = transaction.fetch(f"SELECT {chosen} FROM {table} {where}", parameters or [])
    for name, kind in columns.items():
        if kind == "GEOMETRY":
            wkb = np.array([bytes(b) if isinstance(b, bytes | bytearray) else None for b in frame[name]], dtype=object)
            frame[name] = shapely.from_wkb(wkb)
    return frame


def table_columns(transaction: Transaction, table: str) -> dict[str, str]:
    """Columns of a table and their types."""
    rows = transaction.fetch(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
    )
    kinds = ["GEOMETRY" if str(kind).startswith("GEOMETRY") else str(kind) for kind in rows["data_type"]]
    return dict(zip(rows["column_name"], kinds, strict=True))


class Merge:
    """One batch being written; nothing is touched until something differs."""

    def __init__(
        self,
        transaction: Transaction,
        batch_id: str,
        report: ImportReport,
        person_columns: Mapping[str, Collection[str]],
    ) -> None:
        self._transaction = transaction
        self._batch_id = batch_id
        self._report = report
        self._person_columns = person_columns
        self.changes = 0

    def write(self, incoming: Incoming) -> None:
        """New rows in, changed rows replaced, equal and verified rows left alone."""
        table, key = incoming.table, incoming.key
        count = self._report.tables.setdefault(table, TableCount())
        if table in BY_HAND:
            incoming = self._without_removed(incoming, count)
        ids = incoming.frame[key]
        present = self._transaction.fetch(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0]
        frame = incoming.frame
        if present:
            existing = read_rows(self._transaction, table, f"WHERE {key} IN (SELECT unnest(?))", [ids.tolist()])
            frame = self._merged(incoming, existing.set_index(key), count)
        else:
            frame = _with_defaults(frame, incoming.defaults)
            count.new += len(frame)
            self._record(table, key, frame[key].tolist(), new=True)
        self._append(table, frame)

    def _without_removed(self, incoming: Incoming, count: TableCount) -> Incoming:
        """Without what somebody took off the map by hand: a file does not bring it back."""
        sql = "SELECT feature_id FROM map_removals WHERE table_name = ?"
        removed = set(self._transaction.fetch(sql, [incoming.table])["feature_id"])
        gone = incoming.frame[incoming.key].isin(removed)
        count.kept_verified += int(gone.sum())
        if not gone.any():
            return incoming
        frame, defaults = (one[~gone].reset_index(drop=True) for one in (incoming.frame, incoming.defaults))
        return Incoming(incoming.table, incoming.key, frame, defaults)

    def record_new(self, table: str, ids: list[str]) -> None:
        """Rows that were written otherwise and go when the import is taken back."""
        if ids:
            self._report.tables.setdefault(table, TableCount()).new += len(ids)
            self._record(table, KEYS[table], ids, new=True)

    def remove(self, table: str, ids: list[str]) -> None:
        """Rows taken away because this import replaces them."""
        if ids:
            self._report.tables.setdefault(table, TableCount()).removed += len(ids)
            self._record(table, KEYS[table], ids, new=False)
            self._delete(table, KEYS[table], ids)

    def _merged(self, incoming: Incoming, existing: pd.DataFrame, count: TableCount) -> pd.DataFrame:
        """Rows to append; those that replace a row are deleted here first."""
        key = incoming.key
        known = incoming.frame[key].isin(existing.index).to_numpy()
        fresh = _with_defaults(incoming.frame[~known], incoming.defaults[~known])
        update = incoming.frame[known].reset_index(drop=True)
        before = existing.reindex(update[key]).reset_index(drop=True)
        verified = (
            before["verified_utc"].notna().to_numpy() if "verified_utc" in before else np.zeros(len(update), bool)
        )
        after = before.copy()
        changed = np.zeros(len(update), dtype=bool)
        kept = np.zeros(len(update), dtype=bool)
        persons = np.zeros(len(update), dtype=bool)
        for column in update.columns.drop(key):
            there = update[column].notna().to_numpy()
            differs = there & ~_equal(before[column], update[column])
            allowed = differs if column in _NOT_VERIFIED else differs & ~verified
            kept |= differs & ~allowed
            changed |= allowed
            if column in self._person_columns.get(incoming.table, ()):
                persons |= allowed
            if allowed.any():
                after[column] = after[column].astype(object).where(~allowed, update[column].astype(object))
        after.insert(0, key, update[key])
        replaced = after[changed].infer_objects()
        count.new += len(fresh)
        count.changed += int(changed.sum())
        count.kept_verified += int((kept & ~changed).sum())
        count.unchanged += int((~changed & ~kept).sum())
        ids = replaced[key].tolist()
        # Where no field about a person changes, none is kept; else all of the row, by which an erasure finds them.
        self._record(incoming.table, key, after[key][changed & persons].tolist(), new=False)
        self._record(incoming.table, key, after[key][changed & ~persons].tolist(), new=False, with_persons=False)
        self._record(incoming.table, key, fresh[key].tolist(), new=True)
        self._delete(incoming.table, key, ids)
        if fresh.empty:
            return replaced
        return pd.concat([replaced.astype(object), fresh.astype(object)], ignore_index=True) if len(replaced) else fresh

    def _record(self, table: str, key: str, ids: list[str], *, new: bool, with_persons: bool = True) -> None:
        if not ids:
            return
        self.changes += len(ids)
        if new:
            self._transaction.execute(
                "import_changes",
                "INSERT INTO import_changes SELECT ?, ?, unnest(?::VARCHAR[]), NULL",
                [self._batch_id, table, ids],
            )
            return
        persons = () if with_persons else self._person_columns.get(table, ())
        columns = {n: kind for n, kind in table_columns(self._transaction, table).items() if n not in persons}
        before = f"(SELECT {_json_of(columns)} FROM {table} t WHERE t.{key} = i.id)"
        self._transaction.execute(
            "import_changes",
            f"INSERT INTO import_changes SELECT ?, ?, i.id, {before} FROM (SELECT unnest(?::VARCHAR[]) AS id) i",
            [self._batch_id, table, ids],
        )

    def _delete(self, table: str, key: str, ids: list[str]) -> None:
        if ids:
            self._transaction.execute(table, f"DELETE FROM {table} WHERE {key} IN (SELECT unnest(?::VARCHAR[]))", [ids])

    def _append(self, table: str, frame: pd.DataFrame) -> None:
        if frame.empty:
            return
        columns = table_columns(self._transaction, table)
        plain = frame[[c for c in frame.columns if c in columns]].copy()
        if "batch_id" in columns:
            plain["batch_id"] = self._batch_id
        for name, kind in columns.items():
            if name in plain and kind in ("INTEGER", "BIGINT"):
                plain[name] = pd.to_numeric(plain[name]).astype("Int64")
            elif name in plain and kind == "DOUBLE":
                plain[name] = pd.to_numeric(plain[name]).astype(np.float64)
            elif name in plain and kind in ("VARCHAR", "JSON"):
                plain[name] = plain[name].astype("str")
            elif name in plain and kind == "BOOLEAN":
                plain[name] = plain[name].astype("boolean")
        geometry = next((name for name, kind in columns.items() if kind == "GEOMETRY" and name in plain), None)
        if geometry:
            self._transaction.append(table, gpd.GeoDataFrame(plain, geometry=geometry))
        else:
            self._transaction.append(table, plain)


def _with_defaults(frame: pd.DataFrame, defaults: pd.DataFrame) -> pd.DataFrame:
    """`frame` with `defaults` where it says nothing."""
    result = frame.copy()
    for column in defaults.columns:
        result[column] = result[column].fillna(defaults[column]) if column in result else defaults[column]
    return result


def _equal(before: pd.Series, after: pd.Series) -> Mask:
    """Where two columns say the same; geometries within half a millimetre."""
    if before.name == "geom" or before.name == "boundary":
        same = shapely.equals_exact(
            shapely.normalize(before.to_numpy(dtype=object)),
            shapely.normalize(after.to_numpy(dtype=object)),
            _SAME_PLACE_M,
        )
        return np.asarray(same, dtype=bool)
    if pd.api.types.is_numeric_dtype(after.dtype) and not pd.api.types.is_bool_dtype(after.dtype):
        left = pd.to_numeric(before).to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(np.isclose(left, after.to_numpy(dtype=np.float64, na_value=np.nan), rtol=1e-12, atol=0))
    if pd.api.types.is_datetime64_any_dtype(after.dtype):
        return (pd.to_datetime(before) == after).to_numpy()
    return (before.astype(object) == after.astype(object)).fillna(False).to_numpy(dtype=bool)


def _json_of(columns: dict[str, str]) -> str:
    """SQL of a whole row as JSON, geometry as WKT, which DuckDB writes to the last bit."""
    fields = ", ".join(
        f"'{name}', ST_AsText(t.\"{name}\")" if kind == "GEOMETRY" else f"'{name}', t.\"{name}\""
        for name, kind in columns.items()
    )
    return f"json_object({fields})"


def restore_rows(transaction: Transaction, batch_id: str, table: str) -> int:
    """Rows of one table as they were before a batch; returns how many."""
    key, columns = KEYS[table], table_columns(transaction, table)
    touched = transaction.fetch(
        "SELECT row_id FROM import_changes WHERE batch_id = ? AND table_name = ?", [batch_id, table]
    )["row_id"].tolist()
    chosen = ", ".join(
        f'CASE WHEN json_exists(c.before, \'$.{n}\') THEN {_from_json(n, kind)} ELSE t."{n}" END AS "{n}"'
        for n, kind in columns.items()
    )
    # A column that was not kept did not change: it is taken from the row as it stands now.
    transaction.execute(
        table,
        f"CREATE OR REPLACE TEMP TABLE _restored AS SELECT {chosen} FROM import_changes c "
        f"LEFT JOIN {table} t ON t.{key} = c.row_id "
        "WHERE c.batch_id = ? AND c.table_name = ? AND c.before IS NOT NULL",
        [batch_id, table],
    )
    transaction.execute(table, f"DELETE FROM {table} WHERE {key} IN (SELECT unnest(?::VARCHAR[]))", [touched])
    transaction.execute(table, f"INSERT INTO {table} BY NAME SELECT * FROM _restored")
    transaction.execute(table, "DROP TABLE _restored")
    return len(touched)


def _from_json(name: str, kind: str) -> str:
    """SQL of a column out of the row that was kept."""
    if kind == "GEOMETRY":
        return f"ST_GeomFromText(c.before->>'$.{name}')"
    return f"c.before->'$.{name}'" if kind == "JSON" else f"(c.before->>'$.{name}')::{kind}"


def add_event(transaction: Transaction, at: datetime, kind: str, batch_id: str, detail: str) -> None:
    """An event row; ids and figures only."""
    transaction.execute(
        "events",
        "INSERT INTO events SELECT coalesce(max(event_id), 0) + 1, ?, ?, 'import_batches', ?, ? FROM events",
        [at, kind, batch_id, detail],
    )

"""Taking an import back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import Final

import pandas as pd

from data.importing.merging import BY_HAND, KEYS, add_event, restore_rows
from data.store import Clock, Store, Transaction, utc_now
from gis.errors import RecordMissingError, RefusedError


@dataclass(frozen=True)
class UndoReport:
    """What was taken back: the import and its rows by table."""

    batch_id: str
    tables: dict[str, int]

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"batch_id": self.batch_id, "tables": self.tables}

    def to_text(self) -> str:
        """One line a table, for a terminal."""
        rows = "".join(f"  - {table}: {count:,} rows as before\n" for table, count in self.tables.items())
        return f"Import {self.batch_id} is taken back.\n{rows}"


# In the order in which they are written back: what others refer to comes first.
_ORDER: Final = tuple(KEYS)


def undo_import(store: Store, batch_id: str | None = None, *, clock: Clock = utc_now) -> UndoReport:
    """
    Restore every row that an import made or changed; None means the last import that is not undone.

    Raises
    ------
    RecordMissingError
        There is no such import, or none at all.
    RefusedError
        It is undone already, or a later import or a visit at the door has changed the same rows.
    """
    return store.write(lambda transaction: _undo(transaction, batch_id, clock))


def _undo(transaction: Transaction, batch_id: str | None, clock: Clock) -> UndoReport:
    batches = transaction.fetch("SELECT batch_id, undone_utc FROM import_batches ORDER BY batch_id")
    open_batches = batches[batches["undone_utc"].isna()]
    if batch_id is None:
        if open_batches.empty:
            raise RecordMissingError(
                "There is no import to take back: the store was never imported into, or all are undone."
            )
        batch_id = str(open_batches["batch_id"].iloc[-1])
    elif batch_id not in set(batches["batch_id"]):
        raise RecordMissingError(f"There is no import '{batch_id[:60]}'. The last one is {_last(batches)}.")
    elif batch_id not in set(open_batches["batch_id"]):
        raise RefusedError(f"Import {batch_id} is undone already.")
    _check_untouched(transaction, batch_id)
    tables = transaction.fetch("SELECT DISTINCT table_name FROM import_changes WHERE batch_id = ?", [batch_id])
    touched = set(tables["table_name"])
    counts = {table: restore_rows(transaction, batch_id, table) for table in _ORDER if table in touched}
    for table in BY_HAND & touched:  # what was taken off the map by hand stays off
        sql = f"DELETE FROM {table} WHERE {KEYS[table]} IN (SELECT feature_id FROM map_removals WHERE table_name = ?)"
        transaction.execute(table, sql, [table])
    now = clock().astimezone(UTC).replace(tzinfo=None)
    transaction.execute(
        "import_batches", "UPDATE import_batches SET undone_utc = ? WHERE batch_id = ?", [now, batch_id]
    )
    add_event(transaction, now, "import.undone", batch_id, json.dumps(counts))
    return UndoReport(batch_id, counts)


def _last(batches: pd.DataFrame) -> str:
    return str(batches["batch_id"].iloc[-1]) if len(batches) else "none"


def _check_untouched(transaction: Transaction, batch_id: str) -> None:
    """Rows that somebody changed after the import must not be lost."""
    later = transaction.fetch(
        "SELECT DISTINCT l.batch_id FROM import_changes l JOIN import_changes b USING (table_name, row_id) "
        "JOIN import_batches i ON i.batch_id = l.batch_id "
        "WHERE b.batch_id = ? AND l.batch_id > ? AND i.undone_utc IS NULL ORDER BY 1",
        [batch_id, batch_id],
    )
    if len(later):
        raise RefusedError(
            f"Import {batch_id} cannot be taken back before {', '.join(later['batch_id'])}, which changed the same "
            "rows. Take back the later one first."
        )
    for table in ("buildings", "units", "rentals", "occupants", "gates", "walls"):
        key = KEYS[table]
        verified = transaction.fetch(
            f"SELECT t.{key} AS id FROM {table} t "
            f"JOIN import_changes c ON c.row_id = t.{key} AND c.table_name = '{table}' "
            "JOIN import_batches i ON i.batch_id = c.batch_id "
            "WHERE c.batch_id = ? AND t.verified_utc > i.finished_utc ORDER BY 1",
            [batch_id],
        )
        if len(verified):
            raise RefusedError(
                f"Import {batch_id} cannot be taken back: {len(verified)} rows of {table} were verified at the "
                f"door or by hand since, first {verified['id'].iloc[0]}. They would be lost."
            )

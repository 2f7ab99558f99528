"""
Writing tasks: rows, their events, evidence and the line in the log commit together. What a step means is not known
here: who changes a task hands over a function that decides (tasks/doing.py), asked inside the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pandas as pd

from data.audit import Entry, write_audited
from data.freshness import Check, put_check, put_visit_date
from data.incident_writes import Event, append_events, insert_rows
from data.moments import get_aware
from data.store import Clock, Store, Transaction
from gis.errors import RecordMissingError, RefusedError

Row = Mapping[str, object]
_TABLE = "tasks"
_SHANGHAI = timedelta(hours=8)  # no summer time since 1991
_ROW = "SELECT * EXCLUDE (geom), ST_X(geom) AS x_m, ST_Y(geom) AS y_m FROM tasks WHERE task_id = ?"
_EVENTS = (
    "SELECT kind, at_utc, detail FROM events WHERE subject_table = 'tasks' AND subject_id = ? "
    "AND kind LIKE 'task.%' ORDER BY event_id"
)


@dataclass(frozen=True)
class StoredTask:
    """A task as it is: its row with None for what is missing and its point as x_m, y_m, and its events in order."""

    task_id: str
    row: dict[str, Any]
    events: tuple[Event, ...]


@dataclass(frozen=True)
class TaskChange:
    """
    What becomes of one or more tasks, all or nothing.

    Attributes
    ----------
    events
        `(task id, event)` in order; without any, nothing is changed.
    updates
        New values of columns by task.
    new
        Rows of tasks to be made, all with the same columns.
    rows
        Rows of other tables by name: evidence, findings, sessions.
    visits
        What was verified at the door, as the one who closed the task accepted it.
    """

    events: tuple[tuple[str, Event], ...] = ()
    updates: Mapping[str, Row] = field(default_factory=dict)
    new: Sequence[Row] = ()
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    visits: Sequence[Check] = ()


Fetch = Callable[[str], StoredTask]
Decide = Callable[[Transaction, Fetch], TaskChange]


def change_tasks(
    store: Store, decide: Decide, describe: Callable[[TaskChange], Sequence[Entry]], *, clock: Clock
) -> TaskChange:
    """
    Change tasks as `decide` says, in one transaction with their events and the log.

    Raises
    ------
    RecordMissingError
        There is no such task.
    RefusedError
        Whatever `decide` refuses; nothing was changed.
    """

    def work(transaction: Transaction) -> TaskChange:
        change = decide(transaction, lambda task_id: _read(transaction, task_id))
        apply_change(transaction, change)
        return change

    return write_audited(store, work, lambda change: describe(change) if change.events else (), clock=clock)


def apply_change(transaction: Transaction, change: TaskChange) -> None:
    """Write what was decided."""
    insert_rows(transaction, _TABLE, change.new)
    for task_id, values in change.updates.items():
        names = ", ".join(f"{name} = ?" for name in values)
        transaction.execute(_TABLE, f"UPDATE tasks SET {names} WHERE task_id = ?", [*values.values(), task_id])
    for table, rows in change.rows.items():
        insert_rows(transaction, table, rows)
    for check in change.visits:
        put_check(transaction, check)
        put_visit_date(transaction, check.subject_kind, check.subject_id, (check.at_utc + _SHANGHAI).date())
    append_events(transaction, change.events, table=_TABLE)


def read_task(store: Store, task_id: str) -> StoredTask:
    """A task and its events; `RecordMissingError` when there is none."""
    rows = store.read(_ROW, [task_id])
    return _to_stored(task_id, rows, store.read(_EVENTS, [task_id]))


def find_existing(transaction: Transaction, table: str, key: str, ids: Sequence[str]) -> set[str]:
    """Which of `ids` are in `table` already."""
    sql = f"SELECT {key} AS id FROM {table} WHERE {key} IN (SELECT unnest(?::VARCHAR[]))"
    return set(transaction.fetch(sql, [list(ids)])["id"]) if ids else set()


def list_links(transaction: Transaction, task_id: str) -> list[dict[str, str]]:
    """Incidents that a task is about."""
    rows = transaction.fetch("SELECT incident_id FROM task_incidents WHERE task_id = ? ORDER BY 1", [task_id])
    return [{"incident_id": str(one)} for one in rows["incident_id"]]


def check_incidents(transaction: Transaction, ids: Sequence[str], *, building_id: str | None = None) -> None:
    """
    Raise when one of the incidents is not there, was a mistake, or did not happen in that building (None: anywhere).

    Raises
    ------
    RefusedError
        Names the incident.
    """
    sql = """
        SELECT incident_id FROM incidents WHERE list_contains(?::VARCHAR[], incident_id)
            AND status NOT IN ('cancelled', 'duplicate') AND (?::VARCHAR IS NULL OR coalesce(building_id, '') = ?)
    """
    chosen = list(dict.fromkeys(ids))
    found = set(transaction.fetch(sql, [chosen, building_id, building_id])["incident_id"]) if chosen else set()
    for one in chosen:
        if one not in found:
            raise RefusedError(
                f"Incident '{one[:40]}' cannot be linked: expected one that is in the store, is not cancelled or a "
                "repetition, and happened in the building of the task. Choose from those at the address."
            )


def _read(transaction: Transaction, task_id: str) -> StoredTask:
    rows = transaction.fetch(_ROW, [task_id])
    return _to_stored(task_id, rows, transaction.fetch(_EVENTS, [task_id]))


def _to_stored(task_id: str, rows: pd.DataFrame, events: pd.DataFrame) -> StoredTask:
    if rows.empty:
        raise RecordMissingError(f"There is no task '{task_id[:40]}'. Choose it from the list.")
    row = {
        str(name): None if pd.isna(value) else value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
        for name, value in rows.astype(object).iloc[0].items()
    }
    return StoredTask(
        task_id,
        row,
        tuple(
            Event(str(kind), get_aware(at), dict(json.loads(detail)))
            for kind, at, detail in events.itertuples(index=False, name=None)
        ),
    )

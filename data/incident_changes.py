"""
Changing one incident. What an event means is not known here: who changes it hands over a function that decides
(incidents/life_cycle.py), and that is asked inside the transaction, so that two changes at once follow one another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from data.audit import Entry, write_audited
from data.incident_places import Found, Said
from data.incident_writes import Event, append_events, build_place_values, insert_rows
from data.intake import SEALED, build_sealed
from data.moments import get_aware, to_aware, to_stored_time
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from gis.errors import RecordMissingError


@dataclass(frozen=True)
class Stored:
    """An incident as it is, for who decides what becomes of it; times are aware."""

    incident_id: str
    status: str
    has_place: bool
    reported_utc: datetime
    closed_utc: datetime | None
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Change:
    """
    What becomes of an incident.

    Attributes
    ----------
    status, events
        The new status, and the events that say how it came to it; without any, nothing is changed.
    place
        What was said of a new place, and what it led to; None leaves it.
    drop_place
        The place was wrong and no other is known.
    closed_utc
        When it ended, None while it is open.
    values
        Further columns by name.
    sealed
        Originals of texts that were masked, by column.
    """

    status: str
    events: tuple[Event, ...]
    place: tuple[Said, Found] | None = None
    drop_place: bool = False
    closed_utc: datetime | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    sealed: Mapping[str, str] = field(default_factory=dict)


def change_incident(
    store: Store,
    incident_id: str,
    decide: Callable[[Stored], Change],
    describe: Callable[[Change], Entry],
    *,
    also: Callable[[Transaction, Change], None] | None = None,
    clock: Clock,
) -> Change:
    """
    Change one incident as `decide` says, with its events and its line in the log, all in one transaction; `also` does
    there what follows for other tables.

    Raises
    ------
    RecordMissingError
        There is no such incident, or the one that it is to be a duplicate of is not there.
    RefusedError
        Whatever `decide` refuses; nothing was changed.
    """
    key = get_key(store, SEALED)

    def work(transaction: Transaction) -> Change:
        change = decide(read_inside(transaction, incident_id))
        other = change.values.get("duplicate_of")
        if other is not None and transaction.fetch(_ROW, [other]).empty:
            raise RecordMissingError(f"There is no incident '{str(other)[:40]}' to be a duplicate of.")
        put_change(transaction, incident_id, change)
        if also is not None:
            also(transaction, change)
        for column, text in change.sealed.items():
            row = build_sealed(key, text, table="incidents", row_id=incident_id, column=column, clock=clock)
            insert_rows(transaction, "sealed_texts", [row])
        return change

    return write_audited(store, work, lambda change: [describe(change)], clock=clock)


def read_stored(store: Store, incident_id: str) -> Stored:
    """An incident and its events; `RecordMissingError` when there is none."""
    rows = store.read(_ROW, [incident_id])
    return _to_stored(incident_id, rows, store.read(_EVENTS, [incident_id]))


_AS_SAID = ("address_text", "said_")
_ROW = "SELECT status, geom IS NOT NULL AS has_place, reported_utc, closed_utc FROM incidents WHERE incident_id = ?"
_EVENTS = (
    "SELECT kind, at_utc, detail FROM events WHERE subject_table = 'incidents' AND subject_id = ? "
    "AND kind LIKE 'incident.%' ORDER BY event_id"
)


def read_inside(transaction: Transaction, incident_id: str) -> Stored:
    """As `read_stored`, inside a transaction."""
    rows = transaction.fetch(_ROW, [incident_id])
    return _to_stored(incident_id, rows, transaction.fetch(_EVENTS, [incident_id]))


def _to_stored(incident_id: str, rows: pd.DataFrame, events: pd.DataFrame) -> Stored:
    if rows.empty:
        raise RecordMissingError(f"There is no incident '{incident_id[:40]}'.")
    row = rows.iloc[0]
    return Stored(
        incident_id,
        str(row["status"]),
        bool(row["has_place"]),
        get_aware(row["reported_utc"]),
        to_aware(row["closed_utc"]),
        tuple(
            Event(str(kind), get_aware(at), dict(json.loads(detail)))
            for kind, at, detail in events.itertuples(index=False, name=None)
        ),
    )


def put_change(transaction: Transaction, incident_id: str, change: Change) -> None:
    """Write what becomes of an incident, with its events; sealed originals are the caller's."""
    closed = None if change.closed_utc is None else to_stored_time(change.closed_utc)
    values: dict[str, Any] = {"status": change.status, "closed_utc": closed, **change.values}
    shape, point = "", []
    if change.place is not None:
        said, found = change.place
        # What was said first stays where nothing else is said now.
        values |= {
            name: value
            for name, value in build_place_values(said, found).items()
            if value is not None or not name.startswith(_AS_SAID)
        }
        shape, point = ", geom = ST_Point(?, ?)", [found.x_m, found.y_m]
    elif change.drop_place:
        values |= dict.fromkeys(
            ("building_id", "unit_id", "grid_id", "place_source", "place_confidence", "place_gap_m")
        )
        values["place_reason"] = "sent_back"
        shape = ", geom = NULL"
    names = ", ".join(f"{name} = ?" for name in values)
    transaction.execute(
        "incidents",
        f"UPDATE incidents SET {names}{shape} WHERE incident_id = ?",
        [*values.values(), *point, incident_id],
    )
    append_events(transaction, [(incident_id, event) for event in change.events])

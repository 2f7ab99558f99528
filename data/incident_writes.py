"""
Writing incidents that come in: a row, its events, its sealed originals and the answer that its sender gets commit
together, and requests that wait at the same time share a transaction, because a statement costs a millisecond whether
it writes one row or fifty.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from data.incident_alike import Spot, find_alike
from data.incident_places import Found, Said
from data.intake import SEALED, build_sealed
from data.moments import to_stored_time
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from gis.errors import BadRecordError

_MOBILE_DIGITS: Final = 11
_SHORTEST_PHONE: Final = 7


@dataclass(frozen=True)
class Event:
    """One row of `events` about an incident: `kind` as `incident.place`, an aware time, ids and codes."""

    kind: str
    at_utc: datetime
    detail: Mapping[str, object]


@dataclass(frozen=True)
class NewIncident:
    """
    One incident to be written; times are aware, texts are masked already.

    Attributes
    ----------
    said, found
        What was said of its place, and what that led to.
    sealed
        Originals of masked texts by column.
    values
        Further columns of `incidents` by name: the caller's.
    """

    incident_id: str
    number: str | None
    category: str
    urgency: str
    source: str
    reported_utc: datetime
    occurred_from_utc: datetime
    occurred_to_utc: datetime
    status: str
    sent_by: str
    said: Said
    found: Found
    narrative: str | None
    values: Mapping[str, object]
    sealed: Mapping[str, str]
    events: tuple[Event, ...]
    closed_utc: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one incident: `is_new` is False when it was there already; and which may be the same."""

    incident_id: str
    is_new: bool
    possible_duplicates: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer; `is_repeat` when it is the one that was given before."""

    status: int
    body: str
    is_repeat: bool = False


@dataclass(frozen=True)
class IntakeRequest:
    """
    Incidents that came together and are answered together.

    Attributes
    ----------
    answer_id
        Under which the answer is kept; None when no repeat is expected.
    request_sha256
        Of the body.
    incidents
        In the order of the request.
    respond
        Makes status and body from the outcomes, one for each incident.
    """

    answer_id: str | None
    request_sha256: str
    incidents: tuple[NewIncident, ...]
    respond: Callable[[Sequence[Outcome]], Answer]


def write_requests(store: Store, requests: Sequence[IntakeRequest], *, clock: Clock) -> list[Answer | BadRecordError]:
    """
    Write all requests in one transaction; an answer for each, or why that one is refused: others are not touched.

    Raises
    ------
    StoreWriteError, StoreClosedError, BadRecordError
        Nothing was written.
    """
    key = get_key(store, SEALED)

    def work(transaction: Transaction) -> list[Answer | BadRecordError]:
        return _write(transaction, requests, key, clock)

    return store.write(work, repeatable=True)


def _write(
    transaction: Transaction, requests: Sequence[IntakeRequest], key: bytes, clock: Clock
) -> list[Answer | BadRecordError]:
    kept = _read_answers(transaction, [request.answer_id for request in requests if request.answer_id])
    fresh = [request for request in requests if request.answer_id not in kept]
    there = _find_existing(transaction, {one.incident_id for request in fresh for one in request.incidents})
    rows: dict[str, NewIncident] = {}
    for request in fresh:
        rows |= {
            one.incident_id: one
            for one in request.incidents
            if one.incident_id not in there and one.incident_id not in rows
        }
    _insert(transaction, list(rows.values()), key, clock)
    placed = (_to_spot(one) for one in rows.values())
    spots = [spot for spot in (*placed, *there.values()) if spot is not None]
    alike = find_alike(transaction, spots)
    answers: list[Answer | BadRecordError] = []
    written: list[dict[str, object]] = []
    is_told: set[str] = set()
    for request in requests:
        if request.answer_id in kept:
            sha256, status, body = kept[request.answer_id]
            answers.append(
                Answer(status, body, is_repeat=True)
                if sha256 == request.request_sha256
                else BadRecordError("This Idempotency-Key was used with another body. Use a new key for a new request.")
            )
            continue
        outcomes = []
        for one in request.incidents:
            is_new = one.incident_id in rows and one.incident_id not in is_told
            is_told.add(one.incident_id)
            outcomes.append(Outcome(one.incident_id, is_new, alike.get(one.incident_id, ())))
        answer = request.respond(outcomes)
        answers.append(answer)
        if request.answer_id is not None:
            kept[request.answer_id] = (request.request_sha256, answer.status, answer.body)
            written.append(
                {
                    "answer_id": request.answer_id,
                    "request_sha256": request.request_sha256,
                    "status": answer.status,
                    "answer": answer.body,
                    "answered_utc": to_stored_time(clock()),
                }
            )
    insert_rows(transaction, "intake_answers", written)
    return answers


def _read_answers(transaction: Transaction, ids: list[str]) -> dict[str | None, tuple[str, int, str]]:
    if not ids:
        return {}
    rows = transaction.rows(
        "SELECT answer_id, request_sha256, status, answer FROM intake_answers "
        "WHERE answer_id IN (SELECT unnest(?::VARCHAR[]))",
        [ids],
    )
    return {row[0]: (row[1], int(row[2]), row[3]) for row in rows}


def _find_existing(transaction: Transaction, ids: Collection[str]) -> dict[str, Spot | None]:
    """Those that are there already, with where they are; None where nobody knows."""
    rows = transaction.rows(
        "SELECT incident_id, reported_utc, building_id, unit_id, ST_X(geom), ST_Y(geom) FROM incidents "
        "WHERE incident_id IN (SELECT unnest(?::VARCHAR[]))",
        [sorted(ids)],
    )
    return {row[0]: None if row[4] is None else Spot(*row) for row in rows}


def _to_spot(one: NewIncident) -> Spot | None:
    found = one.found
    if found.x_m is None or found.y_m is None:
        return None
    reported_utc = to_stored_time(one.reported_utc)
    return Spot(one.incident_id, reported_utc, found.building_id, found.unit_id, found.x_m, found.y_m)


def _insert(transaction: Transaction, incidents: Sequence[NewIncident], key: bytes, clock: Clock) -> None:
    insert_rows(transaction, "incidents", [_to_row(one) for one in incidents])
    append_events(transaction, [(one.incident_id, event) for one in incidents for event in one.events])
    sealed = [
        build_sealed(key, text, table="incidents", row_id=one.incident_id, column=column, clock=clock)
        for one in incidents
        for column, text in one.sealed.items()
    ]
    insert_rows(transaction, "sealed_texts", sealed)


def insert_rows(transaction: Transaction, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """
    Insert rows, all with the same columns; `geom` is a pair of metres, or None.

    A column is one parameter, a list: a frame has to be made and registered first (twelve times as long for a handful
    of rows), and with a parameter for each cell most of the time goes into reading the statement.
    """
    if not rows:
        return
    parts: list[str] = []
    values: list[list[object]] = []
    for name in rows[0]:
        column = [row[name] for row in rows]
        if name == "geom":
            parts.append("ST_Point(unnest(?::DOUBLE[]), unnest(?::DOUBLE[]))")
            pairs = [pair if isinstance(pair, tuple) else (None, None) for pair in column]
            values += [[x for x, _ in pairs], [y for _, y in pairs]]
        else:
            parts.append("unnest(?)")
            values.append(column)
    transaction.execute(table, f"INSERT INTO {table} ({', '.join(rows[0])}) SELECT {', '.join(parts)}", values)


def _to_row(one: NewIncident) -> dict[str, object]:
    x_m, y_m = one.found.x_m, one.found.y_m
    return {
        "incident_id": one.incident_id,
        "number": one.number,
        "category": one.category,
        "urgency": one.urgency,
        "source": one.source,
        "reported_utc": to_stored_time(one.reported_utc),
        "occurred_from_utc": to_stored_time(one.occurred_from_utc),
        "occurred_to_utc": to_stored_time(one.occurred_to_utc),
        "closed_utc": None if one.closed_utc is None else to_stored_time(one.closed_utc),
        "status": one.status,
        "sent_by": one.sent_by,
        "narrative": one.narrative,
        **build_place_values(one.said, one.found),
        **one.values,
        "geom": None if x_m is None or y_m is None else (x_m, y_m),
    }


def build_place_values(said: Said, found: Found) -> dict[str, object]:
    """Columns of `incidents` about its place, without the geometry."""
    return {
        "address_text": said.address,
        "building_id": found.building_id,
        "unit_id": found.unit_id,
        "grid_id": found.grid_id,
        "place_source": found.source,
        "place_confidence": found.confidence if found.is_placed else None,
        "place_reason": found.reason,
        "place_gap_m": found.gap_m,
        "said_crs": said.crs,
        "said_x": said.x,
        "said_y": said.y,
    }


def append_events(transaction: Transaction, events: Sequence[tuple[str, Event]], *, table: str = "incidents") -> None:
    """Append events of incidents (or of rows of another `table`) by their ids, in this order."""
    if not events:
        return
    last = int(transaction.rows("SELECT coalesce(max(event_id), 0) FROM events")[0][0])
    rows = [
        {
            "event_id": last + number,
            "at_utc": to_stored_time(event.at_utc),
            "kind": event.kind,
            "subject_table": table,
            "subject_id": incident_id,
            "detail": json.dumps(dict(event.detail), ensure_ascii=False, sort_keys=True),
        }
        for number, (incident_id, event) in enumerate(events, start=1)
    ]
    insert_rows(transaction, "events", rows)


def build_reporter_key(key: bytes, phone: str | None) -> str | None:
    """Keyed hash of a caller's number as imports write it, `key` is `get_key(store, "callers")`; None without one."""
    digits = re.sub(r"[^0-9]", "", phone or "")[-_MOBILE_DIGITS:]
    return hmac.new(key, digits.encode(), "sha256").hexdigest() if len(digits) >= _SHORTEST_PHONE else None

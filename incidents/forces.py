"""
What is kept of people with radios while they are on duty: where they are and whether they are ready.

Positions come in batches from a system or one by one at a roll call; each row is answered for itself. Nothing is kept
of somebody who is off duty, nor of a volunteer, whom no system may follow before they accepted to go; a newer position
takes the place of an older one, and there is no track. Going off duty takes the last position away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import pandas as pd
import shapely

from data.audit import build_entry, write_audited
from data.incident_places import FAR_OUT_M
from data.incident_writes import Event, append_events
from data.moments import to_aware, to_stored_time
from data.rights import check_right
from data.settings_store import read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import RecordMissingError, RefusedError
from incidents.duty import BUSY, VOLUNTEER, Duty, Status, find_duty

MOST_ROWS: Final = 500
AHEAD: Final = timedelta(minutes=2)
"""Clocks of radios may be wrong by so much."""
ROLL_CALL, RADIO, BY_HAND = "roll_call", "radio", "hand"
HAND_ACCURACY_M: Final = 50.0
"""Of a position that was told by naming a house or a gate."""

_KNOWN = "SELECT responder_id, call_sign, kind, status, status_utc, duty_from, duty_to, position_utc FROM responders"
_NO_POSITION = "geom = NULL, position_utc = NULL, position_source = NULL, position_accuracy_m = NULL"
_MOVE = """
UPDATE responders SET geom = ST_Point(v.x_m, v.y_m), position_utc = v.at_utc, position_source = $source,
    position_accuracy_m = v.accuracy_m
FROM (SELECT unnest($ids::VARCHAR[]) AS id, unnest($xs::DOUBLE[]) AS x_m, unnest($ys::DOUBLE[]) AS y_m,
    unnest($times::TIMESTAMP[]) AS at_utc, unnest($accuracies::DOUBLE[]) AS accuracy_m) v
WHERE responder_id = v.id
"""
_MOVE_ONE = """
UPDATE responders SET geom = ST_Point(?, ?), position_utc = ?, position_source = ?, position_accuracy_m = ?
WHERE responder_id = ?
"""
_FEW: Final = 20


class Outcome(StrEnum):
    """What became of one position."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    OLDER = "older"
    OFF_DUTY = "off_duty"
    NOT_ACCEPTED = "not_accepted"
    UNKNOWN = "unknown_responder"
    AMBIGUOUS = "ambiguous_call_sign"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"
    OUTSIDE = "outside_community"


@dataclass(frozen=True)
class PositionReport:
    """A position in the community's CRS, metres, at an aware time; of a responder by id or by call sign."""

    x_m: float
    y_m: float
    at_utc: datetime
    responder_id: str | None = None
    call_sign: str | None = None
    accuracy_m: float | None = None


def take_positions(
    store: Store, reports: Sequence[PositionReport], *, clock: Clock, source: str = RADIO
) -> tuple[Outcome, ...]:
    """
    Keep the newest position of everybody who is on duty; what became of each row, in their order.

    Rows may come in any order and more than once: of one responder the newest counts, the others are `older`, or
    `duplicate` when their time is that of the newest, or of the one that is kept already.
    """
    settings = read_settings(store)
    boundary = _read_boundary(store)

    def work(transaction: Transaction) -> tuple[Outcome, ...]:
        now = clock()
        known = _Known(transaction.fetch(_KNOWN))
        outcomes: list[Outcome] = [Outcome.STORED] * len(reports)
        newest: dict[str, int] = {}
        for number, one in enumerate(reports):
            row = known.find(one)
            if isinstance(row, Outcome):
                outcomes[number] = row
                continue
            hours = (
                settings.retention_volunteer_position_hours
                if row["kind"] == VOLUNTEER
                else (settings.retention_position_hours)
            )
            outcome = _judge(one, row, now, keep=timedelta(hours=hours), boundary=boundary, source=source)
            if outcome is not None:
                outcomes[number] = outcome
                continue
            responder_id = str(row["responder_id"])
            other = newest.get(responder_id)
            if other is None or one.at_utc > reports[other].at_utc:
                newest[responder_id] = number
            if other is not None:
                beaten = other if newest[responder_id] == number else number
                is_same = one.at_utc == reports[other].at_utc
                outcomes[beaten] = Outcome.DUPLICATE if is_same else Outcome.OLDER
        if newest:
            _move(transaction, newest, [reports[number] for number in newest.values()], source)
        return tuple(outcomes)

    return store.write(work, repeatable=True)


def set_status(
    store: Store,
    viewer: Viewer,
    responder_id: str,
    status: Status,
    *,
    clock: Clock,
    place: tuple[float, float] | None = None,
    source: str = ROLL_CALL,
) -> None:
    """
    What somebody answered at a roll call, or what was seen: whether they are ready, and where they are.

    Parameters
    ----------
    place
        In the community's CRS, metres; None leaves the position as it is.
    source
        `roll_call` or `hand`.

    Raises
    ------
    NotAllowedError
        The viewer's role holds no roll call.
    RecordMissingError
        There is no such responder.
    RefusedError
        A position for somebody who is off duty.
    """
    check_right(viewer, "action", "roll_call")
    if status is Status.OFF and place is not None:
        raise RefusedError("No position is kept of somebody who is off duty. Set them ready first, or leave it out.")
    now = clock()

    def work(transaction: Transaction) -> None:
        put_status(transaction, responder_id, status, at_utc=now, by=viewer.name or viewer.role.value, source=source)
        if place is not None:
            report = PositionReport(*place, now, responder_id, accuracy_m=HAND_ACCURACY_M)
            _move(transaction, [responder_id], [report], source)

    def describe(_: None) -> list[Any]:
        detail = {"status": status.value, "placed": place is not None, "source": source}
        return [build_entry(viewer, "change", subject_kind="responder", subject_id=responder_id, detail=detail)]

    write_audited(store, work, describe, clock=clock)


def put_status(
    transaction: Transaction, responder_id: str, status: Status, *, at_utc: datetime, by: str, source: str
) -> None:
    """
    Write a status with its event, inside a transaction of whoever changes it (the roll call, a dispatch).

    Setting out is remembered, and so is coming free again, for the rest after it; nothing else of what they did is.
    """
    rows = transaction.fetch("SELECT status FROM responders WHERE responder_id = ?", [responder_id])
    if rows.empty:
        raise RecordMissingError(f"There is no responder '{responder_id[:40]}'. Reload the list.")
    was = rows["status"].iloc[0]
    moment = to_stored_time(at_utc)
    values: dict[str, object] = {"status": status.value, "status_utc": moment}
    if status in BUSY and was not in BUSY:
        values["last_sent_utc"] = moment
    if was in BUSY and status not in BUSY:
        values["last_off_utc"] = moment
    gone = f", {_NO_POSITION}" if status is Status.OFF else ""
    names = ", ".join(f"{name} = ?" for name in values)
    sql = f"UPDATE responders SET {names}{gone} WHERE responder_id = ?"
    transaction.execute("responders", sql, [*values.values(), responder_id])
    event = Event("responder.status", at_utc, {"status": status.value, "by": by, "source": source})
    append_events(transaction, [(responder_id, event)], table="responders")


def forget_off_duty(store: Store, *, clock: Clock) -> int:
    """
    Take away the positions of those whose duty has ended without a word; returns of how many.

    The invented sample is left alone, as by retention: its time stands still.
    """
    if bool(store.read("SELECT count(*) AS n FROM community WHERE synthetic")["n"].iloc[0]):
        return 0

    def find(rows: pd.DataFrame) -> list[str]:
        now = clock()
        plain = rows.astype(object).where(rows.notna(), None).to_dict("records")
        return [str(row["responder_id"]) for row in plain if not _find_duty(row, now).is_on]

    placed = f"{_KNOWN} WHERE geom IS NOT NULL"
    if not find(store.read(placed)):
        return 0

    def work(transaction: Transaction) -> int:
        gone = find(transaction.fetch(placed))  # asked again: somebody may have come on duty meanwhile
        if gone:
            sql = f"UPDATE responders SET {_NO_POSITION} WHERE list_contains($ids, responder_id)"
            transaction.execute("responders", sql, {"ids": gone})
        return len(gone)

    return store.write(work, repeatable=True)


def _find_duty(row: Mapping[Any, Any], at: datetime) -> Duty:
    return find_duty(row["status"], to_aware(row["status_utc"]), row["duty_from"], row["duty_to"], at)


def is_busy(transaction: Transaction, responder_id: str) -> bool:
    """Whether somebody is on the way or on scene, as was last said."""
    rows = transaction.fetch("SELECT status FROM responders WHERE responder_id = ?", [responder_id])
    return bool(rows["status"].isin([status.value for status in BUSY]).any())


class _Known:
    """Responders by id and by call sign."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._by_id: dict[str, Mapping[Any, Any]] = {}
        self._by_sign: dict[str, list[Mapping[Any, Any]]] = {}
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
            self._by_id[str(row["responder_id"])] = row
            self._by_sign.setdefault(str(row["call_sign"]), []).append(row)

    def find(self, one: PositionReport) -> Mapping[Any, Any] | Outcome:
        if one.responder_id is not None:
            row = self._by_id.get(one.responder_id)
            fits = row is not None and one.call_sign in (None, row["call_sign"])
            return row if row is not None and fits else Outcome.UNKNOWN
        rows = self._by_sign.get(one.call_sign or "", [])
        if len(rows) > 1:
            return Outcome.AMBIGUOUS
        return rows[0] if rows else Outcome.UNKNOWN


def _judge(
    one: PositionReport,
    row: Mapping[Any, Any],
    now: datetime,
    *,
    keep: timedelta,
    boundary: shapely.Geometry | None,
    source: str,
) -> Outcome | None:
    """Why a position is not kept; None when it may be."""
    if one.at_utc > now + AHEAD:
        return Outcome.IN_FUTURE
    if one.at_utc < now - keep:
        return Outcome.TOO_OLD
    duty = _find_duty(row, now)
    if not duty.is_on:
        return Outcome.OFF_DUTY
    if row["kind"] == VOLUNTEER and source == RADIO and duty.status not in BUSY:
        return Outcome.NOT_ACCEPTED
    if boundary is not None and shapely.distance(boundary, shapely.Point(one.x_m, one.y_m)) > FAR_OUT_M:
        return Outcome.OUTSIDE
    known_utc = to_aware(row["position_utc"])
    if known_utc is not None and one.at_utc <= known_utc:
        return Outcome.DUPLICATE if one.at_utc == known_utc else Outcome.OLDER
    return None


def _move(
    transaction: Transaction,
    responder_ids: Sequence[str] | Mapping[str, int],
    reports: Sequence[PositionReport],
    source: str,
) -> None:
    if len(reports) <= _FEW:  # each row by its key: a screen then hears of these few and not of all
        for responder_id, one in zip(responder_ids, reports, strict=True):
            moment = to_stored_time(one.at_utc)
            values = [one.x_m, one.y_m, moment, source, one.accuracy_m, responder_id]
            transaction.execute("responders", _MOVE_ONE, values)
        return
    parameters = {
        "source": source,
        "ids": list(responder_ids),
        "xs": [one.x_m for one in reports],
        "ys": [one.y_m for one in reports],
        "times": [to_stored_time(one.at_utc) for one in reports],
        "accuracies": [one.accuracy_m for one in reports],
    }
    transaction.execute("responders", _MOVE, parameters)


def _read_boundary(store: Store) -> shapely.Geometry | None:
    rows = store.read_geo("SELECT ST_AsWKB(boundary) AS geom FROM community WHERE boundary IS NOT NULL")
    if store.crs() is None:
        raise RecordMissingError("This store holds no community yet: import one first, with 'shapan import'.")
    return None if rows.empty else rows.geometry.iloc[0]

"""
Beats (巡区) and repeat-alarm zones (多次报警区域): opened with a reason, measured, closed with a result or continued.

Every change is one event; the rows are what the events add up to (`rebuild_zones`), and both commit together with the
entry in the log. Start dates drawn by lot are written with the seed, the dates and the places before anything begins.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.audit import build_entry, write_audited
from data.intake import mask_at_intake
from data.moments import to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from data.zone_hours import EVERY_DAY, SHANGHAI, check_hours, check_weight
from gis.errors import BadRecordError, RecordMissingError, RefusedError

KINDS = ("beat", "repeat_alarm")
SOURCES = ("analysis", "drawn")
_HOURS = ("weekdays", "hours_from", "hours_to")
CHANGEABLE = ("name", "owner_account_id", "shift", "partners", "review_on", "starts_on", "weight", *_HOURS)
FEWEST_CHARACTERS = 4
_MOST_CHARACTERS = 400
_BEFORE_HOURS = {"weekdays": EVERY_DAY, "hours_from": None, "hours_to": None, "weight": 1.0}
"""What a zone has that was opened before zones had hours: its event says nothing of them"""
_ZONE = (
    *("zone_id", "name", "kind", "status", "source", "kinds", "reason", "owner_account_id", "shift", "partners"),
    *("opened_on", "opened_by", "review_on", "starts_on", "lot_id", "closed_on", "result"),
    *_BEFORE_HOURS,
)


@dataclass(frozen=True)
class ZoneDraft:
    """A zone as somebody wants to open it."""

    name: str
    kind: str
    reason: str
    review_on: date
    geometry: BaseGeometry
    """In the community's CRS"""
    source: str = "drawn"
    kinds: tuple[str, ...] = ()
    owner_account_id: str | None = None
    shift: str = ""
    partners: str = ""
    starts_on: date | None = None
    weekdays: str = EVERY_DAY
    hours_from: time | None = None
    hours_to: time | None = None
    weight: float = 1.0


def open_zone(store: Store, viewer: Viewer, draft: ZoneDraft, *, clock: Clock) -> str:
    """
    Open a zone; returns its id.

    Raises
    ------
    NotAllowedError
        The role may not.
    BadRecordError
        Name or reason too short, review not after today, hours or weight that are none, or an outline without area.
    """
    check_right(viewer, "action", "manage_zones")
    today = find_today(clock)
    for what, value, allowed in (("kind", draft.kind, KINDS), ("source", draft.source, SOURCES)):
        if value not in allowed:
            raise BadRecordError(f"A zone's {what} is '{value[:40]}', expected one of {', '.join(allowed)}.")
    if (
        not draft.geometry.is_valid
        or draft.geometry.geom_type not in ("Polygon", "MultiPolygon")
        or (draft.geometry.area <= 0)
    ):
        raise BadRecordError("The zone has no outline with an area. Choose buildings, or an address and a radius.")
    _check_review(draft.review_on, today)
    check_hours(draft.weekdays, draft.hours_from, draft.hours_to)
    zone_id = f"z-{secrets.token_hex(6)}"
    state = {
        "zone_id": zone_id, "status": "open", "kind": draft.kind, "source": draft.source,
        "name": _mask(store, draft.name, "name", 1), "reason": _mask(store, draft.reason, "reason"),
        "shift": _mask(store, draft.shift, "shift", 0), "partners": _mask(store, draft.partners, "partners", 0),
        "kinds": " ".join(draft.kinds), "owner_account_id": draft.owner_account_id, "opened_on": today,
        "opened_by": viewer.account_id, "review_on": draft.review_on, "starts_on": draft.starts_on, "lot_id": None,
        "closed_on": None, "result": None, "weekdays": draft.weekdays, "hours_from": draft.hours_from,
        "hours_to": draft.hours_to, "weight": check_weight(draft.weight),
        "geom": shapely.to_wkt(draft.geometry, rounding_precision=3),
    }  # fmt: skip
    _commit(store, viewer, [("zone.opened", zone_id, state)], clock)
    return zone_id


def change_zone(store: Store, viewer: Viewer, zone_id: str, *, clock: Clock, **fields: Any) -> None:
    """
    Change some of `CHANGEABLE` of an open zone.

    Raises
    ------
    RefusedError
        The zone is closed; or its start was drawn by lot, which nobody changes.
    """
    unknown = sorted(set(fields) - set(CHANGEABLE))
    if unknown:
        raise BadRecordError(f"A zone's {', '.join(unknown)} cannot be changed, only {', '.join(CHANGEABLE)}.")
    check_right(viewer, "action", "manage_zones")
    row = _get_open(store, zone_id)
    if "starts_on" in fields and row["lot_id"] is not None and fields["starts_on"] != row["starts_on"]:
        raise RefusedError(
            f"The start of zone '{row['name']}' was drawn by lot. It stays, or before and after mislead."
        )
    if "review_on" in fields:
        _check_review(fields["review_on"], find_today(clock))
    if set(_HOURS) & set(fields):
        check_hours(*(fields.get(name, row[name]) for name in _HOURS))
    if "weight" in fields:
        fields["weight"] = check_weight(fields["weight"])
    for name, least in (("name", 1), ("shift", 0), ("partners", 0)):
        if name in fields:
            fields[name] = _mask(store, fields[name], name, least)
    changed = {name: value for name, value in fields.items() if value != row[name]}
    if changed:
        _commit(store, viewer, [("zone.changed", zone_id, changed)], clock)


def add_measure(store: Store, viewer: Viewer, zone_id: str, text: str, *, done_on: date, clock: Clock) -> None:
    """Write down what was done in an open zone."""
    check_right(viewer, "action", "manage_zones")
    _get_open(store, zone_id)
    measure = {"measure_id": f"m-{secrets.token_hex(6)}", "done_on": done_on, "text": _mask(store, text, "measure")}
    _commit(store, viewer, [("zone.measure", zone_id, measure)], clock)


def continue_zone(store: Store, viewer: Viewer, zone_id: str, reason: str, *, review_on: date, clock: Clock) -> None:
    """The zone goes on, for a reason, up to another review."""
    check_right(viewer, "action", "manage_zones")
    _get_open(store, zone_id)
    _check_review(review_on, find_today(clock))
    changed = {"reason": _mask(store, reason, "reason"), "review_on": review_on}
    _commit(store, viewer, [("zone.continued", zone_id, changed)], clock)


def close_zone(store: Store, viewer: Viewer, zone_id: str, result: str, *, clock: Clock) -> None:
    """Close the zone with its result."""
    check_right(viewer, "action", "manage_zones")
    _get_open(store, zone_id)
    changed = {"status": "closed", "closed_on": find_today(clock), "result": _mask(store, result, "result")}
    _commit(store, viewer, [("zone.closed", zone_id, changed)], clock)


def record_lot(
    store: Store, viewer: Viewer, starts: Mapping[str, date], *, dates: Sequence[date], seed: int, clock: Clock
) -> str:
    """
    Write a lot down: seed, dates and zones in one event, then each zone's start; returns the lot's id.

    Raises
    ------
    BadRecordError
        A date that is not after today: a lot is drawn before anything begins.
    RefusedError
        A zone is closed, or has a start already.
    """
    check_right(viewer, "action", "manage_zones")
    today = find_today(clock)
    if len(starts) < 2 or min(dates, default=today) <= today:
        raise BadRecordError(
            "A lot needs two zones or more, and dates after today: it is drawn before anything begins."
        )
    for zone_id in starts:
        if _get_open(store, zone_id)["starts_on"] is not None:
            raise RefusedError(f"Zone '{zone_id}' has a start already. Leave it out of the lot.")
    lot_id = f"l-{secrets.token_hex(6)}"
    drawn = {"lot_id": lot_id, "seed": seed, "dates": sorted(dates), "zones": sorted(starts)}
    events = [("zone.lot", lot_id, drawn)]
    events += [("zone.changed", one, {"starts_on": day, "lot_id": lot_id}) for one, day in starts.items()]
    _commit(store, viewer, events, clock)
    return lot_id


def rebuild_zones(
    events: Iterable[tuple[str, str, str]],
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """
    Zones and measures by id from `(kind, subject id, detail)` in order: what the tables hold, dates and times as ISO
    text and outlines as WKT.
    """
    zones: dict[str, dict[str, Any]] = {}
    measures: dict[str, dict[str, Any]] = {}
    for kind, subject, text in events:
        detail = json.loads(text)
        if kind == "zone.opened":
            zones[subject] = {**_BEFORE_HOURS, **detail}
        elif kind == "zone.measure":
            measures[detail["measure_id"]] = {**detail, "zone_id": subject}
        elif kind in ("zone.changed", "zone.continued", "zone.closed"):
            zones[subject] |= detail
    return zones, measures


def find_today(clock: Clock) -> date:
    """The date in Shanghai."""
    return clock().astimezone(SHANGHAI).date()


def _check_review(review_on: date, today: date) -> None:
    if review_on <= today:
        raise BadRecordError(f"The review is on {review_on}, expected a day after today, {today}. Choose a later day.")


def _mask(store: Store, text: str, what: str, least: int = FEWEST_CHARACTERS) -> str:
    plain = " ".join(text.split())[:_MOST_CHARACTERS]
    if len(plain) < least:
        raise BadRecordError(f"The {what} has {len(plain)} characters, expected at least {least}. Say more.")
    return mask_at_intake(store, plain)


def _get_open(store: Store, zone_id: str) -> dict[str, Any]:
    rows = store.read(f"SELECT {', '.join(_ZONE)} FROM zones WHERE zone_id = ?", [zone_id])
    if rows.empty:
        raise RecordMissingError(f"There is no zone '{zone_id[:40]}'. Choose it from the list.")
    row: dict[str, Any] = {str(name): None if pd.isna(value) else value for name, value in rows.iloc[0].items()}
    for name in ("opened_on", "review_on", "starts_on"):
        row[name] = None if row[name] is None else row[name].date()
    if row["status"] != "open":
        raise RefusedError(f"Zone '{row['name']}' is closed. Open a new one if the place needs it.")
    return row


def _commit(store: Store, viewer: Viewer, events: Sequence[tuple[str, str, dict[str, Any]]], clock: Clock) -> None:
    now = to_stored_time(clock())

    def put(transaction: Transaction) -> None:
        last = transaction.fetch("SELECT coalesce(max(event_id), 0) AS n FROM events")["n"].iloc[0]
        for number, (kind, subject, detail) in enumerate(events, start=int(last) + 1):
            if kind not in ("zone.opened", "zone.lot"):  # once more: another person may just have closed it
                status = transaction.fetch("SELECT status FROM zones WHERE zone_id = ?", [subject])["status"].iloc[0]
                if status != "open":
                    raise RefusedError(f"Zone '{subject}' has just been closed. Look at the list again.")
            _apply(transaction, kind, subject, detail)
            transaction.execute(
                "events",
                "INSERT INTO events (event_id, at_utc, kind, subject_table, subject_id, detail) VALUES (?,?,?,?,?,?)",
                [number, now, kind, "zones", subject, json.dumps(detail, default=str, ensure_ascii=False)],
            )

    entries = [
        build_entry(viewer, "change", subject_kind="zone", subject_id=subject, detail={"what": kind})
        for kind, subject, _ in events
    ]
    write_audited(store, put, lambda _: entries, clock=clock)


def _apply(transaction: Transaction, kind: str, subject: str, detail: Mapping[str, Any]) -> None:
    if kind == "zone.opened":
        marks = ", ".join("ST_GeomFromText(?)" if name == "geom" else "?" for name in detail)
        sql = f"INSERT INTO zones ({', '.join(detail)}) VALUES ({marks})"
        transaction.execute("zones", sql, list(detail.values()))
    elif kind == "zone.measure":
        sql = "INSERT INTO zone_measures (measure_id, zone_id, done_on, text) VALUES (?, ?, ?, ?)"
        values = [detail["measure_id"], subject, detail["done_on"], detail["text"]]
        transaction.execute("zone_measures", sql, values)
    elif kind != "zone.lot":
        sql = f"UPDATE zones SET {', '.join(f'{name} = ?' for name in detail)} WHERE zone_id = ?"
        transaction.execute("zones", sql, [*detail.values(), subject])

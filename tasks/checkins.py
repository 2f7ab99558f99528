"""
Check-ins: the one way in for the guard on duty, the kiosk, the scanner and the files of phones; and deciding doubtful
ones. The rules are those of `checkin_rules`; points are booked in the same transaction. Everything is idempotent.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np

from data.audit import build_entry, write_audited
from data.incident_writes import Event, append_events, insert_rows
from data.moments import get_aware, to_stored_time
from data.rights import check_right
from data.secret_files import get_key
from data.settings_store import StoreSettings, read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.crs import transform_xy
from gis.errors import RecordMissingError, RefusedError
from tasks.booking import book, get_booker, mask_reason, read_points, to_day, write_booked
from tasks.checkin_points import get_code_key, to_rules
from tasks.checkin_rules import (
    Attempt,
    Doubt,
    PointRules,
    Visit,
    Way,
    find_doubts,
    is_drawn,
    list_good_codes,
    measure_distance_m,
)
from tasks.ledger import build_correct, build_earn, cap_points
from tasks.records import Record, format_at, sign_record

TWICE: Final = timedelta(minutes=10)
"""A card that is read again at the same place within so long was read twice, nothing more."""
_AROUND: Final = timedelta(hours=24)
_POINT: Final = "SELECT * EXCLUDE (geom), ST_X(geom) AS x_m, ST_Y(geom) AS y_m FROM checkin_points WHERE point_id = ?"
_VISITS: Final = """
SELECT c.checkin_id, c.point_id, ST_X(p.geom), ST_Y(p.geom), c.done_utc
FROM checkins c JOIN checkin_points p USING (point_id)
WHERE c.volunteer_id = ? AND c.state <> 'rejected' AND c.done_utc BETWEEN ? AND ?
"""
_EARNED: Final = """
SELECT coalesce(sum(p.amount), 0) FROM ledger_entries e JOIN ledger_postings p USING (entry_id)
WHERE e.volunteer_id = ? AND p.book_account = 'volunteer:' || e.volunteer_id AND e.counted_on BETWEEN ? AND ?
    AND (e.kind = 'earn' OR (e.kind = 'correct' AND e.ref_id IS NOT NULL))
"""


@dataclass(frozen=True)
class Taken:
    """What became of a check-in; `balance` is what the volunteer holds now, `is_repeat` when it was there before."""

    checkin_id: str
    volunteer_id: str
    state: str
    doubts: tuple[str, ...]
    points: int
    balance: int
    is_repeat: bool = False
    is_capped: bool = False


@dataclass(frozen=True)
class Arrival:
    """A check-in on its way in: who, the signed record, and whether its signature is good."""

    volunteer_id: str
    record: Record
    way: Way
    received: datetime
    by: str
    is_signed: bool = True
    photo_id: str | None = None


@dataclass(frozen=True)
class Desk:
    """What taking in needs besides the transaction: settings, the key of codes, the CRS for positions."""

    settings: StoreSettings
    code_key: bytes
    crs: str | None

    @classmethod
    def open(cls, store: Store) -> Desk:
        """Read once for many check-ins."""
        return cls(read_settings(store), get_code_key(store), store.crs())


def check_in(
    store: Store, viewer: Viewer, volunteer_id: str, point_id: str, way: Way, *, clock: Clock,
    at: datetime | None = None, key: str | None = None,
) -> Taken:  # fmt: skip
    """
    Take a check-in down at the office, at a kiosk or from a call on the radio. It is never refused at the spot.

    Parameters
    ----------
    at
        When it was (aware); None for now.
    key
        Chosen by the sender: the same is taken once. None: read again within ten minutes it is the same.

    Raises
    ------
    RecordMissingError, RefusedError
        There is no such volunteer or point; or they have left.
    """
    check_right(viewer, "action", "take_checkin")
    desk, signing = Desk.open(store), get_key(store, "check-in records")
    checkin_id = f"c-{key or secrets.token_hex(8)}"

    def work(transaction: Transaction) -> Taken:
        now = clock()
        done = at or now
        number = _read_number(transaction, volunteer_id)
        if key is None and (before := _find_just_now(transaction, volunteer_id, point_id, done)) is not None:
            return replace(_read_taken(transaction, before), is_repeat=True)
        plain = {"id": checkin_id, "point": point_id, "card": number, "at": format_at(done)}
        record = sign_record(plain, signing)
        return take_arrival(
            transaction, Arrival(volunteer_id, record, way, now, get_booker(viewer)), desk
        )  # fmt: skip

    detail = {"what": "take", "way": way.value, "point": point_id}
    return write_booked(store, viewer, "checkin", checkin_id, detail, work, clock)


def take_arrival(transaction: Transaction, arrival: Arrival, desk: Desk) -> Taken:
    """Judge a check-in and write it with its points and its event, inside a transaction; one that is there stays."""
    record = arrival.record
    if transaction.rows("SELECT 1 FROM checkins WHERE checkin_id = ?", [record.record_id]):
        return replace(_read_taken(transaction, record.record_id), is_repeat=True)
    row = transaction.first(_POINT, [record.point_id])
    if not row:
        raise RecordMissingError(f"There is no check-in point '{record.point_id}'. Look at the list of points.")
    point = to_rules(row)
    attempt = _build_attempt(transaction, arrival, desk)
    around = (to_stored_time(record.at - _AROUND), to_stored_time(record.at + _AROUND))
    others = [
        Visit(point_id, x_m, y_m, get_aware(done))
        for _, point_id, x_m, y_m, done in transaction.rows(_VISITS, [arrival.volunteer_id, *around])
    ]
    doubts = find_doubts(
        attempt, point, others, codes=list_good_codes(desk.code_key, record.point_id, record.at)
    )  # fmt: skip
    drawn = not doubts and _is_drawn(transaction, record.record_id, arrival.received, desk.settings)
    doubts = [Doubt.SPOT_CHECK] if drawn else doubts
    points, is_capped = (0, False) if doubts else _earn(transaction, arrival, int(row["points"]), desk)
    _put(transaction, arrival, attempt, point, doubts, points)
    balance = read_points(transaction, arrival.volunteer_id)
    state = "pending" if doubts else "counted"
    return Taken(record.record_id, arrival.volunteer_id, state, tuple(doubts), points, balance, is_capped=is_capped)


def decide(store: Store, viewer: Viewer, checkin_id: str, *, accept: bool, reason: str = "", clock: Clock) -> Taken:
    """
    Decide a doubtful check-in, or take a counted one back. Turning one down needs a written reason.

    Raises
    ------
    RecordMissingError
        There is no such check-in.
    RefusedError
        It was decided otherwise already.
    BadRecordError
        No reason was written.
    """
    check_right(viewer, "action", "decide_checkin")
    text = mask_reason(store, reason) if not accept or reason.strip() else None
    desk = Desk.open(store)

    def work(transaction: Transaction) -> Taken:
        rows = transaction.fetch(
            "SELECT c.*, p.points AS worth FROM checkins c JOIN checkin_points p USING (point_id) WHERE checkin_id = ?",
            [checkin_id],
        )
        if rows.empty:
            raise RecordMissingError(f"There is no check-in '{checkin_id[:40]}'. Look at the list again.")
        row, now, state = rows.to_dict("records")[0], clock(), "counted" if accept else "rejected"
        if row["state"] == state:
            return replace(_read_taken(transaction, checkin_id), is_repeat=True)
        if row["state"] == "rejected":
            raise RefusedError(f"Check-in '{checkin_id}' was turned down already. Mend it by a correction of points.")
        points, is_capped = _settle(transaction, row, accept=accept, viewer=viewer, desk=desk, now=now, reason=text)
        transaction.execute(
            "checkins",
            "UPDATE checkins SET state = ?, points = ?, decided_by = ?, decided_utc = ?, reason = ? "
            "WHERE checkin_id = ?",
            [state, points, get_booker(viewer), to_stored_time(now), text, checkin_id],
        )
        event = Event("checkin.decided", now, {"state": state, "points": points, "by": get_booker(viewer)})
        append_events(transaction, [(checkin_id, event)], table="checkins")
        return replace(_read_taken(transaction, checkin_id), is_capped=is_capped)

    detail = {"what": "accept" if accept else "reject"}
    return write_booked(store, viewer, "checkin", checkin_id, detail, work, clock, reason=text)


def take_arrivals(
    store: Store, viewer: Viewer, arrivals: Sequence[Arrival], *, file_id: str, clock: Clock
) -> list[Taken | None]:
    """Take in many in one transaction, in the order of their times; None for one whose point is not known here."""
    desk = Desk.open(store)

    def work(transaction: Transaction) -> list[Taken | None]:
        return [_try(transaction, one, desk) for one in arrivals]

    def describe(taken: Sequence[Taken | None]) -> list[Any]:
        detail = {"what": "take_file", "file": file_id, "n": sum(one is not None for one in taken)}
        return [build_entry(viewer, "import", subject_kind="checkin", detail=detail)]

    return write_audited(store, work, describe, clock=clock)


def _try(transaction: Transaction, arrival: Arrival, desk: Desk) -> Taken | None:
    try:
        return take_arrival(transaction, arrival, desk)
    except RecordMissingError:
        return None


def _settle(
    transaction: Transaction, row: Mapping[Any, Any], *, accept: bool, viewer: Viewer, desk: Desk, now: datetime,
    reason: str | None,
) -> tuple[int, bool]:  # fmt: skip
    """Book what a decision means; points that the check-in stands for then, and whether the cap cut them."""
    volunteer_id, checkin_id = str(row["volunteer_id"]), str(row["checkin_id"])
    day, by = to_day(get_aware(row["done_utc"])), get_booker(viewer)
    if accept:
        if not _is_active(transaction, volunteer_id):
            raise RefusedError(f"Volunteer '{volunteer_id}' has left: nothing counts any more. Turn it down.")
        return _earn_for(transaction, volunteer_id, checkin_id, int(row["worth"]), day, by, now, desk)
    back = min(int(row["points"]), read_points(transaction, volunteer_id))
    if back:  # what was spent meanwhile cannot be taken: no account falls below zero
        entry = build_correct(
            f"reject:{checkin_id}", volunteer_id, -back, at=now, on=day, by=by, reason=reason or "", ref_id=checkin_id
        )
        book(transaction, entry)
    return 0, False


def _earn(transaction: Transaction, arrival: Arrival, worth: int, desk: Desk) -> tuple[int, bool]:
    day = to_day(arrival.record.at)
    ids = (arrival.volunteer_id, arrival.record.record_id)
    return _earn_for(transaction, *ids, worth, day, arrival.by, arrival.received, desk)


def _earn_for(
    transaction: Transaction, volunteer_id: str, checkin_id: str, worth: int, day: date, by: str, at: datetime,
    desk: Desk,
) -> tuple[int, bool]:  # fmt: skip
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    earned = int(transaction.rows(_EARNED, [volunteer_id, first, last])[0][0])
    points = cap_points(worth, earned=earned, cap=desk.settings.points_month_cap)
    if points:
        book(transaction, build_earn(volunteer_id, checkin_id, points, at=at, counted_on=day, by=by))
    return points, points < worth


def _build_attempt(transaction: Transaction, arrival: Arrival, desk: Desk) -> Attempt:
    record, x_m, y_m = arrival.record, None, None
    if record.lon_deg is not None and record.lat_deg is not None and desk.crs is not None:
        x_m, y_m = map(float, transform_xy(np.array([[record.lon_deg, record.lat_deg]]), "EPSG:4326", desk.crs)[0])
    rows = transaction.rows("SELECT team_id FROM volunteers WHERE volunteer_id = ?", [arrival.volunteer_id])
    return Attempt(
        arrival.way, record.at, arrival.received, rows[0][0] if rows else None, record.code, x_m, y_m,
        record.accuracy_m, arrival.photo_id is not None, arrival.is_signed,
    )  # fmt: skip


def _put(
    transaction: Transaction,
    arrival: Arrival,
    attempt: Attempt,
    point: PointRules,
    doubts: Sequence[Doubt],
    points: int,
) -> None:
    record, distance_m = arrival.record, measure_distance_m(attempt, point)
    state = "pending" if doubts else "counted"
    row = {
        "checkin_id": record.record_id, "volunteer_id": arrival.volunteer_id, "point_id": record.point_id,
        "way": arrival.way.value, "done_utc": to_stored_time(record.at),
        "received_utc": to_stored_time(arrival.received), "state": state, "doubts": " ".join(doubts),
        "is_spot_check": Doubt.SPOT_CHECK in doubts,
        "distance_m": None if distance_m is None else round(distance_m, 1), "accuracy_m": record.accuracy_m,
        "points": points, "entered_by": arrival.by, "record": record.to_text(), "record_sha256": record.sha256,
        "photo_id": arrival.photo_id,
    }  # fmt: skip
    insert_rows(transaction, "checkins", [row])
    detail = {
        "volunteer_id": arrival.volunteer_id, "point_id": record.point_id, "way": arrival.way.value, "state": state,
        "doubts": list(doubts), "points": points, "by": arrival.by, "done_utc": row["done_utc"].isoformat(),  # type: ignore[union-attr]
    }  # fmt: skip
    event = Event("checkin.taken", arrival.received, detail)
    append_events(transaction, [(record.record_id, event)], table="checkins")


def _is_drawn(transaction: Transaction, checkin_id: str, received: datetime, settings: StoreSettings) -> bool:
    """Whether the day's draw takes it; the first of a day writes the seed down before anything is drawn by it."""
    day = to_day(received)
    rows = transaction.rows("SELECT seed, percent FROM checkin_draws WHERE draw_on = ?", [day])
    if not rows:
        seed, percent = secrets.token_hex(16), settings.checkin_spot_percent
        row = {"draw_on": day, "seed": seed, "percent": percent, "drawn_utc": to_stored_time(received)}
        insert_rows(transaction, "checkin_draws", [row])
        event = Event("checkin.draw", received, {"seed": seed, "percent": percent})
        append_events(transaction, [(day.isoformat(), event)], table="checkin_draws")
        rows = [(seed, percent)]
    return is_drawn(str(rows[0][0]), checkin_id, int(rows[0][1]))


def _find_just_now(transaction: Transaction, volunteer_id: str, point_id: str, at: datetime) -> str | None:
    around = (to_stored_time(at - TWICE), to_stored_time(at + TWICE))
    rows = transaction.rows(_VISITS, [volunteer_id, *around])
    return next((str(row[0]) for row in rows if row[1] == point_id), None)


def _read_taken(transaction: Transaction, checkin_id: str) -> Taken:
    rows = transaction.rows(
        "SELECT volunteer_id, state, doubts, points FROM checkins WHERE checkin_id = ?", [checkin_id]
    )
    volunteer_id, state, doubts, points = rows[0]
    balance = read_points(transaction, volunteer_id)
    return Taken(checkin_id, volunteer_id, state, tuple(doubts.split()), int(points), balance)


def _read_number(transaction: Transaction, volunteer_id: str) -> str:
    rows = transaction.rows("SELECT number, state FROM volunteers WHERE volunteer_id = ?", [volunteer_id])
    if not rows:
        raise RecordMissingError(f"There is no volunteer '{volunteer_id[:40]}'. Read the card again.")
    if rows[0][1] != "active":
        raise RefusedError(f"Volunteer '{volunteer_id}' has left. Take them in anew if they come back.")
    return str(rows[0][0])


def _is_active(transaction: Transaction, volunteer_id: str) -> bool:
    return bool(
        transaction.rows("SELECT 1 FROM volunteers WHERE volunteer_id = ? AND state = 'active'", [volunteer_id])
    )

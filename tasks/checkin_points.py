"""
Check-in points (打卡点): suggested, opened, changed and closed by the office. Each change is an event.

What happened at a place is a reason for the office; the name that a poster shows says only where it is. A point is open
by day unless somebody has seen that it is lit, and for some weeks, not for ever.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any, Final

import pandas as pd

from data.incident_writes import Event, append_events, insert_rows
from data.intake import mask_at_intake
from data.moments import to_stored_time
from data.rights import check_right
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from data.task_places import find_grid_at
from data.viewer import Viewer
from data.zone_hours import EVERY_DAY, check_hours
from gis.errors import BadRecordError, RecordMissingError, RefusedError
from tasks.booking import get_booker, to_day, write_booked
from tasks.checkin_rules import PointRules, build_day_code

DAY_FROM, DAY_TO = time(8), time(18)
"""By default; what is open longer has to be lit."""
OPEN_DAYS: Final = 28
_MOST_DAYS: Final = 366
_RADIUS_M: Final = (10.0, 200.0)
_POINTS: Final = (1, 50)
_PERIOD_MINUTES: Final = (10, 24 * 60)
_FIELDS: Final = (
    *("name", "reason", "zone_id", "lit", "weekdays", "hours_from", "hours_to", "opens_on", "closes_on", "radius_m"),
    *("points", "period_minutes", "team_id", "photo_wanted"),
)


@dataclass(frozen=True)
class PointDraft:
    """A point as somebody wants it; place in the community's CRS, metres."""

    name: str
    reason: str
    x_m: float
    y_m: float
    opens_on: date
    closes_on: date
    lit: bool = False
    weekdays: str = EVERY_DAY
    hours_from: time = DAY_FROM
    hours_to: time = DAY_TO
    radius_m: float = 40.0
    points: int = 2
    period_minutes: int = 240
    team_id: str | None = None
    photo_wanted: bool = False
    zone_id: str | None = None


def build_draft(name: str, reason: str, x_m: float, y_m: float, *, today: date, **values: Any) -> PointDraft:
    """A draft with the usual weeks, from today."""
    days = {"opens_on": today, "closes_on": today + timedelta(days=OPEN_DAYS - 1)}
    return PointDraft(name, reason, x_m, y_m, **{**days, **values})


def add_point(store: Store, viewer: Viewer, draft: PointDraft, *, is_open: bool, clock: Clock) -> str:
    """
    A new point, open at once or suggested for somebody to decide; returns its id.

    Raises
    ------
    BadRecordError
        A value that cannot be; or it would be open in the dark and nobody has seen a light.
    """
    check_right(viewer, "action", "manage_checkin_points")
    checked = _check(store, draft)
    point_id = f"p-{secrets.token_hex(4)}"
    grid_id = find_grid_at(store, draft.x_m, draft.y_m)

    def work(transaction: Transaction) -> str:
        now = clock()
        values = {name: getattr(checked, name) for name in _FIELDS}
        row = {
            "point_id": point_id, "state": "open" if is_open else "suggested", **values, "grid_id": grid_id,
            "made_utc": to_stored_time(now), "made_by": get_booker(viewer), "changed_utc": to_stored_time(now),
            "geom": (draft.x_m, draft.y_m),
        }  # fmt: skip
        insert_rows(transaction, "checkin_points", [row])
        kind = "point.opened" if is_open else "point.suggested"
        detail = {**_to_plain(values), "x_m": round(draft.x_m, 2), "y_m": round(draft.y_m, 2), "grid_id": grid_id}
        append_events(transaction, [(point_id, Event(kind, now, detail))], table="checkin_points")
        return point_id

    return write_booked(store, viewer, "checkin_point", point_id, {"what": "open" if is_open else "suggest"},
                        work, clock)  # fmt: skip


def change_point(store: Store, viewer: Viewer, point_id: str, *, clock: Clock, **values: Any) -> None:
    """Change some fields of a point that is not closed; a suggested one is opened by `open_point`."""
    check_right(viewer, "action", "manage_checkin_points")
    unknown = sorted(set(values) - set(_FIELDS))
    if unknown:
        raise BadRecordError(f"A point's {', '.join(unknown)} cannot be changed, only {', '.join(_FIELDS)}.")
    before = read_draft(store, point_id)
    checked = _check(store, replace(before, **values))
    changed = {name: now for name in _FIELDS if (now := getattr(checked, name)) != getattr(before, name)}
    if changed:
        _set(store, viewer, point_id, "point.changed", changed, ("suggested", "open"), clock)


def open_point(store: Store, viewer: Viewer, point_id: str, *, clock: Clock) -> None:
    """Open a suggested or closed point, from today for as long as it was to be."""
    check_right(viewer, "action", "manage_checkin_points")
    before = read_draft(store, point_id)
    today = to_day(clock())
    length = before.closes_on - before.opens_on
    changed: dict[str, Any] = {"state": "open"}
    if before.closes_on < today:
        changed |= {"opens_on": today, "closes_on": today + length}
    _check(store, replace(before, **{name: value for name, value in changed.items() if name != "state"}))
    _set(store, viewer, point_id, "point.opened", changed, ("suggested", "closed"), clock)


def close_point(store: Store, viewer: Viewer, point_id: str, *, clock: Clock) -> None:
    """Close a point, or turn a suggestion down."""
    check_right(viewer, "action", "manage_checkin_points")
    _set(store, viewer, point_id, "point.closed", {"state": "closed"}, ("suggested", "open"), clock)


def read_draft(store: Store, point_id: str) -> PointDraft:
    """A point as it is; `RecordMissingError` when there is none."""
    row = store.read_first(
        f"SELECT {', '.join(_FIELDS)}, ST_X(geom) AS x_m, ST_Y(geom) AS y_m FROM checkin_points WHERE point_id = ?",
        [point_id],
    )
    if not row:
        raise RecordMissingError(f"There is no check-in point '{point_id[:40]}'. Choose it from the list.")
    return PointDraft(**row)


def to_rules(row: dict[str, Any]) -> PointRules:
    """A row of `checkin_points`, with x_m and y_m, as the rules read it."""
    return PointRules(
        row["point_id"], float(row["x_m"]), float(row["y_m"]), row["state"] == "open",
        check_hours(row["weekdays"], row["hours_from"], row["hours_to"]), pd.Timestamp(row["opens_on"]).date(),
        pd.Timestamp(row["closes_on"]).date(), float(row["radius_m"]), timedelta(minutes=int(row["period_minutes"])),
        row["team_id"], bool(row["photo_wanted"]),
    )  # fmt: skip


def find_day_code(store: Store, viewer: Viewer, point_id: str, day: date) -> str:
    """The code of a point on a day, for who hands it out there."""
    check_right(viewer, "action", "see_day_code")
    return build_day_code(get_code_key(store), point_id, day)


def get_code_key(store: Store) -> bytes:
    """What codes of the day are made with."""
    return get_key(store, "check-in codes")


def _check(store: Store, draft: PointDraft) -> PointDraft:
    name, reason = (" ".join(text.split()) for text in (draft.name, draft.reason))
    if not 1 <= len(name) <= 40:
        raise BadRecordError(f"The point's name has {len(name)} characters, expected 1 to 40. Say where it is.")
    if len(reason) < 4:
        raise BadRecordError(f"The reason has {len(reason)} characters, expected at least 4. Say more.")
    check_hours(draft.weekdays, draft.hours_from, draft.hours_to)
    by_day = DAY_FROM <= draft.hours_from < draft.hours_to <= DAY_TO
    if not by_day and not draft.lit:
        raise BadRecordError(
            f"'{name}' would be open {draft.hours_from:%H:%M} to {draft.hours_to:%H:%M}, in the dark for some of the "
            f"year, and nobody has seen a light. Say that it is lit, or stay within {DAY_FROM:%H:%M} to {DAY_TO:%H:%M}."
        )
    days = (draft.closes_on - draft.opens_on).days + 1
    if not 1 <= days <= _MOST_DAYS:
        raise BadRecordError(f"'{name}' would be open {days} days, expected 1 to {_MOST_DAYS}. Correct the dates.")
    for what, value, (least, most) in (
        ("radius in metres", draft.radius_m, _RADIUS_M),
        ("points", draft.points, _POINTS),
        ("minutes until one can check in again", draft.period_minutes, _PERIOD_MINUTES),
    ):
        if not least <= value <= most:
            raise BadRecordError(f"'{name}': {what} are {value}, expected {least} to {most}. Correct them.")
    return replace(draft, name=mask_at_intake(store, name), reason=mask_at_intake(store, reason[:300]))


def _set(
    store: Store, viewer: Viewer, point_id: str, kind: str, changed: dict[str, Any], states: tuple[str, ...],
    clock: Clock,
) -> None:  # fmt: skip
    def work(transaction: Transaction) -> None:
        rows = transaction.rows("SELECT state FROM checkin_points WHERE point_id = ?", [point_id])
        if not rows:
            raise RecordMissingError(f"There is no check-in point '{point_id[:40]}'. Choose it from the list.")
        if rows[0][0] not in states:
            raise RefusedError(f"Point '{point_id}' is {rows[0][0]}, expected {' or '.join(states)}. Look again.")
        now = clock()
        full = {**changed, "changed_utc": to_stored_time(now)}
        names = ", ".join(f"{name} = ?" for name in full)
        transaction.execute(
            "checkin_points", f"UPDATE checkin_points SET {names} WHERE point_id = ?", [*full.values(), point_id]
        )
        append_events(transaction, [(point_id, Event(kind, now, _to_plain(changed)))], table="checkin_points")

    write_booked(store, viewer, "checkin_point", point_id, {"what": kind.partition(".")[2]}, work, clock)


def _to_plain(values: dict[str, Any]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, date | time) else value for name, value in values.items()}

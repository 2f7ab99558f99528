"""Calendars (school days, holidays …) as data: typed or pasted, kept as days, replaced as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import date, timedelta

from data.audit import build_entry, write_audited
from data.moments import to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError

MOST_DAYS = 10_000
_MOST_CHARACTERS = 20
_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_PART = re.compile(rf"({_DAY})(?:\s*(?:\.\.|~|至|到|to)\s*({_DAY}))?")
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def read_days(text: str, *, weekdays: Collection[int] = EVERY_DAY) -> frozenset[date]:
    """
    Days from text: dates and ranges such as `2026-09-01..2027-01-22`, both ends included, with commas or lines between.

    Parameters
    ----------
    weekdays
        Only days of these, 1 for Monday.

    Raises
    ------
    BadRecordError
        A part that is no date, a range that ends before it begins, no day at all, or too many.
    """
    days: set[date] = set()
    for part in filter(None, (one.strip() for one in re.split(r"[,，;；、\n]", text))):
        match = _PART.fullmatch(part)
        try:
            if match is None:
                raise ValueError("no date")
            first = _to_date(match[1])
            last = _to_date(match[2]) if match[2] else first
        except ValueError:
            raise BadRecordError(
                f"'{part[:40]}' is no day, expected e.g. 2026-09-01 or 2026-09-01..2027-01-22. Correct it."
            ) from None
        if last < first:
            raise BadRecordError(f"'{part[:40]}' ends before it begins. Swap the two dates.")
        if (last - first).days > MOST_DAYS:
            raise BadRecordError(f"'{part[:40]}' is longer than {MOST_DAYS:,} days. Correct a year.")
        days.update(first + timedelta(days=k) for k in range((last - first).days + 1))
    kept = frozenset(day for day in days if day.isoweekday() in weekdays)
    if not kept or len(kept) > MOST_DAYS:
        raise BadRecordError(f"The calendar has {len(kept)} days, expected 1 to {MOST_DAYS:,}. Name its days.")
    return kept


def keep_calendar(store: Store, viewer: Viewer, name: str, days: Collection[date], *, clock: Clock) -> None:
    """
    Keep a calendar; one of that name is replaced.

    Raises
    ------
    NotAllowedError
        The role may not.
    BadRecordError
        No name, one that is too long, or no day.
    """
    check_right(viewer, "action", "manage_calendars")
    plain = " ".join(name.split())
    if not plain or len(plain) > _MOST_CHARACTERS:
        raise BadRecordError(f"The name has {len(plain)} characters, expected 1 to {_MOST_CHARACTERS}. Change it.")
    if not days:
        raise BadRecordError("The calendar has 0 days, expected at least 1. Name its days.")
    ordered = sorted(days)
    now = to_stored_time(clock())
    detail = {"calendar": plain, "days": len(ordered), "first": str(ordered[0]), "last": str(ordered[-1])}

    def put(transaction: Transaction) -> None:
        transaction.execute("calendar_days", "DELETE FROM calendar_days WHERE calendar = ?", [plain])
        sql = "INSERT INTO calendar_days (calendar, day) SELECT ?, unnest(CAST(? AS DATE[]))"
        transaction.execute("calendar_days", sql, [plain, ordered])
        last = transaction.fetch("SELECT coalesce(max(event_id), 0) AS n FROM events")["n"].iloc[0]
        transaction.execute(
            "events",
            "INSERT INTO events (event_id, at_utc, kind, subject_table, subject_id, detail) VALUES (?,?,?,?,?,?)",
            [int(last) + 1, now, "calendar.kept", "calendar_days", plain, json.dumps(detail, ensure_ascii=False)],
        )

    entry = build_entry(viewer, "change", subject_kind="calendar", subject_id=plain, detail=detail)
    write_audited(store, put, lambda _: [entry], clock=clock)


def _to_date(text: str) -> date:
    year, month, day = (int(part) for part in text.split("-"))
    return date(year, month, day)

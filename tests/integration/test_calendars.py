"""Calendars: read from what was typed, kept as days, replaced as a whole, in the log."""

from __future__ import annotations

from datetime import date

import pytest

from data.audit import verify
from data.calendars import keep_calendar, read_days
from data.queries import find_calendar_days
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError
from tests.fixtures.access import Clock, access_store, clock

__all__ = ["access_store", "clock"]  # fixtures
COMMANDER = Viewer(Role.COMMANDER, account_id="a-1", name="chief")


def test_days_and_ranges_with_both_ends() -> None:
    # 2026-09-01 is a Tuesday.
    assert read_days("2026-09-01..2026-09-07, 2026-10-1") == {
        *(date(2026, 9, d) for d in range(1, 8)),
        date(2026, 10, 1),
    }
    assert read_days("2026-09-01 至 2026-09-07；", weekdays=(6, 7)) == {date(2026, 9, 5), date(2026, 9, 6)}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "0 days"),
        ("2026-02-30", "'2026-02-30' is no day"),
        ("next week", "'next week' is no day"),
        ("2026-09-07..2026-09-01", "ends before it begins"),
        ("0001-01-01..9999-12-31", "longer than 10,000 days"),
        ("2026-09-01<script>", "is no day"),
    ],
)
def test_what_is_no_day_is_refused(text: str, match: str) -> None:
    with pytest.raises(BadRecordError, match=match):
        read_days(text)


def test_a_calendar_is_replaced_as_a_whole_and_logged(access_store: Store, clock: Clock) -> None:
    keep_calendar(access_store, COMMANDER, " 上学日 ", read_days("2026-09-01..2026-09-04"), clock=clock)
    keep_calendar(access_store, COMMANDER, "上学日", read_days("2026-09-07"), clock=clock)
    rows = find_calendar_days(access_store, COMMANDER)
    assert [(one.calendar, str(one.day.date())) for one in rows.itertuples()] == [("上学日", "2026-09-07")]
    events = access_store.read("SELECT subject_id FROM events WHERE kind = 'calendar.kept'")["subject_id"].tolist()
    assert events == ["上学日", "上学日"]
    assert verify(access_store).is_whole
    with pytest.raises(BadRecordError, match="1 to 20"):
        keep_calendar(access_store, COMMANDER, "x" * 21, read_days("2026-09-07"), clock=clock)
    with pytest.raises(BadRecordError, match="0 days"):
        keep_calendar(access_store, COMMANDER, "none", [], clock=clock)


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.COMMANDER])
def test_other_roles_keep_no_calendar(access_store: Store, clock: Clock, role: Role) -> None:
    with pytest.raises(NotAllowedError):
        keep_calendar(access_store, Viewer(role), "x", read_days("2026-09-07"), clock=clock)

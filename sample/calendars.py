"""Two calendars of the sample's two years: public holidays, and school days that are invented around them."""

from __future__ import annotations

from datetime import date, timedelta

from sample.dwellings import Row

HOLIDAYS, SCHOOL_DAYS = "节假日", "上学日"
# As published for the whole country each year (国务院办公厅关于部分节假日安排的通知), days off only.
_OFF = (
    ("2025-01-01", "2025-01-01"), ("2025-01-28", "2025-02-04"), ("2025-04-04", "2025-04-06"),
    ("2025-05-01", "2025-05-05"), ("2025-05-31", "2025-06-02"), ("2025-10-01", "2025-10-08"),
    ("2026-01-01", "2026-01-03"), ("2026-02-15", "2026-02-23"), ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"), ("2026-06-19", "2026-06-21"), ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
)  # fmt: skip
_TERMS = (
    ("2024-11-11", "2025-01-17"), ("2025-02-17", "2025-06-27"), ("2025-09-01", "2026-01-30"),
    ("2026-03-02", "2026-06-30"), ("2026-09-01", "2026-11-20"),
)  # fmt: skip


def build_calendars() -> list[Row]:
    """Rows of calendar_days."""
    off = _list_days(_OFF)
    school = [day for day in _list_days(_TERMS) if day.isoweekday() <= 5 and day not in off]
    return [
        {"calendar": name, "day": day}
        for name, days in ((HOLIDAYS, off), (SCHOOL_DAYS, school))
        for day in sorted(days)
    ]


def _list_days(spans: tuple[tuple[str, str], ...]) -> set[date]:
    days = set()
    for first, last in spans:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
        days |= {start + timedelta(days=k) for k in range((end - start).days + 1)}
    return days

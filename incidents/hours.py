"""
The clock: incidents by weekday and hour, those known only as between two times spread over what lies between.

Source: Ratcliffe 2000, doi:10.1080/136588100424963 (aoristic analysis). Calendars (school days, holidays) are data.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis.errors import BadFileError, BadRecordError
from incidents.answer import Answer
from incidents.knox import say_p
from incidents.rates import compare_counts

Floats = NDArray[np.float64]

ZONE = "Asia/Shanghai"
MOST_HOURS = 72.0
"""What can have happened at any time of more hours than this tells nothing about the clock: a convention of ours."""


@dataclass(frozen=True)
class Calendar:
    """Days of one kind, e.g. school days; of every other day it is known that they are not."""

    name: str
    days: frozenset[date]


def read_calendar(name: str, rows: pd.DataFrame) -> Calendar:
    """
    A calendar from a table with the column `date` (ISO) and, if there are several kinds in it, `kind`.

    Raises
    ------
    BadFileError
        There is no such column, or a date cannot be read.
    """
    if "date" not in rows:
        raise BadFileError(f"Calendar '{name}' has columns {', '.join(map(str, rows.columns))}, expected 'date'.")
    if "kind" in rows:
        rows = rows[rows["kind"] == name]
    try:
        return Calendar(name, frozenset(date.fromisoformat(str(day)[:10]) for day in rows["date"]))
    except ValueError as error:
        raise BadFileError(f"Calendar '{name}': {error}. Write dates as 2026-09-01.") from error


def find_hours(from_utc: pd.Series, to_utc: pd.Series, *, most_hours: float = MOST_HOURS) -> Answer:
    """
    Incidents by weekday and hour in Shanghai, each weighing 1 in all.

    An incident between two times counts in each hour as much as that hour has of the interval. Rows: weekday (0 is
    Monday), hour, weight. Left out: intervals longer than `most_hours`, and those that end before they begin.
    Figures: weekdays and hours (weights, they sum to n_used), spread (incidents known only as an interval).
    """
    begin, end = (
        pd.to_datetime(column, utc=True).dt.tz_convert(ZONE).dt.tz_localize(None) for column in (from_utc, to_utc)
    )
    start_h = ((begin - pd.Timestamp("2000-01-03")) / pd.Timedelta(hours=1)).to_numpy(dtype=np.float64)
    length_h = ((end - begin) / pd.Timedelta(hours=1)).to_numpy(dtype=np.float64)
    backward, long = length_h < 0, length_h > most_hours
    kept = ~(backward | long | np.isnan(length_h))
    weights = spread_hours(start_h[kept].astype(np.float64), length_h[kept].astype(np.float64))
    table = weights.reshape(7, 24)
    rows = pd.DataFrame({"weekday": np.repeat(np.arange(7), 24), "hour": np.tile(np.arange(24), 7), "weight": weights})
    n = int(kept.sum())
    figures = {
        "weekdays": table.sum(axis=1).tolist(),
        "hours": table.sum(axis=0).tolist(),
        "spread": int((length_h[kept] > 0).sum()),
    }
    left_out = {"too_long": int(long.sum()), "ends_before_it_begins": int(backward.sum())}
    first, share = _busiest(table.sum(axis=0))
    words = {"n": n, "from": f"{first:02d}", "to": f"{(first + 6) % 24:02d}", "share": f"{100 * share:.0f}"}
    return Answer("hours", {"most_hours": most_hours, "zone": ZONE}, n, rows, figures, "hours", words, left_out)


def spread_hours(start_h: Floats, length_h: Floats) -> Floats:
    """Weight of each of the 168 hours of a week; starts are hours since a Monday's midnight. Sums to the number."""
    weights = np.zeros(168)
    length_h = (start_h + length_h) - start_h  # what rounding leaves of it
    points = length_h == 0
    np.add.at(weights, np.floor(start_h[points]).astype(np.int64) % 168, 1.0)
    start, length = start_h[~points], length_h[~points]
    first = np.floor(start)
    for step in range(int(np.ceil((start + length - first).max(initial=0)))):
        overlap = np.minimum(start + length, first + step + 1) - np.maximum(start, first + step)
        np.add.at(weights, (first + step).astype(np.int64) % 168, np.maximum(overlap, 0.0) / length)
    return weights


def _busiest(hours: Floats) -> tuple[int, float]:
    """The six hours in a row that hold most, and their share."""
    six = np.array([np.roll(hours, -h)[:6].sum() for h in range(24)])
    return int(six.argmax()), float(six.max() / hours.sum()) if hours.sum() else 0.0


def compare_days(days: Collection[date], calendar: Calendar, *, since: date, until: date) -> Answer:
    """
    Incidents on the days of a calendar against all other days of [since, until), by the exact Poisson test.

    `days` is the local date of each incident. Rows: kind (the calendar's name, other), days, count, per_day. Figures:
    ratio with its interval, and p.
    """
    span = [since + timedelta(days=k) for k in range((until - since).days)]
    chosen = [day for day in span if day in calendar.days]
    if not chosen or len(chosen) == len(span):
        raise BadRecordError(f"Of {len(span)} days {len(chosen)} are '{calendar.name}': there is nothing to compare.")
    within = [day for day in days if since <= day < until]
    count = sum(day in calendar.days for day in within)
    test = compare_counts(
        count, len(within) - count, exposure_first=len(chosen), exposure_second=len(span) - len(chosen)
    )
    rows = pd.DataFrame(
        {
            "kind": [calendar.name, "other"],
            "days": [len(chosen), len(span) - len(chosen)],
            "count": [count, len(within) - count],
        }
    )
    rows["per_day"] = rows["count"] / rows["days"]
    figures = {"ratio": test.ratio, "low": test.low, "high": test.high, "p": test.p}
    words = {
        "name": calendar.name,
        "ratio": f"{test.ratio:.2f}",
        "low": f"{test.low:.2f}",
        "high": f"{test.high:.2f}",
        "p": say_p(test.p),
    }
    asked = {"calendar": calendar.name, "since": since, "until": until}
    left_out = {"outside_period": len(days) - len(within)}
    return Answer("calendar", asked, len(within), rows, figures, "calendar", words, left_out)

"""When a zone is patrolled: days of the week and hours in Shanghai, as a patrol plan reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gis.errors import BadRecordError

EVERY_DAY = "1234567"
LEAST_WEIGHT, MOST_WEIGHT = 1.0, 5.0
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class ZoneHours:
    """Days and hours; without hours the whole day."""

    weekdays: str = EVERY_DAY
    """Digits of the days on which the hours begin, 1 for Monday, ascending"""
    begin: time | None = None
    end: time | None = None
    """Not after `begin`: on the next day"""

    def find_window(self, day: date) -> tuple[datetime, datetime] | None:
        """Beginning and end of the hours that begin on `day`, None where it is not one of the days."""
        if str(day.isoweekday()) not in self.weekdays:
            return None
        start = datetime.combine(day, self.begin or time(), SHANGHAI)
        stop = datetime.combine(day, self.end or time(), SHANGHAI)
        return start, stop if stop > start else stop + timedelta(days=1)

    def is_within(self, moment: datetime) -> bool:
        """Whether `moment` (aware) lies in the hours, those that began the evening before too."""
        today = moment.astimezone(SHANGHAI).date()
        windows = (self.find_window(today - timedelta(days=back)) for back in (0, 1))
        return any(window is not None and window[0] <= moment < window[1] for window in windows)


def check_hours(weekdays: str, begin: time | None, end: time | None) -> ZoneHours:
    """
    The hours, as they were typed.

    Raises
    ------
    BadRecordError
        No day, a day that is none or stands twice, one end of the hours without the other, or both the same.
    """
    if not weekdays or "".join(sorted(set(weekdays) & set(EVERY_DAY))) != weekdays:
        raise BadRecordError(
            f"Days of the week are '{weekdays[:20]}', expected some of 1 (Monday) to 7, each once, ascending. "
            "Choose a day."
        )
    if (begin is None) != (end is None):
        raise BadRecordError(f"Hours are {begin or '?'} to {end or '?'}, expected both ends or none. Give both.")
    if begin is not None and begin == end:
        raise BadRecordError(f"Hours begin and end at {begin:%H:%M}. Leave both empty for the whole day.")
    return ZoneHours(weekdays, begin, end)


def check_weight(weight: float) -> float:
    """`weight` when it is one."""
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:  # not a number is refused as well
        raise BadRecordError(f"The weight is {weight}, expected {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}. Correct it.")
    return float(weight)

"""
Rules of check-ins, pure: what is doubtful about one, the code of the day, and which are drawn for a look.

Nothing is refused at the spot. Between buildings a phone's position is wrong by tens of metres, an old one's clock by
hours: whatever is doubtful waits for a person, with the reason, and everything else counts at once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import dist
from typing import Final

from data.zone_hours import SHANGHAI, ZoneHours

FASTEST_M_S: Final = 7.0
"""Between two points: an e-bike at its legal limit of 25 km/h (GB 17761-2018, 6.1.1)."""
NEAR_M: Final = 50.0
"""Two points so near may be visited one right after the other, whatever the clock says."""
AHEAD: Final = timedelta(minutes=5)
LATE: Final = timedelta(hours=48)
"""A phone that was away sends when it is back; later than this somebody looks at it."""
LATE_BY_HAND: Final = timedelta(days=14)
"""Stamp cards are brought in when they are full."""
CODE_DIGITS: Final = 4
_TRUSTED_DEVIATIONS: Final = 2.0
"""
How much of the stated accuracy is granted. Browsers state a radius of 95 % confidence (W3C Geolocation, "accuracy"),
and among buildings reflections make it too small.
"""


class Way(StrEnum):
    """How a check-in came."""

    STAMP_CARD = "stamp_card"
    RADIO = "radio"
    SCANNER = "scanner"
    KIOSK = "kiosk"
    PHONE = "phone"


BY_HAND: Final = (Way.STAMP_CARD, Way.RADIO)
"""Entered by the guard on duty, who vouches for it: no code is asked, and it may be days old."""


class Doubt(StrEnum):
    """Why somebody has to look at a check-in."""

    POINT_CLOSED = "point_closed"
    OUT_OF_HOURS = "out_of_hours"
    OTHER_TEAM = "other_team"
    SAME_PERIOD = "same_period"
    TOO_FAST = "too_fast"
    TOO_FAR = "too_far"
    NO_POSITION = "no_position"
    WRONG_CODE = "wrong_code"
    CLOCK_AHEAD = "clock_ahead"
    LATE = "late"
    NO_PHOTO = "no_photo"
    BAD_SIGNATURE = "bad_signature"
    SPOT_CHECK = "spot_check"


@dataclass(frozen=True)
class PointRules:
    """What a check-in point asks for; place in metres."""

    point_id: str
    x_m: float
    y_m: float
    is_open: bool
    hours: ZoneHours
    opens_on: date
    closes_on: date
    radius_m: float
    period: timedelta
    team_id: str | None = None
    photo_wanted: bool = False


@dataclass(frozen=True)
class Visit:
    """An earlier or later check-in of the same person that was not rejected."""

    point_id: str
    x_m: float
    y_m: float
    at: datetime


@dataclass(frozen=True)
class Attempt:
    """
    A check-in as it came.

    Attributes
    ----------
    at, received
        When it was done by the clock of who took it down, and when it came in; aware.
    code
        Code of the day as it was typed, None where none is asked.
    x_m, y_m, accuracy_m
        Where the device was, metres; None where it did not say.
    """

    way: Way
    at: datetime
    received: datetime
    team_id: str | None
    code: str | None = None
    x_m: float | None = None
    y_m: float | None = None
    accuracy_m: float | None = None
    has_photo: bool = False
    is_signed: bool = True


def find_doubts(attempt: Attempt, point: PointRules, others: Sequence[Visit], *, codes: Sequence[str]) -> list[Doubt]:
    """
    Everything that is doubtful about a check-in, in the order of `Doubt`; empty: it counts.

    Parameters
    ----------
    others
        Visits of the same person around it, any order.
    codes
        Codes that are good for the day of the check-in.
    """
    found: list[Doubt] = []
    day = attempt.at.astimezone(SHANGHAI).date()
    if not point.is_open or not point.opens_on <= day <= point.closes_on:
        found.append(Doubt.POINT_CLOSED)
    elif not point.hours.is_within(attempt.at):
        found.append(Doubt.OUT_OF_HOURS)
    if point.team_id is not None and point.team_id != attempt.team_id:
        found.append(Doubt.OTHER_TEAM)
    if any(one.point_id == point.point_id and abs(one.at - attempt.at) < point.period for one in others):
        found.append(Doubt.SAME_PERIOD)
    if any(_is_too_fast(one, point, attempt.at) for one in others if one.point_id != point.point_id):
        found.append(Doubt.TOO_FAST)
    found += _doubt_place(attempt, point)
    if attempt.way is Way.PHONE and attempt.code not in codes:
        found.append(Doubt.WRONG_CODE)
    if attempt.at > attempt.received + AHEAD:
        found.append(Doubt.CLOCK_AHEAD)
    elif attempt.received - attempt.at > (LATE_BY_HAND if attempt.way in BY_HAND else LATE):
        found.append(Doubt.LATE)
    if attempt.way is Way.PHONE and point.photo_wanted and not attempt.has_photo:
        found.append(Doubt.NO_PHOTO)
    if not attempt.is_signed:
        found.append(Doubt.BAD_SIGNATURE)
    return found


def measure_distance_m(attempt: Attempt, point: PointRules) -> float | None:
    """How far from the point the device was, None where it did not say."""
    if attempt.x_m is None or attempt.y_m is None:
        return None
    return dist((attempt.x_m, attempt.y_m), (point.x_m, point.y_m))


def build_day_code(key: bytes, point_id: str, day: date) -> str:
    """The code of a point on a day: digits of HMAC-SHA256(key, point and day), known to whoever stands there."""
    digest = hmac.new(key, f"{point_id}|{day.isoformat()}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def list_good_codes(key: bytes, point_id: str, at: datetime) -> list[str]:
    """Codes that are good at a moment: of its day, and around midnight of the day beside it."""
    days = {(at + shift).astimezone(SHANGHAI).date() for shift in (-AHEAD, timedelta(), AHEAD)}
    return [build_day_code(key, point_id, day) for day in sorted(days)]


def is_drawn(seed: str, checkin_id: str, percent: int) -> bool:
    """Whether a check-in is drawn for a look: by the day's seed and its own id, so that nobody can choose."""
    digest = hashlib.sha256(f"{seed}|{checkin_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10_000 < percent * 100


def _doubt_place(attempt: Attempt, point: PointRules) -> list[Doubt]:
    distance_m = measure_distance_m(attempt, point)
    if distance_m is None:
        return [Doubt.NO_POSITION] if attempt.way is Way.PHONE else []
    granted_m = point.radius_m + _TRUSTED_DEVIATIONS * max(attempt.accuracy_m or 0.0, 0.0)
    return [Doubt.TOO_FAR] if distance_m > granted_m else []


def _is_too_fast(other: Visit, point: PointRules, at: datetime) -> bool:
    way_m = dist((other.x_m, other.y_m), (point.x_m, point.y_m))
    seconds = abs((at - other.at).total_seconds())
    return way_m > NEAR_M and way_m > FASTEST_M_S * seconds

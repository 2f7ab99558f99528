"""
Who can be sent at a moment, by what was said of them and by their hours: ready or not, on duty or off, rested or not.

What was said counts for `SAID_COUNTS`, longer than any shift: a forgotten "ready" of yesterday sends nobody out of bed.
After that the duty hours say it. Nothing here looks at how somebody did or how often they said no.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

LOCAL: Final = ZoneInfo("Asia/Shanghai")
SAID_COUNTS: Final = timedelta(hours=12)
REST: Final = timedelta(minutes=10)
"""After coming free again; an urgent incident cuts it short."""
NIGHT: Final = (time(22), time(6))
"""22:00 to 06:00, what 噪声污染防治法 art. 88 calls night."""


class Status(StrEnum):
    """What a responder said, or was said of them."""

    OFF = "off"
    READY = "ready"
    NOT_READY = "not_ready"
    ON_THE_WAY = "on_the_way"
    ON_SCENE = "on_scene"


_STATUSES: Final = frozenset(status.value for status in Status)
BUSY: Final = frozenset({Status.ON_THE_WAY, Status.ON_SCENE})
VOLUNTEER: Final = "volunteer"
OFFICER: Final = "officer"
"""Who may act alone where others may come along only: an auxiliary may not."""
POLICE: Final = frozenset({"officer", "auxiliary"})
KINDS: Final = (
    "officer", "auxiliary", "estate_guard", "property_guard", "unit_guard", "venue_guard", "grid_worker", "volunteer",
)  # fmt: skip
"""Kinds of responders, in the order in which two of them with the same travel time are named."""


@dataclass(frozen=True)
class Duty:
    """
    The status that counts at a moment.

    `is_said`: it was said within the last hours; else the duty hours say it. `is_in_hours` tells whether it is within
    these; somebody without duty hours is never in them.
    """

    status: Status
    is_said: bool
    is_in_hours: bool

    @property
    def is_on(self) -> bool:
        """On duty, busy ones included."""
        return self.status is not Status.OFF


def is_within(moment: time, start: time, stop: time) -> bool:
    """Whether a time of day lies in hours, which may pass midnight; equal ends are the whole day."""
    if start < stop:
        return start <= moment < stop
    return moment >= start or moment < stop


def is_night(at: datetime) -> bool:
    """Whether an aware time lies in the night here."""
    return is_within(at.astimezone(LOCAL).time(), *NIGHT)


def find_duty(
    status: str | None, status_utc: datetime | None, duty_from: time | None, duty_to: time | None, at: datetime
) -> Duty:
    """
    The status that counts at an aware time; what was said after it does not count.

    "Ready" said in the duty hours ends with them, so that nobody is sent on the way home; said outside of them it holds
    for `SAID_COUNTS`. Who is on the way or on scene stays so for that long. A status that is none of ours says nothing.
    """

    def is_in_hours(moment: datetime) -> bool:
        if duty_from is None or duty_to is None:
            return False
        return is_within(moment.astimezone(LOCAL).time(), duty_from, duty_to)

    now = is_in_hours(at)
    if status not in _STATUSES or status_utc is None or not timedelta() <= at - status_utc < SAID_COUNTS:
        return Duty(Status.READY if now else Status.OFF, False, now)
    said = Status(status)
    is_over = not now and said not in BUSY and is_in_hours(status_utc)
    return Duty(Status.OFF if is_over else said, True, now)

"""
One worker's round: in which order visits are made, when each begins, how much may slip, what does not fit and why.

The best round makes visits of the most worth; of such rounds the one with the least way and the earliest end, a second
on foot counting twice a second of waiting: cost = seconds until the last visit (or the way back) is over + seconds on
foot. Up to `EXACT_STOPS` stops every order is tried, so that none is better. Beyond that tasks/round_search.py
looks for a good one; the same input gives the same round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gis.errors import BadRecordError
from tasks.round_course import Course, Trace
from tasks.round_search import search_all, search_long
from tasks.round_travel import Travel

EXACT_STOPS = 8


class Why(StrEnum):
    """Why a visit is not in a round."""

    NO_WAY = "no_way"
    CLOSED = "closed"
    NO_TIME = "no_time"


@dataclass(frozen=True)
class Stop:
    """
    A visit that could be made.

    Attributes
    ----------
    stop_id
        The task.
    place
        Row of the travel times.
    stay_s
        How long it takes, seconds.
    windows_s
        When it may begin, seconds after midnight, each [from, to] and ascending; empty for any time.
    due_s
        By when it ought to begin; what cannot be made by then is made later rather than not at all. None: any time.
    worth
        What the visit counts, above 0.
    """

    stop_id: str
    place: int
    stay_s: float
    windows_s: tuple[tuple[float, float], ...] = ()
    due_s: float | None = None
    worth: float = 1.0


@dataclass(frozen=True)
class Setting:
    """From where and when a round begins, where it ends (None: at the last visit), and by when; seconds as above."""

    start: int
    from_s: float
    to_s: float
    end: int | None = None


@dataclass(frozen=True)
class Visit:
    """
    One visit of a round; times in seconds after midnight.

    Attributes
    ----------
    stop_id
        The task.
    walk_s
        How long one walks to it from the one before.
    arrival_s, begin_s, leave_s
        When one is there, when the visit begins (later where it is not open yet), when one goes on.
    slack_s
        How much later it may begin without breaking anything that follows.
    is_late
        It begins after it was due.
    """

    stop_id: str
    walk_s: float
    arrival_s: float
    begin_s: float
    leave_s: float
    slack_s: float
    is_late: bool


@dataclass(frozen=True)
class LeftOut:
    """A visit that is not made: why, and for `NO_TIME` how many seconds longer the round would have to be."""

    stop_id: str
    why: Why
    needed_s: float | None = None


@dataclass(frozen=True)
class OrderedRound:
    """
    Visits in order, what is left out in the order of the stops, seconds on foot and of waiting, and when it is over.

    `is_exact` says that every order was tried.
    """

    visits: tuple[Visit, ...]
    left_out: tuple[LeftOut, ...]
    walk_s: float
    wait_s: float
    over_s: float
    is_exact: bool


def order_round(stops: Sequence[Stop], travel: Travel, setting: Setting) -> OrderedRound:
    """
    The round that makes the visits of most worth, with the least way and the earliest end.

    Parameters
    ----------
    stops
        What is to be visited.
    travel
        Ways between all rows that stops and setting name.
    setting
        Where and when it begins and ends.

    Raises
    ------
    BadRecordError
        A stop is there twice, or a figure cannot be.
    """
    _check(stops, setting)
    left = {stop.stop_id: why for stop in stops if (why := _find_hopeless(stop, travel, setting)) is not None}
    hopeful = [stop for stop in stops if stop.stop_id not in left]
    trace, used = _solve(hopeful, travel, setting)
    made = {used[number].stop_id: used[number] for number in trace.order}
    course = _to_course([replace(stop, due_s=None) for stop in hopeful], travel, setting)
    place_of = {stop.stop_id: number for number, stop in enumerate(hopeful)}
    order = [place_of[used[number].stop_id] for number in trace.order]
    short = {
        stop.stop_id: LeftOut(stop.stop_id, Why.NO_TIME, course.find_needed_s(order, number))
        for number, stop in enumerate(hopeful)
        if stop.stop_id not in made
    }
    left_out = tuple(
        LeftOut(stop.stop_id, left[stop.stop_id]) if stop.stop_id in left else short[stop.stop_id]
        for stop in stops
        if stop.stop_id not in made
    )
    return _to_round(course, hopeful, order, left_out, is_exact=len(hopeful) <= EXACT_STOPS)


def _solve(stops: Sequence[Stop], travel: Travel, setting: Setting) -> tuple[Trace, Sequence[Stop]]:
    """By their due times first; what these leave no room for may come later, where that makes more visits."""
    is_long = len(stops) > EXACT_STOPS
    course = _to_course(stops, travel, setting)
    found = search_long(course) if is_long else search_all(course)
    late = {n for n, stop in enumerate(stops) if stop.due_s is not None} - set(found.order)
    if late:
        eased = [replace(stop, due_s=None) if number in late else stop for number, stop in enumerate(stops)]
        course = _to_course(eased, travel, setting)
        other = search_long(course, found.order) if is_long else search_all(course)
        if other.worth > found.worth + 1e-9:
            return other, eased
    return found, stops


def _to_course(stops: Sequence[Stop], travel: Travel, setting: Setting) -> Course:
    return Course(
        travel, setting.start, setting.end, setting.from_s, setting.to_s,
        places=[stop.place for stop in stops], stays_s=[stop.stay_s for stop in stops],
        windows_s=[_find_windows(stop) for stop in stops], worths=[stop.worth for stop in stops],
    )  # fmt: skip


def _find_windows(stop: Stop) -> tuple[tuple[float, float], ...]:
    windows = stop.windows_s or ((-math.inf, math.inf),)
    if stop.due_s is None:
        return windows
    in_time = tuple((start, min(end, stop.due_s)) for start, end in windows if start <= stop.due_s)
    return in_time or windows


def _find_hopeless(stop: Stop, travel: Travel, setting: Setting) -> Why | None:
    """Why a stop cannot be in any round that begins and ends like this one; None where it could."""
    if not travel.is_reachable(setting.start, stop.place, setting.from_s, setting.to_s):
        return Why.NO_WAY
    if setting.end is not None and not travel.is_reachable(stop.place, setting.end, setting.from_s, setting.to_s):
        return Why.NO_WAY
    windows = stop.windows_s or ((-math.inf, math.inf),)
    is_open = any(end >= setting.from_s and max(start, setting.from_s) <= setting.to_s for start, end in windows)
    return None if is_open else Why.CLOSED


def _to_round(
    course: Course, stops: Sequence[Stop], order: Sequence[int], left_out: tuple[LeftOut, ...], *, is_exact: bool
) -> OrderedRound:
    calls = course.list_calls(order)
    latest = course.list_latest(order)
    visits = tuple(
        Visit(
            stops[call.stop].stop_id, call.walk_s, call.arrival_s, call.begin_s, call.leave_s,
            max(latest_s - call.begin_s, 0.0), (due := stops[call.stop].due_s) is not None and call.begin_s > due,
        )
        for call, latest_s in zip(calls, latest, strict=True)
    )  # fmt: skip
    walk_s, over_s = course.walk_on(order)
    stays_s = math.fsum(stops[number].stay_s for number in order)
    return OrderedRound(
        visits, left_out, walk_s, max(over_s - course.from_s - walk_s - stays_s, 0.0), over_s, is_exact=is_exact
    )


def _check(stops: Sequence[Stop], setting: Setting) -> None:
    seen: set[str] = set()
    for stop in stops:
        if stop.stop_id in seen:
            raise BadRecordError(f"Visit '{stop.stop_id[:40]}' is in the round twice. Leave one out.")
        seen.add(stop.stop_id)
        if not (stop.stay_s >= 0 and stop.worth > 0 and math.isfinite(stop.stay_s) and math.isfinite(stop.worth)):
            raise BadRecordError(
                f"Visit '{stop.stop_id[:40]}' takes {stop.stay_s:g} s and counts {stop.worth:g}, expected 0 s or more "
                "and a worth above 0. Correct the minutes in the table of rounds."
            )
        if any(end < start for start, end in stop.windows_s) or list(stop.windows_s) != sorted(stop.windows_s):
            raise BadRecordError(f"Visit '{stop.stop_id[:40]}' has hours that end before they begin. Correct them.")
    if setting.to_s <= setting.from_s:
        raise BadRecordError(
            f"A round from {setting.from_s:g} s to {setting.to_s:g} s after midnight, expected an end after its "
            "beginning. Choose a later end."
        )

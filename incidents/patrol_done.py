"""
What became of a plan: minutes at each place, gaps, and what was missed with its reason.

Pure: stops of a plan and presences in, rows out. Where presences come from (positions of radios, check-ins, what was
said) is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import pandas as pd

TOLERANCE = timedelta(minutes=20)
"""Who is there so much earlier or later than planned was at that stop."""
CHECK_IN = "check_in"
WHOLE_SHARE = 0.8
"""Of the planned minutes: a stop with as many is done; radios report every so often, never on the second."""


@dataclass(frozen=True)
class Presence:
    """
    Somebody at a place from one aware time to another.

    `person` is a responder's id or a volunteer's code, `place` a place of the plan; None: they were heard of at none of
    its places. `source` is position, check_in or said.
    """

    person: str
    place: str | None
    begin: datetime
    end: datetime
    source: str


@dataclass(frozen=True)
class PlannedStop:
    """A stop of a team (from 0), aware times."""

    stop_id: str
    team: int
    place: str
    begin: datetime
    leave: datetime


class State(StrEnum):
    """What became of a stop."""

    TO_COME = "to_come"
    DONE = "done"
    CHECKED = "checked"
    SHORT = "short"
    MISSED = "missed"


class Missed(StrEnum):
    """Why it was missed, as far as it is known."""

    SENT = "sent_elsewhere"
    NOT_HEARD = "not_heard"
    ELSEWHERE = "elsewhere"
    SAID = "said"


@dataclass(frozen=True)
class StopDone:
    """
    One stop.

    Attributes
    ----------
    planned_minutes, minutes
        Planned, and somebody of the team was there.
    first
        When they were first there, aware; None for never.
    sources
        What says so, in order of the alphabet.
    missed, said
        Why not, and what somebody said of it.
    """

    stop: PlannedStop
    state: State
    planned_minutes: float
    minutes: float
    first: datetime | None = None
    sources: tuple[str, ...] = ()
    missed: Missed | None = None
    said: str = ""


@dataclass(frozen=True)
class PlaceDone:
    """
    One place: minutes planned and done by anybody, the longest time without anybody, planned and done, and check-ins.

    A gap is between two visits; None where there are fewer than two. Volunteers' check-ins count here, not for a team.
    """

    place: str
    planned_minutes: float
    minutes: float
    planned_gap_minutes: float | None
    gap_minutes: float | None
    check_ins: int = 0


def compare(
    stops: Sequence[PlannedStop],
    members: Sequence[Iterable[str]],
    presences: Sequence[Presence],
    *,
    now: datetime,
    away: Sequence[tuple[int, datetime, datetime | None]] = (),
    said: dict[str, str] | None = None,
) -> tuple[StopDone, ...]:
    """
    Done against planned, stop by stop.

    Parameters
    ----------
    members
        Ids of each team's people, in the order of the teams.
    away
        When a team was sent to an incident: (team, from, to; None while it goes on).
    said
        Reasons by stop.

    Notes
    -----
    A presence counts for the stop of its place and team that is nearest in time, if it is no more than `TOLERANCE`
    outside of it; two of a team at once count once.
    """
    team_of = {person: number for number, people in enumerate(members) for person in people}
    shares: dict[str, list[Presence]] = {stop.stop_id: [] for stop in stops}
    for one in presences:
        team = team_of.get(one.person)
        own = [s for s in stops if s.place == one.place and s.team == team and _is_near(s, one)]
        if own:
            nearest = min(own, key=lambda s: (_away(s, one), s.begin))
            shares[nearest.stop_id].append(one)
    heard = [one for one in presences if one.person in team_of]
    return tuple(_judge(stop, shares[stop.stop_id], heard, team_of, now, away, (said or {})) for stop in stops)


def compare_places(
    stops: Sequence[PlannedStop], presences: Sequence[Presence], *, least_apart: timedelta = TOLERANCE
) -> tuple[PlaceDone, ...]:
    """Places of the plan in the order of their first stop; visits that are `least_apart` or less apart are one."""
    rows = []
    for place in dict.fromkeys(stop.place for stop in stops):
        planned = _join([(s.begin, s.leave) for s in stops if s.place == place], timedelta())
        there = [(one.begin, one.end) for one in presences if one.place == place]
        rows.append(
            PlaceDone(
                place,
                sum(map(_minutes, planned)),
                sum(map(_minutes, _join(there, timedelta()))),
                _longest_gap(planned),
                _longest_gap(_join(there, least_apart)),
                sum(one.place == place and one.source == CHECK_IN for one in presences),
            )
        )
    return tuple(rows)


def to_presences(frame: pd.DataFrame) -> list[Presence]:
    """Rows of `find_patrol_presences`."""
    return [
        Presence(
            "" if pd.isna(row["responder_id"]) else str(row["responder_id"]),
            None if pd.isna(row["place_id"]) else str(row["place_id"]),
            row["from_utc"].to_pydatetime(),
            row["to_utc"].to_pydatetime(),
            str(row["source"]),
        )
        for row in frame.to_dict("records")
    ]


@dataclass(frozen=True)
class Dose:
    """Minutes that somebody of a patrol was at places of a zone since its measures began, and how many a week."""

    minutes: float
    a_week: float


def sum_dose(presences: Sequence[Presence], *, since: datetime, until: datetime) -> Dose:
    """Of presences at places within one zone: each minute of a place once, however many were there."""
    minutes = 0.0
    for place in {one.place for one in presences if one.place is not None}:
        spans = [
            (max(one.begin, since), min(one.end, until))
            for one in presences
            if one.place == place and one.end > since and one.begin < until
        ]
        minutes += sum(map(_minutes, _join(spans, timedelta())))
    weeks = max(1.0, (until - since) / timedelta(weeks=1))
    return Dose(minutes, minutes / weeks)


def _judge(
    stop: PlannedStop, own: Sequence[Presence], heard: Sequence[Presence], team_of: dict[str, int], now: datetime,
    away: Sequence[tuple[int, datetime, datetime | None]], said: dict[str, str],
) -> StopDone:  # fmt: skip
    planned = _minutes((stop.begin, stop.leave))
    minutes = sum(map(_minutes, _join([(one.begin, one.end) for one in own], timedelta())))
    word = said.get(stop.stop_id, "")
    if own:
        state = _weigh(own, minutes / planned, is_over=now > stop.leave + TOLERANCE)
        first = min(one.begin for one in own)
        return StopDone(stop, state, planned, minutes, first, tuple(sorted({one.source for one in own})), said=word)
    if now <= stop.leave + TOLERANCE:
        return StopDone(stop, State.TO_COME, planned, 0.0)
    return StopDone(stop, State.MISSED, planned, 0.0, missed=_find_why(stop, heard, team_of, away, word), said=word)


def _weigh(own: Sequence[Presence], share: float, *, is_over: bool) -> State:
    """A check-in says that they were there and not how long: alone it is neither done nor too short."""
    if share >= WHOLE_SHARE:
        return State.DONE
    if all(one.begin == one.end and one.source == CHECK_IN for one in own):
        return State.CHECKED
    return State.SHORT if is_over else State.TO_COME


def _find_why(
    stop: PlannedStop, heard: Sequence[Presence], team_of: dict[str, int],
    away: Sequence[tuple[int, datetime, datetime | None]], word: str,
) -> Missed:  # fmt: skip
    if word:
        return Missed.SAID
    if any(team == stop.team and a < stop.leave and (b is None or b > stop.begin) for team, a, b in away):
        return Missed.SENT
    begin, end = stop.begin - TOLERANCE, stop.leave + TOLERANCE
    then = [one for one in heard if team_of[one.person] == stop.team and one.begin <= end and one.end >= begin]
    return Missed.ELSEWHERE if then else Missed.NOT_HEARD


def _is_near(stop: PlannedStop, one: Presence) -> bool:
    return one.begin <= stop.leave + TOLERANCE and one.end >= stop.begin - TOLERANCE


def _away(stop: PlannedStop, one: Presence) -> timedelta:
    """How far a presence lies outside of a stop."""
    return max(timedelta(), one.begin - stop.leave, stop.begin - one.end)


def _join(spans: Iterable[tuple[datetime, datetime]], apart: timedelta) -> list[tuple[datetime, datetime]]:
    """Spans in order; those that overlap or lie `apart` or less from each other as one."""
    joined: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1] + apart:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _longest_gap(spans: Sequence[tuple[datetime, datetime]]) -> float | None:
    gaps = [_minutes((a[1], b[0])) for a, b in pairwise(spans)]
    return max(gaps, default=None)


def _minutes(span: tuple[datetime, datetime]) -> float:
    return (span[1] - span[0]) / timedelta(minutes=1)

"""A worker's round from tasks and ways: hours, storeys, gates and promises in, visits with times and ways out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from gis.walk_links import Spot
from gis.walk_matrix import walking_matrix_s
from gis.walk_network import LOCAL, WalkNetwork
from gis.walk_pace import Vehicle
from incidents.patrol_ways import Leg, list_moments, trace_leg
from tasks.life_cycle import Priority
from tasks.round_rules import RoundRules
from tasks.round_travel import Travel
from tasks.rounds import OrderedRound, Setting, Stop, Why, order_round

_APPOINTMENT_S = 1800.0
"""Who said when they come again comes within half an hour of it."""
_WORTH: Mapping[str, float] = {Priority.URGENT: 9.0, Priority.NORMAL: 3.0, Priority.LOW: 1.0}
_PRESSING = 2.0
"""What is due before the round ends, or was promised, counts twice."""
AGAIN, NO_PLACE = "again", "no_place"


@dataclass(frozen=True)
class RoundAsk:
    """Where and when a round begins (aware), by when it is over, and whether it ends where it began."""

    start: Spot
    at: datetime
    until: datetime
    back: bool = False


@dataclass(frozen=True)
class PlannedVisit:
    """
    One visit: its task as it was given, aware times, and the way to it.

    `slack` is how much later it may begin; `way` is None where one is there already.
    """

    task: Mapping[str, Any]
    walk: timedelta
    arrival: datetime
    begin: datetime
    leave: datetime
    slack: timedelta
    is_late: bool
    is_promised: bool
    way: Leg | None


@dataclass(frozen=True)
class NotVisited:
    """
    A task without a visit and why: `no_way`, `closed`, `no_time` (with how much more time it needs), `again` (promised
    for another time), `no_place` (nobody knows where it is).
    """

    task: Mapping[str, Any]
    why: str
    needed: timedelta | None = None


@dataclass(frozen=True)
class PlannedRound:
    """
    Visits in order, what is left out, when one sets out (later than asked where the first place is not open yet), the
    sum on foot and of waiting from then on, when it is over, and the way back if asked.
    """

    visits: tuple[PlannedVisit, ...]
    left_out: tuple[NotVisited, ...]
    sets_out: datetime
    walk: timedelta
    wait: timedelta
    over: datetime
    back: Leg | None
    is_exact: bool
    is_verified: bool


def plan_round(
    network: WalkNetwork, rules: RoundRules, tasks: Sequence[Mapping[str, Any]], ask: RoundAsk
) -> PlannedRound:
    """
    The round of some tasks.

    Parameters
    ----------
    tasks
        Rows of `data.queries.find_round_tasks`: aware times, None for what is not known, `geom` a point in the
        network's CRS.
    ask
        On one day of Shanghai.

    Raises
    ------
    BadRecordError
        It would end before it begins, or a task is there twice.
    """
    day = _Day(ask)
    left = {str(row["task_id"]): why for row in tasks if (why := day.find_reason(row)) is not None}
    used = [row for row in tasks if str(row["task_id"]) not in left]
    spots = [ask.start, *(to_spot(row) for row in used)]
    moments = list_moments(network, ask.at, ask.until)
    travel = Travel([(day.to_s(moment), walking_matrix_s(network, spots, at=moment)) for moment in moments])
    stops = [day.build_stop(row, rules, place) for place, row in enumerate(used, start=1)]
    end = 0 if ask.back else None
    made = order_round(stops, travel, Setting(0, day.to_s(ask.at), day.to_s(ask.until), end))
    return _to_plan(network, tasks, used, spots, made, left, day, ask)


def to_spot(row: Mapping[str, Any]) -> Spot:
    """Where a row of a task or a site is, with house, door and storey as far as they are known."""
    level = row.get("level")
    return Spot(row["geom"], row.get("building_id"), row.get("entrance_id"), None if level is None else int(level))


class _Day:
    """Aware times as seconds after the midnight of Shanghai before the round, and back."""

    def __init__(self, ask: RoundAsk) -> None:
        local = ask.at.astimezone(LOCAL)
        self._midnight = datetime.combine(local.date(), time(), LOCAL)
        self._ask = ask
        self.weekday = local.isoweekday()

    def to_s(self, at: datetime) -> float:
        return (at - self._midnight).total_seconds()

    def to_time(self, seconds: float) -> datetime:
        return self._midnight + timedelta(seconds=seconds)

    def find_reason(self, row: Mapping[str, Any]) -> str | None:
        """Why a task is no stop of this round at all."""
        if row["geom"] is None or row["geom"].is_empty:
            return NO_PLACE
        again = row.get("again_utc")
        return AGAIN if again is not None and again > self._ask.until else None

    def is_promised(self, row: Mapping[str, Any]) -> bool:
        again = row.get("again_utc")
        return again is not None and again + timedelta(seconds=_APPOINTMENT_S) > self._ask.at

    def build_stop(self, row: Mapping[str, Any], rules: RoundRules, place: int) -> Stop:
        found = rules.find_time(
            kind=str(row["kind"]), subject_kind=str(row["subject_kind"]), weekday=self.weekday,
            site_id=str(row["subject_id"]) if row["subject_kind"] == "site" else None, site_kind=row.get("site_kind"),
        )  # fmt: skip
        windows: tuple[tuple[float, float], ...] = found.windows_s or ((-1.0, -1.0),)  # not on this day
        promised = self.is_promised(row)
        if promised:
            again_s = self.to_s(row["again_utc"])
            windows = ((again_s, again_s + _APPOINTMENT_S),)
        due = row["due_utc"]
        worth = _WORTH[str(row["priority"])] * (_PRESSING if promised or due <= self._ask.until else 1.0)
        due_s = self.to_s(due) if self._ask.at <= due <= self._ask.until and not promised else None
        return Stop(str(row["task_id"]), place, found.stay_s, windows, due_s, worth)


def _to_plan(
    network: WalkNetwork, tasks: Sequence[Mapping[str, Any]], used: Sequence[Mapping[str, Any]], spots: Sequence[Spot],
    made: OrderedRound, left: Mapping[str, str], day: _Day, ask: RoundAsk,
) -> PlannedRound:  # fmt: skip
    place_of = {str(row["task_id"]): place for place, row in enumerate(used, start=1)}
    rows = {str(row["task_id"]): row for row in tasks}
    visits: list[PlannedVisit] = []
    at, leave = 0, ask.at
    for one in made.visits:
        place = place_of[one.stop_id]
        sets_out = max(leave, day.to_time(one.arrival_s - one.walk_s))  # a shut gate is waited for
        way = trace_leg(network, spots[at], spots[place], Vehicle.FOOT, sets_out)
        row, begin = rows[one.stop_id], day.to_time(one.begin_s)
        leave = day.to_time(one.leave_s)
        arrival = begin if not visits else day.to_time(one.arrival_s)  # nobody waits before the first door
        visits.append(PlannedVisit(
            row, timedelta(seconds=one.walk_s), arrival, begin, leave,
            timedelta(seconds=one.slack_s), begin > row["due_utc"], day.is_promised(row), way,
        ))  # fmt: skip
        at = place
    back = trace_leg(network, spots[at], spots[0], Vehicle.FOOT, leave) if ask.back and at else None
    short = {one.stop_id: one for one in made.left_out}
    left_out = []
    for row in tasks:
        task_id = str(row["task_id"])
        if task_id in left:
            left_out.append(NotVisited(row, left[task_id]))
        elif task_id in short:
            needed_s = short[task_id].needed_s if short[task_id].why is Why.NO_TIME else None
            needed = None if needed_s is None or needed_s == float("inf") else timedelta(seconds=needed_s)
            left_out.append(NotVisited(row, short[task_id].why.value, needed))
    idle = visits[0].begin - visits[0].walk - ask.at if visits else timedelta(0)
    return PlannedRound(
        tuple(visits), tuple(left_out), ask.at + idle, timedelta(seconds=made.walk_s),
        timedelta(seconds=made.wait_s) - idle, day.to_time(made.over_s), back, made.is_exact, network.is_verified,
    )  # fmt: skip

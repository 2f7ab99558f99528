"""
One shift on the ground: places, people and the walkable network in; each team's route with times, ways and gates out.

What comes out is plain enough to be stored as it is (`data/patrols.py`): ids, codes, times in UTC, metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely

from gis.errors import BadRecordError
from gis.walk_links import Spot
from gis.walk_network import WalkNetwork
from gis.walk_pace import Vehicle
from incidents.patrol_plan import PatrolPlan, Visit, plan_patrol
from incidents.patrol_slots import STOP_RANGE_MINUTES, HotPlace, PatrolRules
from incidents.patrol_teams import Team
from incidents.patrol_ways import Leg, Ways, Window, measure_ways, trace_leg
from incidents.team_routes import Walker

Json = dict[str, Any]
EARLY_S = 300.0
"""They set out so long before they have to: until then they are free where they are."""
_NEVER: Window = (-2.0, -1.0)
_STAYS: Json = {"line": [], "length_m": 0, "minutes": 0.0, "gates": []}
"""The way from a place to itself: they wait there for the next visit."""


@dataclass(frozen=True)
class Wish:
    """
    A place that somebody wants patrolled.

    Attributes
    ----------
    kind
        zone, hot or fixed.
    x_m, y_m, building_id
        Where one stands, in the community's CRS, and the house where it is one.
    expected_per_h
        See `reckon_rates`; 24 figures.
    hours_utc
        When it may be visited, aware; empty for any time of the shift.
    must
        It has to be seen once at least.
    most_visits
        In this shift; None for as many as the gap allows.
    needs_joint
        Joint patrols only may go there.
    times, reason
        How many times what it was reckoned `weight` has been made by hand, and why; empty where nobody did.
    """

    place_id: str
    name: str
    kind: str
    x_m: float
    y_m: float
    expected_per_h: tuple[float, ...]
    grid_id: str | None = None
    building_id: str | None = None
    weight: float = 1.0
    hours_utc: tuple[tuple[datetime, datetime], ...] = ()
    must: bool = False
    most_visits: int | None = None
    needs_joint: bool = False
    times: float = 1.0
    reason: str = ""

    @property
    def spot(self) -> Spot:
        """For the network."""
        return Spot(shapely.Point(self.x_m, self.y_m), self.building_id)


@dataclass(frozen=True)
class Start:
    """Where a route begins and ends."""

    name: str
    x_m: float
    y_m: float
    building_id: str | None = None

    @property
    def spot(self) -> Spot:
        """For the network."""
        return Spot(shapely.Point(self.x_m, self.y_m), self.building_id)


@dataclass(frozen=True)
class Shift:
    """Begin and end, aware; `midnight` of the day that it begins on."""

    midnight: datetime
    begin: datetime
    end: datetime

    def to_s(self, moment: datetime) -> float:
        """Seconds after midnight."""
        return (moment - self.midnight).total_seconds()

    def to_utc(self, seconds: float) -> datetime:
        """The moment, to the millisecond."""
        return (self.midnight + timedelta(milliseconds=round(seconds * 1000))).astimezone(UTC)


@dataclass(frozen=True)
class Kept:
    """A stop that stays with its team at its time, or one that is taken out: number of the team, place, begin."""

    team: int
    place_id: str
    begin_utc: datetime


def plan_shift(
    network: WalkNetwork,
    wishes: Sequence[Wish],
    teams: Sequence[Team],
    starts: Sequence[Start],
    shift: Shift,
    rules: PatrolRules,
    *,
    locked: Sequence[Kept] = (),
    removed: Sequence[Kept] = (),
) -> Json:
    """
    Plan it; `starts` is one for each team.

    Raises
    ------
    BadRecordError
        Stops shorter or longer than the trials support, or another figure that cannot be used.
    ImpossiblePatrolError
        What must be seen does not fit; it names which to drop.
    """
    low, high = STOP_RANGE_MINUTES
    if not low <= rules.stop_minutes <= high:
        raise BadRecordError(
            f"Stops of {rules.stop_minutes:g} minutes, expected {low:g} to {high:g}: what trials support (Koper 1995)."
        )
    if not teams:
        raise BadRecordError("Patrol plan: nobody is on duty for an hour of it. Choose other people or other hours.")
    bases = list(dict.fromkeys(starts))
    spots = [*(one.spot for one in bases), *(wish.spot for wish in wishes)]
    vehicles = [one for one in Vehicle if any(team.vehicle is one for team in teams)]
    ways = measure_ways(
        network, spots, range(len(bases)), vehicles, midnight=shift.midnight, begin=shift.begin, end=shift.end
    )
    joint = frozenset(number for number, team in enumerate(teams) if team.is_joint)
    places = [_to_place(wish, number + len(bases), ways, joint, shift) for number, wish in enumerate(wishes)]
    walkers = [
        Walker(
            bases.index(start), bases.index(start), shift.to_s(team.from_utc), shift.to_s(team.to_utc),
            profile=team.vehicle.value,
        )
        for team, start in zip(teams, starts, strict=True)
    ]  # fmt: skip
    plan = plan_patrol(
        places,
        walkers,
        ways.travel_s,
        rules,
        locked=[(one.team, one.place_id, shift.to_s(one.begin_utc)) for one in locked],
        removed=[(one.place_id, shift.to_s(one.begin_utc)) for one in removed],
    )
    return _to_json(network, plan, wishes, teams, starts, shift, locked)


def _to_place(wish: Wish, row: int, ways: Ways, joint: frozenset[int], shift: Shift) -> HotPlace:
    hours = tuple((shift.to_s(begin), shift.to_s(end)) for begin, end in wish.hours_utc)
    way = ways.open_s[row]
    windows = hours
    if way:  # never (empty) stays out of it: the times say so, and the reason is another
        whole = hours or ((shift.to_s(shift.begin), shift.to_s(shift.end)),)
        both = ((max(a, c), min(b, d)) for a, b in whole for c, d in way)
        windows = tuple(one for one in both if one[0] < one[1]) or (_NEVER,)
    return HotPlace(
        wish.place_id, wish.grid_id, row, wish.expected_per_h, wish.weight, windows, wish.must, wish.most_visits,
        joint if wish.needs_joint else None,
    )  # fmt: skip


def _to_json(
    network: WalkNetwork, plan: PatrolPlan, wishes: Sequence[Wish], teams: Sequence[Team], starts: Sequence[Start],
    shift: Shift, locked: Sequence[Kept],
) -> Json:  # fmt: skip
    by_id = {wish.place_id: wish for wish in wishes}
    return {
        "teams": [
            _to_team(network, n, team, start, route, by_id, shift, [one for one in locked if one.team == n])
            for n, (team, start, route) in enumerate(zip(teams, starts, plan.routes, strict=True))
        ],
        "left_out": [
            {"place_id": one.place_id, "why": one.why.value, "needed_minutes": _round(one.needed_minutes)}
            for one in plan.left_out
        ],
        "covered": round(plan.covered, 5),
        "expected": round(plan.expected, 5),
        "travel_minutes": round(plan.travel_s / 60, 1),
        "seed": plan.seed,
        "is_verified": network.is_verified,
    }


def _to_team(
    network: WalkNetwork, number: int, team: Team, start: Start, route: Sequence[Visit], by_id: dict[str, Wish],
    shift: Shift, locked: Sequence[Kept],
) -> Json:  # fmt: skip
    at, free_from_s = start.spot, shift.to_s(team.from_utc)
    stops = []
    for visit in route:
        wish, begin = by_id[visit.place_id], shift.to_utc(visit.begin_s)
        travel_s = visit.arrival_s - free_from_s
        out_s = max(free_from_s, visit.begin_s - travel_s - EARLY_S)
        out = shift.to_utc(out_s)
        way = _to_way(trace_leg(network, at, wish.spot, team.vehicle, out)) if at != wish.spot else _STAYS
        stops.append(
            {
                "stop_id": f"{number + 1}-{visit.place_id}-{begin.astimezone(shift.midnight.tzinfo):%H%M}",
                "place_id": visit.place_id,
                "name": wish.name,
                "x_m": round(wish.x_m, 2),
                "y_m": round(wish.y_m, 2),
                "free_minutes": round((out_s - free_from_s) / 60, 1),
                "set_out": out.isoformat(),
                "arrival": shift.to_utc(out_s + travel_s).isoformat(),
                "begin": begin.isoformat(),
                "leave": shift.to_utc(visit.leave_s).isoformat(),
                "slack_minutes": round(visit.slack_s / 60, 1),
                "covered": round(visit.covered, 5),
                "is_fair": visit.is_fair,
                "is_locked": any(
                    one.place_id == visit.place_id and abs((one.begin_utc - begin).total_seconds()) <= 2
                    for one in locked
                ),
                "way": way,
            }
        )
        at, free_from_s = wish.spot, visit.leave_s
    back = trace_leg(network, at, start.spot, team.vehicle, shift.to_utc(free_from_s)) if stops else None
    return {
        "members": [one.responder_id for one in team.members],
        "kinds": [one.kind for one in team.members],
        "is_joint": team.is_joint,
        "grid_id": team.grid_id,
        "vehicle": team.vehicle.value,
        "from": team.from_utc.astimezone(UTC).isoformat(),
        "to": team.to_utc.astimezone(UTC).isoformat(),
        "start": {"name": start.name, "x_m": round(start.x_m, 2), "y_m": round(start.y_m, 2)},
        "stops": stops,
        "back": _to_way(back) if stops else None,
    }


def _to_way(leg: Leg | None) -> Json | None:
    """None where no way is open at that moment: the page says so."""
    if leg is None:
        return None
    return {
        "line": [[x, y] for x, y in leg.coordinates],
        "length_m": round(leg.length_m),
        "minutes": round(leg.travel_s / 60, 1),
        "gates": [
            {
                "gate_id": gate.gate_id,
                "name": gate.name,
                "closes_at": None if gate.closes_at is None else gate.closes_at.isoformat("minutes"),
                "opens_at": None if gate.opens_at is None else gate.opens_at.isoformat("minutes"),
            }
            for gate in leg.gates
        ],
    }


def _round(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 1)


def build_shift(begin: datetime, end: datetime) -> Shift:
    """
    A shift between two aware times of the same zone.

    Raises
    ------
    BadRecordError
        It ends before it begins, or lasts longer than a day.
    """
    if not timedelta() < end - begin <= timedelta(hours=24):
        raise BadRecordError(f"The shift is from {begin} to {end}, expected up to 24 hours. Correct its hours.")
    return Shift(begin.replace(hour=0, minute=0, second=0, microsecond=0), begin, end)


def with_most_visits(wishes: Sequence[Wish], most_a_day: int, planned: dict[str, int]) -> list[Wish]:
    """Wishes that leave out what other plans of the day visit already: at the most `most_a_day` of one place."""
    kept = []
    for wish in wishes:
        left = most_a_day - planned.get(wish.place_id, 0)
        if left > 0:
            kept.append(replace(wish, most_visits=left if wish.most_visits is None else min(left, wish.most_visits)))
    return kept

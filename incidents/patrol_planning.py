"""
From what the commander asks to a plan that can be kept, and back: planned again around stops locked or taken out.

What was asked is stored with the plan, whole: weights, hours and expectations as they were, so that planning again
later answers the same question and not one of newer data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from data.patrols import PlanDraft
from gis.walk_network import WalkNetwork
from gis.walk_pace import Vehicle
from incidents.duty import LOCAL
from incidents.patrol_shift import Kept, Start, Wish, build_shift, plan_shift, with_most_visits
from incidents.patrol_slots import PatrolRules
from incidents.patrol_teams import Person, Team, build_teams

Json = dict[str, Any]
ENOUGH = "enough_today"
MOST_A_DAY = 4


@dataclass(frozen=True)
class Ask:
    """
    Everything that a plan depends on.

    Attributes
    ----------
    begin, end
        Of the shift, aware.
    starts
        Where each responder sets out and comes back, by id.
    joint
        How many joint patrols are formed at the most.
    most_a_day, planned
        Visits of one place a day, and how many other plans of the day make already, by place.
    locked, removed
        Stops that stay, and that are taken out.
    """

    begin: datetime
    end: datetime
    wishes: tuple[Wish, ...]
    people: tuple[Person, ...]
    starts: Mapping[str, Start]
    rules: PatrolRules
    joint: int = 0
    most_a_day: int = MOST_A_DAY
    planned: Mapping[str, int] = field(default_factory=dict)
    locked: tuple[Kept, ...] = ()
    removed: tuple[Kept, ...] = ()


def make_draft(network: WalkNetwork, ask: Ask) -> PlanDraft:
    """
    Plan it.

    Raises
    ------
    ImpossiblePatrolError
        What must be seen does not fit; it names which to drop.
    BadRecordError
        Nobody is on duty, or a figure cannot be used.
    """
    shift = build_shift(ask.begin.astimezone(LOCAL), ask.end.astimezone(LOCAL))
    teams, alone = build_teams(ask.people, _list_beats(ask.wishes), joint=ask.joint)
    wishes = with_most_visits(ask.wishes, ask.most_a_day, dict(ask.planned))
    starts = [_find_start(team, ask.starts) for team in teams]
    found = plan_shift(
        network, wishes, teams, starts, shift, ask.rules, locked=ask.locked, removed=ask.removed
    )  # fmt: skip
    kept = {wish.place_id for wish in wishes}
    found["left_out"] += [
        {"place_id": wish.place_id, "why": ENOUGH, "needed_minutes": None}
        for wish in ask.wishes
        if wish.place_id not in kept
    ]
    found["people_left_out"] = [asdict(one) for one in alone]
    return PlanDraft(ask.begin, ask.end, ask.rules.seed, to_json(ask), found)


def plan_again(
    network: WalkNetwork, asked: Json, begin: datetime, end: datetime, *, locked: Sequence[Kept],
    removed: Sequence[Kept], seed: int | None = None,
) -> PlanDraft:  # fmt: skip
    """The same question with other stops locked or taken out; with another seed, at other times."""
    ask = from_json(asked, begin, end)
    rules = ask.rules if seed is None else replace(ask.rules, seed=seed)
    return make_draft(network, replace(ask, rules=rules, locked=tuple(locked), removed=tuple(removed)))


def _list_beats(wishes: Sequence[Wish]) -> list[str]:
    """Grids of the places that want a joint patrol, the one that expects most first."""
    wanted: dict[str, float] = {}
    for wish in wishes:
        if wish.needs_joint and wish.grid_id is not None:
            wanted[wish.grid_id] = wanted.get(wish.grid_id, 0.0) + sum(wish.expected_per_h) * wish.weight
    return sorted(wanted, key=lambda grid: (-wanted[grid], grid))


def _find_start(team: Team, starts: Mapping[str, Start]) -> Start:
    """Of the police among them, else of the first."""
    first = next((one for one in team.members if one.is_police), team.members[0])
    return starts[first.responder_id]


def to_json(ask: Ask) -> Json:
    """Plain, as it is stored."""
    return {
        "rules": asdict(ask.rules),
        "joint": ask.joint,
        "most_a_day": ask.most_a_day,
        "planned": dict(ask.planned),
        "places": [
            {**asdict(wish), "expected_per_h": [round(one, 6) for one in wish.expected_per_h],
             "hours_utc": [[_say(begin), _say(end)] for begin, end in wish.hours_utc]}
            for wish in ask.wishes
        ],
        "people": [
            {**asdict(one), "vehicle": one.vehicle.value, "from_utc": _say(one.from_utc), "to_utc": _say(one.to_utc)}
            for one in ask.people
        ],
        "starts": {name: asdict(start) for name, start in ask.starts.items()},
        "locked": [_keep(one) for one in ask.locked],
        "removed": [_keep(one) for one in ask.removed],
    }  # fmt: skip


def from_json(asked: Json, begin: datetime, end: datetime) -> Ask:
    """What `to_json` made."""
    return Ask(
        begin,
        end,
        tuple(
            Wish(**{
                **one,
                "expected_per_h": tuple(one["expected_per_h"]),
                "hours_utc": tuple((_read(a), _read(b)) for a, b in one["hours_utc"]),
            })
            for one in asked["places"]
        ),
        tuple(
            Person(**{
                **one, "vehicle": Vehicle(one["vehicle"]), "from_utc": _read(one["from_utc"]),
                "to_utc": _read(one["to_utc"]),
            })
            for one in asked["people"]
        ),
        {name: Start(**start) for name, start in asked["starts"].items()},
        PatrolRules(**asked["rules"]),
        asked["joint"],
        asked["most_a_day"],
        asked["planned"],
        tuple(read_kept(one) for one in asked["locked"]),
        tuple(read_kept(one) for one in asked["removed"]),
    )  # fmt: skip


def read_kept(one: Json) -> Kept:
    """A locked or removed stop as it is stored."""
    return Kept(int(one["team"]), str(one["place_id"]), _read(one["begin_utc"]))


def _keep(one: Kept) -> Json:
    return {"team": one.team, "place_id": one.place_id, "begin_utc": _say(one.begin_utc)}


def _say(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""
Who walks together: a joint patrol (联防) is police and a guard of the beat, all others walk alone.

An auxiliary never walks alone: where no officer and no guard is left to go with, they are left out, with the reason.
Duty hours and what somebody goes with decide, never who they are or how they did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gis.walk_pace import Vehicle
from incidents.duty import OFFICER, POLICE

LEAST_DUTY = timedelta(minutes=60)
"""Less than that in the shift makes no route."""
_SLOWEST = (Vehicle.FOOT, Vehicle.EBIKE, Vehicle.CAR)


@dataclass(frozen=True)
class Person:
    """Somebody who could patrol: their hours are aware and within the shift, `grid_id` is the beat they look after."""

    responder_id: str
    kind: str
    vehicle: Vehicle
    from_utc: datetime
    to_utc: datetime
    grid_id: str | None = None

    @property
    def is_police(self) -> bool:
        return self.kind in POLICE


@dataclass(frozen=True)
class Team:
    """One or two who walk one route, at the pace of the slower; a joint one is of police and somebody else."""

    members: tuple[Person, ...]

    @property
    def is_joint(self) -> bool:
        kinds = {one.is_police for one in self.members}
        return len(kinds) == 2

    @property
    def from_utc(self) -> datetime:
        return max(one.from_utc for one in self.members)

    @property
    def to_utc(self) -> datetime:
        return min(one.to_utc for one in self.members)

    @property
    def vehicle(self) -> Vehicle:
        return min((one.vehicle for one in self.members), key=_SLOWEST.index)

    @property
    def grid_id(self) -> str | None:
        """The beat of the guard, or of whoever has one."""
        return next((one.grid_id for one in self.members if one.grid_id is not None), None)


@dataclass(frozen=True)
class NotPlanned:
    """Somebody without a route: `short_duty` or `auxiliary_alone`."""

    responder_id: str
    why: str


def build_teams(
    people: Sequence[Person], beats: Sequence[str] = (), *, joint: int = 0
) -> tuple[tuple[Team, ...], tuple[NotPlanned, ...]]:
    """
    Teams, and who is left out.

    Parameters
    ----------
    beats
        Grids that want a joint patrol, the most pressing first, each as often as it wants one.
    joint
        How many joint patrols are formed at the most; for each beat one, then of whoever is left.

    Notes
    -----
    For each beat: the guard of that grid whose hours have most in common with an officer's (an auxiliary's where no
    officer is left). Equal ones: in the order of `people`. Then auxiliaries go with officers.
    """
    left_out = [NotPlanned(one.responder_id, "short_duty") for one in people if one.to_utc - one.from_utc < LEAST_DUTY]
    free = [one for one in people if one.to_utc - one.from_utc >= LEAST_DUTY]
    teams: list[Team] = []
    for beat in [*beats, *[None] * joint][:joint]:
        guards = [one for one in free if not one.is_police]
        own = [one for one in guards if one.grid_id == beat]
        pair = _find_pair([one for one in free if one.is_police], own or guards)
        if pair is None:
            break
        teams.append(Team(pair))
        free = [one for one in free if one not in pair]
    for helper in [one for one in free if one.is_police and one.kind != OFFICER]:
        pair = _find_pair([one for one in free if one.kind == OFFICER], [helper])
        free = [one for one in free if one != helper and (pair is None or one not in pair)]
        if pair is None:
            left_out.append(NotPlanned(helper.responder_id, "auxiliary_alone"))
        else:
            teams.append(Team(pair))
    teams += [Team((one,)) for one in free]
    order = {one.responder_id: number for number, one in enumerate(people)}
    teams.sort(key=lambda team: (not team.is_joint, order[team.members[0].responder_id]))
    return tuple(teams), tuple(left_out)


def _find_pair(police: Sequence[Person], others: Sequence[Person]) -> tuple[Person, Person] | None:
    """The two with most time in common, an officer before an auxiliary; None where nobody has enough."""
    pairs = [
        (one.kind != OFFICER, -(min(one.to_utc, other.to_utc) - max(one.from_utc, other.from_utc)), n, one, other)
        for n, (one, other) in enumerate((a, b) for a in police for b in others)
    ]
    able = [pair for pair in pairs if -pair[1] >= LEAST_DUTY]
    if not able:
        return None
    _, _, _, one, other = min(able, key=lambda pair: pair[:3])
    return one, other

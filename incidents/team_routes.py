"""
Team orienteering with time windows: which places a few people visit, in which order, so that most is gained.

The search is VROOM's (github.com/VROOM-Project/vroom): it ranks plans by the sum of priorities first, by time second,
which is what orienteering asks. Ours is what goes in and what comes out: real worths, which VROOM knows only as
whole numbers to 100; whole seconds of its own, checked against the real times; visits that must be made; and further
searches on shaken worths, from a recorded seed, of which the best plan is kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import vroom

from gis.errors import RefusedError

_MOST_PRIORITY = 100
# VROOM counts time in hundredths of its unit in 32 bits: nothing that is handed over may come near their end.
_MOST_UNITS = 10_000_000
EXPLORATION, QUICK_EXPLORATION = 5, 1
"""VROOM's levels: with 5 it reaches every proven optimum that we know of; each level more costs about as much again."""
_SHAKEN = 0.35
_CLOSE_S = 1e-9

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True)
class Errand:
    """
    A visit that can be made once.

    Attributes
    ----------
    place
        Row of the travel times.
    worth
        What the visit gains, above 0.
    stay_s
        How long it takes, seconds.
    windows_s
        When it may begin, seconds from the plan's zero, each [from, to]; empty for any time.
    must
        A plan without it is no plan.
    walkers
        Indices of those who may make it; None for all.
    """

    place: int
    worth: float
    stay_s: float = 0.0
    windows_s: tuple[tuple[float, float], ...] = ()
    must: bool = False
    walkers: frozenset[int] | None = None


@dataclass(frozen=True)
class Walker:
    """Somebody who walks from `start` to `end` (None: to the last visit) between two times, at most so many stops."""

    start: int
    end: int | None
    from_s: float
    to_s: float
    most_stops: int | None = None
    profile: str = "foot"


@dataclass(frozen=True)
class Call:
    """One visit of a route: errand, and when they arrive, begin and leave, seconds from the plan's zero."""

    errand: int
    arrival_s: float
    begin_s: float
    leave_s: float


@dataclass(frozen=True)
class TeamRoutes:
    """
    A plan.

    Attributes
    ----------
    routes
        Visits of each walker in order, in the order of the walkers; empty for who stays.
    worth
        Sum of what is visited.
    travel_s
        Sum of all ways, to the end included.
    left
        Errands that nobody makes, in their order.
    """

    routes: tuple[tuple[Call, ...], ...]
    worth: float
    travel_s: float
    left: tuple[int, ...]


class ImpossiblePlanError(RefusedError):
    """Visits that must be made do not all fit; `errands` are those that were left."""

    def __init__(self, message: str, errands: tuple[int, ...]) -> None:
        super().__init__(message)
        self.errands = errands


def find_team_routes(
    travel_s: Mapping[str, Matrix],
    errands: Sequence[Errand],
    walkers: Sequence[Walker],
    *,
    seconds: float = 0.8,
    rng: np.random.Generator | None = None,
    exploration: int = EXPLORATION,
) -> TeamRoutes:
    """
    The plan of most worth that is found in the time; of equal worth, the one with less way.

    Parameters
    ----------
    travel_s
        Seconds from each place to each other, shape (n, n), by profile of the walkers; infinity where no way leads.
    errands, walkers
        What could be visited, and by whom.
    seconds
        How long to search; the first search, which is the same for the same input, is always finished.
    rng
        For the further searches; without it there are none, and the plan depends on nothing but its input.
    exploration
        How thoroughly VROOM looks, 0 to 5.

    Raises
    ------
    ImpossiblePlanError
        What must be visited does not fit; it names which.
    """
    began = time.monotonic()
    search = _Search(travel_s, errands, walkers, exploration)
    best = search.run(search.priorities())
    longest_s = time.monotonic() - began
    if best is None or search.find_missing(best):
        best = search.run(search.priorities(must_first=True))
    missing = search.find_missing(best) if best is not None else tuple(search.musts)
    if best is None or missing:
        raise ImpossiblePlanError(
            f"{len(missing)} of {len(search.musts)} visits that must be made do not fit into the time of {len(walkers)}"
            " people, expected all of them: drop one of those named, give more time, or send one person more.",
            missing,
        )
    # No search is begun that would probably end too late.
    while rng is not None and best.left and (now := time.monotonic()) - began + longest_s < seconds:
        found = search.run(search.priorities(rng=rng, must_first=bool(search.musts)))
        longest_s = max(longest_s, time.monotonic() - now)
        if found is not None and not search.find_missing(found) and _is_better(found, best):
            best = found
    return best


def _is_better(plan: TeamRoutes, other: TeamRoutes) -> bool:
    if abs(plan.worth - other.worth) > 1e-9 * max(1.0, abs(other.worth)):
        return plan.worth > other.worth
    return plan.travel_s < other.travel_s - 1e-6


class _Search:
    def __init__(
        self, travel_s: Mapping[str, Matrix], errands: Sequence[Errand], walkers: Sequence[Walker], exploration: int
    ) -> None:
        self._travel_s, self._errands, self._walkers = travel_s, errands, walkers
        self._exploration = exploration
        self.musts = tuple(n for n, errand in enumerate(errands) if errand.must)
        finite = [float(m[np.isfinite(m)].max(initial=0.0)) for m in travel_s.values()]
        longest = max([1.0, *finite, *(walker.to_s for walker in walkers)])
        self._per_s = _MOST_UNITS / longest / 2
        self._matrices = {name: self._to_units(matrix) for name, matrix in travel_s.items()}

    def _to_units(self, matrix: Matrix) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
        # Rounded up: whoever is in time by these is in time.
        units = np.ceil(np.where(np.isfinite(matrix), matrix, 0.0) * self._per_s - 1e-6)
        return np.where(np.isfinite(matrix), units, _MOST_UNITS).astype(np.uint32)

    def priorities(self, *, rng: np.random.Generator | None = None, must_first: bool = False) -> list[int]:
        """Worths as VROOM takes them: whole numbers from 1 to 100."""
        worths = np.array([errand.worth for errand in self._errands], dtype=np.float64)
        if rng is not None:
            worths = worths * rng.uniform(1 - _SHAKEN, 1 + _SHAKEN, len(worths))
        most = _MOST_PRIORITY
        if must_first and self.musts:
            # No sum of others may outweigh one that must be made, as far as whole numbers allow.
            most = max(1, _MOST_PRIORITY // max(1, len(worths) - len(self.musts)) - 1)
        exact = most == _MOST_PRIORITY and rng is None and worths.max(initial=0) <= most and np.all(worths % 1 == 0)
        scaled = worths if exact else np.clip(np.round(worths * (most / worths.max(initial=1e-12))), 1, most)
        return [
            _MOST_PRIORITY if errand.must and must_first else int(priority)
            for errand, priority in zip(self._errands, scaled, strict=True)
        ]

    def find_missing(self, plan: TeamRoutes) -> tuple[int, ...]:
        return tuple(sorted(set(self.musts) & set(plan.left)))

    def run(self, priorities: list[int]) -> TeamRoutes | None:
        """One search; None where the walkers can make nothing of it that holds by the real times."""
        # Rounding up can push out a tour that just fits: it is let in by as many units, then measured by real times.
        for slack in (len(self._errands) + 1, 0):
            plan = self._measure(self._search(priorities, slack))
            if plan is not None:
                return plan
        return None

    def _search(self, priorities: list[int], slack: int) -> list[list[int]]:
        problem = vroom.Input()
        for name, units in self._matrices.items():
            problem.set_durations_matrix(name, units)
        groups = sorted({errand.walkers for errand in self._errands if errand.walkers is not None}, key=sorted)
        for number, walker in enumerate(self._walkers):
            limit = {} if walker.most_stops is None else {"max_tasks": walker.most_stops}
            problem.add_vehicle(
                vroom.Vehicle(
                    number,
                    start=walker.start,
                    end=walker.end,
                    profile=walker.profile,
                    skills={skill for skill, group in enumerate(groups) if number in group},
                    time_window=self._window(walker.from_s, walker.to_s, slack),
                    **limit,
                )
            )
        for number, (errand, priority) in enumerate(zip(self._errands, priorities, strict=True)):
            problem.add_job(
                vroom.Job(
                    number,
                    location=errand.place,
                    service=round(errand.stay_s * self._per_s),
                    priority=priority,
                    skills=set() if errand.walkers is None else {groups.index(errand.walkers)},
                    time_windows=[self._window(*window, slack) for window in errand.windows_s],
                )
            )
        routes: list[list[int]] = [[] for _ in self._walkers]
        if not self._errands:
            return routes
        rows = problem.solve(self._exploration, nb_threads=1).routes
        if len(rows):
            made = rows[rows["type"] == "job"]
            for walker, errand in zip(made["vehicle_id"], made["id"], strict=True):
                routes[int(walker)].append(int(errand))
        return routes

    def _window(self, from_s: float, to_s: float, slack: int) -> vroom.TimeWindow:
        return vroom.TimeWindow(math.ceil(from_s * self._per_s - 1e-6), math.floor(to_s * self._per_s + 1e-6) + slack)

    def _measure(self, routes: list[list[int]]) -> TeamRoutes | None:
        measured = [self._walk(walker, route) for walker, route in zip(self._walkers, routes, strict=True)]
        calls = tuple(one[0] for one in measured if one is not None)
        if len(calls) < len(measured):
            return None
        made = {call.errand for route in calls for call in route}
        return TeamRoutes(
            calls,
            worth=math.fsum(self._errands[number].worth for number in made),
            travel_s=math.fsum(one[1] for one in measured if one is not None),
            left=tuple(number for number in range(len(self._errands)) if number not in made),
        )

    def _walk(self, walker: Walker, route: Sequence[int]) -> tuple[tuple[Call, ...], float] | None:
        """The visits by the real times and the seconds on the way; None where one is too late."""
        travel_s = self._travel_s[walker.profile]
        at, now_s, way_s = walker.start, walker.from_s, 0.0
        calls = []
        for number in route:
            errand = self._errands[number]
            step_s = float(travel_s[at, errand.place])
            way_s += step_s
            arrival_s = now_s + step_s
            begins = [max(arrival_s, f) for f, t in errand.windows_s or ((0.0, math.inf),) if arrival_s <= t + _CLOSE_S]
            if not begins:
                return None
            now_s = min(begins) + errand.stay_s
            calls.append(Call(number, arrival_s, min(begins), now_s))
            at = errand.place
        if walker.end is not None and (route or walker.start != walker.end):
            step_s = float(travel_s[at, walker.end])
            if route:
                way_s += step_s
            now_s += step_s
        is_late = bool(route) and now_s > walker.to_s + _CLOSE_S
        return None if is_late else (tuple(calls), way_s)

"""
The plan of a shift's patrol: who is where, from when to when, and why; what is left out, and why.

What can be visited when is laid out by `incidents/patrol_slots.py`; `incidents/team_routes.py` chooses among the slots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from gis.errors import BadRecordError
from incidents.patrol_slots import (
    HotPlace,
    PatrolRules,
    Slot,
    drop_removed,
    expect,
    is_apart,
    lay_locked,
    lay_slots,
    raise_grids,
)
from incidents.team_routes import (
    QUICK_EXPLORATION,
    Errand,
    ImpossiblePlanError,
    Matrix,
    TeamRoutes,
    Walker,
    find_team_routes,
)

_MOST_UNEVEN = 2
"""So many stops more than their even share somebody may have."""


class Why(StrEnum):
    """Why a place is not visited."""

    NO_WAY = "no_way"
    CLOSED = "closed"
    NOT_ALLOWED = "not_allowed"
    NO_TIME = "no_time"
    REMOVED = "removed"


@dataclass(frozen=True)
class Visit:
    """
    One stop of a route; times in seconds after midnight of the shift's first day.

    Attributes
    ----------
    place_id
        Where.
    arrival_s, begin_s, leave_s
        When they are there, when the stop begins, when they go on.
    slack_s
        How much later they may begin without breaking anything that follows.
    covered
        Incidents expected within reach while they stand there.
    is_fair
        It was raised because its grid would else see nobody.
    """

    place_id: str
    arrival_s: float
    begin_s: float
    leave_s: float
    slack_s: float
    covered: float
    is_fair: bool


@dataclass(frozen=True)
class LeftOut:
    """A place without a visit: why, and for `NO_TIME` the minutes that the cheapest visit would have needed more."""

    place_id: str
    why: Why
    needed_minutes: float | None = None


@dataclass(frozen=True)
class PatrolPlan:
    """Routes in the order of the walkers; what they cover of what is expected during the shift; what is left out."""

    routes: tuple[tuple[Visit, ...], ...]
    covered: float
    expected: float
    travel_s: float
    left_out: tuple[LeftOut, ...]
    seed: int
    rules: PatrolRules = field(default_factory=PatrolRules)


class ImpossiblePatrolError(ImpossiblePlanError):
    """Fixed points do not all fit; `places` are their ids, `drop` those of which dropping one alone is enough."""

    def __init__(self, message: str, errands: tuple[int, ...], places: tuple[str, ...], drop: tuple[str, ...]) -> None:
        super().__init__(message, errands)
        self.places, self.drop = places, drop


def plan_patrol(
    places: Sequence[HotPlace],
    walkers: Sequence[Walker],
    travel_s: Mapping[str, Matrix],
    rules: PatrolRules | None = None,
    *,
    locked: Sequence[tuple[int, str, float]] = (),
    removed: Sequence[tuple[str, float]] = (),
) -> PatrolPlan:
    """
    Plan one shift.

    Parameters
    ----------
    places
        What could be visited.
    walkers
        Who is on duty, from when to when, in seconds after midnight; a joint patrol is one walker.
    travel_s
        Seconds between all rows, shape (n, n), by profile of the walkers; infinity where no open way leads.
    rules
        Settings; the same rules and input give the same plan while the searches end in time.
    locked
        Visits that stay as they are and when they are: (walker, place id, begin in seconds).
    removed
        Visits that are not made: (place id, begin in seconds) of an earlier plan; of each the slot nearest to it goes.

    Raises
    ------
    ImpossiblePatrolError
        Fixed points and locked visits do not fit; it names which to drop.
    BadRecordError
        A figure that cannot be used.
    """
    rules = rules or PatrolRules()
    _check(places, walkers, rules)
    rng = np.random.default_rng(rules.seed)
    laid = [slot for n in range(len(places)) for slot in lay_slots(n, places, walkers, rules, rng)]
    kept = drop_removed(places, laid, removed)
    emptied = {places[slot.place].place_id for slot in laid} - {places[slot.place].place_id for slot in kept}
    places = [replace(place, must=place.must and place.place_id not in emptied) for place in places]
    slots = raise_grids(places, kept, rules)
    fixed = lay_locked(places, locked, rules)
    taken = {places[slot.place].place_id for slot, _ in fixed}
    gap_s = (rules.gap_minutes + rules.stop_minutes) * 60
    free = [slot for slot in slots if all(slot.place != one.place or is_apart(slot, one, gap_s) for one, _ in fixed)]
    errands = [_to_errand(slot, places[slot.place], rules) for slot in free]
    musts = _mark_musts(places, free, taken)
    errands = [replace(errand, must=n in musts) for n, errand in enumerate(errands)]
    errands += [
        replace(_to_errand(slot, places[slot.place], rules), must=True, walkers=frozenset({walker}))
        for slot, walker in fixed
    ]
    chosen = [*free, *(slot for slot, _ in fixed)]
    cut_off = _find_cut_off(places, walkers, travel_s)
    if cut_off:
        raise ImpossiblePatrolError(
            f"No open way leads to fixed point '{cut_off[0]}' at any time of the shift. Drop it, or have its "
            "gate opened.",
            (), cut_off, cut_off[:1] if len(cut_off) == 1 else (),
        )  # fmt: skip
    try:
        found = find_team_routes(travel_s, errands, walkers, seconds=rules.search_s, rng=rng)
        found = _spread(travel_s, errands, walkers, found)
    except ImpossiblePlanError as error:
        raise _say_what_to_drop(error, places, chosen, errands, walkers, travel_s) from error
    plan = _to_plan(places, walkers, travel_s, rules, chosen, errands, found)
    return replace(
        plan,
        left_out=tuple(
            replace(one, why=Why.REMOVED, needed_minutes=None) if one.place_id in emptied else one
            for one in plan.left_out
        ),
    )


def _spread(
    travel_s: Mapping[str, Matrix], errands: Sequence[Errand], walkers: Sequence[Walker], found: TeamRoutes
) -> TeamRoutes:
    """The same worth with the stops spread evenly by duty hours, where a quick search finds it."""
    made, most = sum(map(len, found.routes)), max(map(len, found.routes))
    on_duty_s = [walker.to_s - walker.from_s for walker in walkers]
    caps = [math.ceil(made * own_s / sum(on_duty_s)) + _MOST_UNEVEN for own_s in on_duty_s]
    if most <= max(caps):
        return found
    capped = [replace(walker, most_stops=cap) for walker, cap in zip(walkers, caps, strict=True)]
    try:
        spread = find_team_routes(travel_s, errands, capped, seconds=0, exploration=QUICK_EXPLORATION)
    except ImpossiblePlanError:
        return found
    return spread if spread.worth >= found.worth * (1 - 1e-9) else found


def _check(places: Sequence[HotPlace], walkers: Sequence[Walker], rules: PatrolRules) -> None:
    if not walkers:
        raise BadRecordError("Patrol plan: nobody is on duty, expected at least one person. Choose who patrols.")
    if not 0 < rules.freedom <= 1:
        raise BadRecordError(f"Patrol plan: freedom is {rules.freedom:g}, expected a share above 0 and up to 1.")
    if rules.stop_minutes <= 0 or rules.gap_minutes < 0:
        raise BadRecordError(
            f"Patrol plan: stops of {rules.stop_minutes:g} minutes with gaps of {rules.gap_minutes:g}, expected stops "
            "above 0 and gaps from 0 minutes."
        )
    for place in places:
        if len(place.expected_per_h) != 24 or not all(math.isfinite(r) and r >= 0 for r in place.expected_per_h):
            raise BadRecordError(f"Place '{place.place_id}': expected 24 hourly figures from 0, one of them is not.")
        if not place.weight > 0 or not math.isfinite(place.weight):
            raise BadRecordError(f"Place '{place.place_id}': its weight is {place.weight:g}, expected one above 0.")


def _to_errand(slot: Slot, place: HotPlace, rules: PatrolRules) -> Errand:
    # A place that must be seen may expect nothing; and what is raised for its grid is raised in the search only.
    worth = max(slot.covered, 1e-6) * place.weight * (1 + rules.fairness * slot.is_fair)
    return Errand(place.row, worth, rules.stop_minutes * 60, (slot.window_s,), walkers=place.walkers)


def _mark_musts(places: Sequence[HotPlace], slots: Sequence[Slot], taken: set[str]) -> set[int]:
    """One slot of each fixed point: the one most worth."""
    musts: dict[int, int] = {}
    for number, slot in enumerate(slots):
        place = places[slot.place]
        if place.must and place.place_id not in taken:
            known = musts.get(slot.place)
            if known is None or slots[known].covered < slot.covered:
                musts[slot.place] = number
    absent = [
        p.place_id
        for n, p in enumerate(places)
        if p.must and p.place_id not in taken and all(s.place != n for s in slots)
    ]
    if absent:
        raise ImpossiblePatrolError(
            f"Fixed point '{absent[0]}' is not open while anybody who may go there is on duty. Change its hours, or "
            "drop it.",
            (),
            tuple(absent),
            tuple(absent),
        )
    return set(musts.values())


def _find_cut_off(
    places: Sequence[HotPlace], walkers: Sequence[Walker], travel_s: Mapping[str, Matrix]
) -> tuple[str, ...]:
    """Places that have to be seen and that no open way leads to at any time of the shift."""
    return tuple(
        place.place_id
        for place in places
        if place.must
        and not any(
            math.isfinite(travel_s[walker.profile][walker.start, place.row])
            for n, walker in enumerate(walkers)
            if place.walkers is None or n in place.walkers
        )
    )


def _say_what_to_drop(
    error: ImpossiblePlanError,
    places: Sequence[HotPlace],
    slots: Sequence[Slot],
    errands: Sequence[Errand],
    walkers: Sequence[Walker],
    travel_s: Mapping[str, Matrix],
) -> ImpossiblePatrolError:
    musts = [number for number, errand in enumerate(errands) if errand.must]
    enough = []
    for dropped in musts:
        try:
            find_team_routes(travel_s, [errands[n] for n in musts if n != dropped], walkers)
        except ImpossiblePlanError:
            continue
        enough.append(places[slots[dropped].place].place_id)
    left = tuple(places[slots[number].place].place_id for number in error.errands)
    named = ", ".join(f"'{one}'" for one in enough or left)
    way = "dropping any one of these is enough" if enough else "more than one has to go, these do not fit"
    return ImpossiblePatrolError(
        f"{len(musts)} fixed points do not fit into the duty of {len(walkers)} people; {way}: {named}. Or give more "
        "people or time.",
        error.errands,
        left,
        tuple(enough),
    )


def _to_plan(
    places: Sequence[HotPlace],
    walkers: Sequence[Walker],
    travel_s: Mapping[str, Matrix],
    rules: PatrolRules,
    slots: Sequence[Slot],
    errands: Sequence[Errand],
    found: TeamRoutes,
) -> PatrolPlan:
    routes = []
    for walker, calls in zip(walkers, found.routes, strict=True):
        matrix, visits, latest = travel_s[walker.profile], [], math.inf
        following: int | None = walker.end
        until = walker.to_s
        for call in reversed(calls):
            errand, slot = errands[call.errand], slots[call.errand]
            way_s = 0.0 if following is None else float(matrix[errand.place, following])
            latest = min(errand.windows_s[0][1], until - way_s - errand.stay_s)
            place = places[slot.place]
            visits.append(
                Visit(
                    place.place_id,
                    call.arrival_s,
                    call.begin_s,
                    call.leave_s,
                    slack_s=max(0.0, latest - call.begin_s),
                    covered=expect(place, call.begin_s, call.leave_s),
                    is_fair=slot.is_fair,
                )
            )
            following, until = errand.place, latest
        routes.append(tuple(reversed(visits)))
    seen = {visit.place_id for route in routes for visit in route}
    left_out = tuple(
        _explain(place, n, walkers, travel_s, rules, slots, found, errands)
        for n, place in enumerate(places)
        if place.place_id not in seen
    )
    on_duty = (min(w.from_s for w in walkers), max(w.to_s for w in walkers))
    return PatrolPlan(
        tuple(routes),
        covered=math.fsum(visit.covered for route in routes for visit in route),
        expected=math.fsum(expect(place, *on_duty) for place in places),
        travel_s=found.travel_s,
        left_out=left_out,
        seed=rules.seed,
        rules=rules,
    )


def _explain(
    place: HotPlace,
    number: int,
    walkers: Sequence[Walker],
    travel_s: Mapping[str, Matrix],
    rules: PatrolRules,
    slots: Sequence[Slot],
    found: TeamRoutes,
    errands: Sequence[Errand],
) -> LeftOut:
    """Why nobody goes there; for want of time, how many minutes the cheapest detour would cost."""
    able = [n for n in range(len(walkers)) if place.walkers is None or n in place.walkers]
    if not able:
        return LeftOut(place.place_id, Why.NOT_ALLOWED)
    if not any(slot.place == number for slot in slots):
        return LeftOut(place.place_id, Why.CLOSED)
    if not any(math.isfinite(travel_s[walkers[n].profile][walkers[n].start, place.row]) for n in able):
        return LeftOut(place.place_id, Why.NO_WAY)
    detours = []
    for n in able:
        walker, matrix = walkers[n], travel_s[walkers[n].profile]
        rows = [walker.start, *(errands[call.errand].place for call in found.routes[n])]
        ends = [*rows[1:], *([] if walker.end is None else [walker.end])]
        detours += [
            float(matrix[a, place.row] + matrix[place.row, b] - matrix[a, b]) for a, b in zip(rows, ends, strict=False)
        ]
        if walker.end is None:
            detours.append(float(matrix[rows[-1], place.row]))
    finite = [detour for detour in detours if math.isfinite(detour)]
    if not finite:
        return LeftOut(place.place_id, Why.NO_WAY)
    return LeftOut(place.place_id, Why.NO_TIME, needed_minutes=min(finite) / 60 + rules.stop_minutes)

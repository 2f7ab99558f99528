"""
Slots of a patrol: when a hot place may be visited, and what a visit then is worth.

A place can be worth different amounts at different hours and may be seen more than once, never sooner than the least
gap. So each place offers windows laid over the shift, far enough apart that any two visits keep the gap, and narrowed
by chance from a recorded seed, so that the times cannot be foreseen.

The length of a stop is a setting: trials support 10 to 16 minutes (Koper 1995, Justice Quarterly 12(4), 649-672,
doi.org/10.1080/07418829500096231), which has not been repeated elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gis.errors import BadRecordError
from incidents.team_routes import Walker

STOP_MINUTES, STOP_RANGE_MINUTES = 12.0, (10.0, 16.0)
GAP_MINUTES = 120.0
_HOUR_S = 3600.0
_WINDOW_SHARE = 0.5  # of the gap: how freely the time of a visit may be chosen within its slot
LOCKED_LEEWAY_S = 1.0
"""A locked visit stays at its time; a second lets the rounding of the search through."""
_PARTS = 9


@dataclass(frozen=True)
class HotPlace:
    """
    A place that may be patrolled.

    Attributes
    ----------
    place_id, grid_id
        Ids; the grid decides fairness only.
    row
        Its row of the travel times.
    expected_per_h
        Incidents expected an hour within reach, by hour of the shift's clock: 24 figures from 00:00.
    weight
        How much a visit counts beside one to another place of the same expectation; it changes the choice, never what
        is covered.
    windows_s
        When it may be visited, seconds after midnight of the shift's first day; empty for any time.
    must
        It has to be seen at least once: a fixed point.
    most_visits
        In this shift; None for as many as the gap allows.
    walkers
        Indices of those who may go there; None for all.
    """

    place_id: str
    grid_id: str | None
    row: int
    expected_per_h: tuple[float, ...]
    weight: float = 1.0
    windows_s: tuple[tuple[float, float], ...] = ()
    must: bool = False
    most_visits: int | None = None
    walkers: frozenset[int] | None = None


@dataclass(frozen=True)
class PatrolRules:
    """
    Settings of a plan.

    Attributes
    ----------
    stop_minutes, gap_minutes
        Of a stop, and at least from leaving a place to the next visit there.
    fairness
        What is added to the best visit of each grid, as a share of its worth; 0 for none.
    freedom
        Share of each window that is kept, above 0: the smaller, the less can be foreseen, and the less is reached.
    search_s
        How long to search further, seconds.
    seed
        Decides the windows and the further searches.
    """

    stop_minutes: float = STOP_MINUTES
    gap_minutes: float = GAP_MINUTES
    fairness: float = 1.0
    freedom: float = 0.5
    search_s: float = 1.5
    seed: int = 1


@dataclass(frozen=True)
class Slot:
    """A window for the beginning of one visit of `place` (its number), seconds after midnight, and what it covers."""

    place: int
    window_s: tuple[float, float]
    covered: float
    is_fair: bool = False


def lay_slots(
    number: int, places: Sequence[HotPlace], walkers: Sequence[Walker], rules: PatrolRules, rng: np.random.Generator
) -> list[Slot]:
    """
    Windows for the beginnings of visits of one place, any two of which keep the gap.

    As many as leave each at least half a gap of freedom, one at the least; of each only `rules.freedom` is kept, at a
    place that chance decides, the likelier the more is expected then.
    """
    place = places[number]
    stay_s, gap_s = rules.stop_minutes * 60, rules.gap_minutes * 60
    able = [w for n, w in enumerate(walkers) if place.walkers is None or n in place.walkers]
    if not able:
        return []
    first, last = min(w.from_s for w in able), max(w.to_s for w in able) - stay_s
    spare_s, count = last - first, 1
    while spare_s - count * (gap_s + stay_s) >= (count + 1) * max(gap_s * _WINDOW_SHARE, stay_s):
        count += 1
    width_s = (spare_s - (count - 1) * (gap_s + stay_s)) / count
    slots = []
    for begin in (first + n * (gap_s + stay_s + width_s) for n in range(count)):
        for opens, closes in place.windows_s or ((-math.inf, math.inf),):
            window = (max(begin, opens), min(begin + width_s, closes - stay_s))
            if window[0] <= window[1]:
                window = window if place.must else _narrow(place, window, stay_s, rules, rng)
                middle = (window[0] + window[1]) / 2
                slots.append(Slot(number, window, expect(place, middle, middle + stay_s)))
                break  # one visit a slot, or two windows of one slot could break the gap
    if not slots and place.must:
        # A fixed point that opens between two windows: any time that it is open will do.
        open_then = ((max(first, opens), min(last, closes - stay_s)) for opens, closes in place.windows_s)
        slots += [Slot(number, one, expect(place, one[0], one[0] + stay_s)) for one in open_then if one[0] <= one[1]][
            :1
        ]
    most = len(slots) if place.most_visits is None else max(place.most_visits, int(place.must))
    best = sorted(slots, key=lambda slot: -slot.covered)[:most]
    return sorted(best, key=lambda slot: slot.window_s)


def _narrow(
    place: HotPlace, window_s: tuple[float, float], stay_s: float, rules: PatrolRules, rng: np.random.Generator
) -> tuple[float, float]:
    """The part of a window that is kept."""
    kept_s = (window_s[1] - window_s[0]) * rules.freedom
    begins = np.linspace(window_s[0], window_s[1] - kept_s, _PARTS)
    weights = np.array([expect(place, begin + kept_s / 2, begin + kept_s / 2 + stay_s) for begin in begins]) + 1e-9
    begin = float(rng.choice(begins, p=weights / weights.sum()))
    return begin, begin + kept_s


def expect(place: HotPlace, from_s: float, to_s: float) -> float:
    """Incidents expected from one time to another."""
    total, at = 0.0, from_s
    while at < to_s:
        until = min(to_s, (math.floor(at / _HOUR_S) + 1) * _HOUR_S)
        total += place.expected_per_h[int(at // _HOUR_S) % 24] * (until - at) / _HOUR_S
        at = until
    return total


def raise_grids(places: Sequence[HotPlace], slots: list[Slot], rules: PatrolRules) -> list[Slot]:
    """Raise the best slot of each grid, so that none is left without anybody only because another is worse off."""
    if rules.fairness <= 0:
        return slots
    best: dict[str, int] = {}
    for number, slot in enumerate(slots):
        grid = places[slot.place].grid_id
        if grid is not None and (grid not in best or slots[best[grid]].covered < slot.covered):
            best[grid] = number
    chosen = set(best.values()) if len(best) > 1 else set()
    return [replace(slot, is_fair=True) if number in chosen else slot for number, slot in enumerate(slots)]


def lay_locked(
    places: Sequence[HotPlace], locked: Sequence[tuple[int, str, float]], rules: PatrolRules
) -> list[tuple[Slot, int]]:
    """Slots of visits that stay as they are, each with its walker; a place that is not there raises."""
    numbers = {place.place_id: number for number, place in enumerate(places)}
    unknown = [place_id for _, place_id, _ in locked if place_id not in numbers]
    if unknown:
        raise BadRecordError(f"Locked stop at '{unknown[0]}': no such place in this plan, expected one of its places.")
    stay_s = rules.stop_minutes * 60
    return [
        (
            Slot(
                numbers[place_id],
                (begin_s, begin_s + LOCKED_LEEWAY_S),
                expect(places[numbers[place_id]], begin_s, begin_s + stay_s),
            ),
            walker,
        )
        for walker, place_id, begin_s in locked
    ]


def drop_removed(places: Sequence[HotPlace], slots: Sequence[Slot], removed: Sequence[tuple[str, float]]) -> list[Slot]:
    """Slots without the one nearest to each removed visit (place id, its begin): with the same seed, its own."""
    kept = list(slots)
    for place_id, begin_s in removed:
        own = [slot for slot in kept if places[slot.place].place_id == place_id]
        if own:
            kept.remove(min(own, key=lambda slot: max(slot.window_s[0] - begin_s, begin_s - slot.window_s[1])))
    return kept


def is_apart(slot: Slot, other: Slot, gap_s: float) -> bool:
    """Whether two windows of one place are so far apart that a visit in each keeps the gap."""
    (a, b), (c, d) = slot.window_s, other.window_s
    return c - b >= gap_s or a - d >= gap_s

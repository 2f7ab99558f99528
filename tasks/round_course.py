"""
Orders of stops that hold (tasks/rounds.py): what each costs, when each visit begins, and how much it may slip.

An order is a list of numbers of stops. It holds when each visit begins within one of its windows and all is over in
time. Better is more worth; of equal worth the lower cost, which is seconds until it is over and seconds on foot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gis.errors import RefusedError
from tasks.round_travel import Travel

Windows = tuple[tuple[float, float], ...]
Leg = tuple[int, float, float]

CLOSE_S = 1e-9
LEAST_GAIN_S = 1e-6


@dataclass(frozen=True)
class Call:
    """One visit of an order: the stop's number, seconds on foot to it, and when one arrives, begins and leaves."""

    stop: int
    walk_s: float
    arrival_s: float
    begin_s: float
    leave_s: float


@dataclass(frozen=True)
class Trace:
    """An order that holds, what it is worth and what it costs, seconds."""

    order: tuple[int, ...]
    worth: float
    cost_s: float

    def is_better(self, other: Trace) -> bool:
        """Whether this one is better by more than rounding."""
        if abs(self.worth - other.worth) > 1e-9 * max(1.0, abs(other.worth)):
            return self.worth > other.worth
        return self.cost_s < other.cost_s - LEAST_GAIN_S


@dataclass(frozen=True, eq=False)
class Course:
    """What a search works on: ways, where and when it begins and ends, and of each stop place, stay, windows, worth."""

    travel: Travel
    start: int
    end: int | None
    from_s: float
    to_s: float
    places: Sequence[int]
    stays_s: Sequence[float]
    windows_s: Sequence[Windows]
    worths: Sequence[float]

    def step(self, at: int, now_s: float, stop: int) -> tuple[float, float, float] | None:
        """Seconds on foot, arrival and begin at a stop, leaving place `at` now; None where its windows are over."""
        arrival_s, walk_s = self.travel.arrive(at, self.places[stop], now_s)
        for opens_s, closes_s in self.windows_s[stop]:
            if arrival_s <= closes_s + CLOSE_S:
                return (walk_s, arrival_s, opens_s if opens_s > arrival_s else arrival_s) if walk_s < math.inf else None
        return None

    def find_over_s(self, at: int, now_s: float) -> tuple[float, float]:
        """When it is over for who is at `at` now, and the seconds on foot until then."""
        return (now_s, 0.0) if self.end is None else self.travel.arrive(at, self.end, now_s)

    def measure(self, order: Sequence[int]) -> float | None:
        """Cost of an order, None where it does not hold."""
        legs = self.list_legs(order)
        if legs is None:
            return None
        at, now_s, walk_s = legs[-1]
        if not order:
            return 0.0
        over_s, last_s = self.find_over_s(at, now_s)
        return None if over_s > self.to_s + CLOSE_S else over_s - self.from_s + walk_s + last_s

    def list_legs(self, order: Sequence[int]) -> list[Leg] | None:
        """Place, time and seconds on foot before the first stop and after each one; None where it does not hold."""
        legs: list[Leg] = [(self.start, self.from_s, 0.0)]
        for stop in order:
            at, now_s, walk_s = legs[-1]
            step = self.step(at, now_s, stop)
            if step is None or step[2] + self.stays_s[stop] > self.to_s + CLOSE_S:
                return None
            legs.append((self.places[stop], step[2] + self.stays_s[stop], walk_s + step[0]))
        return legs

    def trace(self, order: Sequence[int]) -> Trace | None:
        """An order with its worth and cost, None where it does not hold."""
        cost_s = self.measure(order)
        return None if cost_s is None else Trace(tuple(order), math.fsum(self.worths[one] for one in order), cost_s)

    def list_calls(self, order: Sequence[int]) -> list[Call]:
        """The visits of an order that holds."""
        at, now_s, calls = self.start, self.from_s, []
        for stop in order:
            step = self.step(at, now_s, stop)
            if step is None:
                raise RefusedError(f"Stop {stop} of a round cannot begin in its hours. Ask for the round again.")
            now_s = step[2] + self.stays_s[stop]
            calls.append(Call(stop, step[0], step[1], step[2], now_s))
            at = self.places[stop]
        return calls

    def walk_on(self, order: Sequence[int]) -> tuple[float, float]:
        """Seconds on foot, and when it is over."""
        calls = self.list_calls(order)
        if not calls:
            return 0.0, self.from_s
        over_s, last_s = self.find_over_s(self.places[order[-1]], calls[-1].leave_s)
        return math.fsum(call.walk_s for call in calls) + last_s, over_s

    def list_latest(self, order: Sequence[int], calls: Sequence[Call] | None = None) -> list[float]:
        """
        Of each visit the latest second at which it may begin, within the window that it begins in, so that all that
        follows still holds; what follows may slip as well.
        """
        latest: list[float] = []
        leaves_by_s, next_place = self.to_s, self.end
        for call in reversed(self.list_calls(order) if calls is None else calls):
            if next_place is not None:
                leaves_by_s = self._find_leave_by_s(self.places[call.stop], next_place, call.leave_s, leaves_by_s)
            closes_s = next(c for o, c in self.windows_s[call.stop] if o - CLOSE_S <= call.begin_s <= c + CLOSE_S)
            latest.append(max(min(closes_s, leaves_by_s - self.stays_s[call.stop]), call.begin_s))
            leaves_by_s, next_place = latest[-1], self.places[call.stop]
        return latest[::-1]

    def find_needed_s(self, order: Sequence[int], stop: int) -> float:
        """How many seconds more the cheapest visit to `stop` within `order` would need, of its hours or of the end."""
        best = math.inf
        for place in range(len(order) + 1):
            best = min(best, self._find_overrun_s([*order[:place], stop, *order[place:]]))
        return best

    def _find_overrun_s(self, order: Sequence[int]) -> float:
        at, now_s, over_s = self.start, self.from_s, 0.0
        for stop in order:
            arrival_s = self.travel.arrive(at, self.places[stop], now_s)[0]
            begins = [max(arrival_s, opens) for opens, closes in self.windows_s[stop] if arrival_s <= closes + CLOSE_S]
            over_s = over_s if begins else max(over_s, arrival_s - self.windows_s[stop][-1][1])
            now_s = (begins[0] if begins else arrival_s) + self.stays_s[stop]
            at = self.places[stop]
        return max(over_s, self.find_over_s(at, now_s)[0] - self.to_s)

    def _find_leave_by_s(self, origin: int, place: int, leave_s: float, arrive_by_s: float) -> float:
        """Latest second not before `leave_s` to leave one place for another, in the period in which one leaves."""
        way_s = self.travel.get_way_s(origin, place, leave_s)
        by_s = arrive_by_s - way_s
        return by_s if self.travel.arrive(origin, place, by_s)[0] <= arrive_by_s + CLOSE_S else leave_s

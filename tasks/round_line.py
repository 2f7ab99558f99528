"""
An order of stops that is being built (tasks/round_search.py): where one more stop costs least, found in one pass.

What an insertion delays is told from two figures of each stop: the latest second at which its visit may begin, and the
waiting after it, which takes delays in. Only windows in which visits begin already are looked at, and ways as they
are: what comes out is measured again by the course.
"""

from __future__ import annotations

import math

import numpy as np

from tasks.round_course import CLOSE_S, Course


class Line:
    """An order with what it takes to put one more stop into it."""

    def __init__(self, course: Course, order: list[int]) -> None:
        self._course = course
        self.order = order
        self._reckon()

    def insert(self, place: int, stop: int) -> None:
        """Put a stop before the one at `place`, if the order holds then as well."""
        order = [*self.order[:place], stop, *self.order[place:]]
        # Where gates change ways, what was told from ways as they are may not hold.
        if self._course.measure(order) is not None:
            self.order = order
            self._reckon()

    def find_place(self, stop: int, rng: np.random.Generator, blink: float) -> int | None:
        """Where a stop costs least; None where it does not fit. A share of `blink` of the places is overlooked."""
        course, order, leave = self._course, self.order, self._leave_s
        arrive, place, stay_s = course.travel.arrive, course.places[stop], course.stays_s[stop]
        end, closes_s = len(order), course.windows_s[stop][-1][1]
        best, best_s = None, math.inf
        seen = rng.random(end + 1) >= blink if blink else None
        at = course.start
        for number in range(end + 1):
            before_s = leave[number]
            if number:
                at = course.places[order[number - 1]]
            if before_s > closes_s:
                break
            if seen is not None and not seen[number]:
                continue
            step = course.step(at, before_s, stop)
            if step is None:
                continue
            leaves_s = step[2] + stay_s
            if number == end:
                over_s, last_s = course.find_over_s(place, leaves_s)
                if over_s > course.to_s + CLOSE_S:
                    continue
                cost_s = over_s - self._over_s + step[0] + last_s - self._last_s
            else:
                arrival_s, way_s = arrive(place, course.places[order[number]], leaves_s)
                if arrival_s > self._latest_s[number] + CLOSE_S:
                    continue
                delay_s = arrival_s - self._begin_s[number] - self._waits_s[number + 1]
                cost_s = step[0] + way_s - self._walk_s[number] + (delay_s if delay_s > 0 else 0.0)
            if cost_s < best_s:
                best, best_s = number, cost_s
        return best

    def _reckon(self) -> None:
        course = self._course
        calls = course.list_calls(self.order)
        self._leave_s = [course.from_s, *(call.leave_s for call in calls)]
        self._begin_s = [call.begin_s for call in calls]
        self._walk_s = [call.walk_s for call in calls]
        self._latest_s = course.list_latest(self.order, calls)
        self._waits_s = [0.0] * (len(calls) + 1)
        for number in range(len(calls) - 1, -1, -1):
            self._waits_s[number] = self._waits_s[number + 1] + calls[number].begin_s - calls[number].arrival_s
        if calls:
            self._over_s, self._last_s = course.find_over_s(course.places[self.order[-1]], calls[-1].leave_s)
        else:
            self._over_s, self._last_s = course.from_s, 0.0

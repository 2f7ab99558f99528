"""
The line of tasks/round_line.py where ways take the same all the time, which is most days: no gate opens or closes.

The same order comes out, figure by figure; what is told here is told from lists alone, without a question to the table
of ways for each place, because a search asks a million times.
"""

from __future__ import annotations

import math

import numpy as np

from gis.errors import RefusedError
from tasks.round_course import CLOSE_S, Course
from tasks.round_travel import Steady


class SteadyLine:
    """An order with what it takes to put one more stop into it."""

    def __init__(self, course: Course, steady: Steady, order: list[int]) -> None:
        self._course = course
        self._from, self._to = steady
        self.order = order
        self._reckon()

    def insert(self, place: int, stop: int) -> None:
        """Put a stop before the one at `place`; `find_place` said that it fits."""
        self.order.insert(place, stop)
        self._reckon()

    def find_place(self, stop: int, rng: np.random.Generator, blink: float) -> int | None:
        """Where a stop costs least; None where it does not fit. A share of `blink` of the places is overlooked."""
        course, ats, latest_s, walk_s = self._course, self._ats, self._latest_s, self._walk_s
        begin_s, waits_s = self._begin_s, self._waits_s
        place, stay_s, windows = course.places[stop], course.stays_s[stop], course.windows_s[stop]
        ways_to, ways_from = self._to[place], self._from[place]
        end, closes_s = len(self.order), windows[-1][1]
        best, best_s = None, math.inf
        seen = (rng.random(end + 1) >= blink).tolist() if blink else [True] * (end + 1)
        for number, before_s in enumerate(self._leave_s):
            if before_s > closes_s:
                break
            if not seen[number]:
                continue
            way_s = ways_to[ats[number]]
            begins_s = before_s + way_s
            if way_s == math.inf:
                continue
            if number < end:  # whoever waits for the door comes later still
                on_s = ways_from[ats[number + 1]]
                if begins_s + stay_s + on_s > latest_s[number] + CLOSE_S:
                    continue
            for opens_s, shuts_s in windows:
                if begins_s <= shuts_s + CLOSE_S:
                    begins_s = opens_s if opens_s > begins_s else begins_s
                    break
            else:
                continue
            leaves_s = begins_s + stay_s
            if number == end:
                over_s, last_s = course.find_over_s(place, leaves_s)
                if over_s > course.to_s + CLOSE_S:
                    continue
                cost_s = over_s - self._over_s + way_s + last_s - self._last_s
            else:
                arrival_s = leaves_s + on_s
                if arrival_s > latest_s[number] + CLOSE_S:
                    continue
                delay_s = arrival_s - begin_s[number] - waits_s[number + 1]
                cost_s = way_s + on_s - walk_s[number] + (delay_s if delay_s > 0 else 0.0)
            if cost_s < best_s:
                best, best_s = number, cost_s
        return best

    def _reckon(self) -> None:
        course, order, ways = self._course, self.order, self._from
        stays, windows_s = course.stays_s, course.windows_s
        at, now_s = course.start, course.from_s
        ats, leave_s, begin_s, walk_s, wait_s, shut_s = [at], [now_s], [], [], [], []
        for stop in order:
            place = course.places[stop]
            way_s = ways[at][place]
            arrival_s = now_s + way_s
            for opens_s, shuts_s in windows_s[stop]:
                if arrival_s <= shuts_s + CLOSE_S:
                    begins_s = opens_s if opens_s > arrival_s else arrival_s
                    break
            else:
                raise RefusedError(f"Stop {stop} of a round cannot begin in its hours. Ask for the round again.")
            now_s, at = begins_s + stays[stop], place
            ats.append(at)
            leave_s.append(now_s)
            begin_s.append(begins_s)
            walk_s.append(way_s)
            wait_s.append(begins_s - arrival_s)
            shut_s.append(shuts_s)
        self._ats, self._leave_s, self._begin_s, self._walk_s = ats, leave_s, begin_s, walk_s
        self._over_s, self._last_s = course.find_over_s(at, now_s) if order else (course.from_s, 0.0)
        self._look_back(wait_s, shut_s)

    def _look_back(self, wait_s: list[float], shut_s: list[float]) -> None:
        """The latest begin of each visit, and the waiting from each on."""
        course, order, ats, begin_s = self._course, self.order, self._ats, self._begin_s
        count = len(order)
        latest_s, waits_s = [0.0] * count, [0.0] * (count + 1)
        by_s, next_at = course.to_s, course.end
        for number in range(count - 1, -1, -1):
            at = ats[number + 1]
            if next_at is not None:
                by_s -= self._from[at][next_at]
            last_s = by_s - course.stays_s[order[number]]
            last_s = shut_s[number] if shut_s[number] < last_s else last_s
            by_s = begin_s[number] if begin_s[number] > last_s else last_s
            latest_s[number], next_at = by_s, at
            waits_s[number] = waits_s[number + 1] + wait_s[number]
        self._latest_s, self._waits_s = latest_s, waits_s

"""
The search behind rounds (tasks/rounds.py): every order of a few stops, or a long search among those of many.

The long search begins with VROOM's order (incidents/team_routes.py), which knows windows but not what waiting costs.
Then it ruins and repairs: stops that lie together fall out and come in again where they cost least, and what is a
little worse is kept for a while (Schrimpf et al. 2000, doi:10.1006/jcph.1999.6413; strings of neighbours as in
Christiaens and Vanden Berghe 2020, doi:10.1287/trsc.2019.0914). The number of turns is fixed: the same input gives the
same order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from incidents.team_routes import Errand, Walker, find_team_routes
from tasks.round_course import CLOSE_S, LEAST_GAIN_S, Course, Trace, Windows
from tasks.round_line import Line
from tasks.round_steady import SteadyLine

_TURNS = 450
_MOST_OUT = 12
_EXPLORATION = 1
"""Of VROOM: what it finds is only where the search begins."""
_WARM_S, _COLD_S = 240.0, 4.0
"""So many seconds worse is kept at first and at last, about."""
_BLINK = 0.02
"""Share of places that are overlooked when a stop comes in again: it keeps the search from repeating itself."""


def search_all(course: Course) -> Trace:
    """The best order of any of the stops: each is tried unless its beginning says that it cannot be better."""
    best = Trace((), 0.0, 0.0)
    stops = range(len(course.places))

    def go_on(order: list[int], at: int, now_s: float, walk_s: float, worth: float) -> None:
        nonlocal best
        if order:
            over_s, last_s = course.find_over_s(at, now_s)
            trace = Trace(tuple(order), worth, over_s - course.from_s + walk_s + last_s)
            if over_s <= course.to_s + CLOSE_S and trace.is_better(best):
                best = trace
        rest = [one for one in stops if one not in order]
        ahead = [one for one in rest if now_s <= course.windows_s[one][-1][1] + CLOSE_S]
        most = worth + math.fsum(course.worths[one] for one in ahead)
        if most < best.worth - 1e-9:
            return
        if most <= best.worth + 1e-9:  # only a round with all of them could be better
            least_s = now_s - course.from_s + walk_s + math.fsum(course.stays_s[one] for one in ahead)
            if least_s >= best.cost_s - LEAST_GAIN_S:
                return
        steps = {one: step for one in ahead if (step := course.step(at, now_s, one)) is not None}
        for one, (step_s, _, begin_s) in sorted(steps.items(), key=lambda item: (item[1][2], item[0])):
            leave_s = begin_s + course.stays_s[one]
            if leave_s <= course.to_s + CLOSE_S:
                go_on([*order, one], course.places[one], leave_s, walk_s + step_s, worth + course.worths[one])

    go_on([], course.start, course.from_s, 0.0, 0.0)
    return best


def search_long(course: Course, known: Sequence[int] | None = None) -> Trace:
    """A good order of many stops; looked for from the order that is `known` to hold, else from VROOM's."""
    rng = np.random.default_rng(len(course.places))
    near = _find_near(course)
    best = now = _repair(course, list(_begin(course) if known is None else known), rng, blink=0.0)
    turns = _TURNS if known is None else _TURNS // 2  # a good one is known already
    for turn in range(turns):
        warmth_s = _WARM_S * (_COLD_S / _WARM_S) ** (turn / turns)
        found = _repair(course, _ruin(now.order, near, rng), rng, blink=_BLINK)
        kept_s = now.cost_s - warmth_s * math.log(1.0 - rng.random())
        if found.is_better(now) or (found.worth >= now.worth - 1e-9 and found.cost_s < kept_s):
            now = found
            best = found if found.is_better(best) else best
    return best


def _begin(course: Course) -> tuple[int, ...]:
    """VROOM's order of the ways as they are at the beginning, as far as it holds."""
    top = max(course.worths)
    errands = [
        Errand(place, worth * 100 / top, stay_s, () if windows[0][0] == -math.inf else windows)
        for place, stay_s, windows, worth in zip(
            course.places, course.stays_s, _bound(course), course.worths, strict=True
        )
    ]
    walker = Walker(course.start, course.end, 0.0, course.to_s - course.from_s)
    matrices = {"foot": course.travel.periods[0][1]}
    (route,) = find_team_routes(matrices, errands, [walker], exploration=_EXPLORATION).routes
    order: list[int] = []
    for call in route:
        if course.measure([*order, call.errand]) is not None:
            order.append(call.errand)
    return tuple(order)


def _bound(course: Course) -> list[Windows]:
    """Windows in seconds after the beginning, within the round."""
    long_s = course.to_s - course.from_s
    return [
        tuple(
            (max(opens - course.from_s, 0.0), min(closes - course.from_s, long_s))
            for opens, closes in windows
            if closes >= course.from_s and opens <= course.to_s
        )
        for windows in course.windows_s
    ]


def _find_near(course: Course) -> list[list[int]]:
    """Of each stop the others, the nearest first."""
    matrix = course.travel.periods[0][1]
    rows = np.asarray(course.places, dtype=np.int64)
    between = np.minimum(matrix[np.ix_(rows, rows)], matrix[np.ix_(rows, rows)].T)
    np.fill_diagonal(between, -1.0)
    return [[int(one) for one in line] for line in np.argsort(between, axis=1, kind="stable")]


def _ruin(order: Sequence[int], near: list[list[int]], rng: np.random.Generator) -> list[int]:
    """The order without some stops that follow one another, or that lie near one another."""
    if not order:
        return []
    count = int(rng.integers(1, min(_MOST_OUT, len(order)) + 1))
    seed = int(rng.integers(len(order)))
    if rng.random() < 0.5:
        first = max(0, min(seed - int(rng.integers(count)), len(order) - count))
        return [*order[:first], *order[first + count :]]
    there = set(order)
    out = set([one for one in near[order[seed]] if one in there][:count])
    return [one for one in order if one not in out]


def _repair(course: Course, order: list[int], rng: np.random.Generator, *, blink: float) -> Trace:
    """The order with every missing stop that fits, each where it costs least."""
    there = set(order)
    missing = [one for one in range(len(course.places)) if one not in there]
    rng.shuffle(missing)
    if rng.random() < 0.5:
        missing.sort(key=lambda one: -course.worths[one])
    elif rng.random() < 0.5:
        missing.sort(key=lambda one: sum(closes - opens for opens, closes in course.windows_s[one]))
    line = _begin_line(course, order if course.measure(order) is not None else [])
    for stop in missing:
        place = line.find_place(stop, rng, blink)
        if place is not None:
            line.insert(place, stop)
    trace = course.trace(line.order)
    return trace if trace is not None else Trace((), 0.0, 0.0)


def _begin_line(course: Course, order: list[int]) -> Line | SteadyLine:
    steady = course.travel.steady
    return Line(course, order) if steady is None else SteadyLine(course, steady, order)

"""
What came of a zone: before and after the day its measures began, beside comparison places, and whether it moved.

Comparison is the zones of the same lot that begin later, else the rest of the community. Two rings are looked at, one
house wide and two, each at half of alpha: what moved may lie behind the next row of houses, and a wide ring alone would
drown a change that worked. The statistic: `incidents.change`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from incidents.answer import Answer
from incidents.change import Counted, find_displacement

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RINGS_M = (60.0, 120.0)
LEVEL = 0.975
LEAST_AFTER_DAYS = 28.0
MOST_BEFORE_DAYS = 364.0
FEWEST = 10
"""Incidents before and after together below which nothing is said: the test could tell nothing smaller than all."""


@dataclass(frozen=True)
class Peer:
    """Another zone whose measures begin on a day of their own."""

    outline: BaseGeometry
    start_day: float | None
    same_lot: bool = False


@dataclass(frozen=True)
class Effect:
    """Before and after of one zone."""

    verdict: str
    """worked, worked_unsure, moved, worse, unclear; too_few, or too_early"""
    before: int
    after: int
    before_days: float
    after_days: float
    usual: float
    """What the days after would have had, by the days before and the comparison"""
    compared: str
    """lot or rest"""
    ring_m: float = 0.0
    ring_before: int = 0
    ring_after: int = 0
    ring_usual: float = 0.0
    answer: Answer | None = None


def find_effect(
    xy: Floats, t_days: Floats, outline: BaseGeometry, *, start_day: float, now_day: float, first_day: float,
    peers: Sequence[Peer] = (),
) -> Effect:  # fmt: skip
    """
    Before and after `start_day`.

    Parameters
    ----------
    xy, t_days
        Incidents reported by others: metres, shape (n, 2), and days from any beginning, shape (n,).
    outline
        The zone.
    now_day, first_day
        End of the data, and since when incidents are known.
    peers
        Other zones. Those of the same lot that begin later are the comparison, up to when the last of them begins;
        others that have begun are left out of it.

    Returns
    -------
    too_early with less than four weeks on either side, too_few below `FEWEST` incidents, else the verdict of
    `find_displacement` at `LEVEL`: moved when a ring says so, else what the narrow ring says.
    """
    later = [one for one in peers if one.same_lot and one.start_day is not None and one.start_day > start_day]
    end = min([now_day, *([max(one.start_day or now_day for one in later)] if later else [])])
    before_days = float(min(MOST_BEFORE_DAYS, np.floor((start_day - first_day) / 7) * 7))
    after_days = end - start_day
    before = (t_days >= start_day - before_days) & (t_days < start_day)
    after = (t_days >= start_day) & (t_days < end)
    inside = _within(outline, xy)
    own = _count(inside, before, after)
    if after_days < LEAST_AFTER_DAYS or before_days < LEAST_AFTER_DAYS:
        return Effect("too_early", own.before, own.after, before_days, max(0.0, after_days), 0.0, "rest")
    weight = after_days / before_days
    waiting = [one.outline for one in later if (one.start_day or 0.0) >= end]
    begun = [one.outline for one in peers if one.start_day is not None and one.start_day < end]
    answers = [
        _compare(xy, outline, inside, ring_m, before, after, weight, waiting, begun, before_weight=weight)
        for ring_m in RINGS_M
    ]
    chosen = next((one for one in answers if one.verdict == "moved"), answers[0])
    if own.before + own.after < FEWEST:
        chosen = replace(chosen, verdict="too_few")
    return replace(chosen, before_days=before_days, after_days=after_days)


def _compare(
    xy: Floats, outline: BaseGeometry, inside: Bools, ring_m: float, before: Bools, after: Bools, weight: float,
    waiting: Sequence[BaseGeometry], begun: Sequence[BaseGeometry], *, before_weight: float,
) -> Effect:  # fmt: skip
    around = _within(outline.buffer(ring_m), xy) & ~inside
    free = ~_within(shapely.union_all([outline.buffer(max(RINGS_M)), *begun]), xy)
    own, ring, rest = (_count(mask, before, after) for mask in (inside, around, free))
    peers = _count(_within(shapely.union_all(list(waiting)), xy) & free, before, after) if waiting else None
    is_lot = peers is not None and peers.before >= FEWEST
    control = peers if is_lot and peers is not None else rest
    answer = find_displacement(
        own, _weigh(control, own), ring, _weigh(rest, ring), before_weight=before_weight, level=LEVEL
    )
    return Effect(
        str(answer.figures["verdict"]), own.before, own.after, 0.0, 0.0, _usual(own, control, weight),
        "lot" if is_lot else "rest", ring_m, ring.before, ring.after, _usual(ring, rest, weight), answer,
    )  # fmt: skip


def _within(outline: BaseGeometry, xy: Floats) -> Bools:
    shapely.prepare(outline)
    found: Bools = shapely.intersects_xy(outline, xy[:, 0], xy[:, 1])
    return found


def _count(mask: Bools, before: Bools, after: Bools) -> Counted:
    return Counted(int((mask & before).sum()), int((mask & after).sum()))


def _weigh(control: Counted, treated: Counted) -> Counted:
    """The comparison as large as the zone was before; as it is where either had nothing."""
    if control.before == 0 or treated.before == 0:
        return control
    return replace(control, weight=treated.before / control.before)


def _usual(treated: Counted, control: Counted, weight: float) -> float:
    """What the days after would have had, had the zone changed as the comparison did."""
    return treated.before * (control.after / control.before if control.before else weight)

"""Pairs of incidents that are close in space and in time, found by trees and sorting: never a matrix of all pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gis.errors import BadRecordError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_PAIRS = 8_000_000
"""Pairs of places held in memory at once, about 130 MB."""
MOST_FOUND = 40_000_000
"""Pairs that a method may find at all; beyond, about 2 GB would be needed."""
SLACK = 1e-9
"""Days and parts of a distance that rounding may cost: 0.1 ms, or a nanometre in a metre."""


def check_events(xy: Floats, t_days: Floats) -> None:
    """
    Refuse events that cannot be used.

    Raises
    ------
    BadRecordError
        Fewer than 2 events, lengths that differ, or a place or time that is no finite number.
    """
    if len(xy) != len(t_days):
        raise BadRecordError(f"{len(xy)} places and {len(t_days)} times, expected as many. Give both for each event.")
    if len(xy) < 2:
        raise BadRecordError(f"{len(xy)} events, expected at least 2. Choose a longer period or more kinds.")
    bad = ~(np.isfinite(xy).all(axis=1) & np.isfinite(t_days))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BadRecordError(
            f"Event at position {row} has place {xy[row].tolist()} and time {t_days[row]}. Correct it."
        )


def check_reach(distance_m: float, days: float) -> None:
    """Refuse a distance or gap that is negative or not finite."""
    if not (distance_m >= 0 and np.isfinite(distance_m)):
        raise BadRecordError(f"Distance is {distance_m} m, expected 0 or more. Choose e.g. 50 to 200.")
    if not (days >= 0 and np.isfinite(days)):
        raise BadRecordError(f"Gap is {days} days, expected 0 or more. Choose e.g. 3 to 30.")


def close_in_space(xy: Floats, distance_m: float) -> Counts:
    """How many others are at most `distance_m` from each event, shape (n,). Pairs are counted, not stored."""
    found = cKDTree(xy).query_ball_point(xy, _reach(distance_m), return_length=True)
    return np.asarray(found, dtype=np.int64) - 1


def close_in_time(t_days: Floats, days: float) -> Counts:
    """How many others are at most `days` from each event, shape (n,)."""
    ordered = np.sort(t_days)
    reach = days + SLACK
    after = np.searchsorted(ordered, t_days + reach, side="right")
    before = np.searchsorted(ordered, t_days - reach, side="left")
    found: Counts = (after - before - 1).astype(np.int64)
    return found


def find_space_pairs(xy: Floats, distance_m: float) -> Counts:
    """Pairs of events at most `distance_m` apart, each once, shape (m, 2)."""
    pairs: Counts = cKDTree(xy).query_pairs(_reach(distance_m), output_type="ndarray").astype(np.int64, copy=False)
    return pairs


def is_storable(xy: Floats, distance_m: float) -> bool:
    """Whether the pairs close in space are few enough to be held in memory, judged by some of the events."""
    return estimate_pairs(xy, _reach(distance_m)) <= MOST_PAIRS


def estimate_pairs(places: Floats, reach: float, *, p: float = 2.0) -> float:
    """How many pairs lie within `reach`, judged by some of the places."""
    some = places[:: max(1, len(places) // 500)]
    found = cKDTree(places).query_ball_point(some, reach, p=p, return_length=True)
    return (float(np.mean(found)) - 1) * len(places) / 2


def check_pairs(n_pairs: float, what: str) -> None:
    """Refuse what would fill the memory."""
    if n_pairs > MOST_FOUND:
        raise BadRecordError(f"About {n_pairs:,.0f} pairs lie within {what}, too many to hold. Choose less.")


def find_close_pairs(xy: Floats, t_days: Floats, *, distance_m: float, days: float) -> Counts:
    """
    Pairs of events at most `distance_m` and `days` apart, each once, shape (m, 2).

    Where a tree of the places would hold too many pairs, one over place and time together, whose unit is the reach in
    each, finds little more than the pairs themselves.
    """
    if is_storable(xy, distance_m) or distance_m == 0 or days == 0:
        check_pairs(estimate_pairs(xy, _reach(distance_m)), f"{distance_m:g} m")
        pairs = find_space_pairs(xy, distance_m)
    else:
        reach = _reach(distance_m)
        scaled = np.column_stack([(xy - xy.mean(axis=0)) / reach, (t_days - t_days.mean()) / (days + SLACK)])
        check_pairs(estimate_pairs(scaled, 1 + 1e-9, p=np.inf), f"{distance_m:g} m and {days:g} days")
        pairs = cKDTree(scaled).query_pairs(1 + 1e-9, p=np.inf, output_type="ndarray").astype(np.int64, copy=False)
        pairs = pairs[((xy[pairs[:, 0]] - xy[pairs[:, 1]]) ** 2).sum(axis=1) <= reach**2]
    return pairs[np.abs(t_days[pairs[:, 1]] - t_days[pairs[:, 0]]) <= days + SLACK]


def order_pairs(pairs: Counts, t_days: Floats) -> Counts:
    """Pairs with the earlier event first (of the same time: the first in the input), in the order of their events."""
    pairs = np.sort(pairs, axis=1)
    later_first = t_days[pairs[:, 1]] < t_days[pairs[:, 0]]
    pairs[later_first] = pairs[later_first][:, ::-1]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _reach(distance_m: float) -> float:
    return distance_m * (1 + SLACK) + 1e-12

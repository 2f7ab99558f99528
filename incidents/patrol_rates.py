"""
How many incidents an hour a place expects, by hour of the day: what a visit there covers is read off it.

Each incident belongs to one place at the most, the nearest within whose reach it lies, so that two neighbouring
stops do not cover the same incident twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

REACH_M = 50.0
"""Of a stop: what happens so near is seen or heard by who stands there, as neighbourhoods of the hot list are."""
HOURS = 24
PRIOR_INCIDENTS = 12.0
"""A place's hours are its own as far as it has incidents; so many of the whole community's hours are mixed in."""
_KERNEL = np.array([0.25, 0.5, 0.25])

Floats = NDArray[np.float64]


def reckon_rates(
    outlines: Sequence[BaseGeometry], middles: Sequence[shapely.Point], xy: Floats, hour: Floats, *, days: float
) -> Floats:
    """
    Incidents an hour, shape (places, 24).

    Parameters
    ----------
    outlines
        Of each place, or its point: its reach is `REACH_M` around it.
    middles
        Where its stop is; of two that reach an incident, the nearer counts it.
    xy, hour
        Incidents reported by others: metres, shape (n, 2), and their hour in local time, 0 to 24, shape (n,).
    days
        Over how many days they were counted.

    Notes
    -----
    λ(p, h) = N_p / days · s_p(h), where s_p is the place's share of the hour, Σ s_p = 1:
    s_p(h) = (n_p(h) + K · S(h)) / (N_p + K); n_p and S (all incidents) are smoothed over neighbouring hours by
    1/4, 1/2, 1/4 around the clock; K = `PRIOR_INCIDENTS`.
    """
    owner = assign(outlines, middles, xy)
    whole = _count_hours(hour)
    share = whole / whole.sum() if whole.sum() else np.full(HOURS, 1 / HOURS)
    rates = np.zeros((len(outlines), HOURS))
    for place in range(len(outlines)):
        own = _count_hours(hour[owner == place])
        total = own.sum()
        rates[place] = total / days * (own + PRIOR_INCIDENTS * share) / (total + PRIOR_INCIDENTS)
    return rates


def assign(outlines: Sequence[BaseGeometry], middles: Sequence[shapely.Point], xy: Floats) -> NDArray[np.int64]:
    """Number of the place that each incident belongs to, shape (n,); -1 for none. Ties: the earlier place."""
    owner = np.full(len(xy), -1, dtype=np.int64)
    nearest_m = np.full(len(xy), np.inf)
    for number, (outline, middle) in enumerate(zip(outlines, middles, strict=True)):
        reach = outline.buffer(REACH_M)
        shapely.prepare(reach)
        within = shapely.intersects_xy(reach, xy[:, 0], xy[:, 1])
        away_m = np.hypot(xy[:, 0] - middle.x, xy[:, 1] - middle.y)
        nearer = within & (away_m < nearest_m)
        owner[nearer], nearest_m[nearer] = number, away_m[nearer]
    return owner


def _count_hours(hour: Floats) -> Floats:
    counts = np.bincount(np.floor(hour).astype(np.int64) % HOURS, minlength=HOURS).astype(np.float64)
    around = np.concatenate([counts[-1:], counts, counts[:1]])
    smooth: Floats = np.convolve(around, _KERNEL, mode="valid")
    return smooth

"""
The space-time permutation scan: a fresh cluster, against what the place's and the days' own totals would put there.

Cylinders of every radius around every centre, of the last days of every length, are compared with
μ = (incidents in the circle, ever) × (incidents in the days, anywhere) / N. Only times are dealt out anew, so that no
population has to be known. Source: Kulldorff and others 2005, doi:10.1371/journal.pmed.0020059.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.close_pairs import check_events
from incidents.knox import say_p

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

RADII_M = (50.0, 100.0, 150.0, 200.0)
MOST_DAYS = 14
PERMUTATIONS = 999
ENOUGH = 60
"""Shuffles are broken off once so many have reached what was seen: then p is large, and known well enough."""
MOST_CENTRES = 1_500
MOST_MEMBERS = 10_000_000
"""Incidents in the widest circles together."""


@dataclass(frozen=True)
class _Circles:
    centres: Floats
    radii_m: Floats
    circle: Counts
    """Circle of each membership, ordered by event; circle = centre × radii + radius"""
    begins: Counts
    """Where the memberships of each event begin, shape (n + 1,)"""
    totals: Floats
    """Events of each circle, shape (circles,)"""


def find_fresh_cluster(
    xy: Floats,
    t_days: Floats,
    *,
    now_days: float | None = None,
    most_days: int = MOST_DAYS,
    radii_m: Sequence[float] = RADII_M,
    permutations: int = PERMUTATIONS,
    every_days: float = 1.0,
    rng: np.random.Generator | None = None,
) -> Answer:
    """
    The most astonishing gathering of the last days.

    Parameters
    ----------
    xy, t_days
        Places in metres, shape (n, 2), and times in days, shape (n,). The whole history, the last days included.
    now_days
        End of the last day; events after it are refused. None: just after the last event.
    most_days
        Cylinders are 1 to so many whole days long, back from now, and at most half of the history.
    radii_m
        Radii of the circles; a circle that holds more than half of all events is left out.
    permutations
        Most shuffles of the times. They are broken off early when p is plainly large.
    every_days
        How often the scan is made: recurrence_days is how long one waits, scanning so often, for a cluster as strong by
        luck alone.

    Returns
    -------
    Rows in input order: in_cluster. Figures: x, y, radius_m, since_days, days (length), observed, expected, ratio, llr,
    p, shuffles, recurrence_days; null where nothing stands above what is usual.
    """
    check_events(xy, t_days)
    radii = np.asarray(radii_m, dtype=np.float64)
    if most_days < 1 or permutations < 1 or not (radii > 0).all() or radii.size == 0:
        raise BadRecordError("A scan needs at least one day, one shuffle, and radii above 0. Correct them.")
    now = float(np.nextafter(t_days.max(), np.inf)) if now_days is None else now_days
    if t_days.max() >= now:
        raise BadRecordError(f"An event is at day {t_days.max():g}, after the end at day {now:g}. Leave it out.")
    n = len(xy)
    lengths = min(most_days, max(1, int((now - t_days.min()) / 2)))
    age = np.minimum(np.floor(now - t_days).astype(np.int64), lengths)
    circles = _build_circles(xy, np.sort(radii), n)
    in_days = np.cumsum(np.bincount(age, minlength=lengths + 1)[:lengths])
    expected = circles.totals[:, None] * in_days[None, :] / n
    scorer = _Scorer(n, expected)

    seen = scorer.score(_count(circles, np.flatnonzero(age < lengths), age[age < lengths], lengths))
    best = int(np.argmax(seen))
    llr = float(seen.flat[best])
    asked = {
        "most_days": lengths, "radii_m": radii.tolist(), "permutations": permutations, "every_days": every_days,
        "centres": len(circles.centres),
    }  # fmt: skip
    nothing = {"p": None, "recurrence_days": None, "observed": None, "expected": None, "llr": None}
    if llr <= 0:
        rows = pd.DataFrame({"in_cluster": np.zeros(n, dtype=bool)})
        return Answer("scan", asked, n, rows, nothing, "scan_none", {"n": n, "days": lengths})

    rng = rng or np.random.default_rng(0)
    recent = np.sort(age[age < lengths])
    reached = shuffles = 0
    while shuffles < permutations and reached < ENOUGH:
        drawn = rng.choice(n, size=recent.size, replace=False)
        reached += float(scorer.score(_count(circles, drawn, recent, lengths)).max()) >= llr - 1e-9
        shuffles += 1
    p = (reached + 1) / (shuffles + 1)

    circle, length = divmod(best, lengths)
    centre, radius = circles.centres[circle // radii.size], float(np.sort(radii)[circle % radii.size])
    inside = (((xy - centre) ** 2).sum(axis=1) <= radius**2) & (age <= length)
    usual = float(expected[circle, length])
    figures = {
        "x": float(centre[0]), "y": float(centre[1]), "radius_m": radius, "since_days": now - length - 1,
        "days": length + 1, "observed": int(inside.sum()), "expected": usual, "ratio": float(inside.sum() / usual),
        "llr": llr, "p": p, "shuffles": shuffles, "recurrence_days": every_days / p,
    }  # fmt: skip
    words = {
        "days": length + 1, "metres": f"{radius:g}", "n": int(inside.sum()), "expected": f"{usual:.1f}",
        "p": say_p(p), "recurrence": f"{every_days / p:.0f}", "most_days": lengths,
    }  # fmt: skip
    said = "scan_found" if p <= 0.05 else "scan_chance"
    return Answer("scan", asked, n, pd.DataFrame({"in_cluster": inside}), figures, said, words)


def _build_circles(xy: Floats, radii: Floats, n: int) -> _Circles:
    """Circles around the places of incidents, on a lattice where there are too many of those."""
    centres: Floats = np.unique(xy, axis=0)
    step = float(radii[0]) / 2
    while len(centres) > MOST_CENTRES:
        centres = (np.unique(np.floor(xy / step), axis=0) + 0.5) * step
        step *= 2**0.5
    tree, reach = cKDTree(centres), float(radii[-1]) * (1 + 1e-12)
    if tree.query_ball_point(xy, reach, return_length=True).sum() > MOST_MEMBERS:
        raise BadRecordError(f"Circles of {radii[-1]:g} m hold too much of the ground. Choose smaller radii.")
    near = tree.query_ball_point(xy, reach)
    sizes = np.array([len(one) for one in near])
    centre = np.concatenate([np.asarray(one, dtype=np.int64) for one in near]) if sizes.sum() else np.zeros(0, np.int64)
    event = np.repeat(np.arange(n), sizes)
    apart = np.sqrt(((xy[event] - centres[centre]) ** 2).sum(axis=1))
    # A member of a circle is a member of all larger ones around the same centre.
    smallest = np.minimum(np.searchsorted(radii * (1 + 1e-12), apart), radii.size - 1)
    more = radii.size - smallest
    at = np.repeat(centre * radii.size + smallest, more)
    at += np.arange(at.size) - np.repeat(np.cumsum(more) - more, more)
    owner = np.repeat(event, more)
    totals = np.bincount(at, minlength=len(centres) * radii.size).astype(np.float64)
    totals[totals > n / 2] = 0.0
    return _Circles(centres, radii, at, np.searchsorted(owner, np.arange(n + 1)), totals)


def _count(circles: _Circles, events: Counts, age: Counts, lengths: int) -> Counts:
    """Events of each circle in the last 1, 2, … days, shape (circles, lengths), of some events and their ages."""
    begin, size = circles.begins[events], circles.begins[events + 1] - circles.begins[events]
    place = np.repeat(begin - np.cumsum(size) + size, size) + np.arange(int(size.sum()))
    key = circles.circle[place] * lengths + np.repeat(age, size)
    counted = np.bincount(key, minlength=circles.totals.size * lengths).reshape(-1, lengths)
    return np.cumsum(counted, axis=1)


class _Scorer:
    """Log likelihood ratio of counts above what is expected, 0 below; logarithms are made once."""

    def __init__(self, n: int, expected: Floats) -> None:
        whole = np.arange(n + 1, dtype=np.float64)
        log = np.log(np.maximum(whole, 1.0))
        usable = (expected > 0) & (expected < n)
        safe = np.where(usable, expected, 1.0)
        self._n = n
        self._inside = whole * log
        self._log_expected = np.log(safe)
        self._log_rest = np.log(np.maximum(n - safe, 1e-300))
        self._expected = np.where(usable, expected, np.inf)

    def score(self, counts: Counts) -> Floats:
        scores = np.zeros(counts.shape)
        above = np.nonzero((counts > self._expected) & (counts >= 2))
        c = counts[above]
        rest = self._n - c
        scores[above] = (
            self._inside[c] + self._inside[rest] - c * self._log_expected[above] - rest * self._log_rest[above]
        )
        return scores

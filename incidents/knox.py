"""
Knox: do incidents that are close in space also come close in time, more than if times were dealt out at random?

Pairs at most δ metres and at most τ days apart are counted. Under permutation of the times their mean and variance
are known in closed form, so nothing needs to be shuffled; shuffling is there for whoever asks for it.

Sources: Knox 1964, doi:10.2307/2985220; moments: Barton and David 1966, in Research Papers in Statistics (F. N. David).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, poisson

from incidents.answer import Answer
from incidents.close_pairs import (
    SLACK,
    check_events,
    check_pairs,
    check_reach,
    close_in_space,
    close_in_time,
    estimate_pairs,
    find_close_pairs,
    find_space_pairs,
    is_storable,
)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def find_knox(
    xy: Floats,
    t_days: Floats,
    *,
    distance_m: float,
    days: float,
    permutations: int = 0,
    rng: np.random.Generator | None = None,
) -> Answer:
    """
    The Knox test of one distance and one gap, both inclusive.

    Parameters
    ----------
    xy, t_days
        Places in metres, shape (n, 2), and times in days, shape (n,).
    permutations
        Shuffles of the times, 0 for none.
    rng
        Needed for shuffles.

    Returns
    -------
    Rows in input order: pairs_space, pairs_time, pairs_both of each event. Figures: pairs (all), close_space,
    close_time, observed (both), table ([[both, space only], [time only, neither]]), expected, sd, z (closed form),
    p_normal, p_poisson (P(X ≥ observed), the classic one) and p_permutation ((#≥ + 1) / (permutations + 1), null
    without); p is the last one, or p_poisson.
    """
    check_events(xy, t_days)
    check_reach(distance_m, days)
    n = len(xy)
    in_time = close_in_time(t_days, days)
    if is_storable(xy, distance_m):
        near = find_space_pairs(xy, distance_m)
        in_space = np.bincount(near.ravel(), minlength=n)
        pairs = near[np.abs(t_days[near[:, 0]] - t_days[near[:, 1]]) <= days + SLACK]
    else:
        in_space = close_in_space(xy, distance_m)
        pairs = find_close_pairs(xy, t_days, distance_m=distance_m, days=days)
    both = np.bincount(pairs.ravel(), minlength=n)
    observed, close_space, close_time = len(pairs), int(in_space.sum()) // 2, int(in_time.sum()) // 2
    total = n * (n - 1) // 2
    expected, variance = find_moments(in_space, in_time)
    sd = variance**0.5
    z = (observed - expected) / sd if sd > 0 else float("nan")
    p_permutation = None
    if permutations:
        drawn = shuffle_pairs(xy, t_days, distance_m, days, permutations, rng or np.random.default_rng(0))
        p_permutation = (int((drawn >= observed).sum()) + 1) / (permutations + 1)
    p_poisson = float(poisson.sf(observed - 1, expected)) if expected > 0 else 1.0
    figures = {
        "pairs": total,
        "close_space": close_space,
        "close_time": close_time,
        "observed": observed,
        "table": [
            [observed, close_space - observed],
            [close_time - observed, total - close_space - close_time + observed],
        ],
        "expected": expected,
        "sd": sd,
        "z": z,
        "p_normal": float(norm.sf(z)),
        "p_poisson": p_poisson,
        "p_permutation": p_permutation,
        "p": p_poisson if p_permutation is None else p_permutation,
    }
    p = p_poisson if p_permutation is None else p_permutation
    words = {
        "n": observed,
        "expected": f"{expected:.1f}",
        "metres": f"{distance_m:g}",
        "days": f"{days:g}",
        "p": say_p(p),
    }
    rows = pd.DataFrame({"pairs_space": in_space, "pairs_time": in_time, "pairs_both": both})
    asked = {"distance_m": distance_m, "days": days, "permutations": permutations}
    return Answer("knox", asked, n, rows, figures, "knox_more" if p <= 0.05 else "knox_chance", words)


def find_moments(in_space: Counts, in_time: Counts) -> tuple[float, float]:
    """
    Mean and variance of the number of pairs close in both, under permutation of the times, from how many others are
    close to each event in space and in time, shape (n,).

    Two pairs that share an event, and two that do not, are equally likely to stay close whichever they are.
    """
    n = in_space.size
    space, time = int(in_space.sum()) // 2, int(in_time.sum()) // 2
    total = n * (n - 1) // 2
    expected = space * time / total
    sharing = n * (n - 1) * (n - 2) // 2
    apart = total * (total - 1) // 2 - sharing
    sharing_space = int((in_space * (in_space - 1)).sum()) // 2
    sharing_time = int((in_time * (in_time - 1)).sum()) // 2
    apart_space, apart_time = space * (space - 1) // 2 - sharing_space, time * (time - 1) // 2 - sharing_time
    square = expected
    square += 2 * sharing_space * sharing_time / sharing if sharing else 0.0
    square += 2 * apart_space * apart_time / apart if apart else 0.0
    return expected, max(square - expected**2, 0.0)


def shuffle_pairs(
    xy: Floats, t_days: Floats, distance_m: float, days: float, permutations: int, rng: np.random.Generator
) -> Counts:
    """Pairs close in both after each of some shuffles of the times, shape (permutations,)."""
    check_pairs(estimate_pairs(xy, distance_m), f"{distance_m:g} m")
    pairs = find_space_pairs(xy, distance_m).astype(np.int32)
    first, second = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    drawn = np.empty(permutations, dtype=np.int64)
    for i in range(permutations):
        shuffled = rng.permutation(t_days)
        drawn[i] = np.count_nonzero(np.abs(shuffled[first] - shuffled[second]) <= days + SLACK)
    return drawn


def say_p(p: float) -> str:
    """A p for a sentence: two digits, never 0."""
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"

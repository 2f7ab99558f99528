"""
Getis–Ord Gi* on a lattice, its exact permutation law for counts, and Benjamini–Hochberg.

Sources: Ord and Getis 1995, doi:10.1111/j.1538-4632.1995.tb00912.x; Benjamini and Hochberg 1995,
doi:10.1111/j.2517-6161.1995.tb02031.x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_MOST_WORK = 400_000_000
"""Sums in the exact law beyond which the normal law is used: about 1 s on one core."""


def box_sums(values: Counts, inside: NDArray[np.bool_]) -> Counts:
    """Sum over each cell and the up to 8 cells around it, outside counting as nothing; shape (rows, columns)."""
    padded = np.pad(np.where(inside, values, 0), 1)
    stripes = padded[:-2] + padded[1:-1] + padded[2:]
    sums: Counts = stripes[:, :-2] + stripes[:, 1:-1] + stripes[:, 2:]
    return sums


def gi_star_from_sums(sums: Floats, neighbours: Floats, values: Floats) -> Floats:
    """
    Gi* for binary weights, the place itself included, from sums that are already made.

    z = (S − W m) / sqrt(s² (n W − W²) / (n − 1)), with m and s² (divided by n) over all places; W is both Σw and Σw²
    because weights are 0 or 1. NaN where it is undefined: all values equal, or a place that neighbours every other.

    Parameters
    ----------
    sums
        S, sum of `values` over each place and its neighbours, shape (n,).
    neighbours
        W, how many places that are, itself included, shape (n,).
    values
        Value of each place, shape (n,).
    """
    n = values.size
    z = np.full(np.shape(sums), np.nan)
    if n < 2 or values.min() == values.max():
        return z
    spread = values.var() * (n * neighbours - neighbours**2) / (n - 1)
    defined = spread > 0
    z[defined] = (sums[defined] - neighbours[defined] * values.mean()) / np.sqrt(spread[defined])
    return z


def gi_star(counts: Counts, inside: NDArray[np.bool_] | None = None) -> Floats:
    """
    Gi* of each cell with the 8 around it and itself, in closed form; shape of `counts`.

    NaN outside `inside`, and everywhere it is undefined (see `gi_star_from_sums`).
    """
    if inside is None:
        inside = np.ones(counts.shape, dtype=bool)
    z = np.full(counts.shape, np.nan)
    sums = box_sums(counts, inside)[inside].astype(np.float64)
    neighbours = box_sums(inside.astype(np.int64), inside)[inside].astype(np.float64)
    z[inside] = gi_star_from_sums(sums, neighbours, counts[inside].astype(np.float64))
    return z


def exact_upper_p(counts: Counts, inside: NDArray[np.bool_] | None = None) -> Floats | None:
    """
    P(S ≥ s) of each cell under conditional permutation: its own count stays, all others change places at random.

    Given its own count c, the sum over its k neighbours is the sum of k draws without replacement from the other
    n − 1 counts. The number of ways to reach the sum s is the coefficient of y^k t^s in Π_v (1 + y t^v)^(m_v), over
    C(n − 1, k), with m_v cells that hold count v (one fewer for v = c). k is at most 8, so the numbers of ways stay
    far inside floating point, and they are only added, never subtracted: small p are right to the last digits.
    A cell without neighbours has p = 1, whatever it holds; so has one that is hot by itself alone.

    Returns NaN outside `inside`, and None where the counts are so large and varied that the law would take seconds.
    """
    if inside is None:
        inside = np.ones(counts.shape, dtype=bool)
    values = counts[inside]
    around = (box_sums(counts, inside) - np.where(inside, counts, 0))[inside]
    degree = (box_sums(inside.astype(np.int64), inside) - inside)[inside]
    distinct, code, multiplicity = np.unique(values, return_inverse=True, return_counts=True)
    cap = int(around.max(initial=0))
    steps = int(np.minimum(multiplicity, 8).sum())
    if distinct.size * 9 * (cap + 1) * steps > _MOST_WORK:
        return None

    p = np.full(counts.shape, np.nan)
    tails = _ways_tail(distinct, multiplicity, cap)
    totals = tails[:, :, 0]
    ways, total = tails[code, degree, around], totals[code, degree]
    p[inside] = np.minimum(1.0, ways / total)
    return p


def _ways_tail(distinct: Counts, multiplicity: Counts, cap: int) -> Floats:
    """
    Ways to draw k of the others with a sum of at least s, shape (distinct counts c, k 0…8, s 0…cap).

    The last sum stands for itself and all above it.
    """
    own = np.arange(distinct.size)
    ways = np.zeros((distinct.size, 9, cap + 1))
    ways[:, 0, 0] = 1.0
    for index, value in enumerate(distinct):
        left = np.full(distinct.size, float(multiplicity[index]))
        left[own == index] -= 1.0
        previous, choose = ways, np.ones(distinct.size)
        ways = previous.copy()
        for taken in range(1, min(8, int(multiplicity[index])) + 1):
            choose = choose * np.maximum(left - taken + 1, 0.0) / taken
            added = previous[:, : 9 - taken] * choose[:, None, None]
            shift = min(int(value) * taken, cap)
            ways[:, taken:, shift:] += added[:, :, : cap + 1 - shift]
            if shift:
                ways[:, taken:, cap] += added[:, :, cap + 1 - shift :].sum(axis=2)
    tail: Floats = ways[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]
    return tail


def adjust_benjamini_hochberg(p: Floats) -> Floats:
    """
    Adjusted p (q): the smallest false discovery rate at which each would be called; same shape, NaN stays NaN.

    q of the i-th smallest of m is the least of p_j m / j over j ≥ i, at most 1.
    """
    q = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    values = p[known]
    if values.size:
        order = np.argsort(values)
        scaled = values[order] * values.size / np.arange(1, values.size + 1)
        least = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
        adjusted = np.empty_like(least)
        adjusted[order] = least
        q[known] = adjusted
    return q

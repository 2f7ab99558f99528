"""
Getis–Ord Gi* on a lattice, its exact p, and Benjamini–Hochberg.

Sources: Ord and Getis 1995, doi:10.1111/j.1538-4632.1995.tb00912.x; Benjamini and Hochberg 1995,
doi:10.1111/j.2517-6161.1995.tb02031.x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from incidents.permutation_law import find_upper_p

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


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
    P(S ≥ s) of the 8 cells around each cell under conditional permutation, see `incidents.permutation_law`.

    A cell without neighbours has p = 1, whatever it holds; so has one that is hot by itself alone. Returns NaN outside
    `inside`, and None where the counts are so large and varied that the law would take seconds.
    """
    if inside is None:
        inside = np.ones(counts.shape, dtype=bool)
    around = (box_sums(counts, inside) - np.where(inside, counts, 0))[inside]
    degree = (box_sums(inside.astype(np.int64), inside) - inside)[inside]
    found = find_upper_p(counts[inside], around, degree)
    if found is None:
        return None
    p = np.full(counts.shape, np.nan)
    p[inside] = found
    return p


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

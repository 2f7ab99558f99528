"""
The exact conditional permutation law of a sum over neighbours, for whole counts and any neighbourhoods.

Given the count c of a place itself, the sum over its k neighbours is the sum of k draws without replacement from the
other n − 1 counts. The number of ways to reach the sum s with k draws is the coefficient of y^k t^s in
Π_v (1 + y t^v)^(m_v), over C(n − 1, k), with m_v places that hold count v (one fewer for v = c).

Two things make it fast and safe. Every factor is tilted to a binomial law (each place drawn with the same small
chance), which changes all ways with k draws alike: nothing overflows, and since positive numbers are only ever
added, a p of 1e-200 is as right as one of 0.5. And the products "all but one of v" are built by halves, so that
d distinct counts cost log2(d) products of all and not d.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from incidents.laws import find_binomial_chances

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_NEIGHBOURS = 1_000
"""With more neighbours the tilted ways of few draws would leave floating point."""
MOST_WORK = 1_500_000_000
"""Sums beyond which the law is not computed: about 2 s on one core."""
_LEAST = float(np.finfo(np.float64).tiny)


def find_upper_p(values: Counts, around: Counts, degree: Counts) -> Floats | None:
    """
    P(S ≥ s) of each place under conditional permutation: its own count stays, all others change places at random.

    Parameters
    ----------
    values
        Count of each place, not negative, shape (n,).
    around
        Sum over its neighbours without itself, shape (n,).
    degree
        How many neighbours that are, shape (n,).

    Returns
    -------
    Upper tails including s, shape (n,); 1 for a place without neighbours. None where neighbourhoods or counts are so
    large and varied that the law would take more than seconds.
    """
    if values.size == 0:
        return np.zeros(0)
    distinct, code, multiplicity = _count_distinct(values)
    draws, cap = int(degree.max()), int(around.max())
    if draws > MOST_NEIGHBOURS:
        return None
    taken = np.minimum(multiplicity, draws)
    depth = int(np.ceil(np.log2(max(distinct.size, 2)))) + 1
    if depth * float(taken.sum()) * (draws + 1) * (cap + 1) > MOST_WORK:
        return None

    # (1 − π)^(n−1) must stay inside floating point: draws / 2 places are drawn on average.
    share = min(0.5, draws / (2 * max(values.size - 1, 1)))
    full = [find_binomial_chances(int(most), int(m), share) for most, m in zip(taken, multiplicity, strict=True)]
    fewer = [find_binomial_chances(int(min(m - 1, draws)), int(m - 1), share) for m in multiplicity]
    start = np.zeros((draws + 1, cap + 1))
    start[0, 0] = 1.0

    order = np.argsort(code, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(multiplicity)])
    p = np.empty(values.size)
    for own, ways in _leave_one_out(start, distinct, full, 0, distinct.size):
        table = _multiply(ways, int(distinct[own]), fewer[own])
        tails = table[:, ::-1].cumsum(axis=1)[:, ::-1]
        at = order[bounds[own] : bounds[own + 1]]
        p[at] = tails[degree[at], around[at]] / tails[degree[at], 0]
    return np.clip(p, _LEAST, 1.0)


def _count_distinct(values: Counts) -> tuple[Counts, Counts, Counts]:
    """Distinct values ascending, which of them each place has, and how many have it."""
    top = int(values.max())
    if top > 4 * values.size:  # a table by value would be larger than sorting is slow
        distinct, code, multiplicity = np.unique(values, return_inverse=True, return_counts=True)
        return distinct, code, multiplicity
    by_value = np.bincount(values, minlength=top + 1)
    distinct = np.flatnonzero(by_value)
    position = np.zeros(top + 1, dtype=np.int64)
    position[distinct] = np.arange(distinct.size)
    return distinct, position[values], by_value[distinct]


def _leave_one_out(
    ways: Floats, distinct: Counts, factors: list[Floats], low: int, high: int
) -> Iterator[tuple[int, Floats]]:
    """For each count from `low` to `high` the product of `ways` with the factors of all others between them."""
    if high - low == 1:
        yield low, ways
        return
    middle = (low + high) // 2
    for (begin, end), others in (((low, middle), range(middle, high)), ((middle, high), range(low, middle))):
        product = ways
        for index in others:
            product = _multiply(product, int(distinct[index]), factors[index])
        yield from _leave_one_out(product, distinct, factors, begin, end)


def _multiply(ways: Floats, value: int, factor: Floats) -> Floats:
    """Ways after places that hold `value` are drawn too, `factor[a]` for a of them; the last sum holds all above it."""
    draws, cap = ways.shape[0] - 1, ways.shape[1] - 1
    product: Floats = ways * factor[0]
    for taken in range(1, min(factor.size - 1, draws) + 1):
        if factor[taken] == 0:
            break
        shift = min(value * taken, cap)
        before = ways[: draws + 1 - taken]
        product[taken:, shift:] += factor[taken] * before[:, : cap + 1 - shift]
        if shift:
            product[taken:, cap] += factor[taken] * before[:, cap + 1 - shift :].sum(axis=1)
    return product

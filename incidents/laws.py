"""
Tails of three laws by SciPy's special functions.

The server of the wall needs no more than these; `scipy.stats` has them too, and takes 40 MB of memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, pdtrc, xlog1py, xlogy


def find_normal_tail(z: ArrayLike) -> Any:
    """P(Z > z) of the standard normal law; nan for nan."""
    return ndtr(-np.asarray(z, dtype=np.float64))


def find_poisson_tail(k: ArrayLike, mean: ArrayLike) -> Any:
    """P(X > k) of the Poisson law with `mean` > 0; 1 for k < 0."""
    k = np.floor(np.asarray(k, dtype=np.float64))
    return np.where(k < 0, 1.0, pdtrc(np.maximum(k, 0.0), mean))


def find_binomial_chances(most: int, n: int, share: float) -> NDArray[np.float64]:
    """
    P(X = k) of the binomial law of `n` draws for k = 0 … `most` ≤ `n`, float64 (most + 1).

    The ways are multiplied up from k to k: differences of the logarithms of factorials lose five digits at n = 100,000.
    """
    k = np.arange(1, most + 1, dtype=np.float64)
    ways = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))])
    k = np.concatenate([[0.0], k])
    return np.asarray(np.exp(ways + xlogy(k, share) + xlog1py(n - k, -share)))

"""
Counts against counts: exact Poisson tests and intervals, the e-test, and the scan statistic of one place.

Sources: Garwood 1936, doi:10.1093/biomet/28.3-4.437 (interval of a count); Przyborowski and Wilenski 1940,
doi:10.1093/biomet/31.3-4.313 (conditional test of two counts); Krishnamoorthy and Thomson 2004,
doi:10.1016/S0378-3758(02)00408-1 (e-test); Naus 1982, doi:10.1080/01621459.1982.10477783 (most in any window).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, binom, binomtest, gamma, norm, poisson

from gis.errors import BadRecordError

_TINY = 1e-12


def garwood_interval(count: int, *, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of the mean of a Poisson count, equal tails."""
    _check_counts(count)
    tail = (1 - level) / 2
    low = float(gamma.ppf(tail, count)) if count else 0.0
    return low, float(gamma.ppf(1 - tail, count + 1))


@dataclass(frozen=True)
class RateRatio:
    """Two counts against each other: the first over the second."""

    ratio: float
    """Rate of the first over the second; infinite when only the second is 0, NaN when both are"""
    low: float
    high: float
    p: float
    """Two-sided, exact"""
    p_more: float
    """P of so many or more in the first"""
    p_fewer: float
    """P of so few or fewer in the first"""


def compare_counts(
    first: int, second: int, *, exposure_first: float = 1.0, exposure_second: float = 1.0, level: float = 0.95
) -> RateRatio:
    """
    The conditional (exact Poisson) test: given their sum, the first count is binomial.

    Exposures are what the counts were made in: days, dwellings, areas; only their ratio matters. The two-sided p adds
    all outcomes that are no likelier than the one seen, as R's poisson.test does; the interval is Clopper–Pearson's.
    """
    _check_counts(first, second)
    _check_exposures(exposure_first, exposure_second)
    total, share = first + second, exposure_first / (exposure_first + exposure_second)
    if total == 0:
        return RateRatio(float("nan"), 0.0, float("inf"), 1.0, 1.0, 1.0)
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, first, second + 1)) if first else 0.0
    high = float(beta.ppf(1 - tail, first + 1, second)) if second else 1.0
    return RateRatio(
        (first / exposure_first) / (second / exposure_second) if second else float("inf"),
        low / (1 - low) * exposure_second / exposure_first,
        high / (1 - high) * exposure_second / exposure_first if high < 1 else float("inf"),
        float(binomtest(first, total, share).pvalue),
        float(binom.sf(first - 1, total, share)),
        float(binom.cdf(first, total, share)),
    )


def e_test(first: int, second: int, *, exposure_first: float = 1.0, exposure_second: float = 1.0) -> float:
    """
    P of two Poisson counts so different when their rates are the same, two-sided; better than the conditional test
    where zero is likely.

    Both counts are drawn from the pooled rate; added up are all pairs whose standardised difference is at least the one
    seen. 1 when both counts are 0.
    """
    _check_counts(first, second)
    _check_exposures(exposure_first, exposure_second)
    if first + second == 0:
        return 1.0
    rate = (first + second) / (exposure_first + exposure_second)
    x = _support(exposure_first * rate)[:, None]
    y = _support(exposure_second * rate)[None, :]
    seen = _standardised(np.array(first), np.array(second), exposure_first, exposure_second)
    extreme = np.abs(_standardised(x, y, exposure_first, exposure_second)) >= abs(float(seen)) - _TINY
    chance = poisson.pmf(x, exposure_first * rate) * poisson.pmf(y, exposure_second * rate)
    return min(1.0, float(chance[extreme].sum()))


def _support(mean: float) -> np.ndarray:
    """Whole numbers that a Poisson law of this mean leaves with a chance of less than 1e-15."""
    return np.arange(int(poisson.ppf(1e-16, mean)), int(poisson.isf(1e-16, mean)) + 2)


def _standardised(x: np.ndarray, y: np.ndarray, exposure_x: float, exposure_y: float) -> np.ndarray:
    spread = np.sqrt(x / exposure_x**2 + y / exposure_y**2)
    difference: np.ndarray = (x / exposure_x - y / exposure_y) / np.where(spread > 0, spread, 1.0)
    return difference


def most_in_window_p(count: int, *, mean_per_unit: float, window: float, length: float) -> float:
    """
    P that some window of `window` units of time, anywhere in `length` units, holds `count` incidents or more.

    Naus's approximation: how astonishing a burst at one place is, when it was looked for in the whole history.
    """
    _check_counts(count)
    _check_exposures(mean_per_unit, window)
    if length < 2 * window:
        raise BadRecordError(f"History of {length} is shorter than two windows of {window}. Take a longer history.")
    if count < 2:
        return float(1.0 if count == 0 else -np.expm1(-mean_per_unit * length))
    n, mean = count, mean_per_unit * window

    def at(k: int) -> float:
        return float(poisson.pmf(k, mean))

    def up_to(k: int) -> float:
        return float(poisson.cdf(k, mean)) if k >= 0 else 0.0

    two = up_to(n - 1) ** 2 - (n - 1) * at(n) * at(n - 2) - (n - 1 - mean) * at(n) * up_to(n - 3)
    a1 = 2 * at(n) * up_to(n - 1) * ((n - 1) * up_to(n - 2) - mean * up_to(n - 3))
    a2 = 0.5 * at(n) ** 2 * (
        (n - 1) * (n - 2) * up_to(n - 3) - 2 * (n - 2) * mean * up_to(n - 4) + mean**2 * up_to(n - 5)
    )  # fmt: skip
    a3 = sum(at(2 * n - r) * up_to(r - 1) ** 2 for r in range(1, n))
    a4 = sum(at(2 * n - r) * at(r) * ((r - 1) * up_to(r - 2) - mean * up_to(r - 3)) for r in range(2, n))
    three = up_to(n - 1) ** 3 - a1 + a2 + a3 - a4
    if two <= 0 or three <= 0:
        return 1.0
    return float(np.clip(1 - two * (three / two) ** (length / window - 2), 0.0, 1.0))


def normal_interval(estimate: float, variance: float, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of an estimate that is about normal."""
    half = float(norm.ppf(1 - (1 - level) / 2)) * variance**0.5
    return estimate - half, estimate + half


def _check_counts(*counts: int) -> None:
    for count in counts:
        if count < 0 or count != int(count):
            raise BadRecordError(f"Count is {count}, expected a whole number of 0 or more. Correct it.")


def _check_exposures(*exposures: float) -> None:
    for exposure in exposures:
        if not (exposure > 0 and np.isfinite(exposure)):
            raise BadRecordError(f"Exposure is {exposure}, expected a finite number above 0. Give days or dwellings.")

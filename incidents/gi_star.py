"""
Getis–Ord Gi* over any units: z in closed form, p from the exact permutation law, Benjamini–Hochberg over the units.

Source: Ord and Getis 1995, doi:10.1111/j.1538-4632.1995.tb00912.x; the law of p: `incidents.permutation_law`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.local_statistics import adjust_benjamini_hochberg, gi_star_from_sums
from incidents.permutation_law import find_upper_p
from incidents.units import UnitCounts, find_pairs

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

FEWEST = 30
"""Below this many incidents nothing is called hot; a convention of ours: power is next to none there."""
LAWS = ("auto", "exact", "normal")


def find_gi_star(
    values: NDArray[np.float64] | Counts, pairs: Counts, *, alpha: float = 0.05, law: str = "auto"
) -> pd.DataFrame:
    """
    Gi* of each place with its neighbours and itself.

    Parameters
    ----------
    values
        Value of each place, shape (n,). Whole numbers ≥ 0 are counts and get the exact law.
    pairs
        Neighbours, each pair once, shape (m, 2).
    alpha
        False discovery rate at which a place is called hot.
    law
        auto (exact for counts, else normal), exact or normal.

    Returns
    -------
    One row a place, in the order given: value, neighbours (without itself), around (their sum), expected (of the place
    and its neighbours, all being alike), z, p_normal (two-sided), p, q, hot, law. p is the upper tail of the exact law
    for counts, or, where `law` says normal, p_normal: for measurements, or counts too large and varied. NaN where Gi*
    is undefined: all values equal, or a place that neighbours every other.

    Raises
    ------
    BadRecordError
        The exact law was asked for values that are no counts.
    """
    if law not in LAWS:
        raise BadRecordError(f"Law is '{law}', expected one of {', '.join(LAWS)}. Choose one.")
    n = values.size
    is_counts = bool(np.all(values >= 0) and np.all(values == np.floor(values)) and np.all(values < 2**53))
    if law == "exact" and not is_counts:
        raise BadRecordError("The exact law needs whole values of 0 or more. Use the law 'normal' for measurements.")
    first, second = pairs[:, 0], pairs[:, 1]
    degree = np.bincount(first, minlength=n) + np.bincount(second, minlength=n)
    numbers = values.astype(np.float64)
    around = np.bincount(first, numbers[second], minlength=n) + np.bincount(second, numbers[first], minlength=n)
    z = gi_star_from_sums(around + numbers, degree.astype(np.float64) + 1, numbers)
    z[degree == n - 1] = np.nan
    p_normal = 2 * norm.sf(np.abs(z))
    exact = None
    if is_counts and law != "normal":
        exact = find_upper_p(values.astype(np.int64), np.rint(around).astype(np.int64), degree.astype(np.int64))
    p = p_normal if exact is None else np.where(np.isfinite(z), exact, np.nan)
    q = adjust_benjamini_hochberg(p)
    return pd.DataFrame(
        {
            "value": values,
            "neighbours": degree,
            "around": around,
            "expected": (degree + 1) * (numbers.mean() if n else 0.0),
            "z": z,
            "p_normal": p_normal,
            "p": p,
            "q": q,
            "hot": (q <= alpha) & (z > 0),
            "law": "exact" if exact is not None else "normal",
        }
    )


def find_hot_units(units: UnitCounts, *, alpha: float = 0.05, law: str = "auto") -> Answer:
    """
    Units whose surroundings hold more incidents than chance would put there.

    Rows are those of `find_gi_star` with `unit_id` and `reason`: hot, not_hot, too_few (fewer than `FEWEST` incidents
    in all: nothing is called hot), or undefined. Figures: units, incidents, hot, law.
    """
    rows = find_gi_star(units.counts, units.pairs, alpha=alpha, law=law).rename(columns={"value": "count"})
    rows.insert(0, "unit_id", units.ids)
    n = int(units.counts.sum())
    if n < FEWEST:
        rows["hot"] = False
    defined = np.isfinite(rows["z"].to_numpy())
    usual = "too_few" if n < FEWEST else "not_hot"
    rows["reason"] = np.where(rows["hot"], "hot", np.where(defined, usual, "undefined"))
    asked = {"on": units.kind, "alpha": alpha, "law": law}
    return _answer(rows, n, asked, {"outside": units.n_outside}, n_counted=n)


def find_hot_points(
    xy: Floats, values: Floats | Counts, *, band_m: float, alpha: float = 0.05, law: str = "auto"
) -> Answer:
    """Gi* of places with a value each, neighbours being the places at most `band_m` away; rows of `find_gi_star`."""
    rows = find_gi_star(values, find_pairs(xy, band_m), alpha=alpha, law=law)
    return _answer(rows, len(rows), {"band_m": band_m, "alpha": alpha, "law": law}, {})


def _answer(
    rows: pd.DataFrame,
    n: int,
    asked: dict[str, object],
    left_out: dict[str, int],
    *,
    n_counted: int | None = None,
) -> Answer:
    hot = int(rows["hot"].sum())
    figures = {"units": len(rows), "hot": hot, "law": rows["law"].iloc[0] if len(rows) else "none"}
    words: dict[str, object] = {
        "hot": hot,
        "units": len(rows),
        "n": n,
        "share": f"{100 * float(str(asked['alpha'])):g}",
    }
    if n_counted is not None and n_counted < FEWEST:
        return Answer("gi-star", asked, n, rows, figures, "hot_too_few", {**words, "fewest": FEWEST}, left_out)
    if not np.isfinite(rows["z"].to_numpy()).any():
        return Answer("gi-star", asked, n, rows, figures, "hot_undefined", words, left_out)
    return Answer("gi-star", asked, n, rows, figures, "hot_found" if hot else "hot_none", words, left_out)

"""
Places that repeat: how few places make how many of the incidents, and what the police found themselves, beside.

Of callers only "N of M from one caller" is ever said.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.rates import garwood_interval

Counts = NDArray[np.int64]

CURVE_SHARE = 0.8


def find_repeats(
    places: Sequence[object],
    *,
    callers: Sequence[object] | None = None,
    all_places: Sequence[object] | None = None,
    by: str = "place",
) -> Answer:
    """
    How often each incident's place occurs, and how concentrated the whole is.

    Parameters
    ----------
    places
        Id of the place of each incident, in order of time, None where unknown, shape (n,).
    callers
        Who called, where known; only counted, never told.
    all_places
        Ids of every place there is, those without incidents too: shares of places are of these. None: only places with
        an incident are known, and shares are of those.

    Returns
    -------
    Rows in input order: place (id), count (incidents there), nth (which of them this one is, from 1), one_caller (most
    calls of the place from one caller), repeat (not the first there). Places unknown have nulls. Figures: places (with
    incidents), all_places, repeated (places with two or more), repeat_incidents (those after the first of a place),
    curve (see `find_curve`), and places_for_80: how many places make 80 % of the incidents, and their share.
    """
    ids = pd.Series(list(places), dtype=object)
    known = ids.notna()
    count = ids.groupby(ids).transform("size").astype("Int64")
    nth = (ids[known].groupby(ids[known]).cumcount() + 1).reindex(ids.index).astype("Int64")
    rows = pd.DataFrame({"place": ids, "count": count, "nth": nth, "repeat": (nth > 1).fillna(False).astype(bool)})
    if callers is not None:
        calls = pd.DataFrame({"place": ids, "caller": list(callers)}).dropna()
        most = calls.groupby(["place", "caller"]).size().groupby("place").max()
        rows["one_caller"] = ids.map(most).astype("Int64")
    n = int(known.sum())
    by_place = ids[known].value_counts()
    total = by_place.size if all_places is None else len(set(all_places) | set(by_place.index))
    curve = find_curve(by_place.to_numpy().astype(np.int64), total)
    needed = int(np.searchsorted(np.cumsum(np.sort(by_place.to_numpy())[::-1]), CURVE_SHARE * n)) + 1 if n else 0
    figures = {
        "places": int(by_place.size), "all_places": total, "repeated": int((by_place > 1).sum()),
        "repeat_incidents": n - int(by_place.size), "places_for_80": needed,
        "share_for_80": needed / total if total else None, "curve": curve.to_dict("list"),
    }  # fmt: skip
    words = {
        "n": n,
        "places": needed,
        "total": total,
        "repeated": figures["repeated"],
        "share": _percent(needed, total),
    }
    left_out = {"no_place": int((~known).sum())}
    return Answer("repeats", {"by": by}, n, rows, figures, "repeats" if n else "repeats_none", words, left_out)


def find_curve(counts: Counts, total: int) -> pd.DataFrame:
    """
    The share of places, fullest first, that makes the share of incidents: places, place_share, incident_share.

    `counts` of the places with incidents; `total` places in all. One row where the count changes, the first is 0, 0,
    and the last is every place.
    """
    if total < counts.size:
        raise BadRecordError(f"{counts.size} places have incidents, but there are only {total}. Count all places.")
    ordered = np.sort(counts[counts > 0])[::-1]
    last = (
        np.append(np.flatnonzero(np.diff(ordered)), ordered.size - 1) if ordered.size else np.zeros(0, dtype=np.int64)
    )
    places = np.concatenate([[0], last + 1, [total]])
    made = np.concatenate([[0], np.cumsum(ordered)[last], [ordered.sum()]])
    curve = pd.DataFrame(
        {"places": places, "place_share": places / max(total, 1), "incident_share": made / max(int(ordered.sum()), 1)}
    )
    return curve.drop_duplicates("places").reset_index(drop=True)


def find_luck_curve(n: int, exposure: NDArray[np.float64]) -> pd.DataFrame:
    """
    The curve of `find_curve` that luck alone would make: `n` incidents on places by their exposure, on average.

    Few places always make most of few incidents; what is more than that lies above this curve. The number of places
    with k incidents is the sum of their binomial probabilities of k, and the fullest come first, as in the curve.

    Parameters
    ----------
    n
        Incidents.
    exposure
        What they could fall on at each place (dwellings, length, or ones), shape (places,), of all places.
    """
    share = np.asarray(exposure, dtype=np.float64)
    if share.size == 0 or not np.isfinite(share).all() or (share < 0).any() or share.sum() <= 0:
        raise BadRecordError("Exposures of places must be numbers from 0, not all 0. Correct them.")
    values, times = np.unique(share / share.sum(), return_counts=True)
    most = int(binom.isf(1e-9 / share.size, n, values[-1])) + 1
    k = np.arange(most, 0, -1)
    places = (binom.pmf(k[:, None], n, values[None, :]) * times).sum(axis=1)
    reached = np.concatenate([[0.0], np.cumsum(places), [float(share.size)]])
    made = np.concatenate([[0.0], np.cumsum(places * k)])
    made = np.append(made, made[-1]) / max(made[-1], 1e-300)
    return pd.DataFrame({"places": reached, "place_share": reached / share.size, "incident_share": made})


def find_visit_rates(visit_grids: Sequence[object], rental_grids: Sequence[object]) -> Answer:
    """
    Visits by the police themselves per 100 rentals, by grid: where they look, never where it is hot.

    Rows: grid_id, visits, rentals, per_100, low, high (Garwood's 95 % interval). Null where a grid has no rentals.
    """
    visits = pd.Series(list(visit_grids), dtype=object).value_counts()
    rentals = pd.Series(list(rental_grids), dtype=object).value_counts()
    rows = []
    for grid in sorted({*visits.index, *rentals.index}, key=str):
        n, of = int(visits.get(grid, 0)), int(rentals.get(grid, 0))
        low, high = garwood_interval(n)
        per = [100 * value / of if of else float("nan") for value in (n, low, high)]
        rows.append({"grid_id": grid, "visits": n, "rentals": of, "per_100": per[0], "low": per[1], "high": per[2]})
    table = pd.DataFrame(rows, columns=["grid_id", "visits", "rentals", "per_100", "low", "high"])
    n, of = int(visits.sum()), int(rentals.sum())
    words = {"n": n, "rentals": of, "rate": f"{100 * n / of:.1f}" if of else "–"}
    left_out = {"no_grid": len(visit_grids) - n}
    return Answer("visits", {}, n, table, {"per_100": 100 * n / of if of else None}, "visits", words, left_out)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"

"""Periods of a history, and places that stay, come up or are over. Unfinished periods are left out."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import poisson

from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.local_statistics import adjust_benjamini_hochberg

Counts = NDArray[np.int64]

RECENT_SHARE = 1 / 3
"""The last share of periods that is called recent; the periods before are older, none is both."""


def split_periods(since: datetime, until: datetime, *, days: int) -> list[datetime]:
    """
    Edges of whole periods of `days` days, ending with the last that is finished at `until`, none beginning before
    `since`: n + 1 edges of n periods, ascending. What is left over lies at the beginning.

    Raises
    ------
    BadRecordError
        Times without zone, no days, or no whole period.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise BadRecordError(f"Period {since} to {until} has no time zone. Give aware times, e.g. with UTC.")
    if days < 1:
        raise BadRecordError(f"Periods are {days} days long, expected at least 1. Choose e.g. 28.")
    n = int((until - since) / timedelta(days=days))
    if n < 1:
        raise BadRecordError(f"{since} to {until} holds no whole period of {days} days. Take shorter periods.")
    return [until - timedelta(days=days * k) for k in range(n, -1, -1)]


def finished_days(since: datetime, now: datetime, *, zone_hours: float = 8.0) -> tuple[datetime, datetime]:
    """`since` and `now` moved inward to midnights of the local day: today is not finished and is left out."""
    shift = timedelta(hours=zone_hours)

    def midnight(at: datetime) -> datetime:
        local = at + shift
        return local.replace(hour=0, minute=0, second=0, microsecond=0) - shift

    first = midnight(since)
    return (first if first == since else first + timedelta(days=1)), midnight(now)


def find_trends(
    counts: Counts, *, exposure: NDArray[np.float64] | None = None, alpha: float = 0.05, recent: float = RECENT_SHARE
) -> Answer:
    """
    Places that are persistent, emerging or former: more than their share in recent periods, in older ones, or both.

    Parameters
    ----------
    counts
        Incidents by place and finished period, oldest first, shape (places, periods).
    exposure
        What the incidents could fall on at each place (area, length, dwellings), shape (places,); None: all alike.
    alpha
        False discovery rate of each of the two tests.
    recent
        Share of the periods that is recent, between 0 and 1.

    Returns
    -------
    Rows in the order of the places: older, expected_older, q_older, recent, expected_recent, q_recent (exact Poisson
    upper tail against the place's share of the exposure, Benjamini–Hochberg over the places), trend: persistent,
    emerging, former, or none. Figures: how many of each, older_periods, recent_periods.
    """
    n_periods = counts.shape[1]
    n_recent = max(1, round(n_periods * recent))
    if not 0 < recent < 1 or n_recent >= n_periods:
        raise BadRecordError(f"{n_periods} periods cannot be parted into older and recent ones. Take shorter periods.")
    weight = np.ones(len(counts)) if exposure is None else np.asarray(exposure, dtype=np.float64)
    parts = {
        "older": counts[:, : n_periods - n_recent].sum(axis=1),
        "recent": counts[:, n_periods - n_recent :].sum(axis=1),
    }
    rows = pd.DataFrame(index=pd.RangeIndex(len(counts)))
    for name, count in parts.items():
        expected = count.sum() * weight / weight.sum()
        rows[name], rows[f"expected_{name}"] = count, expected
        rows[f"q_{name}"] = adjust_benjamini_hochberg(poisson.sf(count - 1, expected))
    was, is_now = rows["q_older"] <= alpha, rows["q_recent"] <= alpha
    rows["trend"] = np.select([was & is_now, is_now, was], ["persistent", "emerging", "former"], "none")
    said = {name: int((rows["trend"] == name).sum()) for name in ("persistent", "emerging", "former")}
    figures = {**said, "older_periods": n_periods - n_recent, "recent_periods": n_recent}
    asked = {"alpha": alpha, "recent": recent, "periods": n_periods}
    return Answer("trends", asked, int(counts.sum()), rows, figures, "trends", {**said, "periods": n_recent})

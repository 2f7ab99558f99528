"""
Monday's meeting: what changed, which places stay, in words that a count can carry.

A place is held against the period before and against its own baseline; of many places each by Benjamini–Hochberg, so
that looking at four hundred doors does not make twenty of them remarkable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import poisson

from gis.errors import BadRecordError
from incidents.baselines import AS_USUAL, FEW, MORE, PERIODS, TOO_FEW, find_baselines, find_least_total
from incidents.local_statistics import adjust_benjamini_hochberg
from incidents.periods import split_periods

Bools = NDArray[np.bool_]

ALPHA = 0.05
PERSISTENT, EMERGING, FORMER, NEITHER = "persistent", "emerging", "former", "neither"


def find_changes(
    places: Sequence[object],
    occurred_utc: pd.Series,
    *,
    since: datetime,
    until: datetime,
    history_since: datetime,
    alpha: float = ALPHA,
) -> pd.DataFrame:
    """
    Each place in [since, until) against the period just before and against its own baseline.

    Parameters
    ----------
    places
        Id of each incident's place, shape (n,); missing ones are left out.
    occurred_utc
        Time of each, aware, shape (n,).
    history_since
        Since when incidents are known.

    Returns
    -------
    One row a place with an incident now or in the periods before, farthest above its baseline first: place_id, count,
    low, high (exact interval of the count), last (the period just before), baseline (mean a period), periods, p (exact,
    one side: so many or more, or so few or fewer), q (Benjamini–Hochberg over the places), verdict: more_than_usual or
    few where q is at most alpha, too_few_to_say where no test could tell, else as_usual.

    Raises
    ------
    BadRecordError
        There is no whole period before to compare with.
    """
    answer = find_baselines(places, occurred_utc, since=since, until=until, history_since=history_since, alpha=alpha)
    rows = answer.rows.copy()
    step = timedelta(weeks=max(1, int(np.ceil((until - since) / timedelta(weeks=1)))))
    times = pd.to_datetime(occurred_utc, utc=True).reset_index(drop=True)
    ids = pd.Series(list(places), dtype=object)
    before = ids[(times >= since - step) & (times < until - step)].value_counts()
    rows["last"] = rows["place_id"].map(before).fillna(0).astype("int64")
    more = (rows["count"] >= rows["baseline"]).to_numpy()
    q_fewer = adjust_benjamini_hochberg(rows["p_fewer"].to_numpy(np.float64))
    rows["p"] = np.where(more, rows["p_more"], rows["p_fewer"])
    rows["q"] = np.where(more, rows["q_more"], q_fewer)
    beyond = (rows["q"] <= alpha).to_numpy()
    silent = (rows["verdict"] == TOO_FEW).to_numpy()
    rows["verdict"] = np.select([beyond & more, beyond, silent], [MORE, FEW, TOO_FEW], AS_USUAL)
    columns = ["place_id", "count", "low", "high", "last", "baseline", "periods", "p", "q", "verdict"]
    return rows[columns]


def keep_testable(
    places: Sequence[object],
    occurred_utc: pd.Series,
    *,
    since: datetime,
    until: datetime,
    history_since: datetime,
    alpha: float = ALPHA,
) -> list[object]:
    """
    `places` without those of which `find_changes` could say nothing but "too few to say": None in their stead.

    Parameters are those of `find_changes`. See `find_least_total`.
    """
    step = timedelta(weeks=max(1, int(np.ceil((until - since) / timedelta(weeks=1)))))
    periods = max(1, min(PERIODS, int((since - history_since) / step)))
    times = pd.to_datetime(occurred_utc, utc=True).reset_index(drop=True)
    ids = pd.Series(list(places), dtype=object)
    totals = ids[(times >= since - periods * step) & (times < until)].value_counts()
    told = set(totals.index[totals >= find_least_total(totals.tolist(), periods, alpha=alpha)])
    return [one if one in told else None for one in ids]


@dataclass(frozen=True)
class Standing:
    """How a place stood against its share of all incidents, period by period."""

    counts: tuple[int, ...]
    """Incidents of each finished period, oldest first"""
    expected: tuple[float, ...]
    """What its share of each period's incidents would be"""
    trend: str
    """persistent, emerging, former or neither"""

    @property
    def above(self) -> int:
        """Periods in which it had more than its share."""
        return sum(count > expected for count, expected in zip(self.counts, self.expected, strict=True))


def find_standing(
    inside: Bools, occurred_utc: pd.Series, *, share: float, since: datetime, until: datetime, days: int = 84,
    alpha: float = ALPHA,
) -> Standing:  # fmt: skip
    """
    Whether a place has more than its share in the older half of the finished periods, in the recent half, or in both.

    `inside` tells the place's incidents; `share` is the part of all incidents that chance would put there. Each half is
    judged by the exact Poisson tail at alpha / 2. Periods are `days` long and end at `until`.
    """
    if not 0 < share < 1:
        raise BadRecordError(f"Share of a place is {share}, expected between 0 and 1. Give expected / all.")
    edges = split_periods(since, until, days=days)
    times = pd.to_datetime(occurred_utc, utc=True).to_numpy(dtype="datetime64[ns]")
    marks = np.array([np.datetime64(pd.Timestamp(e).tz_convert("UTC").tz_localize(None), "ns") for e in edges])
    every, _ = np.histogram(times.astype(np.int64), bins=marks.astype(np.int64))
    own, _ = np.histogram(times[inside].astype(np.int64), bins=marks.astype(np.int64))
    middle = len(own) // 2
    halves = ((own[:middle], every[:middle]), (own[middle:], every[middle:]))
    was, is_now = (bool(poisson.sf(part.sum() - 1, share * whole.sum()) <= alpha / 2) for part, whole in halves)
    trend = PERSISTENT if was and is_now else EMERGING if is_now else FORMER if was else NEITHER
    return Standing(tuple(own.tolist()), tuple((share * every).tolist()), trend)

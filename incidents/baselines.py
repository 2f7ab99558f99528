"""
A place against itself: what it has now beside what it had in the same weekdays and hours before.

Every count comes with its exact interval and one of four words: few, as usual, more than usual, too few to say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.local_statistics import adjust_benjamini_hochberg
from incidents.rates import compare_counts, garwood_interval

FEW, AS_USUAL, MORE, TOO_FEW = "few", "as_usual", "more_than_usual", "too_few_to_say"
PERIODS = 12
"""Periods before that make the baseline: for a week about a season."""


def judge_count(count: int, before: int, periods: int, *, alpha: float = 0.05) -> str:
    """
    The word for a count, against `before` incidents in `periods` periods of the same weekdays and hours.

    More than usual or few by the exact conditional test, one side at alpha. Too few to say where the test could not
    have said either: where there was none before, or neither no incident at all nor twice the usual (at least 2)
    would have stood out.
    """
    test = compare_counts(count, before, exposure_second=periods)
    if test.p_more <= alpha:
        return MORE
    if test.p_fewer <= alpha:
        return FEW
    if before == 0:
        return TOO_FEW
    none = compare_counts(0, before, exposure_second=periods).p_fewer
    double = compare_counts(max(2, int(np.ceil(2 * before / periods))), before, exposure_second=periods).p_more
    return TOO_FEW if none > alpha and double > alpha else AS_USUAL


def find_baselines(
    places: Sequence[object],
    occurred_utc: pd.Series,
    *,
    since: datetime,
    until: datetime,
    periods: int = PERIODS,
    history_since: datetime | None = None,
    alpha: float = 0.05,
) -> Answer:
    """
    Each place's count in [since, until) against its own in the periods before.

    The periods before have the same length and begin whole weeks earlier, so that weekdays and hours are the same; a
    period longer than a week is put back by its length, rounded up to weeks. Periods that would begin before
    `history_since` (None: the first incident) are not used.

    Parameters
    ----------
    places
        Id of each incident's place, shape (n,); missing ones are left out.
    occurred_utc
        Time of each, aware or UTC, shape (n,).

    Returns
    -------
    Rows, one a place with an incident now or before, most above its baseline first: place_id, count, low, high
    (Garwood's 95 % interval of the count), before, periods, baseline (mean a period), ratio, p_more, q_more
    (Benjamini–Hochberg over the places), p_fewer, verdict. Figures: the same for all places together, and how many
    have each verdict.

    Raises
    ------
    BadRecordError
        Times without zone, a period that ends before it begins, or no period before.
    """
    if since.tzinfo is None or until.tzinfo is None or until <= since:
        raise BadRecordError(f"Period {since} to {until} is none. Give aware times, the earlier first.")
    times = pd.to_datetime(occurred_utc, utc=True).to_numpy(dtype="datetime64[ns]")
    ids = pd.Series(list(places), dtype=object)
    known = ids.notna().to_numpy() & ~np.isnat(times)
    step = timedelta(weeks=max(1, int(np.ceil((until - since) / timedelta(weeks=1)))))
    first = history_since or (pd.Timestamp(times[known].min(), tz="UTC").to_pydatetime() if known.any() else since)
    usable = min(periods, int((since - first) / step))
    if usable < 1:
        raise BadRecordError(
            f"There is no whole period of {step.days} days between {first} and {since} to compare with."
        )
    now = known & _between(times, since, until)
    before = np.zeros(times.size, dtype=bool)
    for k in range(1, usable + 1):
        before |= _between(times, since - k * step, until - k * step)
    before &= known
    codes, names = pd.factorize(ids)
    counted = np.bincount(codes[now], minlength=len(names)), np.bincount(codes[before], minlength=len(names))
    rows = pd.DataFrame(
        [
            {"place_id": name, **_describe(int(count), int(past), usable, alpha)}
            for name, count, past in zip(names, *counted, strict=True)
            if count + past
        ],
        columns=["place_id", *_describe(0, 0, 1, alpha)],
    )
    rows["q_more"] = adjust_benjamini_hochberg(rows["p_more"].to_numpy(np.float64))
    above = (rows["count"] - rows["baseline"]).to_numpy(np.float64)
    rows = rows.iloc[np.argsort(-above, kind="stable")].reset_index(drop=True)
    whole = _describe(int(now.sum()), int(before.sum()), usable, alpha)
    verdicts = {word: int((rows["verdict"] == word).sum()) for word in (MORE, AS_USUAL, FEW, TOO_FEW)}
    asked = {"since": since, "until": until, "periods": usable, "alpha": alpha}
    left_out = {"no_place_or_time": int((~known).sum())}
    words = {"n": whole["count"], "baseline": f"{whole['baseline']:.1f}", "periods": usable, **verdicts}
    return Answer(
        "baselines", asked, int(now.sum()), rows, {**whole, "verdicts": verdicts}, f"baseline_{whole['verdict']}",
        words, left_out,
    )  # fmt: skip


def find_least_total(totals: Collection[int], periods: int, *, alpha: float = 0.05) -> int:
    """
    The least sum of now and before at which a place can be more than usual, all places looked at reckoned in.

    Even with all its incidents now a place of sum s has p = (1 / (periods + 1))^s. Places below that sum can say
    nothing, and need not be reckoned in where many are looked at; choosing by the sum costs the test nothing, because
    it is given the sum. Source: Tarone 1990, doi:10.2307/2531456.
    """
    ordered = np.sort(np.asarray(list(totals), dtype=np.int64))
    least = 1
    while (1.0 / (periods + 1)) ** least > alpha / max(1, ordered.size - int(np.searchsorted(ordered, least))):
        least += 1
    return least


def _between(times: NDArray[np.datetime64], since: datetime, until: datetime) -> NDArray[np.bool_]:
    low, high = (np.datetime64(pd.Timestamp(at).tz_convert("UTC").tz_localize(None), "ns") for at in (since, until))
    return np.asarray((times >= low) & (times < high))


def _describe(count: int, before: int, periods: int, alpha: float) -> dict[str, object]:
    low, high = garwood_interval(count)
    test = compare_counts(count, before, exposure_second=periods)
    return {
        "count": count, "low": low, "high": high, "before": before, "periods": periods, "baseline": before / periods,
        "ratio": test.ratio, "p_more": test.p_more, "p_fewer": test.p_fewer,
        "verdict": judge_count(count, before, periods, alpha=alpha),
    }  # fmt: skip

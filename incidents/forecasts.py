"""
Is the map any use: what share of later incidents the chosen share of the ground would have caught.

PAI: Chainey, Tompson and Uhlig 2008, doi:10.1057/palgrave.sj.8350066. PEI: Hunt 2016. Ties in the forecast are broken
against us. Always beside the plain rival: last period's counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis.errors import BadRecordError
from incidents.answer import Answer

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SHARES = (0.05, 0.10, 0.20)
RIVAL, MEAN, DENSITY = "last_period", "mean", "density"
"""Codes of maps: last period's counts, the mean of some periods before, a kernel density of them."""


def find_pai(predicted: Floats, observed: Floats, *, size: Floats | None = None) -> Answer:
    """
    PAI, PEI and RRI of each unit and all ranked before it.

    Units are taken by what was predicted, per size; ties: those with fewer incidents per size first. PAI is the share
    of incidents over the share of the size; PEI is PAI over the best PAI possible for that size; RRI is the share
    predicted over the share of incidents (1 is right, above 1 promised too much).

    Parameters
    ----------
    predicted, observed
        Forecast and later incidents of each unit, not negative, shape (n,).
    size
        Area or street length of each, shape (n,); None: all alike.

    Returns
    -------
    Rows in input order: rank (from 1), hit_rate (share of incidents caught), area_share, pai, pei, rri, all up to and
    with that unit. Figures: by_rank, the lists of pai, pei and rri from rank 1 on.

    Raises
    ------
    BadRecordError
        No incidents, negative or missing values, or sizes that are not above 0.
    """
    n = len(predicted)
    size = np.ones(n) if size is None else np.asarray(size, dtype=np.float64)
    for name, values in (("predicted", predicted), ("observed", observed), ("size", size)):
        bad = ~np.isfinite(values) | (values < 0 if name != "size" else values <= 0)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise BadRecordError(
                f"Row {row} has {name} {values[row]}, expected a finite number not below 0. Correct it."
            )
    if n == 0 or observed.sum() <= 0:
        raise BadRecordError(f"{n} units hold {observed.sum():g} later incidents, expected at least 1 of each.")
    order = np.lexsort((observed / size, -predicted / size))
    hit = np.cumsum(observed[order]) / observed.sum()
    share = np.cumsum(size[order]) / size.sum()
    best = _best_hit(observed, size, share)
    promised = np.cumsum(predicted[order]) / predicted.sum() if predicted.sum() > 0 else np.full(n, np.nan)
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        ranked = {"hit_rate": hit, "area_share": share, "pai": hit / share, "pei": hit / best, "rri": promised / hit}
    rows = pd.DataFrame({"rank": rank + 1, **{name: values[rank] for name, values in ranked.items()}})
    figures = {"by_rank": {name: ranked[name].tolist() for name in ("pai", "pei", "rri")}}
    caught = float(np.interp(0.1, np.append(0.0, share), np.append(0.0, hit)))
    words = {"share": "10", "hit": f"{100 * caught:.0f}", "pai": f"{caught / 0.1:.1f}", "n": int(observed.sum())}
    return Answer("pai", {"units": n}, int(observed.sum()), rows, figures, "pai", words)


def _best_hit(observed: Floats, size: Floats, share: Floats) -> Floats:
    """The most that so much of the size can catch: the fullest units first, the last one in part."""
    best = np.argsort(-observed / size, kind="stable")
    reached = np.append(0.0, np.cumsum(size[best]) / size.sum())
    caught: Floats = np.interp(share, reached, np.append(0.0, np.cumsum(observed[best]) / observed.sum()))
    return caught


def score_shares(
    predicted: Floats, observed: Floats, *, size: Floats | None = None, shares: Sequence[float] = SHARES
) -> pd.DataFrame:
    """
    Hit rate, PAI and PEI of the map at shares of the size: columns share, units, area_share, hit_rate, pai, pei.

    Whole units only: as many of the highest as do not exceed the share, at least one.
    """
    answer = find_pai(predicted, observed, size=size)
    ranked = answer.rows.sort_values("rank")
    scored = []
    for share in shares:
        taken = max(1, int((ranked["area_share"] <= share + 1e-12).sum()))
        row = ranked.iloc[taken - 1]
        scored.append(
            {"share": share, "units": taken, **{c: float(row[c]) for c in ("area_share", "hit_rate", "pai", "pei")}}
        )
    return pd.DataFrame(scored)


def find_back_test(
    counts: Counts,
    *,
    size: Floats | None = None,
    maps: Mapping[str, Sequence[Floats | None]] | None = None,
    memory: int = 12,
    shares: Sequence[float] = SHARES,
) -> Answer:
    """
    Every map on the community's own history: made from the periods before, held against the period that followed.

    Parameters
    ----------
    counts
        Incidents by unit and finished period, oldest first, shape (units, periods).
    size
        Area or length of each unit, shape (units,).
    maps
        Further maps: for each period the forecast of its units, None where there is none. Besides there are always
        `RIVAL` (last period's counts) and `MEAN` (of the periods before).
    memory
        Periods that the mean looks back on; the first that is forecast is the one after so many.

    Returns
    -------
    Rows, one a map and share: map, share, periods, hit_rate, pai, pei (means over the periods, each incident counting
    the same), hits, and beside them rival_hit_rate and gain (hit_rate − rival_hit_rate). Figures: incidents.

    Raises
    ------
    BadRecordError
        Too few periods, or no incident in those that are forecast.
    """
    n_units, n_periods = counts.shape
    if n_periods < memory + 1:
        raise BadRecordError(f"{n_periods} finished periods, expected at least {memory + 1}. Take shorter periods.")
    candidates: dict[str, Sequence[Floats | None]] = {
        RIVAL: [None, *(counts[:, k].astype(np.float64) for k in range(n_periods - 1))],
        MEAN: [None if k < memory else counts[:, k - memory : k].mean(axis=1) for k in range(n_periods)],
        **(maps or {}),
    }
    used = [k for k in range(memory, n_periods) if counts[:, k].sum() > 0]
    used = [k for k in used if all(forecast[k] is not None for forecast in candidates.values())]
    if not used:
        raise BadRecordError("No period has both forecasts and incidents: there is nothing to hold the maps against.")
    weight = counts[:, used].sum(axis=0).astype(np.float64)
    rows = []
    for name, forecast in candidates.items():
        scored = [
            score_shares(
                np.asarray(forecast[k], dtype=np.float64), counts[:, k].astype(np.float64), size=size, shares=shares
            )
            for k in used
        ]
        for i, share in enumerate(shares):
            mean = {
                c: float(np.average([s[c].iloc[i] for s in scored], weights=weight)) for c in ("hit_rate", "pai", "pei")
            }
            rows.append(
                {
                    "map": name,
                    "share": share,
                    "periods": len(used),
                    **mean,
                    "hits": round(mean["hit_rate"] * weight.sum()),
                }
            )
    table = pd.DataFrame(rows)
    rival = table[table["map"] == RIVAL].set_index("share")["hit_rate"]
    table["rival_hit_rate"] = table["share"].map(rival)
    table["gain"] = table["hit_rate"] - table["rival_hit_rate"]
    middle = table[table["share"] == shares[len(shares) // 2]].reset_index(drop=True)
    best = middle.loc[int(middle["hit_rate"].to_numpy().argmax())]
    words = {
        "map": f"analysis.map_{best['map']}", "share": f"{100 * best['share']:g}",
        "hit": f"{100 * best['hit_rate']:.0f}",
        "rival": f"{100 * best['rival_hit_rate']:.0f}", "periods": len(used), "ground": "analysis.ground_area",
    }  # fmt: skip
    asked = {"memory": memory, "shares": list(shares), "units": n_units, "periods": n_periods}
    said = "back_test" if best["map"] != RIVAL else "back_test_rival"
    return Answer("pai", asked, int(weight.sum()), table, {"incidents": int(weight.sum())}, said, words)

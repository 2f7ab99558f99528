"""Places that call again and again, against what chance would do, and whether one caller makes them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import BadRecordError
from incidents.laws import find_poisson_tail
from incidents.local_statistics import adjust_benjamini_hochberg
from incidents.selection import select_reported

FEWEST_CALLS = 3
"""A place with fewer is not called repeated, whatever p says: a convention of ours."""
ONE_CALLER_SHARE = 0.5
"""From this share of its calls on, a place is said to be one caller's."""


def find_repeat_places(
    incidents: gpd.GeoDataFrame,
    *,
    since: datetime,
    until: datetime,
    by: Literal["building", "unit"] = "building",
    kinds: Collection[str] | None = None,
    exposure: pd.Series | None = None,
    alpha: float = 0.05,
) -> gpd.GeoDataFrame:
    """
    Places by the number of incidents, each with how likely that is by luck.

    Expected is what a place would have if incidents fell on dwellings at random: N e_i / Σe, with the placed
    incidents N and its dwellings e_i. p is the exact Poisson tail P(X ≥ count), q Benjamini–Hochberg over all places
    of `exposure`, those without incidents included.

    Parameters
    ----------
    incidents
        Columns building_id or unit_id, category, source, occurred_from_utc, reporter_key and point geometry.
    since, until
        Period, aware, [since, until).
    by
        building or unit.
    kinds
        Categories to use, None for all.
    exposure
        Dwellings of *every* place, indexed by its id; below 1 counts as 1, and so does a place that is not in it. None:
        expected, p and q are not known, and nothing is called repeated.
    alpha
        False discovery rate.

    Returns
    -------
    One row a place with an incident, most incidents first: place_id, count, expected, p, q, first_utc, last_utc,
    categories (count by category, most first), n_callers (distinct, where known), n_same_caller (calls by the one
    who called most: "N of count from one caller"), repeated, reason (repeat, one_caller, few, chance or no_exposure),
    and the mean place of its incidents.

    Raises
    ------
    BadRecordError
        `by` is neither, or a bad period.
    """
    if by not in ("building", "unit"):
        raise BadRecordError(f"Repeat places by '{by}', expected building or unit. Choose one of them.")
    chosen, _ = select_reported(incidents, since=since, until=until, kinds=kinds)
    chosen = chosen[chosen[f"{by}_id"].notna()]
    points = shapely.centroid(chosen.geometry.to_numpy())
    table = pd.DataFrame(
        {
            "place_id": chosen[f"{by}_id"].astype("str").to_numpy(),
            "category": chosen["category"].to_numpy(),
            "caller": chosen["reporter_key"].to_numpy(),
            "at": pd.to_datetime(chosen["occurred_from_utc"], utc=True).to_numpy(),
            "x": shapely.get_x(points),
            "y": shapely.get_y(points),
        }
    )
    grouped = table.groupby("place_id", sort=True)
    places = grouped.agg(
        count=("at", "size"), first_utc=("at", "min"), last_utc=("at", "max"), x=("x", "mean"), y=("y", "mean")
    )
    by_kind = table.groupby(["place_id", "category"]).size().sort_values(ascending=False, kind="stable")
    breakdown: dict[str, dict[str, int]] = {place: {} for place in places.index}
    for place, category, n in by_kind.reset_index(name="n").itertuples(index=False):
        breakdown[place][category] = int(n)
    by_caller = table.dropna(subset="caller").groupby(["place_id", "caller"]).size()
    callers = by_caller.groupby("place_id").agg(["size", "max"]).reindex(places.index, fill_value=0)

    places["categories"] = pd.Series(breakdown, dtype=object)
    places["n_callers"] = callers["size"].astype("int64")
    places["n_same_caller"] = callers["max"].astype("int64")
    places = places.join(_against_chance(places["count"], exposure))
    places["reason"] = _reasons(places, alpha=alpha)
    places["repeated"] = places["reason"].isin(["repeat", "one_caller"])
    places = places.sort_values(["count", "p"], ascending=[False, True], kind="stable").reset_index()
    geometry = gpd.points_from_xy(places.pop("x"), places.pop("y"))
    found = gpd.GeoDataFrame(places, geometry=geometry, crs=incidents.crs)
    found.attrs["by"] = by
    return found


def _against_chance(count: pd.Series, exposure: pd.Series | None) -> pd.DataFrame:
    if exposure is None or count.empty:
        unknown = np.full(len(count), np.nan)
        return pd.DataFrame({"expected": unknown, "p": unknown, "q": unknown}, index=count.index)
    known = exposure.groupby(exposure.index.astype("str")).sum().astype("float64")
    dwellings = known.reindex(known.index.union(count.index)).fillna(1.0).clip(lower=1.0)
    observed = count.reindex(dwellings.index, fill_value=0).to_numpy()
    expected = observed.sum() * dwellings.to_numpy() / dwellings.sum()
    p = find_poisson_tail(observed - 1, expected)
    tested = pd.DataFrame({"expected": expected, "p": p, "q": adjust_benjamini_hochberg(p)}, index=dwellings.index)
    return tested.loc[count.index]


def _reasons(places: pd.DataFrame, *, alpha: float) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    one_caller = (places["n_same_caller"] >= FEWEST_CALLS) & (
        places["n_same_caller"] >= ONE_CALLER_SHARE * places["count"]
    )
    conditions = [places["q"].isna(), places["count"] < FEWEST_CALLS, places["q"] > alpha, one_caller]
    return np.select([c.to_numpy(bool) for c in conditions], ["no_exposure", "few", "chance", "one_caller"], "repeat")

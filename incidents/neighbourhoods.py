"""Neighbourhoods: what lies within a few steps of each building, against what chance would put on its dwellings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import BadRecordError
from incidents.laws import find_poisson_tail
from incidents.local_statistics import adjust_benjamini_hochberg
from incidents.selection import select_reported

RADIUS_M = 50.0
"""What a patrol sees from one spot: a few houses in a row."""


def find_neighbourhoods(
    incidents: pd.DataFrame,
    buildings: gpd.GeoDataFrame,
    *,
    since: datetime,
    until: datetime,
    kinds: Collection[str] | None = None,
    radius_m: float = RADIUS_M,
    alpha: float = 0.05,
) -> gpd.GeoDataFrame:
    """
    Incidents within `radius_m` of each building, beside what its surroundings' dwellings would have by chance.

    Trouble in a street spreads over houses of which none stands out alone. Expected is N Σe_j / Σe over the buildings j
    whose middle lies within `radius_m` of the middle of this one, with dwellings e and the incidents N that have a
    building. p is the exact Poisson tail, q Benjamini–Hochberg over all buildings: neighbourhoods that share houses
    depend on each other positively, which that procedure allows (Benjamini and Yekutieli 2001,
    doi:10.1214/aos/1013699998).

    Parameters
    ----------
    incidents
        Columns building_id, category, source, occurred_from_utc.
    buildings
        Every building: index building_id, column dwellings (below 1 counts as 1), geometry in metres.
    since, until
        Period, aware, [since, until).
    kinds
        Categories to use, None for all.
    radius_m
        Of a neighbourhood, metres.
    alpha
        False discovery rate.

    Returns
    -------
    One row a building, in the order of `buildings`: place_id, count, expected, p, q, hot, and its middle.

    Raises
    ------
    BadRecordError
        A bad period or radius.
    """
    if not radius_m > 0:
        raise BadRecordError(f"Radius of a neighbourhood is {radius_m} m, expected more than 0. Choose 30 to 100.")
    chosen, _ = select_reported(incidents, since=since, until=until, kinds=kinds)
    middles = shapely.centroid(buildings.geometry.to_numpy())
    own = chosen["building_id"].value_counts().reindex(buildings.index, fill_value=0).to_numpy(dtype=np.int64)
    dwellings = buildings["dwellings"].fillna(0).clip(lower=1).to_numpy(dtype=np.float64)
    at, near = shapely.STRtree(middles).query(middles, predicate="dwithin", distance=radius_m)
    count = np.bincount(at, weights=own[near], minlength=len(buildings)).astype(np.int64)
    around = np.bincount(at, weights=dwellings[near], minlength=len(buildings))
    expected = own.sum() * around / max(float(dwellings.sum()), 1.0)
    p = np.where(expected > 0, find_poisson_tail(count - 1, expected), 1.0)
    q = adjust_benjamini_hochberg(p)
    table = {"place_id": buildings.index.astype("str"), "count": count, "expected": expected, "p": p, "q": q}
    found = gpd.GeoDataFrame({**table, "hot": q <= alpha}, geometry=middles, crs=buildings.crs)
    found.attrs["radius_m"] = radius_m
    return found

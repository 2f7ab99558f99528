"""
Hot cells: where more was reported than chance would put there.

Gi* (Ord and Getis 1995) on square cells, p from the exact permutation law, Benjamini–Hochberg over all cells.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from incidents.cells import CellCounts, count_cells
from incidents.hot_places import HotPlace, rank_hot_places
from incidents.laws import find_normal_tail
from incidents.local_statistics import (
    adjust_benjamini_hochberg,
    box_sums,
    exact_upper_p,
    gi_star,
)
from incidents.selection import select_reported

__all__ = [
    "CellCounts",
    "HotCells",
    "HotPlace",
    "adjust_benjamini_hochberg",
    "count_cells",
    "exact_upper_p",
    "find_hot_cells",
    "gi_star",
    "rank_hot_places",
]

FEWEST_INCIDENTS = 30
"""Below this many in the whole period nothing is called hot; a convention of ours: power is next to none there."""


@dataclass(frozen=True)
class HotCells:
    """Cells with their verdicts, and what they rest on."""

    cells: gpd.GeoDataFrame
    """One row a cell, see `find_hot_cells`"""
    counted: CellCounts
    """The lattice and its counts"""
    since: datetime
    until: datetime
    alpha: float
    """False discovery rate at which a cell is called hot"""
    law: str
    """exact (permutation) or normal (counts too large and varied for the exact law), or none (nothing to test)"""
    reason: str
    """ok, too_few (fewer than `FEWEST_INCIDENTS`), or undefined (cells all alike or all neighbours)"""
    n_incidents: int
    """Incidents counted"""
    n_outside: int
    """Left out: outside the boundary"""
    n_police_found: int
    """Left out: found by the police themselves"""


def find_hot_cells(
    incidents: gpd.GeoDataFrame,
    boundary: BaseGeometry,
    *,
    since: datetime,
    until: datetime,
    kinds: Collection[str] | None = None,
    cell_m: float = 25.0,
    alpha: float = 0.05,
) -> HotCells:
    """
    Cells whose surroundings hold more incidents than chance would put there.

    Parameters
    ----------
    incidents
        Columns category, source, occurred_from_utc and point geometry, in the boundary's metric CRS.
    boundary
        Of the community; incidents outside are left out and counted.
    since, until
        Period, aware, [since, until).
    kinds
        Categories to use, None for all.
    cell_m
        Side of a cell, metres.
    alpha
        False discovery rate.

    Returns
    -------
    `cells` has, in the boundary's CRS: cell_id (row-column), row, col, count, neighbourhood_count (cell and
    neighbours), neighbours (without the cell itself), expected (of neighbourhood_count, every cell being alike),
    z (Gi*), p (upper tail), q (adjusted over all cells), hot, reason (hot, not_hot, too_few or undefined), square.

    Raises
    ------
    BadRecordError
        Bad period, side or boundary.
    """
    chosen, n_police_found = select_reported(incidents, since=since, until=until, kinds=kinds)
    xy = shapely.get_coordinates(shapely.centroid(chosen.geometry.to_numpy()))
    counted = count_cells(xy, boundary, cell_m)
    inside, counts = counted.inside, counted.counts
    n_incidents = int(counts.sum())

    z = gi_star(counts, inside)
    p, law = exact_upper_p(counts, inside), "exact"
    if p is None:
        p, law = find_normal_tail(z), "normal"
    reason = "ok"
    if not np.isfinite(z[inside]).any():
        reason = "undefined"
    if n_incidents < FEWEST_INCIDENTS:
        reason = "too_few"
    if reason != "ok":
        p, law = np.full(counts.shape, np.nan), "none"
    p = np.where(np.isfinite(z), p, np.nan)
    q = adjust_benjamini_hochberg(p)
    hot = q <= alpha

    rows, columns = np.nonzero(inside)
    sizes = box_sums(inside.astype(np.int64), inside)[inside]
    cells = gpd.GeoDataFrame(
        {
            "cell_id": [f"{r}-{c}" for r, c in zip(rows, columns, strict=True)],
            "row": rows,
            "col": columns,
            "count": counts[inside],
            "neighbourhood_count": box_sums(counts, inside)[inside],
            "neighbours": sizes - 1,
            "expected": sizes * (n_incidents / max(int(inside.sum()), 1)),
            "z": z[inside],
            "p": p[inside],
            "q": q[inside],
            "hot": hot[inside],
            "reason": _reasons(reason, hot[inside], z[inside]),
        },
        geometry=counted.polygons(),
        crs=incidents.crs,
    )
    return HotCells(cells, counted, since, until, alpha, law, reason, n_incidents, counted.n_outside, n_police_found)


def _reasons(reason: str, hot: NDArray[np.bool_], z: NDArray[np.float64]) -> pd.Series[str]:
    if reason != "ok":
        return pd.Series([reason] * hot.size, dtype="str")
    return pd.Series(np.where(hot, "hot", np.where(np.isfinite(z), "not_hot", "undefined")), dtype="str")

"""The list for the patrol plan: hot areas and repeat places in one order, each said once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.ndimage import label
from shapely.geometry.base import BaseGeometry

if TYPE_CHECKING:
    from incidents.hotspots import HotCells

EXPLAINED_SHARE = 0.5
"""A repeat place that makes at least this share of an area's excess stands for the area."""


@dataclass(frozen=True, slots=True)
class HotPlace:
    """One line of the list."""

    rank: int
    """From 1"""
    kind: str
    """area (contiguous hot cells), building or unit"""
    name: str
    """Name of the place, or for an area of the repeat places in it; empty where none is known"""
    count: int
    """Incidents in the area or at the place"""
    expected: float
    """What chance would put there"""
    q: float
    """Adjusted p; of an area the least of its cells"""
    reason: str
    """hot_area, repeat or one_caller"""
    n_same_caller: int
    """Of these from one caller, 0 for an area"""
    place_ids: tuple[str, ...]
    """Buildings or units: the place itself, or the repeat places in the area"""
    cell_ids: tuple[str, ...]
    """Hot cells of the area; of a place that stands for an area, that area's"""
    geometry: BaseGeometry
    """Outline of the area, or point of the place, metres"""

    @property
    def excess(self) -> float:
        """Incidents more than chance would put there: what the list is ordered by."""
        return self.count - self.expected


def rank_hot_places(
    hot: HotCells, repeats: gpd.GeoDataFrame, n: int = 10, *, names: Mapping[str, str] | None = None
) -> list[HotPlace]:
    """
    The `n` places with most incidents above chance, hot areas and repeat places together.

    Hot cells that touch, corners included, are one area. A repeat place that makes at least half of what an area has
    above chance stands for that area; else both are listed. Ties: lower q, then more incidents, then place.

    Parameters
    ----------
    hot
        From `find_hot_cells`.
    repeats
        From `find_repeat_places`, same period and kinds.
    names
        Names of places by id, for the list and for naming areas.
    """
    names = names or {}
    repeated = repeats[repeats["repeated"].astype(bool)]
    kind = str(repeats.attrs.get("by", "building"))
    areas = _merge_cells(hot)
    listed: list[HotPlace] = []
    within: dict[int, list[int]] = {}
    if areas and len(repeated):
        tree = shapely.STRtree([area.geometry for area in areas])
        for place_index, area_index in tree.query(repeated.geometry.to_numpy(), predicate="intersects").T.tolist():
            within.setdefault(area_index, []).append(place_index)

    places = [
        HotPlace(
            rank=0,
            kind=kind,
            name=names.get(row.place_id, ""),
            count=int(row.count_),
            expected=float(row.expected),
            q=float(row.q),
            reason=str(row.reason),
            n_same_caller=int(row.n_same_caller),
            place_ids=(str(row.place_id),),
            cell_ids=(),
            geometry=row.geometry,
        )
        for row in repeated.rename(columns={"count": "count_"}).itertuples()
    ]
    for index, area in enumerate(areas):
        members = sorted(within.get(index, []), key=lambda i: -places[i].excess)
        if members and places[members[0]].excess >= EXPLAINED_SHARE * area.excess:
            places[members[0]] = replace(places[members[0]], cell_ids=places[members[0]].cell_ids + area.cell_ids)
            continue
        ids = tuple(places[i].place_ids[0] for i in members)
        called = [names[i] for i in ids if i in names][:2]
        listed.append(replace(area, place_ids=ids, name="、".join(called)))
    listed += places
    listed.sort(key=lambda place: (-place.excess, place.q, -place.count, place.place_ids, place.cell_ids))
    return [replace(place, rank=rank) for rank, place in enumerate(listed[:n], start=1)]


def _merge_cells(hot: HotCells) -> list[HotPlace]:
    cells = hot.cells[hot.cells["hot"]]
    if cells.empty:
        return []
    lattice = np.zeros(hot.counted.inside.shape, dtype=bool)
    lattice[cells["row"], cells["col"]] = True
    numbered, _ = label(lattice, structure=np.ones((3, 3)))
    mean = hot.n_incidents / len(hot.cells)
    areas = []
    for _, part in cells.groupby(numbered[cells["row"], cells["col"]]):
        areas.append(
            HotPlace(
                rank=0,
                kind="area",
                name="",
                count=int(part["count"].sum()),
                expected=mean * len(part),
                q=float(part["q"].min()),
                reason="hot_area",
                n_same_caller=0,
                place_ids=(),
                cell_ids=tuple(part["cell_id"]),
                geometry=shapely.union_all(part.geometry.to_numpy()),
            )
        )
    return areas

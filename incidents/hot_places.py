"""The list for the patrol plan: hot cells, neighbourhoods and repeat places in one order, each place said once."""

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
_NAMED = 2


@dataclass(frozen=True, slots=True)
class HotPlace:
    """One line of the list."""

    rank: int
    """From 1"""
    kind: str
    """area (contiguous hot cells, or a neighbourhood), building or unit"""
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
    hot: HotCells | None,
    repeats: gpd.GeoDataFrame,
    n: int = 10,
    *,
    neighbourhoods: gpd.GeoDataFrame | None = None,
    names: Mapping[str, str] | None = None,
) -> list[HotPlace]:
    """
    The `n` places with most incidents above chance: hot areas, neighbourhoods and repeat places together.

    Hot cells that touch, corners included, are one area. What stands out most is listed first, and what touches a place
    that is listed already is part of it: two doors of one street are one way for a patrol. A repeat place that makes
    at least half of what an area has above chance stands for that area. Ties: lower q, then more incidents, then place.

    Parameters
    ----------
    hot
        From `find_hot_cells`, None where cells were not judged.
    repeats
        From `find_repeat_places`, same period and kinds.
    neighbourhoods
        From `find_neighbourhoods`, same period and kinds; None where nobody knows the dwellings.
    names
        Names of places by id, for the list and for naming areas.
    """
    names = names or {}
    places = _list_places(repeats[repeats["repeated"].astype(bool)], names)
    areas = [*([] if hot is None else _merge_cells(hot)), *_list_neighbourhoods(neighbourhoods)]
    candidates = sorted([*areas, *places], key=_order)
    listed: list[HotPlace] = []
    reached: list[BaseGeometry] = []
    for candidate in candidates:
        if len(listed) == n:
            break
        if shapely.intersects(reached, candidate.geometry).any():
            continue
        reached.append(candidate.geometry)
        listed.append(_explain(candidate, places, areas, names))
    listed.sort(key=_order)
    return [replace(place, rank=rank) for rank, place in enumerate(listed, start=1)]


def _order(place: HotPlace) -> tuple[float, float, int, tuple[str, ...], tuple[str, ...]]:
    return (-place.excess, place.q, -place.count, place.place_ids, place.cell_ids)


def _explain(area: HotPlace, places: list[HotPlace], areas: list[HotPlace], names: Mapping[str, str]) -> HotPlace:
    """An area with its repeat places and hot cells, or the place that makes most of it; a place with its hot cells."""
    touching = [other for other in areas if shapely.intersects(area.geometry, other.geometry)]
    cell_ids = tuple(dict.fromkeys(cell for other in touching for cell in other.cell_ids))
    if area.kind != "area":
        return replace(area, cell_ids=cell_ids)
    members = sorted((place for place in places if shapely.intersects(area.geometry, place.geometry)), key=_order)
    if members and members[0].excess >= EXPLAINED_SHARE * area.excess:
        return replace(members[0], cell_ids=cell_ids)
    ids = tuple(dict.fromkeys(place.place_ids[0] for place in members)) or area.place_ids
    return replace(
        area, place_ids=ids, cell_ids=cell_ids, name="、".join([names[i] for i in ids if names.get(i)][:_NAMED])
    )


def _list_places(repeated: gpd.GeoDataFrame, names: Mapping[str, str]) -> list[HotPlace]:
    kind = str(repeated.attrs.get("by", "building"))
    return [
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


def _list_neighbourhoods(found: gpd.GeoDataFrame | None) -> list[HotPlace]:
    if found is None:
        return []
    radius_m = float(found.attrs["radius_m"])
    return [
        _area(
            int(row.count_), float(row.expected), float(row.q), (str(row.place_id),), (), row.geometry.buffer(radius_m)
        )
        for row in found[found["hot"]].rename(columns={"count": "count_"}).itertuples()
    ]


def _merge_cells(hot: HotCells) -> list[HotPlace]:
    cells = hot.cells[hot.cells["hot"]]
    if cells.empty:
        return []
    lattice = np.zeros(hot.counted.inside.shape, dtype=bool)
    lattice[cells["row"], cells["col"]] = True
    numbered, _ = label(lattice, structure=np.ones((3, 3)))
    mean = hot.n_incidents / len(hot.cells)
    return [
        _area(
            int(part["count"].sum()),
            mean * len(part),
            float(part["q"].min()),
            (),
            tuple(part["cell_id"]),
            shapely.union_all(part.geometry.to_numpy()),
        )
        for _, part in cells.groupby(numbered[cells["row"], cells["col"]])
    ]


def _area(
    count: int, expected: float, q: float, place_ids: tuple[str, ...], cell_ids: tuple[str, ...], shape: BaseGeometry
) -> HotPlace:
    return HotPlace(0, "area", "", count, expected, q, "hot_area", 0, place_ids, cell_ids, shape)

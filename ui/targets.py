"""Where a place is on the table: its middle, how far around it the camera looks, and the outline that is lit."""

from __future__ import annotations

from typing import Any

import geopandas as gpd

from data.queries import find_buildings, find_grids, find_key_sites, find_units, get_place
from data.store import Store
from data.viewer import Viewer
from incidents.hot_places import HotPlace
from layers import LocalFrame
from layers.records import to_points, to_polygons

_RADIUS_M = {"building": 70.0, "unit": 50.0, "site": 60.0, "grid": 140.0, "hot": 90.0}


def find_target(
    store: Store, viewer: Viewer, frame: LocalFrame, kind: str, place_id: str, *, fly: bool
) -> dict[str, Any] | None:
    """Target of a building, unit, key site or grid; None where it is not (any more). `fly` moves the camera as well."""
    if kind == "unit":
        return _find_unit(store, viewer, frame, place_id, fly=fly)
    if kind == "site":
        sites = find_key_sites(store, viewer)
        site = sites[sites["site_id"] == place_id]
        if site.empty:
            return None
        target = find_target(store, viewer, frame, "building", str(site["building_id"].iloc[0]), fly=fly)
        return target or _build_target(site, frame, kind, top_m=0.0, fly=fly)
    rows = find_grids(store, viewer) if kind == "grid" else find_buildings(store, viewer)
    row = rows[rows[f"{kind}_id"] == place_id]
    if row.empty:
        return None
    return _build_target(row, frame, kind, top_m=0.0 if kind == "grid" else float(row["height_m"].iloc[0]), fly=fly)


def _find_unit(store: Store, viewer: Viewer, frame: LocalFrame, unit_id: str, *, fly: bool) -> dict[str, Any] | None:
    building_id = str(get_place(store, viewer, "unit", unit_id).facts["building_id"])
    units = find_units(store, viewer, building_id)
    unit = units[(units["unit_id"] == unit_id) & units.geometry.notna()]
    if unit.empty:
        return find_target(store, viewer, frame, "building", building_id, fly=fly)
    floor_m = unit["elevation_m"].astype("float64").fillna((unit["level"].astype("float64") - 1) * 3.0).iloc[0]
    target = _build_target(unit, frame, "unit", top_m=float(floor_m) + 2.8, fly=fly)
    target["outline"]["floor"] = float(floor_m)
    return target


def build_hot_target(place: HotPlace, frame: LocalFrame) -> dict[str, Any]:
    """Target of a hot place: the camera flies there; its own curtain is its outline."""
    shape = gpd.GeoDataFrame(geometry=[place.geometry])
    return {**_build_target(shape, frame, "hot", top_m=0.0, fly=True), "outline": None}


def _build_target(row: gpd.GeoDataFrame, frame: LocalFrame, kind: str, *, top_m: float, fly: bool) -> dict[str, Any]:
    polygons, _ = to_polygons(row.geometry, frame)
    outline = {"rings": [polygon[0] for polygon in polygons], "top": top_m}
    if not fly:
        return {"outline": outline}
    (x, y), *_ = to_points(row.geometry, frame)
    return {"outline": outline, "x": [x, y], "radius": _RADIUS_M[kind]}

"""
A key site's floor plan as it is drawn on the second screen: parts by storey in the building's own frame, marks with
their symbols, and the way from the nearest open gate to a chosen room, outside and inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely import Point
from shapely.geometry.base import BaseGeometry

from data.queries import find_site_plan, get_place
from data.store import Store
from data.viewer import Viewer
from gis.building_front import Front
from gis.errors import RecordMissingError
from gis.indoor_ways import find_room_way, measure_m
from tasks.pack_facts import find_way

Record = dict[str, Any]
_AROUND_M = 20.0


def build_site_plan(
    store: Store, viewer: Viewer, site_id: str, *, at: datetime, target: int | None = None
) -> Record | None:
    """
    The plan as the browser draws it, with the way to part `target`; None where the site has none.

    Raises
    ------
    RecordMissingError, PurposeNeededError
        As `find_site_plan`.
    """
    parts = find_site_plan(store, viewer, site_id)
    if parts.empty:
        return None
    place = get_place(store, viewer, "site", site_id).facts
    front, outline, doors = find_site_front(store, site_id, parts)
    return {
        "id": site_id,
        "name": str(place["name"]),
        "size": np.round(front.size_m, 2).tolist(),
        "outline": draw_rings(outline, front),
        "levels": sorted({int(level) for level in parts["level"]}, reverse=True),
        "parts": draw_parts(parts, front),
        "entrances": np.round(front.turn(doors), 2).tolist() if len(doors) else [],
        "way": _find_way(store, place, parts, front, target, at=at),
    }


def find_site_front(store: Store, site_id: str, parts: gpd.GeoDataFrame) -> tuple[Front, BaseGeometry, Any]:
    """The frame that a site is drawn in: of its building, else around its plan, else 40 m around its point."""
    site = store.read_geo("SELECT building_id, ST_AsWKB(geom) AS geom FROM key_sites WHERE site_id = ?", [site_id])
    if site.empty:
        raise RecordMissingError(f"There is no key site '{site_id[:60]}'. Choose it again.")
    sql = "SELECT ST_AsWKB(geom) AS geom FROM {table} WHERE building_id = ?"
    houses = store.read_geo(sql.format(table="buildings"), [site["building_id"].iloc[0]])
    doors = store.read_geo(sql.format(table="entrances"), [site["building_id"].iloc[0]])
    places = shapely.get_coordinates(doors.geometry.to_numpy())
    around = site.geometry.iloc[0].buffer(_AROUND_M) if parts.empty else shapely.union_all(parts.geometry.to_numpy())
    outline = around.envelope if houses.empty else houses.geometry.iloc[0]
    return Front(outline, places), outline, places


def draw_rings(shape: BaseGeometry, front: Front) -> list[list[list[float]]]:
    """Outer rings of a shape in the frame, to the centimetre."""
    polygons = [one for one in shapely.get_parts(shape) if one.geom_type == "Polygon"]
    return [np.round(front.turn(shapely.get_coordinates(one.exterior)), 2).tolist() for one in polygons]


def draw_parts(parts: gpd.GeoDataFrame, front: Front) -> list[Record]:
    """Parts in the frame: `p` rings, `d` lines, `x` a place."""
    return [_draw(row, front) for row in parts.to_dict("records")]


def _draw(row: Mapping[Any, Any], front: Front) -> Record:
    shape = row["geom"]
    name = row["name"] if isinstance(row["name"], str) else ""
    record: Record = {"i": int(row["part_id"]), "l": int(row["level"]), "k": row["kind"], "n": name}
    if shape.geom_type.endswith("Polygon"):
        middle = front.turn(shapely.get_coordinates(shape.representative_point()))[0]
        return {**record, "p": draw_rings(shape, front), "x": np.round(middle, 2).tolist()}
    if shape.geom_type == "Point":
        return {**record, "x": np.round(front.turn(shapely.get_coordinates(shape))[0], 2).tolist()}
    lines = shapely.get_parts(shape)
    return {**record, "d": [np.round(front.turn(shapely.get_coordinates(line)), 2).tolist() for line in lines]}


def _find_way(
    store: Store, place: Mapping[str, Any], parts: gpd.GeoDataFrame, front: Front, target: int | None, *, at: datetime
) -> Record | None:
    """Outside from the nearest open gate to the door, inside from there to the part; either may be unknown."""
    ids = parts["part_id"].astype(int).tolist()
    if target not in ids:
        return None
    middle = shapely.union_all(parts.geometry.to_numpy()).centroid
    asked = {"x_m": middle.x, "y_m": middle.y, "building_id": place["building_id"], "unit_id": None}
    outside = find_way(store, asked, at=at)
    door = middle if outside is None else Point(outside.route.line.coords[-1])
    shapes = list(zip(parts["level"].astype(int), parts["kind"].astype(str), parts.geometry, strict=True))
    inside = find_room_way(shapes, ids.index(target), door)
    return {
        "to": target,
        "gate": None if outside is None else outside.gate.name,
        "outside_m": None if outside is None else round(outside.route.length_m),
        "outside_s": None if outside is None else round(outside.route.travel_time_s),
        "inside_m": None if inside is None else round(measure_m([line for _, line in inside])),
        "legs": [
            {"l": level, "d": np.round(front.turn(shapely.get_coordinates(line)), 2).tolist()}
            for level, line in inside or ()
        ],
    }

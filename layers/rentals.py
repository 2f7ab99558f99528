"""
Rentals as lit windows in the façade, suspected group rentals as full boxes that stand out of it: unit by unit.

Only walls that look outside are lit. Flat windows cost a machine without a graphics card a third of boxes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from data.queries import find_buildings, find_rentals
from layers.drawn import HOMES
from layers.frame import LocalFrame
from layers.palette import GROUP_RENTAL, RENTAL
from layers.records import Ring, lift, to_polygons
from layers.scene import Records, Scene, SceneRequest

_STANDS_OUT_M = 0.35
_WINDOW_OUT_M = 0.2  # far enough from the wall that the two do not flicker
_FLOOR_M = 3.0
_WINDOW_SILL_M, _WINDOW_M = 0.9, 1.6  # a lit band at window height
_BOX_SILL_M, _BOX_M = 0.2, 2.6  # nearly the whole storey: another form, not only another colour
_LEAST_WINDOW_M = 1.0


def _find_units(request: SceneRequest, *, suspected: bool) -> gpd.GeoDataFrame:
    frame = find_rentals(request.store, request.viewer, only=request.only)
    frame = frame[(frame["suspected_group"] == suspected) & (frame["place"] == "unit")].reset_index(drop=True)
    levels = frame["level"].astype("float64").fillna(1.0)
    return frame.assign(base_m=frame["elevation_m"].astype("float64").fillna((levels - 1.0) * _FLOOR_M))


def _build_boxes(request: SceneRequest) -> Records:
    frame = _find_units(request, suspected=True)
    polygons, owners = to_polygons(frame.buffer(_STANDS_OUT_M, join_style="mitre"), request.frame)
    ids, buildings, bases = frame["rental_id"].tolist(), frame["building_id"].tolist(), frame["base_m"].tolist()
    return [
        {
            "p": lift(polygon, round(bases[i] + _BOX_SILL_M, 2)),
            "h": _BOX_M,
            "c": GROUP_RENTAL,
            "id": ids[i],
            "b": buildings[i],
        }
        for polygon, i in zip(polygons, owners, strict=True)
    ]


def _build_windows(request: SceneRequest) -> Records:
    frame = _find_units(request, suspected=False)
    around = None if request.only is None else frozenset(frame["building_id"].dropna())
    bodies = find_buildings(request.store, request.viewer, only=around).set_index("building_id").geometry
    outlines = shapely.boundary(bodies.reindex(frame["building_id"]).to_numpy())
    outside = shapely.intersection(shapely.boundary(frame.geometry.to_numpy()), shapely.buffer(outlines, 0.05))
    ids, buildings, bases = frame["rental_id"].tolist(), frame["building_id"].tolist(), frame["base_m"].tolist()
    middles = frame.geometry.centroid
    places = np.column_stack([middles.x, middles.y])
    return [
        {"p": [quad], "c": RENTAL, "id": ids[i], "b": buildings[i]}
        for i, lines in enumerate(outside)
        for quad in _windows(lines, places[i], bases[i] + _WINDOW_SILL_M, request.frame)
    ]


def _windows(lines: BaseGeometry | None, middle: np.ndarray[Any, Any], sill_m: float, frame: LocalFrame) -> list[Ring]:
    """Upright faces before the outer walls of one home, closed rings with heights."""
    if lines is None:  # the building is not known
        return []
    merged = shapely.line_merge(lines) if lines.geom_type == "MultiLineString" else lines
    quads: list[Ring] = []
    for line in shapely.get_parts(merged):
        if line.geom_type != "LineString":
            continue
        points = shapely.get_coordinates(line.simplify(0.1))
        for start, end in pairwise(points):
            along = end - start
            length = float(np.hypot(*along))
            if length < _LEAST_WINDOW_M:
                continue
            normal = np.array([along[1], -along[0]]) / length
            out = normal * _WINDOW_OUT_M * (1.0 if normal @ ((start + end) / 2 - middle) > 0 else -1.0)
            inset = along / length * 0.3
            (ax, ay), (bx, by) = frame.to_local(np.array([start + out + inset, end + out - inset])).tolist()
            low, high = round(sill_m, 2), round(sill_m + _WINDOW_M, 2)
            quads.append([[ax, ay, low], [bx, by, low], [bx, by, high], [ax, ay, high], [ax, ay, low]])
    return quads


_TABLES = ("rentals", "units", "floors", "buildings", "community")
RENTALS = Scene("rentals", _TABLES, _build_windows, draws=HOMES, keyed="rentals")
GROUP_RENTALS = Scene("group_rentals", _TABLES, _build_boxes, draws=HOMES, keyed="rentals")

"""
Words on the table: numbers of buildings, zones, grids with their worker's call sign, names of roads and water.

A record has the text `t`, its class `c`, a place `x` (metres, height last), and for roads a second place `y` that gives
the direction. The browser places the most important first and leaves out what would cover them.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from data.queries import find_buildings, find_gates, find_grids, find_land, find_rentals, find_roads
from layers.frame import LocalFrame
from layers.records import to_hours, to_points, to_texts
from layers.scene import Records, Scene, SceneRequest

_LABEL_OVER_ROOF_M = 2.5
_ROAD_LABEL_EVERY_M = 260.0
_ROAD_LABEL_MIN_M = 45.0
_ROAD_KINDS = ("main", "secondary", "inner")

Label = dict[str, object]


def _building_labels(request: SceneRequest, buildings: gpd.GeoDataFrame) -> list[Label]:
    named = buildings[buildings["name"].fillna("") != ""]
    area = named.area.to_numpy()
    tops = (named["height_m"] + _LABEL_OVER_ROOF_M).round(1)
    columns = zip(named["building_id"], named["name"], tops, area, strict=True)
    return [
        {"t": name, "c": "building", "x": [x, y, top], "r": round(float(size) ** 0.5, 1), "id": building_id}
        for (x, y), (building_id, name, top, size) in zip(
            to_points(named.geometry, request.frame), columns, strict=True
        )
    ]


def _zone_labels(request: SceneRequest, buildings: gpd.GeoDataFrame) -> list[Label]:
    zoned = buildings[buildings["zone"].fillna("") != ""]
    if zoned.empty:
        return []
    middles = gpd.GeoSeries(zoned.dissolve("zone").geometry.convex_hull.centroid)
    return [
        {"t": str(zone), "c": "zone", "x": [x, y, 34.0]}
        for zone, (x, y) in zip(middles.index, to_points(middles, request.frame), strict=True)
    ]


def _grid_labels(request: SceneRequest) -> Records:
    grids = find_grids(request.store, request.viewer)
    points = to_points(gpd.GeoSeries(grids.geometry), request.frame)
    columns = zip(grids["grid_id"], grids["number"], grids["worker_call_sign"].fillna(""), strict=True)
    return [
        {"t": f"{number:02d}", "s": worker, "c": "grid", "x": [x, y, 0.0], "id": grid_id}
        for (x, y), (grid_id, number, worker) in zip(points, columns, strict=True)
    ]


def _road_labels(request: SceneRequest) -> list[Label]:
    roads = find_roads(request.store, request.viewer)
    roads = roads[roads["kind"].isin(_ROAD_KINDS) & (roads["name"].fillna("") != "")]
    labels: list[Label] = []
    for name, group in roads.groupby("name"):
        merged = shapely.line_merge(shapely.union_all(group.geometry.to_numpy()))
        for line in shapely.get_parts(merged):
            if line.length >= _ROAD_LABEL_MIN_M:
                labels += _along(str(name), line, request.frame)
    return labels


def _along(name: str, line: shapely.LineString, frame: LocalFrame) -> list[Label]:
    count = max(1, int(line.length // _ROAD_LABEL_EVERY_M))
    labels: list[Label] = []
    for position in (np.arange(count) + 0.5) / count * line.length:
        ends = shapely.get_coordinates(shapely.line_interpolate_point(line, [position - 8, position + 8]))
        (ax, ay), (bx, by) = frame.to_local(ends).tolist()
        labels.append({"t": name, "c": "road", "x": [ax, ay, 0.3], "y": [bx, by, 0.3]})
    return labels


def _water_labels(request: SceneRequest) -> list[Label]:
    land = find_land(request.store, request.viewer)
    land = land[land["kind"].isin(["water", "square", "pitch", "green"]) & (land["name"].fillna("") != "")]
    # A river or a square in several pieces is named once, on its largest.
    land = land.assign(size=land.area).sort_values("size", ascending=False, kind="stable").drop_duplicates("name")
    kinds = ["water" if kind == "water" else "green" for kind in land["kind"]]
    return [
        {"t": name, "c": kind, "x": [x, y, 0.3]}
        for (x, y), name, kind in zip(to_points(land.geometry, request.frame), land["name"], kinds, strict=True)
    ]


def _gate_labels(request: SceneRequest) -> list[Label]:
    gates = find_gates(request.store, request.viewer)
    columns = zip(to_texts(gates["name"]), to_hours(gates["closes_at"], gates["opens_at"]), strict=True)
    return [
        {"t": name, "s": closed, "c": "gate", "x": [x, y, 4.0]}
        for (x, y), (name, closed) in zip(to_points(gates.geometry, request.frame), columns, strict=True)
        if name
    ]


def _rental_marks(request: SceneRequest, buildings: gpd.GeoDataFrame) -> list[Label]:
    """Rentals of a building: seen from straight above its lit windows are hidden, so a number says them."""
    rentals = find_rentals(request.store, request.viewer)
    counts = rentals[~rentals["suspected_group"]].groupby("building_id").size()
    held = buildings[buildings["building_id"].isin(counts.index)]
    columns = zip(held["building_id"], held["height_m"], strict=True)
    return [
        {"t": str(int(counts[building_id])), "c": "rental", "x": [x, y, round(height + 3.0, 1)], "id": building_id}
        for (x, y), (building_id, height) in zip(to_points(held.geometry, request.frame), columns, strict=True)
    ]


def _suspicion_marks(request: SceneRequest, buildings: gpd.GeoDataFrame) -> list[Label]:
    rentals = find_rentals(request.store, request.viewer)
    counts = rentals[rentals["suspected_group"]].groupby("building_id").size()
    held = buildings[buildings["building_id"].isin(counts.index)]
    columns = zip(held["building_id"], held["height_m"], strict=True)
    return [
        {"t": str(int(counts[building_id])), "c": "group", "x": [x, y, round(height + 5.0, 1)], "id": building_id}
        for (x, y), (building_id, height) in zip(to_points(held.geometry, request.frame), columns, strict=True)
    ]


def _build(request: SceneRequest) -> Records:
    buildings = find_buildings(request.store, request.viewer)
    return [
        *_zone_labels(request, buildings),
        *_suspicion_marks(request, buildings),
        *_rental_marks(request, buildings),
        *_water_labels(request),
        *_road_labels(request),
        *_building_labels(request, buildings),
        *_gate_labels(request),
    ]


LABELS = Scene("labels", ("buildings", "roads", "land", "gates", "rentals", "community"), _build)
GRID_LABELS = Scene("grid_labels", ("grids", "community"), _grid_labels)

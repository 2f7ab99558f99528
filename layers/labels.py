"""
Words on the table: zones, grids with their worker's call sign, names of roads and water, and in a file of its own, of
which a change sends one record only, names of buildings.

A record has the text `t`, its class `c`, a place `x` (metres, height last), and for roads a second place `y` that gives
the direction. The browser places the most important first and leaves out what would cover them.
"""

from __future__ import annotations

from functools import lru_cache

import geopandas as gpd
import numpy as np
import shapely

from data.queries import find_buildings, find_gates, find_grids, find_land, find_rentals, find_roads
from data.store import Store
from data.viewer import Viewer
from layers import drawn
from layers.buildings import find_touched_bodies
from layers.frame import LocalFrame
from layers.records import to_hours, to_points, to_texts
from layers.scene import Records, Scene, SceneRequest

_LABEL_OVER_ROOF_M = 2.5
_ROAD_LABEL_EVERY_M = 260.0
_ROAD_LABEL_MIN_M = 45.0
_ROAD_KINDS = ("main", "secondary", "inner")

Label = dict[str, object]


def _build_names(request: SceneRequest) -> Records:
    found = find_touched_bodies(request)
    sizes = np.sqrt(shapely.area(found["geom"])).round(1).tolist()
    tops = (np.asarray(found["height_m"], dtype=float) + _LABEL_OVER_ROOF_M).round(1).tolist()
    columns = zip(found["building_id"], found["name"], tops, sizes, strict=True)
    return [
        {"t": name, "c": "building", "x": [x, y, top], "r": size, "id": building_id}
        for (x, y), (building_id, name, top, size) in zip(to_points(found["geom"], request.frame), columns, strict=True)
        if name
    ]


def _zone_labels(request: SceneRequest, buildings: gpd.GeoDataFrame) -> list[Label]:
    zoned = buildings[buildings["zone"].fillna("") != ""]
    if zoned.empty:
        return []
    zones, owner = np.unique(zoned["zone"].to_numpy(dtype=str), return_inverse=True)
    xy, building = shapely.get_coordinates(zoned.geometry.to_numpy(), return_index=True)
    hulls = [shapely.convex_hull(shapely.multipoints(xy[owner[building] == n])) for n in range(len(zones))]
    middles = gpd.GeoSeries(shapely.centroid(hulls))
    return [
        {"t": str(zone), "c": "zone", "x": [x, y, 34.0]}
        for zone, (x, y) in zip(zones, to_points(middles, request.frame), strict=True)
    ]


def _grid_labels(request: SceneRequest) -> Records:
    grids = find_grids(request.store, request.viewer)
    points = to_points(gpd.GeoSeries(grids.geometry), request.frame)
    columns = zip(grids["grid_id"], grids["number"], grids["worker_call_sign"].fillna(""), strict=True)
    return [
        {"t": f"{number:02d}", "s": worker, "c": "grid", "x": [x, y, 0.0], "id": grid_id}
        for (x, y), (grid_id, number, worker) in zip(points, columns, strict=True)
    ]


@lru_cache(maxsize=8)
def _ground_labels(store: Store, viewer: Viewer, frame: LocalFrame, _revision: int) -> list[Label]:
    """Names on the ground, kept: they hardly ever change, the buildings' do."""
    return [*_water_labels(store, viewer, frame), *_road_labels(store, viewer, frame)]


def _road_labels(store: Store, viewer: Viewer, frame: LocalFrame) -> list[Label]:
    roads = find_roads(store, viewer)
    roads = roads[roads["kind"].isin(_ROAD_KINDS) & (roads["name"].fillna("") != "")]
    labels: list[Label] = []
    for name, group in roads.groupby("name"):
        merged = shapely.line_merge(shapely.union_all(group.geometry.to_numpy()))
        for line in shapely.get_parts(merged):
            if line.length >= _ROAD_LABEL_MIN_M:
                labels += _along(str(name), line, frame)
    return labels


def _along(name: str, line: shapely.LineString, frame: LocalFrame) -> list[Label]:
    count = max(1, int(line.length // _ROAD_LABEL_EVERY_M))
    labels: list[Label] = []
    for position in (np.arange(count) + 0.5) / count * line.length:
        ends = shapely.get_coordinates(shapely.line_interpolate_point(line, [position - 8, position + 8]))
        (ax, ay), (bx, by) = frame.to_local(ends).tolist()
        labels.append({"t": name, "c": "road", "x": [ax, ay, 0.3], "y": [bx, by, 0.3]})
    return labels


def _water_labels(store: Store, viewer: Viewer, frame: LocalFrame) -> list[Label]:
    land = find_land(store, viewer)
    land = land[land["kind"].isin(["water", "square", "pitch", "green"]) & (land["name"].fillna("") != "")]
    # A river or a square in several pieces is named once, on its largest.
    land = land.assign(size=land.area).sort_values("size", ascending=False, kind="stable").drop_duplicates("name")
    kinds = ["water" if kind == "water" else "green" for kind in land["kind"]]
    return [
        {"t": name, "c": kind, "x": [x, y, 0.3]}
        for (x, y), name, kind in zip(to_points(land.geometry, frame), land["name"], kinds, strict=True)
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
    """
    Rentals of a building: seen from straight above its lit windows are hidden, so a number says them.

    Suspected group rentals come first: they win a place where there is not enough for both.
    """
    rentals = find_rentals(request.store, request.viewer)
    if rentals.empty:
        return []
    places = dict(zip(buildings["building_id"], range(len(buildings)), strict=True))
    marks: list[Label] = []
    for kind, suspected, over_roof_m in (("group", True, 5.0), ("rental", False, 3.0)):
        counts = rentals[rentals["suspected_group"] == suspected].groupby("building_id").size()
        counts = counts[counts.index.isin(places)]
        held = buildings.iloc[[places[building_id] for building_id in counts.index]]
        columns = zip(counts.index, counts.tolist(), held["height_m"], strict=True)
        marks += [
            {"t": str(count), "c": kind, "x": [x, y, round(height + over_roof_m, 1)], "id": building_id}
            for (x, y), (building_id, count, height) in zip(
                to_points(held.geometry, request.frame), columns, strict=True
            )
        ]
    return marks


def _build(request: SceneRequest) -> Records:
    buildings = find_buildings(request.store, request.viewer)
    revision = request.store.revision("roads", "land", "gates")
    return [
        *_zone_labels(request, buildings),
        *_rental_marks(request, buildings),
        *_ground_labels(request.store, request.viewer, request.frame, revision),
        *_gate_labels(request),
    ]


LABELS = Scene(
    "labels", ("buildings", "roads", "land", "gates", "rentals", "units", "community"), _build, draws=drawn.WORDS
)
NAMES = Scene("names", ("buildings", "community"), _build_names, draws=drawn.NAMES, keyed="buildings")
GRID_LABELS = Scene("grid_labels", ("grids", "community"), _grid_labels)

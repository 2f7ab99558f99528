"""
Roads and paths as faces: all of a kind in one, so that pieces meet without seams; footpaths first, main roads on top.

Merged faces draw in half the time of wide lines with round joints (software-rendered Chromium, 1,400 pieces).
"""

from __future__ import annotations

import geopandas as gpd
import shapely

from data.queries import find_roads
from layers.palette import ROAD
from layers.records import to_polygons
from layers.scene import Records, Scene, SceneRequest

_ORDER = ("footpath", "steps", "cycleway", "other", "service", "inner", "secondary", "main")
_ROUND = 2  # segments a quarter circle: a kerb, not a gear
_LEAST_WIDTH_M = 1.0
_TOLERANCE_M = 0.05


def _build(request: SceneRequest) -> Records:
    roads = find_roads(request.store, request.viewer)
    records: list[dict[str, object]] = []
    for kind in _ORDER:
        some = roads[roads["kind"] == kind] if kind != "other" else roads[~roads["kind"].isin(set(_ORDER) - {"other"})]
        if some.empty:
            continue
        half = some["width_m"].clip(lower=_LEAST_WIDTH_M) / 2
        face = shapely.union_all(some.geometry.buffer(half, quad_segs=_ROUND).to_numpy()).simplify(_TOLERANCE_M)
        polygons, _ = to_polygons(gpd.GeoSeries([face]), request.frame)
        records += [{"p": polygon, "c": ROAD[kind]} for polygon in polygons]
    return records


ROADS = Scene("roads", ("roads", "community"), _build)

"""Rentals as lit windows, suspected group rentals as full boxes: unit by unit, on their storey."""

from __future__ import annotations

import geopandas as gpd

from data.queries import find_rentals
from layers.palette import GROUP_RENTAL, RENTAL
from layers.records import lift, to_polygons
from layers.scene import Records, Scene, SceneRequest

_STANDS_OUT_M = 0.35
_FLOOR_M = 3.0
_WINDOW_SILL_M, _WINDOW_M = 0.9, 1.6  # a lit band at window height
_BOX_SILL_M, _BOX_M = 0.2, 2.6  # nearly the whole storey: another form, not only another colour


def _build(request: SceneRequest, *, suspected: bool) -> Records:
    frame = find_rentals(request.store, request.viewer)
    frame = frame[(frame["suspected_group"] == suspected) & (frame["place"] == "unit")].reset_index(drop=True)
    shapes = gpd.GeoSeries(frame.geometry).buffer(_STANDS_OUT_M, join_style="mitre")
    polygons, owners = to_polygons(shapes, request.frame)
    sill, height = (_BOX_SILL_M, _BOX_M) if suspected else (_WINDOW_SILL_M, _WINDOW_M)
    ids, buildings = frame["rental_id"].tolist(), frame["building_id"].tolist()
    levels = frame["level"].astype("float64").fillna(1.0)
    elevations = frame["elevation_m"].astype("float64").fillna((levels - 1.0) * _FLOOR_M).tolist()
    colour = GROUP_RENTAL if suspected else RENTAL
    return [
        {"p": lift(polygon, round(elevations[i] + sill, 2)), "h": height, "c": colour, "id": ids[i], "b": buildings[i]}
        for polygon, i in zip(polygons, owners, strict=True)
    ]


RENTALS = Scene("rentals", ("rentals", "units", "floors", "community"), lambda r: _build(r, suspected=False))
GROUP_RENTALS = Scene("group_rentals", ("rentals", "units", "floors", "community"), lambda r: _build(r, suspected=True))

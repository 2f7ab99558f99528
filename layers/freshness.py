"""
How fresh what is known of a building is: a plate over its roof, green and whole, pale and narrower, or grey and a
narrow rest by age. Nothing for a building without anything to visit, and no word of what was found.

The age is that of the middle one of the records that visits see there (rentals, key sites), as of the day on which any
of them was last written: with a visit closed each day that is today.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import geopandas as gpd
import shapely
from shapely import MultiPolygon, Polygon

from data.moments import get_aware
from data.queries import find_freshness
from data.store import Store
from layers.palette import FRESHNESS
from layers.records import lift, to_polygons
from layers.scene import Records, Scene, SceneRequest

NARROWED: Mapping[str, float] = {"fresh": 0.0, "ageing": 0.4, "old": 0.75}
"""How far the edge of a plate is from that of the roof, as a share of the way to its middle."""
FRESH_DAYS, OLD_DAYS = 30, 90
"""Younger is green, older or never verified is grey; a green rental is visited every 21 days."""
_OVER_ROOF_M = 3.2  # above the ridge of a pitched roof
_PLATE_M = 0.5
_TABLES = ("rentals", "key_sites", "units", "register_checks", "buildings", "community")
_DRAWS = {
    "buildings": "building_id, height_m, base_m, geom",
    "community": "community_id, crs, boundary, data_as_of, synthetic",
    "rentals": "rental_id, unit_id, building_id, verified_utc, last_visit_on, batch_id",
    "key_sites": "site_id, building_id, last_visit_on, batch_id",
    "units": "unit_id, building_id",
}


def choose_age(age_days: float | None) -> str:
    """`fresh`, `ageing` or `old` of an age in days; None and not-a-number are "never verified" and old."""
    if age_days is None or math.isnan(age_days) or age_days > OLD_DAYS:
        return "old"
    return "fresh" if age_days <= FRESH_DAYS else "ageing"


def shrink(roof: Polygon | MultiPolygon, age: str) -> shapely.Geometry:
    """The plate of an age over a roof: what is known less well covers less of it."""
    inwards_m = NARROWED[age] * shapely.length(shapely.maximum_inscribed_circle(roof)) if NARROWED[age] else 0.0
    return shapely.buffer(roof, -inwards_m, join_style="mitre") if inwards_m else roof


def find_day(store: Store) -> datetime:
    """When the registers were last written; of the invented sample, whose time stands still, when it was true."""
    rows = store.read("SELECT max(data_as_of) FILTER (synthetic) AS at FROM community")
    if rows["at"].notna().any():
        return get_aware(rows["at"].iloc[0])
    changed = store.read(
        "SELECT max(changed_utc) AS at FROM revisions WHERE table_name IN ('rentals', 'key_sites', 'register_checks')"
    )
    return get_aware(changed["at"].iloc[0]) if changed["at"].notna().any() else datetime(2026, 1, 1, tzinfo=UTC)


def _build(request: SceneRequest) -> Records:
    frame = find_freshness(request.store, request.viewer, now=find_day(request.store))
    frame = frame[frame["records"] > 0].reset_index(drop=True)
    ages = [choose_age(age) for age in frame["age_days"].astype("float64").tolist()]
    plates = gpd.GeoSeries([shrink(roof, age) for roof, age in zip(frame.geometry, ages, strict=True)], crs=frame.crs)
    polygons, owners = to_polygons(plates, request.frame)
    tops = (frame["base_m"].fillna(0) + frame["height_m"] + _OVER_ROOF_M).round(1).tolist()
    ids = frame["building_id"].tolist()
    return [
        {"p": lift(polygon, tops[owner]), "h": _PLATE_M, "c": FRESHNESS[ages[owner]], "id": ids[owner]}
        for polygon, owner in zip(polygons, owners, strict=True)
    ]


FRESHNESS_SCENE = Scene("freshness", _TABLES, _build, draws=_DRAWS)

"""Columns that decide what a scene shows, by table: what else is written there changes no scene file."""

from __future__ import annotations

from typing import Final

FRAME: Final = {"community": "community_id, crs, boundary"}
SHAPES: Final = {
    "buildings": "building_id, height_m, base_m, floors_above, height_source, floors_source, roof, geom",
    **FRAME,
}
BODIES: Final = {
    "buildings": f"{SHAPES['buildings']}, name, zone, use, address_id",
    "addresses": "address_id, full_text",
    **FRAME,
}
HOMES: Final = {
    "rentals": "rental_id, unit_id, building_id, suspected_group",
    "units": "unit_id, building_id, level, geom",
    "floors": "floor_id, building_id, level, elevation_m",
    "buildings": "building_id, geom",
    **FRAME,
}
NAMES: Final = {"buildings": "building_id, name, height_m, geom", **FRAME}
WORDS: Final = {
    "buildings": "building_id, zone, height_m, geom",
    "rentals": HOMES["rentals"],
    "units": "unit_id, building_id",
    "roads": "road_id, name, kind, geom",
    "land": "land_id, name, kind, geom",
    "gates": "gate_id, name, closes_at, opens_at, geom",
    **FRAME,
}
SITES: Final = {"key_sites": "site_id, name, kind, building_id, geom", "buildings": "building_id, height_m", **FRAME}

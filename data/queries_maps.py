"""Frames for drawing: one function a subject, geometry in the community's metric CRS, masked for the viewer."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from data.moments import to_stored_time
from data.reading import find_history_start, narrow, read_columns, read_rows, read_shapes
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_BUILDINGS = """
SELECT b.building_id, b.name, b.zone, b.number, a.full_text AS address, b.grid_id, b.use, b.floors_above,
    b.floors_below, b.height_m, b.base_m, b.height_source, b.floors_source, b.year_built, b.roof,
    ST_AsWKB(b.geom) AS geom
FROM {buildings} b LEFT JOIN addresses a USING (address_id)
ORDER BY b.building_id
"""

_BODIES = """
SELECT b.building_id, b.name, b.zone, a.full_text AS address, b.use, b.floors_above, b.height_m, b.base_m,
    b.height_source, b.floors_source, b.roof, ST_AsWKB(b.geom) AS geom
FROM {buildings} b LEFT JOIN addresses a USING (address_id)
ORDER BY b.building_id
"""

_GRIDS = """
WITH homes AS (
    SELECT b.grid_id, sum(u.residents_count) AS residents, sum(u.floating_count) AS floating, count(*) AS units
    FROM units u JOIN buildings b USING (building_id) GROUP BY b.grid_id
), lets AS (
    SELECT b.grid_id, count(*) AS rentals, count(*) FILTER (r.suspected_group) AS suspected
    FROM rentals r LEFT JOIN units u USING (unit_id)
    JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id) GROUP BY b.grid_id
), sites AS (
    SELECT g.grid_id, count(*) AS key_sites
    FROM key_sites s LEFT JOIN buildings b USING (building_id)
    JOIN grids g ON CASE WHEN b.grid_id IS NULL THEN ST_Intersects(g.geom, s.geom) ELSE g.grid_id = b.grid_id END
    GROUP BY g.grid_id
), alarms AS (
    SELECT grid_id, count(*) AS incidents FROM incidents
    WHERE reported_utc >= $since AND status NOT IN ('cancelled', 'duplicate') GROUP BY grid_id
), houses AS (SELECT grid_id, count(*) AS buildings FROM buildings GROUP BY grid_id)
SELECT g.grid_id, g.number, g.name, w.call_sign AS worker_call_sign, w.full_time AS worker_full_time,
    coalesce(houses.buildings, 0)::BIGINT AS buildings, coalesce(homes.units, 0)::BIGINT AS units,
    coalesce(homes.residents, 0)::BIGINT AS residents_count, coalesce(homes.floating, 0)::BIGINT AS floating_count,
    coalesce(lets.rentals, 0)::BIGINT AS rentals,
    coalesce(lets.suspected, 0)::BIGINT AS suspected_group_rentals,
    coalesce(sites.key_sites, 0)::BIGINT AS key_sites, coalesce(alarms.incidents, 0)::BIGINT AS incidents_84_days,
    ST_Area(g.geom) AS area_m2, ST_AsWKB(g.geom) AS geom
FROM grids g LEFT JOIN responders w ON w.responder_id = g.worker_responder_id
    LEFT JOIN houses ON houses.grid_id = g.grid_id LEFT JOIN homes ON homes.grid_id = g.grid_id
    LEFT JOIN lets ON lets.grid_id = g.grid_id LEFT JOIN sites ON sites.grid_id = g.grid_id
    LEFT JOIN alarms ON alarms.grid_id = g.grid_id
ORDER BY g.number, g.grid_id
"""

_ZONES = """
SELECT zone_id, name, kind, review_on, ST_AsWKB(geom) AS geom FROM zones WHERE status = 'open' ORDER BY zone_id
"""

_RENTALS = """
WITH placed AS (
    SELECT r.*, b.building_id AS place_id, b.name AS building_name, b.zone, b.grid_id, u.level, u.room,
        f.elevation_m, f.height_m AS floor_height_m, a.full_text AS address,
        CASE WHEN u.geom IS NOT NULL THEN 'unit' WHEN b.geom IS NOT NULL THEN 'building' END AS place,
        coalesce(u.geom, ST_PointOnSurface(b.geom)) AS geom
    FROM {rentals} r LEFT JOIN units u USING (unit_id)
        LEFT JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id)
        LEFT JOIN floors f ON f.building_id = b.building_id AND f.level = u.level
        LEFT JOIN addresses a ON a.address_id = u.address_id
)
SELECT rental_id, unit_id, place_id AS building_id, building_name, zone, grid_id, address, level, room, elevation_m,
    floor_height_m, rooms_count, beds_count, tenants_count, area_m2, colour, registered_on, last_visit_on,
    suspected_group, suspicion_reason, confirmed_utc, landlord_name, landlord_phone, place, ST_AsWKB(geom) AS geom
FROM placed WHERE (geom IS NOT NULL OR NOT $placed) AND ($grids IS NULL OR list_contains($grids, grid_id))
ORDER BY rental_id
"""

_KEY_SITES = """
SELECT s.site_id, s.name, s.kind, s.building_id, b.name AS building_name, s.level, s.address_text,
    coalesce(b.grid_id, (SELECT min(g.grid_id) FROM grids g WHERE ST_Intersects(g.geom, s.geom))) AS grid_id,
    f.elevation_m, s.last_visit_on, s.contact_name, s.contact_phone, ST_AsWKB(s.geom) AS geom
FROM {key_sites} s LEFT JOIN buildings b USING (building_id)
    LEFT JOIN floors f ON f.building_id = s.building_id AND f.level = s.level
ORDER BY s.site_id
"""

_RESPONDERS = """
SELECT responder_id, call_sign, kind, organisation, channel, grid_id, full_time, duty_from, duty_to, name, phone,
    vehicle, skills, status, status_utc, no_night_duty, last_sent_utc, last_off_utc, position_utc, position_source,
    position_accuracy_m, ST_AsWKB(geom) AS geom
FROM responders WHERE geom IS NOT NULL OR NOT $placed
ORDER BY responder_id
"""


@governed
def find_buildings(store: Store, viewer: Viewer, *, only: frozenset[str] | None = None) -> gpd.GeoDataFrame:
    """Every building, or those with a key of `only`, with its standard address as `address`; footprints."""
    return read_shapes(store, viewer, ("buildings",), *narrow(_BUILDINGS, "buildings", "building_id", only))


@governed
def find_bodies(
    store: Store,
    viewer: Viewer,  # noqa: ARG001 - asked for their right; no column is about a person
    *,
    only: frozenset[str] | None = None,
) -> dict[str, list[Any]]:
    """
    What is drawn of every building, or of those with a key of `only`: plain columns, missing values None.

    As `find_buildings`, for what is drawn again at every change; `geom` are footprints in the community's CRS.
    """
    columns = read_columns(store, ("buildings",), *narrow(_BODIES, "buildings", "building_id", only))
    return {**columns, "geom": list(shapely.from_wkb(columns["geom"]))}


@governed
def find_entrances(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """Every entrance; points on the wall."""
    sql = """SELECT e.entrance_id, e.building_id, e.name, e.unit_number, e.bearing_deg, ST_AsWKB(e.geom) AS geom
        FROM entrances e ORDER BY e.entrance_id"""
    return read_shapes(store, viewer, ("entrances",), sql)


@governed
def find_units(store: Store, viewer: Viewer, building_id: str) -> gpd.GeoDataFrame:
    """
    Units of one building with storey (`level`, `elevation_m`, `floor_height_m`); outlines in plan, where known.

    `checked_utc`: when a field of the unit or of a rental in it was last found true.
    """
    grids = find_grid_limit(viewer, "query", "find_units")
    sql = """WITH checks AS (
            SELECT coalesce(r.unit_id, c.subject_id) AS unit_id, max(c.verified_utc) AS checked_utc
            FROM register_checks c LEFT JOIN rentals r ON c.subject_kind = 'rental' AND r.rental_id = c.subject_id
            WHERE c.subject_kind IN ('unit', 'rental') GROUP BY 1
        )
        SELECT u.unit_id, u.building_id, u.entrance_id, u.level, u.room, u.name, u.use, u.area_m2,
            u.residents_count, u.floating_count, u.verified_utc, c.checked_utc, u.geom_source, f.elevation_m,
            f.height_m AS floor_height_m, b.grid_id,
            ST_AsWKB(u.geom) AS geom
        FROM units u LEFT JOIN buildings b USING (building_id) LEFT JOIN checks c USING (unit_id)
            LEFT JOIN floors f ON f.building_id = u.building_id AND f.level = u.level
        WHERE u.building_id = $building_id AND ($grids IS NULL OR list_contains($grids, b.grid_id))
        ORDER BY u.level, u.room, u.unit_id"""
    return read_shapes(store, viewer, ("units",), sql, {"building_id": building_id, "grids": grids})


@governed
def find_addresses(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """Standard addresses; points, where known."""
    sql = """SELECT address_id, full_text, zone, building, unit, level, room, building_id, unit_id,
            ST_AsWKB(geom) AS geom
        FROM addresses ORDER BY address_id"""
    return read_shapes(store, viewer, ("addresses",), sql)


@governed
def find_aliases(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Other names of communities, zones, buildings and sites."""
    return read_rows(store, viewer, ("aliases",), "SELECT alias, canonical, kind FROM aliases ORDER BY kind, alias")


@governed
def find_land(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """Green, water, squares (polygons) and trees (points)."""
    sql = "SELECT land_id, name, kind, height_m, ST_AsWKB(geom) AS geom FROM land ORDER BY land_id"
    return read_shapes(store, viewer, ("land",), sql)


@governed
def find_roads(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """
    Pieces of roads and paths with `length_m`; lines. `oneway`: 1 along the line, -1 against it, 0 both ways; as well
    `oneway_foot`, and `oneway_bicycle`, which is missing where nothing is said to bicycles.
    """
    sql = """SELECT road_id, way_id, name, kind, width_m, walkable, coalesce(oneway, 0) AS oneway, oneway_bicycle,
            coalesce(oneway_foot, 0) AS oneway_foot, ST_Length(geom) AS length_m, ST_AsWKB(geom) AS geom
        FROM roads ORDER BY road_id"""
    return read_shapes(store, viewer, ("roads",), sql)


@governed
def find_walls(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """Walls and fences; lines. `verified_utc`: somebody drew or confirmed it by hand."""
    sql = "SELECT wall_id, kind, height_m, verified_utc, ST_AsWKB(geom) AS geom FROM walls ORDER BY wall_id"
    return read_shapes(store, viewer, ("walls",), sql)


@governed
def find_gates(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """Gates with their hours (Asia/Shanghai); points. `verified_utc`: somebody set or confirmed it by hand."""
    sql = """SELECT gate_id, name, kind, closes_at, opens_at, verified_utc, ST_AsWKB(geom) AS geom
        FROM gates ORDER BY gate_id"""
    return read_shapes(store, viewer, ("gates",), sql)


@governed
def find_boundary(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """The community's boundary: no row where there is no community or it has none."""
    sql = """SELECT community_id, name, synthetic, boundary_source, ST_AsWKB(boundary) AS geom
        FROM community WHERE boundary IS NOT NULL"""
    return read_shapes(store, viewer, ("community",), sql)


@governed
def find_grids(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """
    Grids by number, with the worker's call sign and figures.

    `residents_count` holds `floating_count`; `incidents_84_days` counts all kinds in the 84 days before the data were
    true. A key site without building counts in the grid that it stands in.
    """
    since = find_history_start(store)
    parameters = {"since": None if since is None else to_stored_time(since)}
    return read_shapes(store, viewer, ("grids",), _GRIDS, parameters)


@governed
def find_rentals(
    store: Store, viewer: Viewer, *, placed: bool = True, only: frozenset[str] | None = None
) -> gpd.GeoDataFrame:
    """
    Rentals, all or those with a key of `only`, with storey and outline of their unit.

    `place` says what `geom` is: `unit` (outline in plan) or `building` (a point inside, where the unit is not known).
    `elevation_m` and `floor_height_m` are of its storey, missing where that is not known. `placed=False` gives also
    the rentals that are bound to no building; their geometry is None. A grid worker gets those of their own grids.
    """
    grids = find_grid_limit(viewer, "query", "find_rentals")
    sql, keys = narrow(_RENTALS, "rentals", "rental_id", only)
    return read_shapes(store, viewer, ("rentals",), sql, {"placed": placed, "grids": grids, **keys})


@governed
def find_key_sites(store: Store, viewer: Viewer, *, only: frozenset[str] | None = None) -> gpd.GeoDataFrame:
    """
    Key sites (重点单位), all or those with a key of `only`; points.

    `elevation_m` is of their storey, where it is known.
    """
    return read_shapes(store, viewer, ("key_sites",), *narrow(_KEY_SITES, "key_sites", "site_id", only))


@governed
def find_responders(store: Store, viewer: Viewer, *, placed: bool = True) -> gpd.GeoDataFrame:
    """People with radios at their last positions; `placed=False` gives also those without one (geometry None)."""
    return read_shapes(store, viewer, ("responders",), _RESPONDERS, {"placed": placed})


@governed
def find_positions(
    store: Store,
    viewer: Viewer,  # noqa: ARG001 - asked for their right; no column is about a person
    *,
    only: frozenset[str] | None = None,
) -> dict[str, list[Any]]:
    """
    Where people with radios were last, for marks that move all day: responder_id, call_sign, kind, x_m, y_m.

    All, or those with a key of `only`; plain columns.
    """
    sql = """SELECT responder_id, call_sign, kind, ST_X(geom) AS x_m, ST_Y(geom) AS y_m
        FROM {responders} WHERE geom IS NOT NULL ORDER BY responder_id"""
    return read_columns(store, ("responders",), *narrow(sql, "responders", "responder_id", only))


@governed
def find_zones(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """Open beats and repeat-alarm zones: name, kind, date of the review, outline; they may overlap."""
    return read_shapes(store, viewer, ("zones",), _ZONES)

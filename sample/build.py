"""The whole sample: from streets to incidents, as frames of the schema's columns in the metric CRS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sample.calendars import build_calendars
from sample.categories import category_rows
from sample.drawing import draw_incidents
from sample.dwellings import Registers, Row, build_registers, grid_id
from sample.gate_hours import keep_reachable
from sample.ground import Ground, build_ground
from sample.incidents import build_incidents
from sample.layout import Layout, RawWay, build_layout
from sample.network import Piece, build_network
from sample.numbering import name_buildings
from sample.occupants import build_occupants
from sample.people import build_responders, settle
from sample.place import (
    ADDRESS_PREFIX,
    AS_OF,
    COMMUNITY,
    COMMUNITY_ID,
    CRS,
    ORIGIN_M,
    LayoutError,
    subject_rng,
)
from sample.planted import plant
from sample.rentals import build_rentals
from sample.scene import build_scene
from sample.sites import build_key_sites
from sample.tasks import build_tasks
from sample.truth import build_truth
from sample.volunteers import build_volunteers

_MOST_LAYOUTS = 8
_NEXT_LAYOUT = 1_000_003  # far from every seed that a person types


@dataclass(frozen=True)
class SampleCommunity:
    """
    The invented community.

    `tables` holds frames by table name with columns of the schema, geometry in EPSG:4549 (column `geom`, in
    `community` `boundary`); `truth` says what was planted in the incidents.
    """

    tables: dict[str, pd.DataFrame | gpd.GeoDataFrame]
    truth: dict[str, Any]


def build_community(seed: int = 7) -> SampleCommunity:
    """
    Build the sample in memory. The same seed gives the same content, whatever the machine's clock or hash seed.

    About one layout in ten cannot carry a community (a way that no path reaches): the next one is drawn from the same
    seed, so that every seed has its own.
    """
    for attempt in range(_MOST_LAYOUTS):
        try:
            return _build(seed, drawn=seed + attempt * _NEXT_LAYOUT)
        except LayoutError as error:
            problem = error
    raise problem


def _build(seed: int, *, drawn: int) -> SampleCommunity:
    """The community of `seed` on the layout and with the chances of `drawn`."""
    layout = build_layout(drawn)
    obstacles = [plan.footprint.buffer(1.1) for plan in layout.plans] + [layout.skeleton.water]
    obstacles += [area for kind, _, area in layout.marks.surfaces if kind == "water"]
    ways, pieces = build_network(layout.ways, obstacles, layout.doors)
    ground = build_ground(layout, ways, subject_rng(drawn, "ground"))
    registers = build_registers(name_buildings(layout.plans, subject_rng(drawn, "numbering")), layout.grids)
    texts = {row["address_id"]: row["full_text"] for row in registers.addresses}
    by_unit = {unit["unit_id"]: texts[unit["address_id"]] for unit in registers.units}
    rentals = build_rentals(registers.units, by_unit, subject_rng(drawn, "rentals"))
    settle(registers.units, rentals, subject_rng(drawn, "people"))
    occupants = build_occupants(registers.units, subject_rng(drawn, "occupants"))
    sites = build_key_sites(registers, subject_rng(drawn, "sites"))
    office = next(row["geom"].centroid for row in registers.buildings if row["use"] == "police")
    responders = build_responders(layout.grids, pieces, office, subject_rng(drawn, "responders"))
    rng = subject_rng(drawn, "incidents")
    squares = [(name, area) for kind, name, area in ground.land if kind in ("square", "pitch") and name]
    scene = build_scene(registers, sites, pieces, ways, squares, rng)
    planted = plant(scene)
    told = draw_incidents(scene, planted, (office.x, office.y), rng)
    incidents, callers = build_incidents(told, scene, layout.grids, rng)
    truth = build_truth(planted, told, scene, incidents, callers, seed=seed)
    for row in incidents:
        del row["planted"]
    tasks = build_tasks(registers, rentals, subject_rng(drawn, "tasks"))
    ours, told_of_them = build_volunteers(
        ground.gates, layout.grids, incidents, len(tasks["events"]), subject_rng(drawn, "volunteers")
    )
    tasks["events"] += told_of_them
    workers = {row["grid_id"]: row["responder_id"] for row in responders if row["kind"] == "grid_worker"}
    rows = _places(layout, ground, ways, pieces, workers, seed) | {
        "buildings": registers.buildings, "entrances": registers.entrances, "floors": registers.floors,
        "units": registers.units, "addresses": registers.addresses, "aliases": _aliases(registers), "rentals": rentals,
        "occupants": occupants,
        "key_sites": sites, "responders": responders, "incident_categories": category_rows(), "incidents": incidents,
        "calendar_days": build_calendars(), **tasks, **ours,
    }  # fmt: skip
    tables = {name: _frame(name, table) for name, table in rows.items()}
    tables["gates"] = keep_reachable(tables["roads"], tables["gates"], tables["walls"])
    return SampleCommunity(tables, truth)


def _places(
    layout: Layout, ground: Ground, ways: list[RawWay], pieces: list[Piece], workers: dict[str, str], seed: int
) -> dict[str, list[Row]]:
    """Rows of community, grids, roads, gates, walls and land."""
    community = {
        "community_id": COMMUNITY_ID, "name": COMMUNITY, "crs": CRS, "synthetic": True,
        "address_prefix": ADDRESS_PREFIX, "seed": seed, "data_as_of": AS_OF.replace(tzinfo=None),
        "boundary": layout.skeleton.boundary, "boundary_source": "sample",
    }  # fmt: skip
    grids = [
        {
            "grid_id": grid_id(number), "number": number, "name": f"第{number}网格",
            "worker_responder_id": workers[grid_id(number)], "source": "sample", "geom": face,
        }
        for number, face in layout.grids.items()
    ]  # fmt: skip
    roads = [
        {
            "road_id": f"W{index + 1:04d}", "way_id": f"way-{piece.way + 1:04d}", "name": ways[piece.way].name,
            "kind": ways[piece.way].kind, "width_m": ways[piece.way].width_m, "walkable": True, "geom": piece.line,
        }
        for index, piece in enumerate(pieces)
    ]  # fmt: skip
    gates = [
        {
            "gate_id": f"D{index + 1:03d}", "name": gate.name, "kind": gate.kind,
            "closes_at": gate.hours and gate.hours[0], "opens_at": gate.hours and gate.hours[1], "geom": gate.at,
        }
        for index, gate in enumerate(ground.gates)
    ]  # fmt: skip
    walls = [
        {"wall_id": f"Q{index + 1:03d}", "kind": kind, "height_m": height, "geom": line}
        for index, (kind, height, line) in enumerate(ground.walls)
    ]
    land: list[Row] = [
        {"land_id": f"N{index + 1:04d}", "name": name, "kind": kind, "height_m": None, "geom": area}
        for index, (kind, name, area) in enumerate(ground.land)
    ]
    land += [
        {"land_id": f"T{index + 1:04d}", "name": None, "kind": "tree", "height_m": height, "geom": at}
        for index, (at, height) in enumerate(ground.trees)
    ]
    return {"community": [community], "grids": grids, "roads": roads, "gates": gates, "walls": walls, "land": land}


def _aliases(registers: Registers) -> list[Row]:
    """Names as people say them: of the community, of zones, of some buildings and sites."""
    pairs = [
        ("WH新村", COMMUNITY, "community"), ("wh新村", COMMUNITY, "community"), ("万户小区", COMMUNITY, "community"),
        ("万户", COMMUNITY, "community"), ("万户社区", COMMUNITY, "community"), ("老新村", COMMUNITY, "community"),
    ]  # fmt: skip
    for zone in dict.fromkeys(row["zone"] for row in registers.buildings):
        pairs += [(f"{zone[0]}苑", zone, "zone"), (f"{zone[0]}片", zone, "zone")]
    pairs += [("菜场", "万户菜市场", "site"), ("警务站", "万户新村警务室", "site")]
    pairs += [("万户小学", "万户小学教学楼", "building")]
    return [{"alias": alias, "canonical": canonical, "kind": kind} for alias, canonical, kind in pairs]


def _frame(name: str, rows: list[Row]) -> pd.DataFrame | gpd.GeoDataFrame:
    """A frame of the rows; geometry moved from local metres to the CRS."""
    frame = pd.DataFrame(rows)
    column = "boundary" if name == "community" else "geom"
    if column not in frame:
        return frame
    shapes = shapely.transform(frame[column].to_numpy(), lambda xy: xy + np.array(ORIGIN_M))
    return gpd.GeoDataFrame(frame.drop(columns=column).assign(**{column: shapes}), geometry=column, crs=CRS)

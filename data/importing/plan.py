"""What an import will write, worked out before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.areas import find_grid, make_boundary, make_grids, note_uncovered, read_boundary, read_grids
from data.importing.buildings import build_buildings
from data.importing.community import Community, read_community
from data.importing.community_names import name_community
from data.importing.incident_rows import build_incidents
from data.importing.incoming import Incoming
from data.importing.layer import Layer
from data.importing.locating import Locator
from data.importing.occupants import plan_occupants
from data.importing.options import ImportOptions
from data.importing.other_names import build_aliases
from data.importing.persons import PersonRules
from data.importing.place_sites import place_sites
from data.importing.places import build_gates, build_key_sites, build_land, build_walls
from data.importing.registers import build_rentals, build_units
from data.importing.report import ImportReport
from data.importing.roads import build_roads
from data.importing.standing import building_addresses
from data.importing.texts import Seals, mask_texts
from data.store import Store


@dataclass
class Plan:
    """Everything that will be written, in order."""

    community: Community
    incoming: list[Incoming] = field(default_factory=list)
    removed: dict[str, list[str]] = field(default_factory=dict)
    seals: Seals = field(default_factory=Seals)
    person_columns: Mapping[str, Collection[str]] = field(default_factory=dict)


def _of_kind(layers: list[Layer], kind: str) -> list[Layer]:
    return [layer for layer in layers if layer.kind == kind]


def plan_import(
    store: Store,
    layers: list[Layer],
    crs: str,
    options: ImportOptions,
    report: ImportReport,
    rules: PersonRules | None = None,
) -> Plan:
    """Rows to write; `rules` are given when persons' fields are kept."""
    community = read_community(store)
    community.crs = crs
    if options.community_name:
        community.name = options.community_name
    if options.address_prefix:
        community.address_prefix = options.address_prefix
    plan = Plan(community, person_columns=store.person_columns)
    buildings = build_buildings(chosen, report) if (chosen := _of_kind(layers, "building")) else None
    grids = _plan_areas(store, plan, layers, buildings, report)
    if (renamed := name_community(store, community, layers, report)) is not None:
        plan.incoming.append(renamed)
    report.community = community.name
    if buildings is not None:
        geometry = buildings.frame["geom"].to_numpy(dtype=object)
        buildings.frame["grid_id"] = find_grid(geometry, grids)
        addresses = building_addresses(buildings, community)
        plan.incoming += [buildings, addresses]
    if plan.community.boundary is not None and len(grids):
        note_uncovered(grids, plan.community.boundary, buildings.frame if buildings is not None else None, report)
    if (chosen := _of_kind(layers, "alias")) and (names := build_aliases(chosen, report)) is not None:
        plan.incoming.append(names)
    _plan_regrid(store, plan, buildings, grids)
    _plan_registers(store, plan, layers, buildings, grids, report, rules)
    if chosen := _of_kind(layers, "road"):
        existing = _with_shapes(store.read("SELECT * EXCLUDE (geom), ST_AsWKB(geom) AS geom FROM roads"))
        if (roads := build_roads(chosen, existing, report)) is not None:
            plan.incoming.append(roads)
            plan.removed["roads"] = sorted(set(existing["road_id"]) - set(roads.frame["road_id"]))
    for kind, build in (
        ("gate", build_gates),
        ("wall", build_walls),
        ("land", build_land),
        ("key_site", build_key_sites),
    ):
        if (chosen := _of_kind(layers, kind)) and (rows := build(chosen, report)) is not None:
            plan.incoming.append(rows)
    if rules is not None:
        plan.seals = mask_texts(store, plan.incoming, layers, rules)
    return plan


def _plan_registers(
    store: Store,
    plan: Plan,
    layers: list[Layer],
    buildings: Incoming | None,
    grids: pd.DataFrame,
    report: ImportReport,
    rules: PersonRules | None,
) -> None:
    """Units, rentals, occupants and incidents, on the buildings and addresses as they will be."""
    unplaced = [layer for layer in _of_kind(layers, "key_site") if layer.is_unplaced]
    if not unplaced and not any(layer.kind in ("unit", "rental", "incident", "occupant") for layer in layers):
        return
    columns = ["building_id", "name", "zone", "number", "geom"]
    standing = _with_shapes(store.read("SELECT building_id, name, zone, number, ST_AsWKB(geom) AS geom FROM buildings"))
    if buildings is not None:
        both = [standing.astype(object), buildings.frame[columns].astype(object)]
        standing = pd.concat(both, ignore_index=True).drop_duplicates("building_id", keep="last")
    addresses = [incoming.frame for incoming in plan.incoming if incoming.table == "addresses"]
    names = [incoming.frame for incoming in plan.incoming if incoming.table == "aliases"]
    if chosen := _of_kind(layers, "unit"):
        locator = Locator(store, addresses, standing, plan.community.name, names)
        made = build_units(chosen, locator, report)
        plan.incoming += made
        addresses += [incoming.frame for incoming in made if incoming.table == "addresses"]
    locator = Locator(store, addresses, standing, plan.community.name, names)
    if (chosen := _of_kind(layers, "rental")) and (rentals := build_rentals(chosen, locator, report)) is not None:
        plan.incoming.append(rentals)
    for layer in unplaced:
        place_sites(layer, locator, standing, report)
    if rules is not None and (chosen := _of_kind(layers, "occupant")):
        plan.incoming += plan_occupants(store, chosen, locator, plan.incoming, rules, report)
    if chosen := _of_kind(layers, "incident"):
        categories = store.read("SELECT * FROM incident_categories")
        plan.incoming += build_incidents(
            chosen, locator, standing.reset_index(drop=True), grids, categories, report, rules
        )


def _with_shapes(frame: pd.DataFrame) -> pd.DataFrame:
    frame["geom"] = shapely.from_wkb(np.array([bytes(b) for b in frame["geom"]], dtype=object))
    return frame


def _plan_areas(
    store: Store, plan: Plan, layers: list[Layer], buildings: Incoming | None, report: ImportReport
) -> pd.DataFrame:
    """Boundary and grids of the community after this import; returns the grids (grid_id, number, geom)."""
    community = plan.community
    existing = _with_shapes(
        store.read("SELECT *, ST_AsWKB(geom) AS geom FROM grids".replace("*,", "* EXCLUDE (geom),"))
    )
    moved = False
    if found := read_boundary(_of_kind(layers, "boundary"), report):
        moved = community.boundary is None or not _is_same_place(found[0], community.boundary)
        community.boundary, community.boundary_source = found[0], "file"
        community.name = community.name if community.named else (found[1] or community.name)
    elif community.boundary_source != "file":
        standing = _standing(store, layers, buildings)
        if len(standing) and (community.boundary is None or not shapely.covered_by(standing, community.boundary).all()):
            community.boundary, community.boundary_source = make_boundary(standing, report), "derived"
            moved = True
    grids = read_grids(chosen, report) if (chosen := _of_kind(layers, "grid")) else None
    if (
        grids is None
        and community.boundary is not None
        and (existing.empty or (moved and (existing["source"] == "derived").all()))
    ):
        grids = make_grids(community.boundary, _places(store, buildings), report)
    if grids is None:
        return existing
    plan.incoming.insert(0, grids)
    derived = existing[existing["source"] == "derived"]
    plan.removed["grids"] = sorted(set(derived["grid_id"]) - set(grids.frame["grid_id"]))
    kept = existing[~existing["grid_id"].isin([*grids.frame["grid_id"], *plan.removed["grids"]])]
    columns = ["grid_id", "number", "geom"]
    return pd.concat([grids.frame[columns], kept[columns]], ignore_index=True)


def _is_same_place(first: shapely.Geometry, second: shapely.Geometry) -> bool:
    return bool(shapely.equals_exact(shapely.normalize(first), shapely.normalize(second), 0.0005))


def _standing(store: Store, layers: list[Layer], buildings: Incoming | None) -> npt.NDArray[Any]:
    """What the boundary goes around: buildings, old and new; where there are none, everything."""
    if buildings is not None:
        old = _with_shapes(store.read("SELECT ST_AsWKB(geom) AS geom FROM buildings"))["geom"].to_numpy(dtype=object)
        return np.concatenate([buildings.frame["geom"].to_numpy(dtype=object), old])
    if int(store.read("SELECT count(*) AS n FROM buildings")["n"].iloc[0]):
        return np.array([], dtype=object)
    shapes = [layer.geometry for layer in layers if layer.geometry is not None]
    every = np.concatenate(shapes) if shapes else np.array([], dtype=object)
    there: npt.NDArray[Any] = every[~shapely.is_missing(every) & ~shapely.is_empty(every)]
    return there


def _places(store: Store, buildings: Incoming | None) -> npt.NDArray[Any]:
    old = store.read("SELECT ST_X(ST_Centroid(geom)) AS x, ST_Y(ST_Centroid(geom)) AS y FROM buildings").to_numpy(
        dtype=float
    )
    if buildings is None:
        return old
    return np.concatenate(
        [shapely.get_coordinates(shapely.centroid(buildings.frame["geom"].to_numpy(dtype=object))), old]
    )


def _plan_regrid(store: Store, plan: Plan, buildings: Incoming | None, grids: pd.DataFrame) -> None:
    """Buildings and incidents that the store has already, when the grids changed under them."""
    if not any(incoming.table == "grids" for incoming in plan.incoming):
        return
    for table, key in (("buildings", "building_id"), ("incidents", "incident_id")):
        rows = _with_shapes(store.read(f"SELECT {key}, grid_id, ST_AsWKB(geom) AS geom FROM {table}"))
        if table == "buildings" and buildings is not None:
            rows = rows[~rows[key].isin(buildings.frame[key])].reset_index(drop=True)
        if len(rows):
            after = find_grid(rows["geom"].to_numpy(dtype=object), grids)
            changed = (after.notna() & (after != rows["grid_id"])).to_numpy(dtype=bool)
            if changed.any():
                frame = pd.DataFrame({key: rows[key][changed], "grid_id": after[changed]}).reset_index(drop=True)
                plan.incoming.append(Incoming(table, key, frame))

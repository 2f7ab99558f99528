"""Importing: files in, one transaction, a report out."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import shapely

from data.importing.areas import find_grid, make_boundary, make_grids, read_boundary, read_grids
from data.importing.buildings import build_buildings
from data.importing.community import Community, read_community
from data.importing.incoming import Incoming
from data.importing.incident_rows import build_incidents
from data.importing.layer import Layer
from data.importing.locating import Locator
from data.importing.merging import Merge, add_event
from data.importing.options import ImportOptions, Progress, SourceFile, no_progress
from data.importing.persons import check_persons
from data.importing.places import build_gates, build_key_sites, build_land, build_walls
from data.importing.placing import find_crs, refuse_far, refuse_impossible, to_lonlat
from data.importing.points import attach_points
from data.importing.reading import read_layers
from data.importing.registers import build_rentals, build_units
from data.importing.report import ImportReport, LayerNote, check_no_refusals
from data.importing.roads import build_roads
from data.importing.standing import building_addresses
from data.store import Clock, Store, Transaction, utc_now
from gis.crs import choose_metric_crs, crs_label, datum_shift_m, is_same_datum, transform_geometries
from gis.errors import RefusedError

_MAX_TRIES = 5


@dataclass
class _Plan:
    """Everything that will be written, in order."""

    community: Community
    incoming: list[Incoming] = field(default_factory=list)
    removed: dict[str, list[str]] = field(default_factory=dict)


def import_sources(
    store: Store,
    sources: Sequence[SourceFile],
    options: ImportOptions | None = None,
    *,
    clock: Clock = utc_now,
    progress: Progress = no_progress,
) -> ImportReport:
    """
    Import files of a community into its store, all or nothing.

    Parameters
    ----------
    store
        Store of a real community, empty or not.
    sources
        Names and bytes; the parts of a Shapefile as separate files or zipped.
    options
        Choices of the user.
    clock
        When it happens.
    progress
        Called with the share done and a word.

    Returns
    -------
    What was found, repaired, derived, assumed, left out and written.

    Raises
    ------
    BadFileError, CrsUnknownError, CrsMismatchError, RefusedError, ImportRefusedError
        Nothing was written; the sentence says what to do.
    """
    options = options or ImportOptions()
    started = clock()
    report = ImportReport()
    _check_real(store)
    layers = read_layers(sources, options, report, progress)
    check_persons(layers, options, report)
    progress(0.35, "finding places")
    for layer in layers:
        attach_points(layer, options, report)
        find_crs(layer, options)
    for layer in layers:
        refuse_impossible(layer, report, _names(layer))
    crs = _bring_together(store, layers, report)
    digest = _digest(sources, options)
    for _ in range(_MAX_TRIES):
        attempt = copy.deepcopy(report)
        revision = store.revision()
        progress(0.5, "building tables")
        plan = _plan(store, layers, crs, options, attempt, started)
        check_no_refusals(attempt, skip_bad_rows=options.skip_bad_rows)
        progress(0.8, "writing")
        done = store.write(lambda tx: _write(tx, plan, attempt, revision, digest, sources, started, clock))  # noqa: B023 - runs at once
        if done:
            progress(1.0, "done")
            return attempt
    raise RefusedError("The store was written to again and again while this import was made ready. Import it again.")


def _names(layer: Layer) -> pd.Series | None:
    ours = layer.canonical(layer.kind or "")
    return ours["name"] if "name" in ours else None


def _check_real(store: Store) -> None:
    rows = store.read("SELECT synthetic FROM community")
    if len(rows) and bool(rows["synthetic"].iloc[0]):
        raise RefusedError(
            f"Store '{store.path.stem}' holds the synthetic sample; a real place is never mixed with it. Import into a new "
            "store: shapan import FOLDER --store NAME."
        )


def _bring_together(store: Store, layers: list[Layer], report: ImportReport) -> str:
    """Every layer into the community's CRS; returns it. Far records are refused."""
    community = read_community(store)
    lonlat = {id(layer): to_lonlat(layer) for layer in layers}
    places = np.concatenate([lonlat[id(layer)] for layer in layers]) if layers else np.empty((0, 2))
    places = places[np.isfinite(places).all(axis=1)]
    if community.crs is None and not len(places):
        raise RefusedError(
            "Nothing in these files says where the community is: expected at least buildings, a boundary or places with "
            "coordinates. Import the map first, then the tables."
        )
    if community.centre is not None:
        centre, radius_km, what = community.centre, community.radius_km, f"this store's community, {community.name}"
    else:
        middle = np.median(places, axis=0)
        centre, radius_km, what = (float(middle[0]), float(middle[1])), 0.0, "the middle of these files"
    crs = community.crs or choose_metric_crs(*centre)
    report.crs = crs
    for layer in layers:
        refuse_far(layer, centre, radius_km, what, report, _names(layer))
        note = LayerNote(layer.source, layer.kind, layer.records, layer.crs, layer.crs_from, layer.axes, layer.encoding)
        report.layers.append(note)
        if layer.geometry is not None and layer.crs is not None:
            layer.original = layer.geometry
            layer.geometry = transform_geometries(layer.geometry, layer.crs, crs)
            note.shift_m, note.shift_by = datum_shift_m(*centre, layer.crs, crs)
            if note.shift_by is None and not is_same_datum(layer.crs, crs):
                report.add(
                    "noted",
                    "datum_unknown",
                    layer.source,
                    f"layer: no transformation from {crs_label(layer.crs)} to {crs_label(crs)} is published; it may lie about "
                    "100 m off. Fit it to known points before relying on it",
                )
    return crs


def _digest(sources: Sequence[SourceFile], options: ImportOptions) -> str:
    whole = hashlib.sha256(json.dumps(options.to_dict(), sort_keys=True).encode())
    for source in sorted(sources, key=lambda s: s.name):
        whole.update(source.name.encode() + b"\0" + hashlib.sha256(source.data).digest())
    return whole.hexdigest()


def _of_kind(layers: list[Layer], kind: str) -> list[Layer]:
    return [layer for layer in layers if layer.kind == kind]


def _plan(
    store: Store, layers: list[Layer], crs: str, options: ImportOptions, report: ImportReport, started: datetime
) -> _Plan:
    community = read_community(store)
    community.crs = crs
    if options.community_name:
        community.name = options.community_name
    if options.address_prefix:
        community.address_prefix = options.address_prefix
    plan = _Plan(community)
    buildings = build_buildings(chosen, report) if (chosen := _of_kind(layers, "building")) else None
    grids = _plan_areas(store, plan, layers, buildings, report, started)
    report.community = community.name
    if buildings is not None:
        geometry = buildings.frame["geom"].to_numpy(dtype=object)
        buildings.frame["grid_id"] = find_grid(geometry, grids)
        addresses = building_addresses(buildings, community)
        plan.incoming += [buildings, addresses]
    _plan_regrid(store, plan, buildings, grids, report)
    _plan_registers(store, plan, layers, buildings, grids, report)
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
    return plan


def _plan_registers(
    store: Store,
    plan: _Plan,
    layers: list[Layer],
    buildings: Incoming | None,
    grids: pd.DataFrame,
    report: ImportReport,
) -> None:
    """Units, rentals and incidents, on the buildings and addresses as they will be."""
    if not any(layer.kind in ("unit", "rental", "incident") for layer in layers):
        return
    columns = ["building_id", "name", "zone", "number", "geom"]
    standing = _with_shapes(store.read("SELECT building_id, name, zone, number, ST_AsWKB(geom) AS geom FROM buildings"))
    if buildings is not None:
        both = [standing.astype(object), buildings.frame[columns].astype(object)]
        standing = pd.concat(both, ignore_index=True).drop_duplicates("building_id", keep="last")
    addresses = [incoming.frame for incoming in plan.incoming if incoming.table == "addresses"]
    if chosen := _of_kind(layers, "unit"):
        locator = Locator(store, addresses, standing, plan.community.name)
        made = build_units(chosen, locator, report)
        plan.incoming += made
        addresses += [incoming.frame for incoming in made if incoming.table == "addresses"]
    locator = Locator(store, addresses, standing, plan.community.name)
    if (chosen := _of_kind(layers, "rental")) and (rentals := build_rentals(chosen, locator, report)) is not None:
        plan.incoming.append(rentals)
    if chosen := _of_kind(layers, "incident"):
        categories = store.read("SELECT * FROM incident_categories")
        plan.incoming += build_incidents(chosen, locator, standing.reset_index(drop=True), grids, categories, report)


def _with_shapes(frame: pd.DataFrame) -> pd.DataFrame:
    frame["geom"] = shapely.from_wkb(np.array([bytes(b) for b in frame["geom"]], dtype=object))
    return frame


def _plan_areas(
    store: Store, plan: _Plan, layers: list[Layer], buildings: Incoming | None, report: ImportReport, started: datetime
) -> pd.DataFrame:
    """Boundary and grids of the community after this import; returns the grids (grid_id, number, geom)."""
    community = plan.community
    existing = _with_shapes(
        store.read("SELECT *, ST_AsWKB(geom) AS geom FROM grids".replace("*,", "* EXCLUDE (geom),"))
    )
    moved = False
    if found := read_boundary(_of_kind(layers, "boundary"), report):
        moved = community.boundary is None or not shapely.equals_exact(
            found[0].normalize(), community.boundary.normalize(), 0.0005
        )
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


def _standing(store: Store, layers: list[Layer], buildings: Incoming | None) -> np.ndarray:
    """What the boundary goes around: buildings, old and new; where there are none, everything."""
    if buildings is not None:
        old = _with_shapes(store.read("SELECT ST_AsWKB(geom) AS geom FROM buildings"))["geom"].to_numpy(dtype=object)
        return np.concatenate([buildings.frame["geom"].to_numpy(dtype=object), old])
    if int(store.read("SELECT count(*) AS n FROM buildings")["n"].iloc[0]):
        return np.array([], dtype=object)
    shapes = [layer.geometry for layer in layers if layer.geometry is not None]
    every = np.concatenate(shapes) if shapes else np.array([], dtype=object)
    return every[~shapely.is_missing(every) & ~shapely.is_empty(every)]


def _places(store: Store, buildings: Incoming | None) -> np.ndarray:
    old = store.read("SELECT ST_X(ST_Centroid(geom)) AS x, ST_Y(ST_Centroid(geom)) AS y FROM buildings").to_numpy(
        dtype=float
    )
    if buildings is None:
        return old
    return np.concatenate(
        [shapely.get_coordinates(shapely.centroid(buildings.frame["geom"].to_numpy(dtype=object))), old]
    )


def _plan_regrid(
    store: Store, plan: _Plan, buildings: Incoming | None, grids: pd.DataFrame, report: ImportReport
) -> None:
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


def _write(
    transaction: Transaction,
    plan: _Plan,
    report: ImportReport,
    revision: int,
    digest: str,
    sources: Sequence[SourceFile],
    started: datetime,
    clock: Clock,
) -> bool:
    """Write the plan; False when the store has changed since the plan was made."""
    now = transaction.fetch("SELECT coalesce(max(revision), 0) AS r FROM revisions")["r"].iloc[0]
    if int(now) != revision:
        return False
    begun = started.astimezone(UTC).replace(tzinfo=None)
    number = int(transaction.fetch("SELECT count(*) AS n FROM import_batches")["n"].iloc[0]) + 1
    batch_id = f"import-{number:04d}-{digest[:8]}"
    merge = Merge(transaction, batch_id, report)
    for table, ids in plan.removed.items():
        merge.remove(table, ids)
    for incoming in plan.incoming:
        merge.write(incoming)
    merge.write(plan.community.to_incoming(begun, changed=merge.changes > 0))
    if not merge.changes:
        report.nothing_new = True
        return True
    report.batch_id = batch_id
    finished = clock().astimezone(UTC).replace(tzinfo=None)
    names = [{"name": source.name, "bytes": len(source.data)} for source in sources]
    transaction.execute(
        "import_batches",
        "INSERT INTO import_batches VALUES (?, ?, ?, ?, ?, NULL, ?)",
        [
            batch_id,
            digest,
            json.dumps(names, ensure_ascii=False),
            begun,
            finished,
            json.dumps(report.to_dict(), ensure_ascii=False),
        ],
    )
    figures = {table: count.new + count.changed for table, count in report.tables.items()}
    add_event(transaction, finished, "import.done", batch_id, json.dumps(figures))
    return True

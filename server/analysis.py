"""The command line's analyses of a store: rows are read once, as its owner, and given to the methods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.queries import (
    find_boundary,
    find_buildings,
    find_categories,
    find_incidents,
    find_roads,
)
from data.reading import find_data_end
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError
from incidents.analysing import Options, Points, analyse_points, check_method, displace_points
from incidents.answer import Answer
from incidents.back_test import CELL_M as BACK_TEST_CELL_M
from incidents.back_test import PERIOD_DAYS, back_test_units
from incidents.back_test import WEEKS as BACK_TEST_WEEKS
from incidents.change import compare_periods
from incidents.concentration import find_repeats
from incidents.gi_star import find_hot_units
from incidents.periods import split_periods
from incidents.selection import select_reported
from incidents.units import UnitCounts, count_buildings, count_hexagons, count_segments, count_squares

WEEKS = 52
_SHANGHAI = timezone(timedelta(hours=8))
_BY = ("unit", "building", "address", "segment", "grid")
_ON = ("square", "hexagon", "segment", "building")


@dataclass(frozen=True)
class _Chosen:
    incidents: gpd.GeoDataFrame
    points: Points
    since: datetime
    until: datetime
    left_out: dict[str, int]

    @property
    def boundary(self) -> BaseGeometry:
        if self.points.boundary is None:
            raise RecordMissingError("The store has no boundary. Import or derive one first.")
        return self.points.boundary


def analyse_store(store: Store, viewer: Viewer, method: str, options: Options) -> Answer:
    """
    One of the methods on a store's incidents: those that others reported, in the last weeks before the data end.

    Rows by incident begin with incident_id. Left out, and counted: what the police found themselves.

    Raises
    ------
    BadRecordError, RecordMissingError
        The method refuses, or there are no incidents.
    """
    check_method(method)
    weeks = options.weeks or (BACK_TEST_WEEKS if method == "pai" else WEEKS)
    chosen = _choose(store, viewer, options, weeks)
    if method == "gi-star":
        answer = _find_hot(store, viewer, chosen, options)
    elif method == "repeats":
        answer = _find_repeats(store, viewer, chosen, options)
    elif method == "pai":
        answer = _back_test(store, viewer, chosen, options)
    elif method == "e-test":
        answer = _compare_grids(chosen, options)
    elif method == "displacement":
        answer = displace_points(chosen.points, options, _read_change(options, chosen))
    else:
        if method == "kde":
            options = replace(options, cell_m=options.cell_m or 25.0)
        answer = analyse_points(method, chosen.points, options)
    if len(answer.rows) == len(chosen.incidents) and method in ("knox", "near-repeat", "scan", "repeats"):
        answer.rows.insert(0, "incident_id", chosen.incidents["incident_id"].to_numpy())
    asked = {"since": chosen.since.isoformat(), "until": chosen.until.isoformat(), "kinds": list(options.kinds)}
    return replace(answer, asked={**answer.asked, **asked}, left_out={**answer.left_out, **chosen.left_out})


def _choose(store: Store, viewer: Viewer, options: Options, weeks: int) -> _Chosen:
    if weeks < 1:
        raise BadRecordError(f"Weeks are {weeks}, expected at least 1.")
    rows = find_incidents(store, viewer, categories=_check_kinds(store, viewer, options), only_places=True)
    if rows.empty:
        raise RecordMissingError("The store has no such incidents. Import some, or choose other kinds.")
    until = find_data_end(store)
    if until is None:
        raise RecordMissingError("The store has no such incidents. Import some, or choose other kinds.")
    since = until - timedelta(weeks=weeks)
    incidents, n_found = select_reported(rows, since=since, until=until, kinds=None)
    if len(incidents) < 2:
        raise RecordMissingError(f"{len(incidents)} incidents in the last {weeks} weeks: choose more weeks.")
    incidents = incidents.reset_index(drop=True)
    occurred = pd.to_datetime(incidents["occurred_from_utc"], utc=True)
    days = ((occurred - pd.Timestamp(since)) / pd.Timedelta(days=1)).to_numpy(np.float64)
    boundary = find_boundary(store, viewer)
    points = Points(
        shapely.get_coordinates(shapely.centroid(incidents.geometry.to_numpy())),
        days,
        units=incidents["unit_id"].to_numpy(dtype=object),
        buildings=incidents["building_id"].to_numpy(dtype=object),
        boundary=None if boundary.empty else shapely.union_all(boundary.geometry.to_numpy()),
        now_days=float(weeks * 7),
    )
    return _Chosen(incidents, points, since, until, {"police_found": n_found})


def _check_kinds(store: Store, viewer: Viewer, options: Options) -> tuple[str, ...] | None:
    if not options.kinds:
        return None
    known = set(find_categories(store, viewer)["category"])
    unknown = sorted(set(options.kinds) - known)
    if unknown:
        raise BadRecordError(f"There is no kind {', '.join(unknown)}. Kinds here: {', '.join(sorted(known)[:40])}.")
    return options.kinds


def _count(
    store: Store, viewer: Viewer, chosen: _Chosen, options: Options, *, default_cell_m: float = 25.0
) -> UnitCounts:
    cell_m = default_cell_m if options.cell_m is None else options.cell_m
    match options.on:
        case "square":
            return count_squares(chosen.points.xy, chosen.boundary, cell_m)
        case "hexagon":
            return count_hexagons(chosen.points.xy, chosen.boundary, cell_m)
        case "segment":
            return count_segments(chosen.points.xy, _roads(store, viewer))
        case "building":
            return count_buildings(chosen.points.xy, find_buildings(store, viewer).set_index("building_id"))
    raise BadRecordError(f"--on is '{options.on}', expected one of {', '.join(_ON)}.")


def _roads(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    roads = find_roads(store, viewer)
    if roads.empty:
        raise RecordMissingError("The store has no roads. Import some, or count on squares.")
    return roads.set_index("road_id")


def _find_hot(store: Store, viewer: Viewer, chosen: _Chosen, options: Options) -> Answer:
    units = _count(store, viewer, chosen, options)
    answer = find_hot_units(units, alpha=options.alpha, law=options.law)
    middle = shapely.get_coordinates(shapely.centroid(units.geometry)).round(2)
    answer.rows.insert(1, "x", middle[:, 0])
    answer.rows.insert(2, "y", middle[:, 1])
    return answer


def _find_repeats(store: Store, viewer: Viewer, chosen: _Chosen, options: Options) -> Answer:
    incidents, callers = chosen.incidents, chosen.incidents["caller"].tolist()
    if options.by == "segment":
        counted = count_segments(chosen.points.xy, _roads(store, viewer))
        places: list[object] = [counted.ids[i] if i >= 0 else None for i in counted.unit_of]
        return find_repeats(places, callers=callers, all_places=list(counted.ids), by="segment")
    if options.by not in _BY:
        raise BadRecordError(f"--by is '{options.by}', expected one of {', '.join(_BY)}.")
    column = "address" if options.by == "address" else f"{options.by}_id"
    places = [None if pd.isna(value) else value for value in incidents[column]]
    everything = None
    if options.by != "address":
        everything = store.read(f"SELECT {column} AS id FROM {options.by}s")["id"].tolist()
    return find_repeats(places, callers=callers, all_places=everything, by=options.by)


def _back_test(store: Store, viewer: Viewer, chosen: _Chosen, options: Options) -> Answer:
    """Periods of four weeks; each after the first year is forecast from the twelve before it."""
    units = _count(store, viewer, chosen, options, default_cell_m=BACK_TEST_CELL_M)
    edges = split_periods(chosen.since, chosen.until, days=PERIOD_DAYS)
    in_days = [(at - chosen.since) / timedelta(days=1) for at in edges]
    return back_test_units(units, chosen.points.xy, chosen.points.times, in_days)


def _compare_grids(chosen: _Chosen, options: Options) -> Answer:
    """Each grid before and after the change, else the later against the earlier half of the weeks."""
    end = float((chosen.until - chosen.since) / timedelta(days=1))
    change = end / 2 if options.change is None else _read_change(options, chosen)
    grids = chosen.incidents["grid_id"]
    known = grids.notna().to_numpy()
    names = sorted(grids[known].unique())
    after = chosen.points.times >= change
    counts = [[int(((grids == name).to_numpy() & part).sum()) for name in names] for part in (~after, after)]
    answer = compare_periods(
        names, counts[0], counts[1],
        exposure_before=[change] * len(names), exposure_after=[end - change] * len(names),
    )  # fmt: skip
    return replace(answer, left_out={"no_grid": int((~known).sum())})


def _read_change(options: Options, chosen: _Chosen) -> float:
    """Days from the beginning to midnight in Shanghai of the date of the change."""
    try:
        day = date.fromisoformat(options.change or "")
    except ValueError:
        raise BadRecordError(f"--change is '{options.change}', expected a date, e.g. 2026-03-21.") from None
    at = datetime(day.year, day.month, day.day, tzinfo=_SHANGHAI)
    if not chosen.since < at < chosen.until:
        raise BadRecordError(f"--change {day} is outside {chosen.since:%Y-%m-%d} to {chosen.until:%Y-%m-%d}.")
    return (at - chosen.since) / timedelta(days=1)

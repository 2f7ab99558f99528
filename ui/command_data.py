"""What the commander's page shows, computed once per question and revision: incidents, changes, places, zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.queries import (
    find_boundary,
    find_buildings,
    find_categories,
    find_incidents,
    find_patrol_presences,
    find_zone_measures,
    find_zone_records,
    get_info,
)
from data.reading import find_data_end
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.baselines import TOO_FEW
from incidents.briefing import Standing, find_changes, find_standing, keep_testable
from incidents.cells import choose_cell_m
from incidents.hot_places import HotPlace, rank_hot_places
from incidents.hotspots import FEWEST_INCIDENTS, HotCells, find_hot_cells
from incidents.kinds import list_below, map_to_groups, to_parents
from incidents.neighbourhoods import find_neighbourhoods
from incidents.patrol_done import Dose, sum_dose, to_presences
from incidents.periods import finished_days
from incidents.repeats import find_repeat_places
from incidents.scan import find_fresh_cluster
from incidents.selection import REPORTED_BY_OTHERS
from incidents.zone_effect import Effect, Peer, find_effect
from ui.tables import LOCAL

WEEKS = (4, 12, 26, 52)
DEFAULT_WEEKS = 12
STANDING_WEEKS = 52
_MOST_PLACES = 10
HOURS: Mapping[str, tuple[int, ...]] = {
    "all": tuple(range(24)),
    "night": (22, 23, 0, 1, 2, 3, 4, 5),
    "morning": tuple(range(6, 12)),
    "afternoon": tuple(range(12, 18)),
    "evening": tuple(range(18, 22)),
}
TABLES = ("incidents", "incident_categories", "buildings", "units", "addresses", "community", "settings")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Question:
    """Period, kinds (none: all) and hours of the day."""

    weeks: int = DEFAULT_WEEKS
    kinds: tuple[str, ...] = ()
    hours: str = "all"


@dataclass(frozen=True)
class Place:
    """A hot place with its own baseline."""

    hot: HotPlace
    weeks: int
    """Of the period that it was found in"""
    inside: NDArray[np.bool_]
    """Which of the situation's rows are its incidents"""
    change: pd.Series | None
    """Row of `find_changes` for it, None where there is no period before"""
    standing: Standing | None
    """Over the year before"""

    @property
    def verdict(self) -> str:
        return TOO_FEW if self.change is None else str(self.change["verdict"])


@dataclass(frozen=True)
class Situation:
    """Everything for one question."""

    question: Question
    rows: gpd.GeoDataFrame
    """Incidents reported by others since the first, of the kinds and hours asked for"""
    in_period: NDArray[np.bool_]
    n_police_found: int
    first: datetime
    since: datetime
    until: datetime
    outline: Any
    cell_m: float
    """Side of the cells that hot ones are looked for in"""
    buildings: gpd.GeoDataFrame
    names: Mapping[str, str]
    kinds: pd.DataFrame
    """`find_categories`, indexed by code"""
    whole: pd.Series | None
    by_kind: pd.DataFrame
    by_place: pd.DataFrame
    cells: HotCells | None
    places: tuple[Place, ...]
    cluster: Answer | None

    @property
    def n(self) -> int:
        """Incidents in the period."""
        return int(self.in_period.sum())


def find_situation(store: Store, viewer: Viewer, question: Question) -> Situation | None:
    """The answer to a question; None where there are no incidents or no community."""
    return _compute(store, viewer.scope, question, store.revision(*TABLES))


@lru_cache(maxsize=12)
def _compute(store: Store, viewer: Viewer, question: Question, _revision: int) -> Situation | None:
    end, boundary = find_data_end(store), find_boundary(store, viewer)
    if end is None or boundary.empty:
        return None
    found = find_incidents(store, viewer, only_places=True).rename(columns={"caller": "reporter_key"})
    if found.empty:
        return None
    begin = pd.to_datetime(found["occurred_from_utc"], utc=True)
    first, until = finished_days(begin.min().to_pydatetime(), end)
    since = until - timedelta(weeks=question.weeks)
    kinds = find_categories(store, viewer).set_index("category")
    chosen = begin.dt.tz_convert(LOCAL).dt.hour.isin(HOURS[question.hours]) & (begin >= first) & (begin < until)
    parents = to_parents(kinds.reset_index())
    to_group = map_to_groups(parents)
    if question.kinds:
        below = set[str]().union(*(list_below(parents, kind) for kind in question.kinds))
        chosen &= found["category"].isin(below)
    reported = found["source"].isin(REPORTED_BY_OTHERS)
    n_police = int((chosen & ~reported & (begin >= since)).sum())
    rows = found[chosen & reported].reset_index(drop=True)
    if rows.empty:
        return None
    begin = pd.to_datetime(rows["occurred_from_utc"], utc=True)
    buildings = find_buildings(store, viewer).set_index("building_id")
    names = (buildings["zone"].fillna("") + buildings["name"].fillna("")).to_dict()
    outline = shapely.union_all(boundary.geometry.to_numpy())
    dwellings = store.read("SELECT building_id, count(*) AS units FROM units GROUP BY building_id")
    exposure = None if dwellings.empty else dwellings.set_index("building_id")["units"]
    year = max(first, until - timedelta(weeks=STANDING_WEEKS))
    cells, hot = _find_hot(rows, outline, buildings, exposure, names, since, until)
    _, lasting = _find_hot(rows, outline, buildings, exposure, names, year, until) if question.weeks < 52 else (0, hot)
    period = {"since": since, "until": until, "history_since": first}
    groups = rows["category"].map({code: to_group.get(str(code), str(code)) for code in rows["category"].unique()})
    in_period = (begin >= since).to_numpy()
    return Situation(
        question, rows, in_period, n_police, first, since, until, outline, choose_cell_m(outline), buildings, names,
        kinds,
        _first(_changes(np.zeros(len(rows), dtype=np.int64).tolist(), begin, period)),
        _changes(groups.tolist(), begin, period),
        _changes(rows["building_id"].tolist(), begin, period, many=True),
        cells,
        _describe(rows, begin, buildings, [*((p, year) for p in lasting), *((p, since) for p in hot)], year, period),
        _find_cluster(rows, begin, first, until),
    )  # fmt: skip


def _find_hot(
    rows: gpd.GeoDataFrame, outline: Any, buildings: gpd.GeoDataFrame, exposure: pd.Series | None,
    names: Mapping[str, str], since: datetime, until: datetime,
) -> tuple[HotCells | None, list[HotPlace]]:  # fmt: skip
    """Hot cells (None: too few to judge) and the list of hot places of a period."""
    begin = pd.to_datetime(rows["occurred_from_utc"], utc=True)
    cells = None
    if int(((begin >= since) & (begin < until)).sum()) >= FEWEST_INCIDENTS:
        cells = find_hot_cells(rows, outline, since=since, until=until, kinds=None, cell_m=choose_cell_m(outline))
    repeats = find_repeat_places(rows, since=since, until=until, kinds=None, exposure=exposure)
    around = None
    if exposure is not None:
        homes = buildings.assign(dwellings=exposure.reindex(buildings.index))
        around = find_neighbourhoods(rows, homes, since=since, until=until, kinds=None)
    return cells, rank_hot_places(cells, repeats, _MOST_PLACES, neighbourhoods=around, names=names)


def _describe(
    rows: gpd.GeoDataFrame, begin: pd.Series, buildings: gpd.GeoDataFrame, hot: list[tuple[HotPlace, datetime]],
    year: datetime, period: dict[str, datetime],
) -> tuple[Place, ...]:  # fmt: skip
    """Hot places, with the beginning of what they were found in, each once; own baselines are judged together."""
    middles = gpd.GeoSeries(shapely.centroid(buildings.geometry.to_numpy()), index=buildings.index)
    kept: list[tuple[HotPlace, int, NDArray[np.bool_]]] = []
    for place, since in hot:
        if not any(_is_same(place, other) for other, _, _ in kept):
            inside = _find_inside(place, rows, middles, (begin >= since).to_numpy())
            kept.append((place, round((period["until"] - since) / timedelta(weeks=1)), inside))
    ids = [number for number, (_, _, inside) in enumerate(kept) for _ in range(int(inside.sum()))]
    times = pd.concat([begin[inside] for _, _, inside in kept], ignore_index=True) if kept else begin.iloc[:0]
    changes = _changes(ids, times, period).set_index("place_id")
    in_year = int((begin >= year).sum())
    return tuple(
        Place(
            place, weeks, inside, _first(changes[changes.index == number]),
            _stand(inside, begin, place.expected / max(1, in_year), year, period["until"]),
        )
        for number, (place, weeks, inside) in enumerate(kept)
    )  # fmt: skip


def _is_same(place: HotPlace, other: HotPlace) -> bool:
    known = bool(set(place.place_ids) & set(other.place_ids))
    return known or bool(shapely.intersects(place.geometry, other.geometry))


def _find_inside(
    place: HotPlace, rows: gpd.GeoDataFrame, middles: gpd.GeoSeries, in_window: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Its incidents. A neighbourhood counts those of its houses, hot cells those that lie in them: as the list did."""
    inside: NDArray[np.bool_]
    if place.geometry.area == 0:
        inside = rows["unit_id" if place.kind == "unit" else "building_id"].isin(place.place_ids).to_numpy()
        return inside
    inside = rows["building_id"].isin(middles.index[shapely.intersects(place.geometry, middles.to_numpy())]).to_numpy()
    if int((inside & in_window).sum()) != place.count:
        inside = shapely.intersects(place.geometry, rows.geometry.to_numpy())
    return inside


def _stand(
    inside: NDArray[np.bool_], begin: pd.Series, share: float, year: datetime, until: datetime
) -> Standing | None:
    if until - year < timedelta(weeks=48) or not 0 < share < 1:
        return None
    return find_standing(inside, begin, share=share, since=year, until=until)


def _changes(ids: list[Any], begin: pd.Series, period: dict[str, Any], *, many: bool = False) -> pd.DataFrame:
    """`many`: of the places only those that the test could tell anything of, so that the rest costs nothing."""
    known = [None if pd.isna(one) else one for one in ids]
    try:
        return find_changes(keep_testable(known, begin, **period) if many else known, begin, **period)
    except BadRecordError:  # a history shorter than two periods: there is nothing to compare with
        return pd.DataFrame(columns=["place_id", "count", "last", "baseline", "periods", "p", "q", "verdict"])


def _first(rows: pd.DataFrame) -> pd.Series | None:
    return None if rows.empty else rows.iloc[0]


def _find_cluster(rows: gpd.GeoDataFrame, begin: pd.Series, first: datetime, until: datetime) -> Answer | None:
    if len(rows) < FEWEST_INCIDENTS:
        return None
    days = np.asarray((begin - first) / _DAY, dtype=np.float64)
    return find_fresh_cluster(
        shapely.get_coordinates(rows.geometry.to_numpy()).astype(np.float64), days, now_days=(until - first) / _DAY,
        rng=np.random.default_rng(0),
    )  # fmt: skip


# Zones


@dataclass(frozen=True)
class ZoneState:
    """A zone, its measures, and what came of it."""

    row: Mapping[str, Any]
    geometry: Any
    measures: tuple[tuple[date, str], ...]
    effect: Effect | None
    """None while its measures have no first day"""
    dose: Dose | None = None
    """Minutes of patrol that were delivered there since that day; None while there is none"""


def find_zone_states(store: Store, viewer: Viewer, *, with_closed: bool = True) -> tuple[ZoneState, ...]:
    """Zones, open ones first by review, each with before and after, and with the patrol that was delivered there."""
    presences = find_patrol_presences(store, viewer)  # not with the rest: it grows with every position of a patrol
    return tuple(
        replace(one, dose=_find_dose(presences, one))
        for one in _compute_zones(store, viewer.scope, store.revision(*TABLES, "zones", "zone_measures", "accounts"))
        if with_closed or one.row["status"] == "open"
    )


@lru_cache(maxsize=4)
def _compute_zones(store: Store, viewer: Viewer, _revision: int) -> tuple[ZoneState, ...]:
    zones = find_zone_records(store, viewer)
    if zones.empty:
        return ()
    measures: dict[str, list[tuple[date, str]]] = {}
    for one in find_zone_measures(store, viewer).to_dict("records"):
        measures.setdefault(str(one["zone_id"]), []).append((one["done_on"].date(), str(one["text"])))
    records = [_to_plain(row) for row in zones.drop(columns="geom").to_dict("records")]
    shapes = zones.geometry.tolist()
    states = []
    for row, shape in zip(records, shapes, strict=True):
        others = [(other, at) for other, at in zip(records, shapes, strict=True) if other["zone_id"] != row["zone_id"]]
        effect = None if row["starts_on"] is None else _assess(store, viewer, row, shape, others)
        states.append(ZoneState(row, shape, tuple(measures.get(row["zone_id"], ())), effect))
    return tuple(states)


def _find_dose(presences: gpd.GeoDataFrame, zone: ZoneState) -> Dose | None:
    """Patrol delivered in a zone since its measures began, up to the last time that anybody was there."""
    starts_on = zone.row["starts_on"]
    if starts_on is None:
        return None
    within = presences[presences["place_id"].notna() & presences.geometry.intersects(zone.geometry)]
    since = datetime.combine(starts_on, datetime.min.time(), LOCAL)
    until = max([since, *(at.to_pydatetime() for at in within["to_utc"])])
    return sum_dose(to_presences(within), since=since, until=until)


def _assess(
    store: Store, viewer: Viewer, row: dict[str, Any], shape: Any, others: list[tuple[dict[str, Any], Any]]
) -> Effect | None:
    situation = find_situation(store, viewer, Question(kinds=tuple(row["kinds"].split())))
    if situation is None:
        return None

    def to_day(on: date | None) -> float | None:
        return None if on is None else (datetime.combine(on, datetime.min.time(), LOCAL) - situation.first) / _DAY

    begin = pd.to_datetime(situation.rows["occurred_from_utc"], utc=True)
    peers = [
        Peer(at, to_day(other["starts_on"]), row["lot_id"] is not None and other["lot_id"] == row["lot_id"])
        for other, at in others
    ]
    return find_effect(
        shapely.get_coordinates(situation.rows.geometry.to_numpy()),
        ((begin - situation.first) / _DAY).to_numpy(np.float64),
        shape,
        start_day=to_day(row["starts_on"]) or 0.0,
        now_day=(situation.until - situation.first) / _DAY,
        first_day=0.0,
        peers=peers,
    )


def _to_plain(row: dict[Any, Any]) -> dict[str, Any]:
    plain = {str(name): None if pd.isna(value) else value for name, value in row.items()}
    return {name: value.date() if isinstance(value, pd.Timestamp) else value for name, value in plain.items()}


def find_synthetic(store: Store) -> bool:
    """Whether the store holds the invented sample: every file says so."""
    return bool(get_info(store).synthetic)

"""
Hot places for patrols, first form: hot cells and repeat addresses of a chosen period, ranked, with what drew them.

The list beside the table and the marks on it come from the same computation, kept per revision of its tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import geopandas as gpd
import shapely

from data.queries import find_boundary, find_buildings, find_incidents
from data.reading import find_data_end
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError
from incidents.cells import choose_cell_m
from incidents.hot_places import HotPlace, rank_hot_places
from incidents.hotspots import FEWEST_INCIDENTS, find_hot_cells
from incidents.neighbourhoods import find_neighbourhoods
from incidents.repeats import find_repeat_places
from incidents.selection import select_reported
from layers.palette import HOT
from layers.records import lift, to_points, to_polygons
from layers.scene import Records, Scene, SceneRequest

DEFAULT_WEEKS = 52
WEEKS = (4, 12, 26, 52, 104)
_TABLES = ("incidents", "incident_categories", "buildings", "units", "addresses", "community", "settings")
_CURTAIN_M = 14.0
_OVER_ROOF_M = 4.0


@dataclass(frozen=True)
class HotQuestion:
    """What was asked: the last `weeks` weeks up to when the data were true, and kinds (none: all)."""

    weeks: int = DEFAULT_WEEKS
    kinds: tuple[str, ...] = ()


def parse_question(params: Mapping[str, str]) -> HotQuestion:
    """
    The question from a scene's parameters `weeks` and `kinds` (comma-separated codes).

    Raises
    ------
    BadRecordError
        `weeks` is not one of `WEEKS`.
    """
    weeks = params.get("weeks", str(DEFAULT_WEEKS))
    if not weeks.isdigit() or int(weeks) not in WEEKS:
        raise BadRecordError(f"weeks is '{weeks[:20]}', expected one of {', '.join(map(str, WEEKS))}.")
    kinds = tuple(sorted(kind for kind in params.get("kinds", "").split(",") if kind))
    return HotQuestion(int(weeks), kinds)


def find_hot_places(store: Store, viewer: Viewer, question: HotQuestion) -> tuple[HotPlace, ...]:
    """The top ten, most above chance first; empty where nothing stands out or there is nothing to judge."""
    return _compute(store, viewer.scope, question, store.revision(*_TABLES))


@lru_cache(maxsize=64)
def _compute(store: Store, viewer: Viewer, question: HotQuestion, _revision: int) -> tuple[HotPlace, ...]:
    until = find_data_end(store)
    boundary = find_boundary(store, viewer)
    if until is None or boundary.empty:
        return ()
    since = until - timedelta(weeks=question.weeks)
    kinds = frozenset(question.kinds) or None
    rows = find_incidents(store, viewer, since=since - timedelta(days=31), until=until, only_places=True)
    rows = rows.rename(columns={"caller": "reporter_key"})  # the number of a caller within this answer, nothing else
    if rows.empty:
        return ()
    buildings = find_buildings(store, viewer).set_index("building_id")
    cells = None
    reported, _ = select_reported(rows, since=since, until=until, kinds=kinds)
    if len(reported) >= FEWEST_INCIDENTS:  # else no cell is judged: spare the lattice
        outline = shapely.union_all(boundary.geometry.to_numpy())
        cells = find_hot_cells(rows, outline, since=since, until=until, kinds=kinds, cell_m=choose_cell_m(outline))
    dwellings = store.read("SELECT building_id, count(*) AS units FROM units GROUP BY building_id")
    exposure = None if dwellings.empty else dwellings.set_index("building_id")["units"]
    repeats = find_repeat_places(rows, since=since, until=until, kinds=kinds, exposure=exposure)
    around = None
    if exposure is not None:
        homes = buildings.assign(dwellings=exposure.reindex(buildings.index))
        around = find_neighbourhoods(rows, homes, since=since, until=until, kinds=kinds)
    names = (buildings["zone"].fillna("") + buildings["name"].fillna("")).to_dict()
    return tuple(rank_hot_places(cells, repeats, 10, neighbourhoods=around, names=names))


def hot_id(place: HotPlace) -> str:
    """Id of a place in the list: stable while the answer is the same."""
    return f"hot-{place.rank}"


def _build_places(request: SceneRequest) -> Records:
    places = find_hot_places(request.store, request.viewer, parse_question(request.params))
    points = to_points(gpd.GeoSeries([place.geometry for place in places]), request.frame)
    return {
        "places": [
            {"rank": place.rank, "id": hot_id(place), "x": [x, y, _CURTAIN_M + 8.0], "count": place.count}
            for place, (x, y) in zip(places, points, strict=True)
        ]
    }


def _build_curtains(request: SceneRequest) -> Records:
    places = find_hot_places(request.store, request.viewer, parse_question(request.params))
    if not places:
        return []
    buildings = find_buildings(request.store, request.viewer).set_index("building_id")
    shapes, heights = [], []
    for place in places:
        if place.geometry.area > 0:
            shapes.append(place.geometry)
            heights.append(_CURTAIN_M)
            continue
        held = buildings.loc[buildings.index.intersection(list(place.place_ids))]
        shapes += held.geometry.buffer(1.5, join_style="mitre").tolist()
        heights += (held["height_m"] + _OVER_ROOF_M).round(1).tolist()
    polygons, owners = to_polygons(gpd.GeoSeries(shapes), request.frame)
    return [
        {"p": lift(polygon, 0.1), "h": heights[owner], "c": HOT}
        for polygon, owner in zip(polygons, owners, strict=True)
    ]


HOT_PLACES = Scene("hot", _TABLES, _build_places, ("weeks", "kinds"))
HOT_CURTAINS = Scene("hot_curtains", _TABLES, _build_curtains, ("weeks", "kinds"))

"""What each method finds on the incidents of a question, computed once per revision, and its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.queries import find_calendar_days, find_roads
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError
from i18n import Language, t
from incidents.answer import Answer
from incidents.back_test import CELL_M as BACK_TEST_CELL_M
from incidents.back_test import PERIOD_DAYS, back_test_units
from incidents.back_test import WEEKS as BACK_TEST_WEEKS
from incidents.concentration import find_repeats
from incidents.density import find_density
from incidents.gi_star import find_hot_units
from incidents.hotspots import FEWEST_INCIDENTS
from incidents.hours import Calendar, compare_days
from incidents.knox import find_knox
from incidents.near_repeats import find_chains, find_near_repeats
from incidents.periods import find_trends, split_periods
from incidents.units import UnitCounts, count_buildings, count_hexagons, count_segments, count_squares
from ui.command_data import STANDING_WEEKS, TABLES, Question, Situation, find_situation
from ui.command_words import say_cluster
from ui.tables import LOCAL

METHODS = ("hot", "trends", "density", "knox", "scan", "calendar", "back_test")
ON = ("square", "hexagon", "segment", "building")
KNOX_M, KNOX_DAYS = 100.0, 14.0
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Finding:
    """What a method found."""

    answer: Answer
    units: UnitCounts | None = None
    """What was counted in, where the method counts"""
    label: str = ""
    """Of several findings of a method: which, e.g. the calendar's name or area and street"""


def find_method(store: Store, viewer: Viewer, question: Question, method: str, on: str = ON[0]) -> tuple[Finding, ...]:
    """
    The findings of one of `METHODS`; none where there is nothing to work on.

    `on` is what is counted in, for hot places, trends. A back-test is made on cells and on streets, whatever `on` is,
    and looks back two years; trends look back one; all others use the question's period.
    """
    tables = (*TABLES, "roads", "calendar_days")
    return _compute(store, viewer.scope, question, method, on, store.revision(*tables))


@lru_cache(maxsize=32)
def _compute(
    store: Store, viewer: Viewer, question: Question, method: str, on: str, _revision: int
) -> tuple[Finding, ...]:
    situation = find_situation(store, viewer, question)
    if situation is None:
        return ()
    work: dict[str, Callable[[], list[Finding]]] = {
        "hot": lambda: _find_hot(store, viewer, situation, on),
        "trends": lambda: _find_trends(store, viewer, situation, on),
        "density": lambda: [
            Finding(find_density(_get_xy(situation), cell_m=situation.cell_m, boundary=situation.outline))
        ],
        "knox": lambda: [
            Finding(find_knox(_get_xy(situation), _get_days(situation), distance_m=KNOX_M, days=KNOX_DAYS))
        ],
        "scan": lambda: [] if situation.cluster is None else [Finding(situation.cluster)],
        "calendar": lambda: _compare_calendars(store, viewer, situation),
        "back_test": lambda: _back_test(store, viewer, situation),
    }
    try:
        return tuple(work[method]())
    except BadRecordError:  # too few, too short a history, or nothing to compare: the page says so
        return ()


def _get_xy(situation: Situation, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    rows = situation.rows[situation.in_period if chosen is None else chosen]
    return np.asarray(shapely.get_coordinates(rows.geometry.to_numpy()), dtype=np.float64)


def _get_days(situation: Situation, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    rows = situation.rows[situation.in_period if chosen is None else chosen]
    begin = pd.to_datetime(rows["occurred_from_utc"], utc=True)
    return np.asarray((begin - situation.first) / _DAY, dtype=np.float64)


def count_units(
    store: Store, viewer: Viewer, situation: Situation, xy: NDArray[np.float64], on: str, *, cell_m: float
) -> UnitCounts | None:
    """Incidents on squares, hexagons, road segments or buildings; None where the store has none of those."""
    if on == "segment":
        roads = find_roads(store, viewer)
        return None if roads.empty else count_segments(xy, roads.set_index("road_id"))
    if on == "building":
        return None if situation.buildings.empty else count_buildings(xy, situation.buildings)
    return (count_hexagons if on == "hexagon" else count_squares)(xy, situation.outline, cell_m)


def _find_hot(store: Store, viewer: Viewer, situation: Situation, on: str) -> list[Finding]:
    units = count_units(store, viewer, situation, _get_xy(situation), on, cell_m=situation.cell_m)
    return [] if units is None else [Finding(find_hot_units(units), units)]


def _find_trends(store: Store, viewer: Viewer, situation: Situation, on: str) -> list[Finding]:
    """Finished periods of four weeks in the year before the end of the question's period."""
    edges = split_periods(_year_start(situation), situation.until, days=PERIOD_DAYS)
    begin = pd.to_datetime(situation.rows["occurred_from_utc"], utc=True)
    chosen = (begin >= edges[0]).to_numpy()
    # Wider than cells of 25 m: the test is made of each cell alone, without its neighbours.
    cell_m = max(BACK_TEST_CELL_M, situation.cell_m)
    units = count_units(store, viewer, situation, _get_xy(situation, chosen), on, cell_m=cell_m)
    if units is None:
        return []
    days = _get_days(situation, chosen)
    marks = [(edge - situation.first) / timedelta(days=1) for edge in edges]
    period = np.searchsorted(marks, days, side="right") - 1
    counts = np.column_stack([units.count(period == k) for k in range(len(edges) - 1)])
    size = units.size if on in ("segment", "building") else None
    return [Finding(find_trends(counts, exposure=size), units)]


def _year_start(situation: Situation) -> Any:
    return max(situation.first, situation.until - timedelta(weeks=STANDING_WEEKS))


def _back_test(store: Store, viewer: Viewer, situation: Situation) -> list[Finding]:
    since = max(situation.first, situation.until - timedelta(weeks=BACK_TEST_WEEKS))
    edges = [
        (edge - situation.first) / timedelta(days=1) for edge in split_periods(since, situation.until, days=PERIOD_DAYS)
    ]
    every = np.ones(len(situation.rows), dtype=bool)
    xy, days = _get_xy(situation, every), _get_days(situation, every)
    found = []
    for on, cell_m in (("square", max(BACK_TEST_CELL_M, situation.cell_m)), ("segment", 0.0)):
        units = count_units(store, viewer, situation, xy, on, cell_m=cell_m)
        if units is not None:
            found.append(Finding(back_test_units(units, xy, days, edges), units, on))
    return found


def _compare_calendars(store: Store, viewer: Viewer, situation: Situation) -> list[Finding]:
    rows = find_calendar_days(store, viewer)
    begin = pd.to_datetime(situation.rows.loc[situation.in_period, "occurred_from_utc"], utc=True)
    days = [one.date() for one in begin.dt.tz_convert(LOCAL)]
    since, until = (at.astimezone(LOCAL).date() for at in (situation.since, situation.until))
    found = []
    for name, own in rows.groupby("calendar", sort=True):
        calendar = Calendar(str(name), frozenset(_to_date(one) for one in own["day"]))
        try:
            found.append(Finding(compare_days(days, calendar, since=since, until=until), label=str(name)))
        except BadRecordError:  # all days or none of the period are in it
            continue
    return found


def _to_date(value: object) -> date:
    return pd.Timestamp(value).date()  # type: ignore[arg-type]


def list_methods(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> list[str]:
    """The sentence of each method on the incidents of the period, for the report."""
    rows = situation.rows[situation.in_period]
    hot = 0 if situation.cells is None else int(situation.cells.cells["hot"].sum())
    repeats = find_repeats(rows["building_id"].tolist(), all_places=list(situation.buildings.index), by="building")
    said = [
        t("command.method_hot", lang, cell=f"{situation.cell_m:g}", cells=hot),
        t("bench.said_by", lang, by=t("bench.by_building", lang), what=repeats.sentence(lang)),
    ]
    if len(rows) >= FEWEST_INCIDENTS:
        held = {"units": rows["unit_id"].to_numpy(object), "buildings": rows["building_id"].to_numpy(object)}
        xy, days = _get_xy(situation), _get_days(situation)
        said.append(find_near_repeats(xy, days, **held).sentence(lang))
        said.append(find_chains(xy, days, distance_m=50.0, days=7.0, **held).sentence(lang))
    if situation.cluster is not None:
        said.append(say_cluster(situation, lang))
    for method in ("calendar", "back_test"):
        for finding in find_method(store, viewer, situation.question, method):
            sentence = finding.answer.sentence(lang)
            by = t(f"bench.test_{finding.label}", lang) if method == "back_test" else ""
            said.append(t("bench.said_by", lang, by=by, what=sentence) if by else sentence)
    return said

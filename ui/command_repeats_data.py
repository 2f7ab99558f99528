"""Places that repeat, by unit, building, address, road segment or grid, each told apart; computed once per revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.queries import find_grids, find_roads
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.baselines import TOO_FEW
from incidents.briefing import find_changes, keep_testable
from incidents.concentration import CURVE_SHARE, find_luck_curve, find_repeats
from incidents.units import count_segments
from ui.command_data import TABLES, Question, Situation, find_situation

BYS = ("building", "unit", "address", "segment", "grid")
_MOST_PLACES = 12
_AT_LEAST = 2


@dataclass(frozen=True)
class Ground:
    """One place of any kind with its incidents and its own baseline."""

    key: str
    """building:B13, segment:R7 …"""
    name: str
    inside: NDArray[np.bool_]
    """Which of the situation's rows are its incidents"""
    count: int
    """Of them in the period"""
    n_one_caller: int
    """Of these the most from one caller"""
    change: pd.Series | None
    """Row of `find_changes`, None where there is no period before"""
    geometry: Any
    """Outline, line, or for a unit or an address its building, else a point; None where unknown"""


@dataclass(frozen=True)
class Board:
    """All places of one kind."""

    by: str
    answer: Answer
    """`find_repeats` on the incidents of the period"""
    luck: pd.DataFrame | None
    """`find_luck_curve`, None where exposures are not known"""
    ids: NDArray[np.object_]
    """Place of each of the situation's rows, None where unknown"""
    makers: frozenset[str]
    """The fullest places, which together make 80 % of the incidents"""
    places: tuple[Ground, ...]
    """Those with most incidents in the period, at least two"""
    shapes: Mapping[str, Any]
    names: Mapping[str, str]
    changes: pd.DataFrame
    """`find_changes` indexed by place, of the places that can be judged"""

    @property
    def curve(self) -> pd.DataFrame:
        """Share of the incidents by share of the places."""
        rows: Any = self.answer.figures["curve"]
        return pd.DataFrame(rows)


def find_board(store: Store, viewer: Viewer, question: Question, by: str) -> Board | None:
    """The places of one kind for a question; None where there are no incidents."""
    return _compute(store, viewer.scope, question, by, store.revision(*TABLES, "roads", "grids"))


def find_ground(store: Store, viewer: Viewer, situation: Situation, key: str) -> Ground | None:
    """The place of a key such as `building:B13`; None where there is none."""
    by, _, place = key.partition(":")
    board = find_board(store, viewer, situation.question, by) if by in BYS else None
    if board is None or not place or (place not in board.shapes and place not in set(board.ids)):
        return None
    return _describe(situation, board, place)


@lru_cache(maxsize=24)
def _compute(store: Store, viewer: Viewer, question: Question, by: str, _revision: int) -> Board | None:
    situation = find_situation(store, viewer, question)
    if situation is None:
        return None
    ids, shapes, names, exposure = _read_places(store, viewer, situation, by)
    now = situation.in_period
    answer = find_repeats(
        ids[now].tolist(), callers=situation.rows.loc[now, "reporter_key"].tolist(),
        all_places=None if exposure is None else exposure.index.tolist(), by=by,
    )  # fmt: skip
    luck = None
    if exposure is not None and answer.n_used and float(exposure.sum()) > 0:
        luck = find_luck_curve(answer.n_used, exposure.to_numpy(np.float64))
    counts = pd.Series(ids[now], dtype=object).value_counts()
    makers = frozenset(counts.index[: int(str(answer.figures["places_for_80"]))].astype(str))
    board = Board(by, answer, luck, ids, makers, (), shapes, names, _find_changes(situation, ids))
    fullest = counts[counts >= _AT_LEAST].head(_MOST_PLACES).index
    places = tuple(_describe(situation, board, str(place)) for place in fullest)
    return Board(by, answer, luck, ids, makers, places, shapes, names, board.changes)


def _read_places(
    store: Store, viewer: Viewer, situation: Situation, by: str
) -> tuple[NDArray[np.object_], Mapping[str, Any], Mapping[str, str], pd.Series | None]:
    """Place of each incident; shapes and names by place; what incidents can fall on at each, None where unknown."""
    rows, buildings = situation.rows, situation.buildings
    if by == "segment":
        roads = find_roads(store, viewer).set_index("road_id")
        if roads.empty:
            return np.full(len(rows), None, dtype=object), {}, {}, None
        counted = count_segments(shapely.get_coordinates(rows.geometry.to_numpy()), roads)
        ids = np.where(counted.unit_of >= 0, counted.ids[counted.unit_of], np.array(None, dtype=object))
        exposure = pd.Series(counted.size, index=counted.ids)
        return ids, dict(zip(counted.ids, counted.geometry, strict=True)), _name_segments(roads, situation), exposure
    if by == "address":
        return _read_addresses(store, situation)
    column = f"{by}_id"
    ids = np.array([one if isinstance(one, str) else None for one in rows[column]], dtype=object)
    if by == "grid":
        grids = find_grids(store, viewer).set_index("grid_id")
        homes = grids["units"].astype(float)
        return ids, grids.geometry.to_dict(), grids["name"].fillna(grids["number"].astype(str)).to_dict(), homes
    if by == "building":
        dwellings = store.read("SELECT building_id, count(*) AS units FROM units GROUP BY building_id")
        homes = dwellings.set_index("building_id")["units"].reindex(buildings.index).fillna(0).astype(float)
        return ids, buildings.geometry.to_dict(), situation.names, homes if homes.sum() > 0 else None
    shapes, names = _find_shapes(store, situation, ids)
    units = store.read("SELECT unit_id FROM units")["unit_id"]
    return ids, shapes, names, pd.Series(1.0, index=units) if len(units) else None


def _read_addresses(
    store: Store, situation: Situation
) -> tuple[NDArray[np.object_], Mapping[str, Any], Mapping[str, str], None]:
    """Standard addresses; an incident without one is at its coordinates, so that the same crossing repeats."""
    rows, points = situation.rows, situation.rows.geometry.to_numpy()
    xy = shapely.get_coordinates(points).tolist()
    addresses = [one if isinstance(one, str) else None for one in rows["address"]]
    said = [address or f"{x:.1f}, {y:.1f}" for address, (x, y) in zip(addresses, xy, strict=True)]
    ids = np.array(said, dtype=object)
    shapes, names = _find_shapes(store, situation, ids)
    bare = {at: point for at, point, address in zip(said, points, addresses, strict=True) if address is None}
    return ids, {**bare, **shapes}, {**{one: one for one in bare}, **names}, None


def _find_shapes(store: Store, situation: Situation, ids: NDArray[np.object_]) -> tuple[dict[str, Any], dict[str, str]]:
    """The house of each unit or address, and its name without the town and the community, which all have."""
    rows, buildings = situation.rows, situation.buildings
    known = pd.DataFrame({"id": ids, "building": rows["building_id"], "address": rows["address"]}).dropna(subset=["id"])
    known = known.drop_duplicates("id").set_index("id")
    shapes = {
        str(place): buildings.geometry[building]
        for place, building in known["building"].items()
        if building in buildings.index
    }
    prefix = store.read("SELECT coalesce(address_prefix, '') || name AS said FROM community")["said"]
    cut = str(prefix.iloc[0]) if len(prefix) else ""
    said = known["address"].items()
    return shapes, {str(one): text.removeprefix(cut) if isinstance(text, str) else str(one) for one, text in said}


def _name_segments(roads: Any, situation: Situation) -> dict[str, str]:
    """Name of the road, else its id, and the house that is nearest to the middle of the piece: a road has many."""
    middles = shapely.line_interpolate_point(roads.geometry.to_numpy(), 0.5, normalized=True)
    near = np.full(len(roads), "", dtype=object)
    if len(situation.buildings):
        tree = shapely.STRtree(situation.buildings.geometry.to_numpy())
        house = situation.buildings.index[tree.nearest(middles)]
        near = np.array([situation.names.get(str(one), "") for one in house], dtype=object)
    return {
        str(road): " · ".join(filter(None, [name if isinstance(name, str) else str(road), at]))
        for road, name, at in zip(roads.index, roads["name"], near, strict=True)
    }


def _period(situation: Situation) -> dict[str, Any]:
    return {"since": situation.since, "until": situation.until, "history_since": situation.first}


def _find_changes(situation: Situation, ids: NDArray[np.object_]) -> pd.DataFrame:
    begin = pd.to_datetime(situation.rows["occurred_from_utc"], utc=True)
    try:
        testable = keep_testable(ids.tolist(), begin, **_period(situation))
        return find_changes(testable, begin, **_period(situation)).set_index("place_id")
    except BadRecordError:  # a history shorter than two periods: there is nothing to compare with
        return pd.DataFrame(columns=["verdict"])


def _describe(situation: Situation, board: Board, place: str) -> Ground:
    inside: NDArray[np.bool_] = np.equal(board.ids, place)
    own = inside & situation.in_period
    calls = situation.rows.loc[own, "reporter_key"].value_counts()
    rows = board.changes[board.changes.index == place]
    change = _too_few(situation, inside) if rows.empty else rows.iloc[0]
    return Ground(
        f"{board.by}:{place}", board.names.get(place) or place, inside, int(own.sum()),
        int(calls.max()) if len(calls) else 0, change, board.shapes.get(place),
    )  # fmt: skip


def _too_few(situation: Situation, inside: NDArray[np.bool_]) -> pd.Series | None:
    """Counts of a place that no test can judge, with that verdict."""
    begin = pd.to_datetime(situation.rows["occurred_from_utc"], utc=True)
    try:
        rows = find_changes(["it" if one else None for one in inside], begin, **_period(situation))
    except BadRecordError:
        return None
    if rows.empty:
        return None
    row = rows.iloc[0].copy()
    row["verdict"] = TOO_FEW
    return row


def find_share_lines(board: Board) -> list[tuple[str, int, float, float]]:
    """Lines of the 80/20 table: (what, places, their share, share of the incidents)."""
    curve = board.curve
    total = int(str(board.answer.figures["all_places"]))
    lines = []
    for share in (0.01, 0.05, 0.10, 0.20):
        places = max(1, int(share * total))
        made = float(np.interp(places, curve["places"], curve["incident_share"]))
        lines.append(("places", places, places / max(total, 1), made))
    for share in (0.5, CURVE_SHARE, 1.0):
        places = int(np.ceil(np.interp(share - 1e-12, curve["incident_share"], curve["places"])))
        lines.append(("incidents", places, places / max(total, 1), share))
    return lines

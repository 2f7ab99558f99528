"""
The ways of a community as a network that people walk and drive: pieces of ways between meetings, gates and walls.

Pure: frames in, a network out, nothing but space. Gates closed at a time are walls at that time. What leads from a door
to the ways is in `walk_links`, travel times in `walk_search`, a way that is followed in `walk_routes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from gis.errors import BadRecordError, CrsMismatchError, GeographicCrsError
from gis.walk_cuts import NO_GATE, Cuts, find_cuts
from gis.walk_pace import CLOSED_TO_CARS, Floats, OneWay, Vehicle, get_directions, get_speeds_m_s

Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

LOCAL: Final = ZoneInfo("Asia/Shanghai")
_SAME_M: Final = 0.005
"""Ends of ways this close are one meeting: noding may leave them a grid's step apart."""
_SHRUNK_M: Final = 0.3
"""A link that touches a wall of a house does not lead through it."""


@dataclass(frozen=True)
class Gate:
    """
    A gate: id, name, kind, and when it closes and opens in local time; both None where it never closes, or where nobody
    has said so yet: `is_known` when hours are known, or somebody confirmed by hand that it has none.
    """

    gate_id: str
    name: str | None
    kind: str
    closes_at: time | None
    opens_at: time | None
    is_known: bool = True

    def is_open(self, at: time) -> bool:
        """
        Whether it is open at a local time of day. It closes at `closes_at` sharp and opens at `opens_at` sharp; equal
        times mean that it stays shut.
        """
        if self.closes_at is None or self.opens_at is None:
            return True
        if self.closes_at < self.opens_at:
            return not self.closes_at <= at < self.opens_at
        return self.opens_at <= at < self.closes_at


@dataclass(frozen=True)
class Houses:
    """Footprints with their doors: `doors[i]` are the points (none known: empty) of the house `building_ids[i]`."""

    building_ids: tuple[str, ...]
    footprints: Geometries
    shrunk: Geometries
    doors: tuple[tuple[tuple[str, shapely.Point], ...], ...]
    index: dict[str, int]
    tree: shapely.STRtree
    shrunk_tree: shapely.STRtree


@dataclass(frozen=True, eq=False)
class WalkNetwork:
    """
    A community's ways, metric CRS.

    Attributes
    ----------
    crs
        Metric CRS of all of it.
    road_ids, road_names
        Of each way, shape (n,).
    lines
        Pieces, shape (m,), as lines; they meet at nodes.
    road
        Index of the way of each piece.
    first, last
        Node at the beginning and at the end of each piece.
    length_m
        Of each piece.
    speed_m_s
        Of each vehicle on each piece, 0 where it may not go.
    direction
        Of each vehicle on each piece: 1 along the line only, -1 against it only, 0 both ways.
    cut_first, cut_last
        Whether a piece begins or ends at a gate or wall.
    nodes
        Number of nodes.
    gates
        All gates; `door_gate` are their indexes, `door_first` and `door_last` the nodes that each joins while open.
    bars, bar_gate
        See `Cuts`.
    barriers
        What no link crosses but at a gate: walls, and the banks of waters.
    is_verified
        Walls are known, and of one gate at least when it is open: else every route says "gates unverified".
    closed_crossings
        How many times a wall closes a way for want of a gate.
    """

    crs: CRS
    road_ids: tuple[str, ...]
    road_names: tuple[str | None, ...]
    lines: Geometries
    road: Integers
    first: Integers
    last: Integers
    length_m: Floats
    speed_m_s: dict[Vehicle, Floats]
    direction: dict[Vehicle, Integers]
    cut_first: Booleans
    cut_last: Booleans
    nodes: int
    gates: tuple[Gate, ...]
    door_gate: Integers
    door_first: Integers
    door_last: Integers
    bars: Geometries
    bar_gate: Integers
    barriers: Geometries
    houses: Houses
    is_verified: bool
    closed_crossings: int
    tree: shapely.STRtree = field(repr=False)
    barrier_tree: shapely.STRtree = field(repr=False)
    bar_tree: shapely.STRtree = field(repr=False)
    gate_tree: shapely.STRtree = field(repr=False)
    graphs: dict[object, object] = field(default_factory=dict, repr=False)
    """Matrices by what is open, kept by `walk_search`."""

    def find_open(self, at: datetime) -> Booleans:
        """Which gates are open at an aware time, shape (gates,)."""
        if at.tzinfo is None:
            raise BadRecordError(f"{at} has no time zone, so nobody knows which gates are open. Give an aware time.")
        moment = at.astimezone(LOCAL).time()
        return np.array([gate.is_open(moment) for gate in self.gates], dtype=np.bool_)

    def may_go(self, vehicle: Vehicle, pieces: Integers, *, along: bool) -> Booleans:
        """Whether a vehicle may go along each of these pieces, from its first node to its last; or the other way."""
        allowed: Booleans = self.direction[vehicle][pieces] != (-1 if along else 1)
        return allowed


def build_walk_network(
    roads: gpd.GeoDataFrame,
    *,
    gates: gpd.GeoDataFrame | None = None,
    walls: gpd.GeoDataFrame | None = None,
    water: gpd.GeoDataFrame | None = None,
    buildings: gpd.GeoDataFrame | None = None,
    entrances: gpd.GeoDataFrame | None = None,
) -> WalkNetwork:
    """
    The network of `roads`, which meet at their ends only.

    Parameters
    ----------
    roads
        Lines with `road_id`, `name`, `kind`, `width_m`, `walkable` and, where they are known, `oneway`,
        `oneway_bicycle` and `oneway_foot`.
    gates
        Points with `gate_id`, `name`, `kind`, `closes_at`, `opens_at` (local times; None: never closes) and, where it
        is known, `verified_utc`.
    walls, water
        Lines; areas, which ways cross by their bridges and nothing else does.
    buildings, entrances
        Footprints with `building_id`; points with `entrance_id` and `building_id`.

    Raises
    ------
    GeographicCrsError, CrsMismatchError
        Not metric, or not all in one CRS; names both.
    """
    crs = _check_crs(
        {"roads": roads, "gates": gates, "walls": walls, "water": water, "buildings": buildings, "entrances": entrances}
    )
    ways = _to_array(roads)
    wall_lines = _to_array(walls)
    gate_rows, gate_points = _read_gates(gates)
    widths_m = roads["width_m"].to_numpy(dtype=np.float64)
    barriers = np.concatenate([wall_lines, shapely.boundary(_to_array(water))])
    cuts = find_cuts(ways, widths_m, gate_points, wall_lines)
    pieces, way, cut_first, cut_last, doors = _cut_ways(ways, cuts)
    first, last, door_first, door_last, nodes = _number_nodes(pieces, cut_first, cut_last, doors)
    kinds = roads["kind"].to_numpy(dtype=object)
    is_walkable = roads["walkable"].to_numpy(dtype=bool)
    one_way = _read_one_way(roads)
    return WalkNetwork(
        crs=crs,
        road_ids=tuple(roads["road_id"].astype(str)),
        road_names=tuple(None if pd.isna(name) else str(name) for name in roads["name"]),
        lines=pieces,
        road=way,
        first=first,
        last=last,
        length_m=np.asarray(shapely.length(pieces), dtype=np.float64),
        speed_m_s={one: get_speeds_m_s(one, kinds, is_walkable)[way] for one in Vehicle},
        direction={one: get_directions(one, kinds, one_way)[way] for one in Vehicle},
        cut_first=cut_first,
        cut_last=cut_last,
        nodes=nodes,
        gates=gate_rows,
        door_gate=np.array([gate for gate, _, _ in doors], dtype=np.int64),
        door_first=door_first,
        door_last=door_last,
        bars=cuts.bars,
        bar_gate=cuts.bar_gate,
        barriers=barriers,
        houses=_build_houses(buildings, entrances),
        is_verified=bool(len(wall_lines)) and any(gate.is_known for gate in gate_rows),
        closed_crossings=int((cuts.gate == NO_GATE).sum()),
        tree=shapely.STRtree(pieces),
        barrier_tree=shapely.STRtree(barriers),
        bar_tree=shapely.STRtree(cuts.bars),
        gate_tree=shapely.STRtree(gate_points),
    )


def find_gates_for(network: WalkNetwork, vehicle: Vehicle, is_open: Booleans) -> Booleans:
    """Which of the gates that are open let a vehicle through, shape (gates,)."""
    if vehicle is not Vehicle.CAR:
        return is_open
    lets_cars: Booleans = np.array([gate.kind not in CLOSED_TO_CARS for gate in network.gates], dtype=np.bool_)
    return np.logical_and(is_open, lets_cars)


def _check_crs(frames: dict[str, gpd.GeoDataFrame | None]) -> CRS:
    found = {name: frame.crs for name, frame in frames.items() if frame is not None and len(frame)}
    crs = found.get("roads")
    if crs is None:
        crs = frames["roads"].crs if frames["roads"] is not None else None
    if crs is None or crs.is_geographic:
        raise GeographicCrsError(
            f"Roads are in {'no coordinate system' if crs is None else crs.to_string()}: travel times need metres. "
            "Convert them to the community's metric CRS first."
        )
    for name, other in found.items():
        if other is not None and other != crs:
            raise CrsMismatchError(
                f"{name.capitalize()} are in {other.to_string()}, roads in {crs.to_string()}. Convert one of them."
            )
    return CRS.from_user_input(crs)


def _read_one_way(roads: gpd.GeoDataFrame) -> OneWay:
    """What each way says to cars, bicycles and feet; what has no column says nothing."""

    def column(name: str) -> Floats:
        said = roads[name] if name in roads else pd.Series(np.nan, index=roads.index)
        return np.asarray(said.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)

    cars, foot = (np.nan_to_num(column(name)).astype(np.int64) for name in ("oneway", "oneway_foot"))
    return OneWay(cars, column("oneway_bicycle"), foot)


def _to_array(frame: gpd.GeoDataFrame | None) -> Geometries:
    return np.array([], dtype=object) if frame is None else np.asarray(frame.geometry, dtype=object)


def _read_gates(frame: gpd.GeoDataFrame | None) -> tuple[tuple[Gate, ...], Geometries]:
    if frame is None:
        return (), np.array([], dtype=object)

    def plain(value: Any) -> Any:
        return None if pd.isna(value) else value

    rows = []
    for row in frame.drop(columns=frame.geometry.name).astype(object).to_dict("records"):
        name, closes, opens, seen = (plain(row.get(key)) for key in ("name", "closes_at", "opens_at", "verified_utc"))
        is_known = closes is not None or seen is not None
        rows.append(Gate(str(row["gate_id"]), name, str(row["kind"]), closes, opens, is_known))
    return tuple(rows), np.asarray(frame.geometry, dtype=object)


def _cut_ways(
    ways: Geometries, cuts: Cuts
) -> tuple[Geometries, Integers, Booleans, Booleans, list[tuple[int, int, int]]]:
    """Pieces, their way, whether they begin and end at a cut, and doors: gate, piece before it, piece behind it."""
    is_cut = np.zeros(len(ways), dtype=bool)
    is_cut[cuts.way] = True
    whole = np.flatnonzero(~is_cut)
    pieces: list[shapely.LineString] = list(ways[whole])
    way: list[int] = whole.tolist()
    begins, ends = [False] * len(pieces), [False] * len(pieces)
    doors: list[tuple[int, int, int]] = []
    for index in np.flatnonzero(is_cut).tolist():
        here = cuts.way == index
        line, at_m = ways[index], cuts.at_m[here]
        bounds = [0.0, *at_m.tolist(), float(line.length)]
        for number in range(len(bounds) - 1):
            if number:
                gate = int(cuts.gate[here][number - 1])
                if gate != NO_GATE:
                    doors.append((gate, len(pieces) - 1, len(pieces)))
            pieces.append(_cut_out(line, bounds[number], bounds[number + 1]))
            way.append(index)
            begins.append(number > 0)
            ends.append(number < len(bounds) - 2)
    array = np.empty(len(pieces), dtype=object)
    array[:] = pieces
    return array, np.array(way, dtype=np.int64), np.array(begins, dtype=bool), np.array(ends, dtype=bool), doors


def _cut_out(line: shapely.LineString, from_m: float, to_m: float) -> shapely.LineString:
    """The part of a line between two distances along it; of no length where they are equal."""
    xy = shapely.get_coordinates(line)
    along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    inside = (along_m > from_m + 1e-9) & (along_m < to_m - 1e-9)
    ends = [[np.interp(at, along_m, xy[:, axis]) for axis in (0, 1)] for at in (from_m, to_m)]
    return shapely.LineString(np.vstack([ends[0], xy[inside], ends[1]]))


def _number_nodes(
    pieces: Geometries, cut_first: Booleans, cut_last: Booleans, doors: Sequence[tuple[int, int, int]]
) -> tuple[Integers, Integers, Integers, Integers, int]:
    """Nodes: ends of pieces at one place are one node, but at a cut each piece has its own."""
    count = len(pieces)
    if not count:
        empty = np.array([], dtype=np.int64)
        return empty, empty, empty, empty, 0
    xy = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(pieces, 0)), shapely.get_coordinates(shapely.get_point(pieces, -1))]
    )
    is_cut = np.concatenate([cut_first, cut_last])
    free = np.flatnonzero(~is_cut)
    number = np.empty(2 * count, dtype=np.int64)
    near = KDTree(xy[free]).query_pairs(_SAME_M, output_type="ndarray")
    joins = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(free), len(free)))
    found, labels = connected_components(joins, directed=False)
    number[free] = labels
    number[is_cut] = found + np.arange(int(is_cut.sum()))
    first, last = number[:count], number[count:]
    before = np.array([piece for _, piece, _ in doors], dtype=np.int64)
    behind = np.array([piece for _, _, piece in doors], dtype=np.int64)
    return first, last, last[before], first[behind], int(found + is_cut.sum())


def _build_houses(buildings: gpd.GeoDataFrame | None, entrances: gpd.GeoDataFrame | None) -> Houses:
    footprints = _to_array(buildings)
    ids = () if buildings is None else tuple(buildings["building_id"].astype(str))
    index = {building_id: number for number, building_id in enumerate(ids)}
    doors: list[list[tuple[str, shapely.Point]]] = [[] for _ in ids]
    if entrances is not None:
        columns = (entrances["entrance_id"].astype(str), entrances["building_id"].astype(str), entrances.geometry)
        for entrance_id, building_id, point in sorted(zip(*columns, strict=True), key=lambda row: row[0]):
            if building_id in index:
                doors[index[building_id]].append((entrance_id, point))
    shrunk = np.asarray(shapely.buffer(footprints, -_SHRUNK_M, quad_segs=1), dtype=object)
    return Houses(
        ids,
        footprints,
        shrunk,
        tuple(tuple(some) for some in doors),
        index,
        shapely.STRtree(footprints),
        shapely.STRtree(shrunk),
    )

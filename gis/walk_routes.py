"""A way that is followed: line, length, time, the gates on it with their hours, and what is not known about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import shapely

from gis.walk_cuts import NO_GATE
from gis.walk_links import Spot
from gis.walk_network import Gate, WalkNetwork
from gis.walk_pace import Floats, Vehicle
from gis.walk_search import CHANGE, DOOR, Search, Starts, find_starts, leave_by, search_from

_SAME_M: Final = 1e-6


@dataclass(frozen=True)
class Route:
    """
    One way from an origin to a destination.

    Attributes
    ----------
    line
        From where it begins to the destination's door, in the network's CRS.
    length_m, walked_m
        Of the line, and of its part on foot; stairs are not in it.
    travel_time_s, stairs_s
        Altogether; the part on the stairs of the destination.
    vehicle
        What is ridden for a part of it at least; `foot` when all of it is walked.
    gates
        Gates on the way, in order, each once.
    road_names
        Names of the ways, in order, as far as they have any.
    entrance_id
        The destination's door that it leads to, None where no door is known.
    is_verified
        False: walls and gates are not known here, so the way may be shut ("gates unverified").
    """

    line: shapely.LineString
    length_m: float
    walked_m: float
    travel_time_s: float
    stairs_s: float
    vehicle: Vehicle
    gates: tuple[Gate, ...]
    road_names: tuple[str, ...]
    entrance_id: str | None
    is_verified: bool


@dataclass
class _Trail:
    """What has been gathered along a way so far."""

    parts: list[Floats]
    walked: list[float]
    gates: list[int]
    roads: list[int]
    rode: bool = False

    def add(self, xy: Floats, *, on_foot: bool) -> None:
        self.parts.append(xy)
        length_m = float(np.linalg.norm(np.diff(xy, axis=0), axis=1).sum())
        if on_foot:
            self.walked.append(length_m)
        elif length_m > 0:
            self.rode = True


def find_route(
    network: WalkNetwork,
    origin: Spot,
    destination: Spot,
    *,
    vehicle: Vehicle = Vehicle.FOOT,
    at: datetime | None,
) -> Route | None:
    """The quickest way at an aware time (None: as if all gates stood open); None where no open way leads there."""
    search = search_from(network, destination, at=at, vehicles=(vehicle,))
    return trace_route(search, find_starts(search, [origin], [vehicle]), 0)


def trace_route(search: Search, starts: Starts, index: int) -> Route | None:
    """The way that an origin of `starts` takes; None where there is none."""
    if not np.isfinite(starts.time_s[index]):
        return None
    network = search.network
    trail = _Trail([], [], [], [])
    link, node = int(starts.link[index]), int(starts.node[index])
    layer = int(starts.layer[index])
    piece, at_m = int(starts.links.piece[link]), float(starts.links.at_m[link])
    _note_gate(trail, int(starts.links.gate[link]))
    trail.add(np.vstack([starts.links.begin[link], _locate(network, piece, at_m)]), on_foot=True)
    if node < 0:
        goal = int(starts.goal[index])
        _follow(network, trail, piece, at_m, float(search.links.at_m[goal]), on_foot=layer == 0)
    else:
        length_m = float(network.length_m[piece])
        ends = ((network.first[piece], 0.0, False), (network.last[piece], length_m, True))
        vehicle = search.graph.layers[layer]
        ends_m = [
            end_m
            for end, end_m, along in ends
            if end == node % network.nodes and network.may_go(vehicle, np.array([piece]), along=along)[0]
        ]
        end_m = min(ends_m, key=lambda m: abs(m - at_m))  # a loop has both its ends there
        _follow(network, trail, piece, at_m, end_m, on_foot=layer == 0)
        goal = _walk_back(search, trail, node)
    _note_gate(trail, int(search.links.gate[goal]))
    last_piece, last_m = int(search.links.piece[goal]), float(search.links.at_m[goal])
    trail.add(np.vstack([_locate(network, last_piece, last_m), search.links.begin[goal]]), on_foot=True)
    return _finish(search, trail, float(starts.time_s[index]), int(search.links.door[goal]), layer)


def _walk_back(search: Search, trail: _Trail, node: int) -> int:
    """Follow the search from a node to the destination; returns the destination's link."""
    network, graph = search.network, search.graph
    size, source = network.nodes, network.nodes * len(graph.layers)
    while True:
        following = int(search.before[node])
        on_foot = node < size
        if following == source:
            return _arrive(search, trail, node)
        arcs = slice(int(graph.indptr[following]), int(graph.indptr[following + 1]))
        arc = arcs.start + int(np.flatnonzero(graph.heads[arcs] == node)[0])
        piece = int(graph.piece[arc])
        if piece == DOOR:
            _note_gate(trail, int(graph.gate[arc]))
        elif piece != CHANGE:
            length_m = float(network.length_m[piece])
            forwards = int(network.first[piece]) == node % size
            _follow(network, trail, piece, *((0.0, length_m) if forwards else (length_m, 0.0)), on_foot=on_foot)
        node = following


def _arrive(search: Search, trail: _Trail, node: int) -> int:
    """The last piece, from a node to where the destination's link begins; returns that link."""
    network = search.network
    nodes, seconds, owners, is_last = leave_by(network, search.graph, search.links)
    which = np.flatnonzero(nodes == node)
    best = int(which[np.argmin(seconds[which])])
    goal = int(owners[best])
    piece, at_m = int(search.links.piece[goal]), float(search.links.at_m[goal])
    from_m = float(network.length_m[piece]) if is_last[best] else 0.0
    _follow(network, trail, piece, from_m, at_m, on_foot=node < network.nodes)
    return goal


def _follow(network: WalkNetwork, trail: _Trail, piece: int, from_m: float, to_m: float, *, on_foot: bool) -> None:
    """Along a piece from one place on it to another."""
    xy = shapely.get_coordinates(network.lines[piece])
    along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    low, high = min(from_m, to_m), max(from_m, to_m)
    inside = xy[(along_m > low + _SAME_M) & (along_m < high - _SAME_M)]
    part = np.vstack([_locate(network, piece, low), inside, _locate(network, piece, high)])
    trail.add(part if from_m <= to_m else part[::-1], on_foot=on_foot)
    trail.roads.append(int(network.road[piece]))


def _locate(network: WalkNetwork, piece: int, at_m: float) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(network.lines[piece], at_m)))


def _note_gate(trail: _Trail, gate: int) -> None:
    if gate != NO_GATE and gate not in trail.gates:
        trail.gates.append(gate)


def _finish(search: Search, trail: _Trail, time_s: float, door: int, layer: int) -> Route:
    network = search.network
    xy = np.concatenate(trail.parts)
    kept = np.concatenate([[True], np.linalg.norm(np.diff(xy, axis=0), axis=1) > _SAME_M])
    xy = xy[kept] if kept.sum() > 1 else xy[[0, -1]]
    line = shapely.LineString(xy)
    names = [network.road_names[road] for road in trail.roads]
    return Route(
        line=line,
        length_m=float(line.length),
        walked_m=sum(trail.walked),
        travel_time_s=time_s,
        stairs_s=search.stairs_s,
        vehicle=search.graph.layers[layer if trail.rode else 0],
        gates=tuple(network.gates[gate] for gate in trail.gates),
        road_names=tuple(dict.fromkeys(name for name in names if name)),
        entrance_id=search.doors.door_ids[door],
        is_verified=network.is_verified,
    )

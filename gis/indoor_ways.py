"""
The way inside a building: the shortest line that stays within what one can walk on.

Between two places of a polygon the shortest way bends only at its corners, so it is found among the lines that see one
another (visibility graph; de Berg et al., Computational Geometry, 3rd ed., ch. 15).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

_SLACK_M = 0.02  # a way may touch the wall that it goes round
_MOST_CORNERS = 160
_JOINT_M = 0.15  # walls between what is drawn side by side
_AT_DOOR_M = 0.6
_SIMPLER_M = (0.0, 0.1, 0.3, 0.8)


def find_indoor_way(area: BaseGeometry, start: BaseGeometry, end: BaseGeometry) -> LineString | None:
    """
    Shortest way from point `start` to point `end` inside `area` (polygons, metric CRS); None where there is none.

    A place outside begins at the nearest point of the area.
    """
    parts = [part for part in shapely.get_parts(area) if part.geom_type == "Polygon" and part.area > 0]
    if not parts:
        return None
    part = min(parts, key=lambda one: one.distance(start))
    if part.distance(end) > min(one.distance(end) for one in parts) + _SLACK_M:
        return None
    places = [_pull_in(part, start), _pull_in(part, end)]
    free = part.buffer(_SLACK_M)
    direct = LineString([one.coords[0] for one in places])
    if free.covers(direct) or places[0].equals(places[1]):
        return direct
    nodes = np.vstack([shapely.get_coordinates(places), _list_corners(part)])
    order = _search(nodes, free)
    return None if order is None else LineString(nodes[order])


def _pull_in(area: BaseGeometry, place: BaseGeometry) -> BaseGeometry:
    return place if area.covers(place) else shapely.ops.nearest_points(area, place)[0]


def _list_corners(part: BaseGeometry) -> npt.NDArray[np.float64]:
    """Corners of all rings, few enough to look from each to each."""
    for tolerance in _SIMPLER_M:
        simpler = part.simplify(tolerance)
        corners = np.unique(shapely.get_coordinates(simpler), axis=0)
        if len(corners) <= _MOST_CORNERS:
            break
    return corners


def _search(nodes: npt.NDArray[np.float64], free: BaseGeometry) -> list[int] | None:
    """Dijkstra from node 0 to node 1 over the pairs that see one another."""
    pairs = np.array(list(combinations(range(len(nodes)), 2)))
    shapely.prepare(free)
    sees = shapely.covers(free, shapely.linestrings(nodes[pairs]))
    lengths = np.hypot(*(nodes[pairs[:, 0]] - nodes[pairs[:, 1]]).T)
    near: dict[int, list[tuple[int, float]]] = {}
    for (a, b), length in zip(pairs[sees].tolist(), lengths[sees].tolist(), strict=True):
        near.setdefault(a, []).append((b, length))
        near.setdefault(b, []).append((a, length))
    best, before, waiting = {0: 0.0}, {0: -1}, [(0.0, 0)]
    while waiting:
        far, node = heapq.heappop(waiting)
        if node == 1:
            order = [1]
            while before[order[-1]] >= 0:
                order.append(before[order[-1]])
            return order[::-1]
        if far > best[node]:
            continue
        for other, length in near.get(node, ()):
            if far + length < best.get(other, np.inf):
                best[other], before[other] = far + length, node
                heapq.heappush(waiting, (best[other], other))
    return None


def find_room_way(
    parts: Sequence[tuple[int, str, BaseGeometry]], target: int, door: Point
) -> list[tuple[int, LineString]] | None:
    """
    From the door of the house to a part of its plan, storey by storey.

    On the ground floor from the exit that is nearest to the door, along corridors and stairs; through a door of
    the room where the plan has one, else where the room meets the corridor. Where there are no corridors the way is
    the shortest within all that is drawn. Storeys are changed at the stairs that are nearest.

    Parameters
    ----------
    parts
        Level, kind and shape of each part (kinds as in data/site_plans.py), metric CRS.
    target
        Position of the room or mark in `parts`.
    door
        The entrance that the way outside leads to.

    Returns
    -------
    Level and line for each storey in order; None where no way is drawn.
    """
    level, _, goal = parts[target]
    ground = 1 if level > 0 or any(one == 1 for one, _, _ in parts) else level
    exits = [shape for at, kind, shape in parts if at == ground and kind == "exit"]
    start = min(exits, key=lambda one: one.distance(door)) if exits else door
    legs: list[tuple[int, LineString]] = []
    if level != ground:
        up = [shape for at, kind, shape in parts if at == ground and kind == "stairs"]
        down = [shape for at, kind, shape in parts if at == level and kind == "stairs"]
        if not up or not down:
            return None
        stairs = min(up, key=lambda one: one.distance(start))
        first = _find_leg(parts, ground, start, stairs)
        if first is None:
            return None
        legs.append((ground, first))
        start = min(down, key=lambda one: one.distance(stairs)).representative_point()
    last = _find_leg(parts, level, start, goal)
    return None if last is None else [*legs, (level, last)]


def _find_leg(
    parts: Sequence[tuple[int, str, BaseGeometry]], level: int, start: BaseGeometry, goal: BaseGeometry
) -> LineString | None:
    here = [(kind, shape) for at, kind, shape in parts if at == level]
    ways = [shape for kind, shape in here if kind in ("corridor", "stairs")]
    rooms = [shape for kind, shape in here if kind == "room"]
    end = goal.representative_point()
    if not any(kind == "corridor" for kind, _ in here):
        return find_indoor_way(shapely.union_all([one.buffer(_JOINT_M) for one in (*ways, *rooms)]), start, end)
    room = goal if goal.geom_type != "Point" else next((one for one in rooms if one.covers(end)), goal)
    walked = shapely.union_all([one.buffer(_JOINT_M) for one in ways])
    if walked.covers(end):
        return find_indoor_way(walked, start, end)
    doors = [one for kind, one in here if kind == "door" and one.distance(room) < _AT_DOOR_M]
    gates = [one for one in doors if one.distance(walked) < _AT_DOOR_M] or [shapely.ops.nearest_points(walked, room)[0]]
    found = [(way, gate) for gate in gates if (way := find_indoor_way(walked, start, gate)) is not None]
    if not found:
        return None
    way, gate = min(found, key=lambda pair: pair[0].length + pair[1].distance(end))
    inside = None if room.geom_type == "Point" else find_indoor_way(room.buffer(_JOINT_M), gate, end)
    tail = list(inside.coords) if inside is not None else [gate.coords[0], end.coords[0]]
    return LineString([*way.coords, *tail])


def measure_m(lines: list[LineString]) -> float:
    """Length of ways one after the other, metres; what lies between two is walked straight."""
    gaps = sum(Point(a.coords[-1]).distance(Point(b.coords[0])) for a, b in pairwise(lines))
    return float(sum(line.length for line in lines) + gaps)

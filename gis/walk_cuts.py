"""
Where walls and gates cut ways: the places on ways that are passed only through an open gate, or not at all.

A gate belongs to the nearest way within `GATE_REACH_M`. One that stands where ways meet guards all of them. A way that
a wall crosses with no gate within `GATE_REACH_M` of the crossing is closed there: whoever knows better draws the gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

GATE_REACH_M: Final = 4.0
"""Half the width of a driveway and the error of a point that was clicked on a map."""
NO_GATE: Final = -1
_AT_MEETING_M: Final = 0.5


@dataclass(frozen=True)
class Cuts:
    """
    Places where ways are cut, shape (n,) each, in the order of ways and along them.

    Attributes
    ----------
    way
        Index of the way.
    at_m
        Metres from its beginning.
    gate
        Index of the gate; `NO_GATE` for a wall.
    bars, bar_gate
        Segments across the ways at gates, and whose they are: who crosses one goes through the gate.
    """

    way: Integers
    at_m: Floats
    gate: Integers
    bars: Geometries
    bar_gate: Integers


def find_cuts(ways: Geometries, widths_m: Floats, gates: Geometries, walls: Geometries) -> Cuts:
    """Cuts of `ways` (lines that meet at their ends only) by `gates` (points) and `walls` (lines), all in metres."""
    at_gates = {(way, gate): at_m for way, at_m, gate in _cut_at_gates(ways, gates)}
    closed = []
    for way, at_m, gate in _cut_at_walls(ways, gates, walls):
        if gate == NO_GATE:
            closed.append((way, at_m, gate))
        else:
            at_gates.setdefault((way, gate), at_m)
    rows = sorted([(way, at_m, gate) for (way, gate), at_m in at_gates.items()] + closed)
    cut_way = np.array([row[0] for row in rows], dtype=np.int64)
    cut_m = np.array([row[1] for row in rows], dtype=np.float64)
    cut_gate = np.array([row[2] for row in rows], dtype=np.int64)
    real = cut_gate != NO_GATE
    bars = _build_bars(ways[cut_way[real]], cut_m[real], widths_m[cut_way[real]])
    return Cuts(cut_way, cut_m, cut_gate, bars, cut_gate[real])


def _cut_at_gates(ways: Geometries, gates: Geometries) -> list[tuple[int, float, int]]:
    if not len(gates) or not len(ways):
        return []
    tree = shapely.STRtree(ways)
    pairs = tree.query_nearest(gates, max_distance=GATE_REACH_M, all_matches=True)
    nearest: dict[int, int] = {}
    for gate, way in sorted(zip(*(part.tolist() for part in pairs), strict=True)):
        nearest.setdefault(gate, way)
    found = []
    for gate, way in nearest.items():
        line = ways[way]
        at_m = float(shapely.line_locate_point(line, gates[gate]))
        if min(at_m, line.length - at_m) > _AT_MEETING_M:
            found.append((way, at_m, gate))
            continue
        meeting = shapely.get_point(line, 0 if at_m <= _AT_MEETING_M else -1)
        for other in tree.query(meeting, predicate="dwithin", distance=0.01).tolist():
            length_m = float(ways[other].length)
            aside_m = min(_AT_MEETING_M, length_m / 2)
            begins = shapely.distance(shapely.get_point(ways[other], 0), meeting) <= 0.01
            found.append((other, aside_m if begins else length_m - aside_m, gate))
    return found


def _cut_at_walls(ways: Geometries, gates: Geometries, walls: Geometries) -> list[tuple[int, float, int]]:
    if not len(walls) or not len(ways):
        return []
    wall, way = shapely.STRtree(ways).query(walls, predicate="intersects")
    tree = shapely.STRtree(gates)
    found = []
    for one, other in zip(wall.tolist(), way.tolist(), strict=True):
        for crossing in shapely.get_parts(shapely.intersection(walls[one], ways[other])):
            if crossing.geom_type != "Point":
                continue  # the way runs along on the wall: a matter of drawing
            near = tree.query_nearest(crossing, max_distance=GATE_REACH_M, all_matches=False)
            at_m = float(shapely.line_locate_point(ways[other], crossing))
            found.append((other, at_m, int(near[0]) if len(near) else NO_GATE))
    return found


def _build_bars(ways: Geometries, at_m: Floats, widths_m: Floats) -> Geometries:
    """Segments square to the ways, a metre wider than these on either side."""
    if not len(ways):
        return np.array([], dtype=object)
    middle = shapely.get_coordinates(shapely.line_interpolate_point(ways, at_m))
    before = shapely.get_coordinates(shapely.line_interpolate_point(ways, np.maximum(at_m - 0.25, 0.0)))
    after = shapely.get_coordinates(shapely.line_interpolate_point(ways, at_m + 0.25))
    along = after - before
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.column_stack([-along[:, 1], along[:, 0]]) * (widths_m / 2 + 1.0)[:, None]
    return np.asarray(shapely.linestrings(np.stack([middle - across, middle + across], axis=1)), dtype=object)

"""Ways made into a network: cut where they meet, joined where something would be cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import LineString, Point, STRtree
from shapely.geometry.base import BaseGeometry

from sample.layout import RawWay

GRID_M = 0.01
"""Coordinates of ways lie on this grid: what meets, meets exactly."""


@dataclass(frozen=True)
class Piece:
    """A piece of a way between two meetings."""

    way: int
    line: LineString


def build_network(ways: tuple[RawWay, ...], obstacles: list[BaseGeometry]) -> tuple[list[RawWay], list[Piece]]:
    """
    All ways (those added to join parts come last) and their pieces, one connected network.

    `obstacles` are not crossed by added ways where that can be avoided.
    """
    tree = STRtree(obstacles)
    known = list(ways)
    for _ in range(60):
        pieces = cut(known)
        parts = component_of(pieces)
        sizes = np.bincount(parts)
        if len(sizes) == 1:
            return known, pieces
        main = int(sizes.argmax())
        for part in range(len(sizes)):
            if part != main:
                joint, way = _joint(part, parts, pieces, tree)
                known[way] = replace(known[way], line=_with_vertex(known[way].line, Point(joint.coords[-1])))
                known.append(RawWay("footpath", None, 1.8, joint))
    raise RuntimeError("The sample's ways cannot be joined into one network: change the layout.")


def cut(ways: list[RawWay]) -> list[Piece]:
    """Pieces that meet at their ends only; each knows its way."""
    noded = shapely.union_all([way.line for way in ways], grid_size=GRID_M)
    lines = [line for line in shapely.get_parts(shapely.line_merge(noded)) if line.length > 0]
    lines = list(shapely.get_parts(shapely.node(shapely.MultiLineString(lines))))
    tree = STRtree([way.line for way in ways])
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    piece_index, way_index = tree.query(middles, predicate="dwithin", distance=0.01)
    best: dict[int, int] = {}
    for piece, way in zip(piece_index.tolist(), way_index.tolist(), strict=True):
        best[piece] = min(best.get(piece, way), way)
    return [Piece(best[i], line) for i, line in enumerate(lines)]


def component_of(pieces: list[Piece]) -> np.ndarray:
    """Number of the connected part of each piece, shape (n,)."""
    ends = np.array([[piece.line.coords[0], piece.line.coords[-1]] for piece in pieces])
    keys = np.round(ends / GRID_M).astype(np.int64).reshape(-1, 2)
    _, nodes = np.unique(keys, axis=0, return_inverse=True)
    nodes = nodes.reshape(-1, 2)
    size = int(nodes.max()) + 1
    graph = coo_array((np.ones(len(nodes)), (nodes[:, 0], nodes[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels)[nodes[:, 0]]


def _joint(part: int, parts: np.ndarray, pieces: list[Piece], tree: STRtree) -> tuple[LineString, int]:
    """The shortest clear straight line from a part to any other, and the way that it meets."""
    own = [pieces[i].line for i in np.flatnonzero(parts == part)]
    others = [pieces[i] for i in np.flatnonzero(parts != part)]
    near = STRtree([piece.line for piece in others])
    candidates = []
    for line in own:
        steps = max(2, int(line.length // 5) + 1)
        for point in shapely.line_interpolate_point(line, np.linspace(0, 1, steps), normalized=True):
            for index in near.query(point, predicate="dwithin", distance=90).tolist():
                other = others[index].line
                foot = other.interpolate(other.project(point))
                joint: LineString = shapely.transform(LineString([point, foot]), lambda xy: np.round(xy, 2))
                if joint.length > 0:
                    crosses = len(tree.query(joint, predicate="intersects")) > 0
                    candidates.append((crosses, joint.length, joint, others[index].way))
    if not candidates:
        raise RuntimeError("A way of the sample has nothing within 90 m to join: change the layout.")
    best = min(candidates, key=lambda c: c[:2])
    return best[2], best[3]


def _with_vertex(line: LineString, point: Point) -> LineString:
    """`line` bent through `point`, which lies within a centimetre of it: rounding alone would miss it."""
    at = line.project(point)
    xy = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    index = int(np.searchsorted(along, at))
    return LineString(np.insert(xy, index, [point.x, point.y], axis=0))

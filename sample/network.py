"""Ways made into a network: cut where they meet, joined where something would be cut off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import LineString, Point, STRtree
from shapely.geometry.base import BaseGeometry

from sample.layout import RawWay
from sample.place import LayoutError

GRID_M = 0.01
"""Coordinates of ways lie on this grid: what meets, meets exactly."""

STUB_M = 2.5
CLOSE_M = 0.3


@dataclass(frozen=True)
class Piece:
    """A piece of a way between two meetings."""

    way: int
    line: LineString


def build_network(
    ways: tuple[RawWay, ...], obstacles: Sequence[BaseGeometry], doors: Sequence[Point]
) -> tuple[list[RawWay], list[Piece]]:
    """
    All ways (those added to join parts come last) and their pieces, one connected network.

    `obstacles` are not crossed by added ways where that can be avoided. Ends that stick out by less than STUB_M and do
    not lead to one of `doors` are cut off.
    """
    tree = STRtree(obstacles)
    known = list(ways)
    for _ in range(60):
        pieces = cut(known)
        parts = component_of(pieces)
        sizes = np.bincount(parts)
        if len(sizes) == 1:
            return known, _contracted(_without_stubs(pieces, doors))
        main = int(sizes.argmax())
        for part in range(len(sizes)):
            if part != main:
                joint, way = _joint(part, parts, pieces, tree)
                known[way] = replace(known[way], line=_with_vertex(known[way].line, Point(joint.coords[-1])))
                known.append(RawWay("footpath", None, 1.8, joint))
    raise LayoutError("The sample's ways cannot be joined into one network: change the layout.")


def cut(ways: list[RawWay]) -> list[Piece]:
    """Pieces that meet at their ends only; each knows its way."""
    noded = shapely.union_all([way.line for way in ways], grid_size=GRID_M)
    lines = [line for line in shapely.get_parts(noded) if line.length > 0]
    lines = list(shapely.get_parts(shapely.node(shapely.MultiLineString(lines))))
    tree = STRtree([way.line for way in ways])
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    piece_index, way_index = tree.query(middles, predicate="dwithin", distance=0.01)
    best: dict[int, int] = {}
    for piece, way in zip(piece_index.tolist(), way_index.tolist(), strict=True):
        best[piece] = min(best.get(piece, way), way)
    return [Piece(best[i], line) for i, line in enumerate(lines)]


def _without_stubs(pieces: list[Piece], doors: Sequence[Point]) -> list[Piece]:
    nodes = _nodes(pieces)
    degree = np.bincount(nodes.ravel())
    at_door = STRtree(doors)
    kept = []
    for piece, ends in zip(pieces, nodes, strict=True):
        loose = [Point(piece.line.coords[-i]) for i in (0, 1) if degree[ends[i]] == 1]
        led = [len(at_door.query(end, predicate="dwithin", distance=GRID_M)) > 0 for end in loose]
        if piece.line.length >= STUB_M or all(led):
            kept.append(piece)
    return kept


def _contracted(pieces: list[Piece]) -> list[Piece]:
    """Meetings that lie within CLOSE_M of each other along a way become one."""
    nodes = _nodes(pieces)
    short = np.array([piece.line.length < CLOSE_M for piece in pieces])
    size = int(nodes.max()) + 1
    graph = coo_array((np.ones(int(short.sum())), (nodes[short, 0], nodes[short, 1])), shape=(size, size))
    _, cluster = connected_components(graph, directed=False)
    where: dict[int, tuple[float, ...]] = {}
    for piece, ends in zip(pieces, cluster[nodes], strict=True):
        for end, at in zip(ends.tolist(), (piece.line.coords[0], piece.line.coords[-1]), strict=True):
            where.setdefault(end, at)
    kept = []
    for piece, (first, last) in zip(pieces, cluster[nodes].tolist(), strict=True):
        if first != last or piece.line.length >= STUB_M:
            kept.append(Piece(piece.way, LineString([where[first], *piece.line.coords[1:-1], where[last]])))
    return kept


def _nodes(pieces: list[Piece]) -> np.ndarray:
    """Number of the node at the start and at the end of each piece, shape (n, 2)."""
    ends = np.array([[piece.line.coords[0], piece.line.coords[-1]] for piece in pieces])
    keys = np.round(ends / GRID_M).astype(np.int64).reshape(-1, 2)
    _, nodes = np.unique(keys, axis=0, return_inverse=True)
    pairs: np.ndarray = nodes.reshape(-1, 2)
    return pairs


def component_of(pieces: list[Piece]) -> np.ndarray:
    """Number of the connected part of each piece, shape (n,)."""
    nodes = _nodes(pieces)
    size = int(nodes.max()) + 1
    graph = coo_array((np.ones(len(nodes)), (nodes[:, 0], nodes[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    parts: np.ndarray = labels[nodes[:, 0]]
    return parts


def _joint(part: int, parts: np.ndarray, pieces: list[Piece], tree: STRtree) -> tuple[LineString, int]:
    """The shortest clear straight line from a part to any other, and the way that it meets."""
    own = np.array([pieces[i].line for i in np.flatnonzero(parts == part)])
    others = [pieces[i] for i in np.flatnonzero(parts != part)]
    lines = np.array([piece.line for piece in others])
    steps = [np.linspace(0, 1, max(2, int(length // 5) + 1)) for length in shapely.length(own)]
    owner = np.repeat(np.arange(len(own)), [len(s) for s in steps])
    points = shapely.line_interpolate_point(own[owner], np.concatenate(steps), normalized=True)
    for reach in (30.0, 90.0, 200.0):
        at, other = STRtree(lines).query(points, predicate="dwithin", distance=reach)
        joints = shapely.transform(shapely.shortest_line(points[at], lines[other]), lambda xy: np.round(xy, 2))
        lengths = shapely.length(joints)
        order = np.lexsort((other, at, lengths))
        for index in order[lengths[order] > 0].tolist():
            if len(tree.query(joints[index], predicate="intersects")) == 0:
                return joints[index], others[other[index]].way
    raise LayoutError(f"A way of the sample has no clear way to another within {reach:.0f} m: change the layout.")


def _with_vertex(line: LineString, point: Point) -> LineString:
    """`line` bent through `point`, which lies within a centimetre of it: rounding alone would miss it."""
    at = line.project(point)
    xy = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    index = int(np.searchsorted(along, at))
    return LineString(np.insert(xy, index, [point.x, point.y], axis=0))

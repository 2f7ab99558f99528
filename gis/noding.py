"""Noding of ways: lines that cross or touch are cut there, so that they meet at their ends only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]

# Vertices lie on a grid of 1 mm: noding on a grid is stable (noding what is noded changes nothing) and far below the
# accuracy of any survey. See Hobby, Practical segment intersection with finite precision output (1999),
# doi:10.1016/S0925-7721(99)00021-8, which GEOS implements.
GRID_M: Final = 0.001
# A piece lies at most so far from the way that it was cut from: each pass moves it by less than the grid's diagonal.
REACH_M: Final = 4 * GRID_M
_MOST_PASSES = 5


@dataclass(frozen=True)
class Noded:
    """
    Pieces of ways.

    Attributes
    ----------
    pieces
        Lines, shape (m,).
    way
        For each piece the index, shape (m,), of the way that it was cut from; the first when several run together.
    """

    pieces: Geometries
    way: npt.NDArray[np.intp]


def node_lines(lines: Geometries, layer: npt.NDArray[np.int64] | None = None) -> Noded:
    """
    Cut lines where they cross or touch.

    Lines of different `layer` (bridges, tunnels) are not cut where they cross, only where one ends on the other.

    Parameters
    ----------
    lines
        Lines and multilines in metres, shape (n,), none missing.
    layer
        Height of the way above or below the ground, shape (n,); None: all on the ground.
    """
    layers = np.zeros(len(lines), dtype=np.int64) if layer is None else layer
    if not len(lines):
        return Noded(np.array([], dtype=object), np.array([], dtype=np.intp))
    pieces: list[Geometries] = []
    ways: list[npt.NDArray[np.intp]] = []
    for value in np.unique(layers):
        where = np.flatnonzero(layers == value)
        made = _unite(lines[where])
        pieces.append(made)
        ways.append(where[_owner(made, lines[where])])
    all_pieces, all_ways = np.concatenate(pieces), np.concatenate(ways)
    if len(np.unique(layers)) > 1:
        all_pieces, all_ways = _cut_at_ends(all_pieces, all_ways)
    # In the order of the ways and along them, whatever order the union gave.
    start = shapely.line_locate_point(lines[all_ways], shapely.line_interpolate_point(all_pieces, 0.5, normalized=True))
    order = np.lexsort([start, all_ways])
    return Noded(all_pieces[order], all_ways[order])


def _unite(lines: Geometries) -> Geometries:
    """Pieces on the grid. Where lines crowd within millimetres a pass moves some onto others: so until it is stable."""
    made = lines
    for _ in range(_MOST_PASSES):
        before, made = made, shapely.get_parts(shapely.get_parts(shapely.union_all(made, grid_size=GRID_M)))
        if len(before) == len(made):
            break
    return np.asarray(made, dtype=object)


def _owner(pieces: Geometries, lines: Geometries) -> npt.NDArray[np.intp]:
    """For each piece the first of `lines` that runs along the whole of it; where none does, the nearest."""
    owner = np.full(len(pieces), len(lines), dtype=np.intp)
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    tree = shapely.STRtree(lines)
    piece, line = tree.query(middle, predicate="dwithin", distance=REACH_M)
    for share in (0.0, 0.25, 0.75, 1.0):
        place = shapely.line_interpolate_point(pieces[piece], share, normalized=True)
        along = shapely.dwithin(place, lines[line], REACH_M)
        piece, line = piece[along], line[along]
    np.minimum.at(owner, piece, line)
    lost = owner == len(lines)
    if lost.any():
        owner[lost] = tree.query_nearest(middle[lost], all_matches=False)[1]
    return owner


def _cut_at_ends(pieces: Geometries, ways: npt.NDArray[np.intp]) -> tuple[Geometries, npt.NDArray[np.intp]]:
    """Pieces cut where another piece, of another layer, ends on them."""
    ends = np.unique(np.concatenate([shapely.get_coordinates(end) for end in _ends(pieces)]), axis=0)
    points: Geometries = np.array(list(shapely.get_parts(shapely.multipoints(ends))), dtype=object)
    point, piece = shapely.STRtree(pieces).query(points, predicate="dwithin", distance=GRID_M)
    # Ends that the grid moved a millimetre apart are one place.
    first, last = _ends(pieces)
    from_first_m = np.asarray(shapely.distance(points[point], first[piece]))
    from_last_m = np.asarray(shapely.distance(points[point], last[piece]))
    inner = (from_first_m > 2 * GRID_M) & (from_last_m > 2 * GRID_M)
    kept = np.ones(len(pieces), dtype=bool)
    new_pieces: list[shapely.LineString] = []
    new_ways: list[int] = []
    for index in np.unique(piece[inner]):
        kept[index] = False
        cut = _cut(pieces[index], ends[point[inner & (piece == index)]])
        new_pieces.extend(cut)
        new_ways.extend([int(ways[index])] * len(cut))
    made = np.empty(len(new_pieces), dtype=object)
    made[:] = new_pieces
    return np.concatenate([pieces[kept], made]), np.concatenate([ways[kept], np.array(new_ways, dtype=np.intp)])


def _ends(pieces: Geometries) -> tuple[Geometries, Geometries]:
    """First and last points."""
    first, last = np.array([None] * len(pieces), dtype=object), np.array([None] * len(pieces), dtype=object)
    first[:] = shapely.get_point(pieces, 0)
    last[:] = shapely.get_point(pieces, -1)
    return first, last


def _cut(line: shapely.LineString, places: npt.NDArray[np.float64]) -> list[shapely.LineString]:
    """`line` cut at places on it; the places themselves become the ends, to the last bit."""
    xy = shapely.get_coordinates(line)
    vertex_m = np.array(shapely.line_locate_point(line, shapely.points(xy)))
    vertex_m[0], vertex_m[-1] = 0.0, line.length
    place_m = np.array(shapely.line_locate_point(line, shapely.points(places)))
    order = np.argsort(place_m)
    result, begin, last_m = [], xy[0], 0.0
    for place, at_m in [*zip(places[order], place_m[order], strict=True), (xy[-1], line.length)]:
        if at_m - last_m <= 2 * GRID_M:
            continue
        between = xy[(vertex_m > last_m + GRID_M) & (vertex_m < at_m - GRID_M)]
        result.append(shapely.LineString([begin, *between, place]))
        begin, last_m = place, at_m
    return result

"""
Units that incidents are counted in, with who neighbours whom: squares, hexagons, road segments, buildings, or places.

A point belongs to exactly one unit, so that counts sum to N.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from gis.errors import BadRecordError
from incidents.cells import count_cells
from incidents.close_pairs import check_pairs, estimate_pairs

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

ROOT3 = 3.0**0.5
_TOUCH_M = 0.01
MOST_CELLS = 4_000_000


@dataclass(frozen=True)
class UnitCounts:
    """Counts by unit, and the neighbours."""

    kind: str
    """square, hexagon, segment, building or place"""
    ids: NDArray[np.object_]
    """Id of each unit, shape (n,)"""
    counts: Counts
    """Incidents in each, shape (n,)"""
    pairs: Counts
    """Neighbours, each pair once, positions in `ids`, shape (m, 2)"""
    geometry: NDArray[np.object_]
    """Shape of each unit, metres, shape (n,)"""
    size: Floats
    """Area in m², of segments their length in m, shape (n,)"""
    unit_of: Counts
    """Position of the unit of each incident, −1 for one in no unit, shape (incidents,)"""

    @property
    def n_outside(self) -> int:
        """Incidents in no unit."""
        return int((self.unit_of < 0).sum())

    def count(self, chosen: NDArray[np.bool_]) -> Counts:
        """Counts of some of the incidents only, shape (n,)."""
        at = self.unit_of[chosen & (self.unit_of >= 0)]
        counted: Counts = np.bincount(at, minlength=self.ids.size).astype(np.int64)
        return counted


def count_squares(xy: Floats, boundary: BaseGeometry, cell_m: float = 25.0) -> UnitCounts:
    """Half-open square cells that share area with the boundary; eight neighbours. See `count_cells`."""
    _check_cell(cell_m, boundary)
    lattice = count_cells(xy, boundary, cell_m)
    rows, columns = np.nonzero(lattice.inside)
    position = np.full(lattice.inside.shape, -1, dtype=np.int64)
    position[rows, columns] = np.arange(rows.size)
    pairs = []
    padded = np.pad(position, 1, constant_values=-1)
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = padded[rows + 1 + down, columns + 1 + right]
        pairs.append(np.column_stack([position[rows, columns], other])[other >= 0])
    geometry = lattice.polygons()
    unit_of = _locate(xy, geometry, position, lattice.west_m, lattice.south_m, cell_m, boundary)
    ids = np.array([f"{r}-{c}" for r, c in zip(rows, columns, strict=True)], dtype=object)
    size = np.full(rows.size, cell_m**2)
    return UnitCounts("square", ids, lattice.counts[rows, columns], np.concatenate(pairs), geometry, size, unit_of)


def _locate(
    xy: Floats,
    squares: NDArray[np.object_],
    position: Counts,
    west_m: float,
    south_m: float,
    cell_m: float,
    boundary: BaseGeometry,
) -> Counts:
    """The square of each point; what lies on an outer edge goes to the square that it touches first."""
    unit_of = np.full(len(xy), -1, dtype=np.int64)
    column = np.floor((xy[:, 0] - west_m) / cell_m).astype(np.int64)
    row = np.floor((xy[:, 1] - south_m) / cell_m).astype(np.int64)
    within = (row >= 0) & (row < position.shape[0]) & (column >= 0) & (column < position.shape[1])
    unit_of[within] = position[row[within], column[within]]
    covered = shapely.intersects_xy(boundary, xy[:, 0], xy[:, 1])
    unit_of[~covered] = -1
    lost = np.flatnonzero(covered & (unit_of < 0))
    if lost.size:
        point, square = shapely.STRtree(squares).query(shapely.points(xy[lost]), predicate="dwithin", distance=_TOUCH_M)
        first, index = np.unique(point, return_index=True)
        unit_of[lost[first]] = square[index]
    return unit_of


def to_hexagons(xy: Floats, cell_m: float) -> Counts:
    """
    Hexagon of each point, as whole numbers (column, row) of its centre; shape (n, 2).

    Hexagons stand on a corner and are `cell_m` wide from side to side; centres are at
    (column · cell_m / 2, row · cell_m · √3 / 2) where column + row is even. The plane is parted: a point at equal
    distance from two centres goes to the one of the even rows, and within a lattice edges are half-open.
    """
    half, rise = cell_m / 2, cell_m * ROOT3 / 2
    even = 2 * np.floor(xy / (2 * half, 2 * rise) + 0.5).astype(np.int64)
    odd = 2 * np.floor(xy / (2 * half, 2 * rise)).astype(np.int64) + 1
    far_even = ((xy - even * (half, rise)) ** 2).sum(axis=1)
    far_odd = ((xy - odd * (half, rise)) ** 2).sum(axis=1)
    chosen: Counts = np.where((far_odd < far_even)[:, None], odd, even)
    return chosen


def count_hexagons(xy: Floats, boundary: BaseGeometry, cell_m: float = 25.0) -> UnitCounts:
    """Hexagons that share area with the boundary; six neighbours. `cell_m` is the width from side to side."""
    _check_cell(cell_m, boundary)
    half, rise = cell_m / 2, cell_m * ROOT3 / 2
    west, south, east, north = boundary.bounds
    columns = np.arange(int(np.floor(west / half)) - 2, int(np.ceil(east / half)) + 3)
    rows = np.arange(int(np.floor(south / rise)) - 2, int(np.ceil(north / rise)) + 3)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    # Even columns of even rows, odd columns of odd rows.
    grid = grid[(grid[:, 0] - grid[:, 1]) % 2 == 0]
    turn = np.radians(30 + 60 * np.arange(6))
    corners = (grid * (half, rise))[:, None, :] + cell_m / ROOT3 * np.column_stack([np.cos(turn), np.sin(turn)])
    shapes = shapely.polygons(corners)
    shapely.prepare(boundary)
    kept = shapely.contains_properly(boundary, shapes)
    edge = np.flatnonzero(~kept & shapely.intersects(boundary, shapes))
    kept[edge] = shapely.area(shapely.intersection(shapes[edge], boundary)) > 1e-9
    grid, shapes = grid[kept], shapes[kept]

    position = {(int(c), int(r)): i for i, (c, r) in enumerate(grid)}
    pairs = [
        (i, j)
        for (c, r), i in position.items()
        for step in ((2, 0), (1, 1), (-1, 1))
        if (j := position.get((c + step[0], r + step[1]))) is not None
    ]
    covered = shapely.intersects_xy(boundary, xy[:, 0], xy[:, 1])
    unit_of = np.array([position.get((int(c), int(r)), -1) for c, r in to_hexagons(xy, cell_m)], dtype=np.int64)
    lost = np.flatnonzero(covered & (unit_of < 0))
    if lost.size:
        unit_of[lost] = cKDTree(grid * (half, rise)).query(xy[lost])[1]
    unit_of = np.where(covered, unit_of, -1).reshape(-1)
    ids = np.array([f"{r}-{c}" for c, r in grid], dtype=object)
    return _build(
        "hexagon", ids, np.array(pairs, dtype=np.int64), shapes, np.full(ids.size, ROOT3 / 2 * cell_m**2), unit_of
    )


def count_segments(xy: Floats, roads: gpd.GeoDataFrame, *, within_m: float = 40.0) -> UnitCounts:
    """
    Road segments: each incident goes to the nearest one, if it is at most `within_m` away; at equal distance to the
    first. Segments that share an end are neighbours.

    `roads` is indexed by the segment's id, noded lines in the incidents' CRS.
    """
    lines = roads.geometry.to_numpy()
    unit_of = _nearest(xy, lines, within_m)
    ends = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(lines, 0)), shapely.get_coordinates(shapely.get_point(lines, -1))]
    )
    touching = cKDTree(ends).query_pairs(_TOUCH_M, output_type="ndarray") % len(lines)
    pairs = np.unique(np.sort(touching[touching[:, 0] != touching[:, 1]], axis=1), axis=0)
    ids = roads.index.astype("str").to_numpy(dtype=object)
    return _build("segment", ids, pairs, lines, shapely.length(lines), unit_of)


def count_buildings(
    xy: Floats, buildings: gpd.GeoDataFrame, *, within_m: float = 10.0, band_m: float = 30.0
) -> UnitCounts:
    """Buildings: an incident goes to the nearest outline within `within_m`; outlines within `band_m` are neighbours."""
    shapes = buildings.geometry.to_numpy()
    near = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=band_m).T
    ids = buildings.index.astype("str").to_numpy(dtype=object)
    return _build(
        "building", ids, near[near[:, 0] < near[:, 1]], shapes, shapely.area(shapes), _nearest(xy, shapes, within_m)
    )


def find_pairs(xy: Floats, band_m: float) -> Counts:
    """Pairs of places at most `band_m` apart, each once; a distance that is the band but for rounding is within."""
    if not band_m > 0:
        raise BadRecordError(
            f"Band is {band_m} m, expected more than 0. Give the distance within which places are near."
        )
    if len(xy):
        check_pairs(estimate_pairs(xy, band_m), f"{band_m:g} m")
    pairs: Counts = cKDTree(xy).query_pairs(band_m * (1 + 1e-12), output_type="ndarray").astype(np.int64)
    return pairs


def _nearest(xy: Floats, shapes: NDArray[np.object_], within_m: float) -> Counts:
    """Position of the nearest shape of each point, the first of several, −1 where none is near enough."""
    unit_of = np.full(len(xy), -1, dtype=np.int64)
    if len(xy) and len(shapes):
        point, shape = shapely.STRtree(shapes).query_nearest(shapely.points(xy), max_distance=within_m)
        first = np.lexsort((shape, point))
        point, index = np.unique(point[first], return_index=True)
        unit_of[point] = shape[first][index]
    return unit_of


def _build(
    kind: str, ids: NDArray[np.object_], pairs: Counts, shapes: NDArray[np.object_], size: Floats, unit_of: Counts
) -> UnitCounts:
    counts = np.bincount(unit_of[unit_of >= 0], minlength=ids.size).astype(np.int64)
    return UnitCounts(kind, ids, counts, pairs.reshape(-1, 2).astype(np.int64), shapes, size, unit_of)


def _check_cell(cell_m: float, boundary: BaseGeometry) -> None:
    if not cell_m > 0:
        raise BadRecordError(f"Width of a cell is {cell_m} m, expected more than 0. Choose 25 to 100.")
    if boundary.is_empty or boundary.area == 0:
        raise BadRecordError("The boundary has no area, expected a polygon. Import or derive a boundary first.")
    west, south, east, north = boundary.bounds
    if (east - west) / cell_m * ((north - south) / cell_m) > MOST_CELLS:
        raise BadRecordError(f"Cells of {cell_m:g} m are too many for this ground. Choose larger ones.")

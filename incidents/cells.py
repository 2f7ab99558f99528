"""A lattice of square cells over the community, and incidents counted in it, each exactly once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gis.errors import BadRecordError

SIDES_M = (25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0)
MOST_ON_A_PAGE = 50_000
"""
Cells that are counted, tested and drawn while somebody waits; 30 km² still have those of 25 m. With the eight around it
a cell of 25 m is a neighbourhood of 75 m: cells of 50 m found no place of the sample.
"""


def choose_cell_m(boundary: BaseGeometry) -> float:
    """The finest side of `SIDES_M`, metres, that leaves at most `MOST_ON_A_PAGE` cells; the widest where none does."""
    return next((side for side in SIDES_M if boundary.area <= MOST_ON_A_PAGE * side**2), SIDES_M[-1])


@dataclass(frozen=True)
class CellCounts:
    """Counts on a lattice; row 0 is the southernmost, column 0 the westernmost."""

    counts: NDArray[np.int64]
    """Incidents in each cell, shape (rows, columns); 0 outside `inside`"""
    inside: NDArray[np.bool_]
    """Cells that belong to the community, shape (rows, columns)"""
    west_m: float
    """Western edge of column 0, metres in the community's CRS"""
    south_m: float
    """Southern edge of row 0"""
    cell_m: float
    """Side of a cell"""
    n_outside: int
    """Incidents outside the boundary: in no cell"""

    def polygons(self) -> NDArray[np.object_]:
        """Squares of the cells that belong, in the order of `counts[inside]`."""
        rows, columns = np.nonzero(self.inside)
        west, south = self.west_m + columns * self.cell_m, self.south_m + rows * self.cell_m
        squares: NDArray[np.object_] = shapely.box(west, south, west + self.cell_m, south + self.cell_m)
        return squares


def count_cells(
    xy: NDArray[np.float64],
    boundary: BaseGeometry,
    cell_m: float,
    *,
    origin_m: tuple[float, float] = (0.0, 0.0),
) -> CellCounts:
    """
    Count points in square cells.

    Cells are half-open, [west, east) × [south, north), and their edges are at `origin_m` plus whole multiples of
    `cell_m`, so that the same place is in the same cell in every period. A cell belongs to the community when they
    share area. A point exactly on an outer edge, whose own cell shares none, goes to the cell it touches. So every
    point within the boundary, edge included, is counted once, and `counts.sum() + n_outside == len(xy)`.

    Parameters
    ----------
    xy
        Places in the community's metric CRS, metres, shape (n, 2).
    boundary
        Polygon or multipolygon in the same CRS.
    cell_m
        Side of a cell, metres.
    origin_m
        A corner of the lattice, metres.

    Raises
    ------
    BadRecordError
        `cell_m` is not positive, the boundary is empty, or a place is not a finite number.
    """
    if not cell_m > 0:
        raise BadRecordError(f"Side of a cell is {cell_m} m, expected more than 0. Choose 25 to 100.")
    if boundary.is_empty or boundary.area == 0:
        raise BadRecordError("The boundary has no area, expected a polygon. Import or derive a boundary first.")
    xy = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(xy).all():
        row = int(np.nonzero(~np.isfinite(xy).all(axis=1))[0][0])
        raise BadRecordError(f"Place of incident at position {row} is {xy[row].tolist()}, expected metres. Correct it.")

    x0, y0 = origin_m
    min_x, min_y, max_x, max_y = boundary.bounds
    first_column, first_row = int(np.floor((min_x - x0) / cell_m)), int(np.floor((min_y - y0) / cell_m))
    columns = int(np.floor((max_x - x0) / cell_m)) - first_column + 1
    rows = int(np.floor((max_y - y0) / cell_m)) - first_row + 1
    west_m, south_m = x0 + first_column * cell_m, y0 + first_row * cell_m
    inside = _cells_sharing_area(boundary, rows, columns, west_m, south_m, cell_m)

    covered = shapely.intersects_xy(boundary, xy[:, 0], xy[:, 1])
    points = xy[covered]
    column = np.floor((points[:, 0] - x0) / cell_m).astype(np.int64) - first_column
    row_of = np.floor((points[:, 1] - y0) / cell_m).astype(np.int64) - first_row
    row_of, column = _pull_in(row_of, column, inside)
    counts = np.zeros((rows, columns), dtype=np.int64)
    np.add.at(counts, (row_of, column), 1)
    return CellCounts(counts, inside, west_m, south_m, cell_m, int((~covered).sum()))


def _cells_sharing_area(
    boundary: BaseGeometry, rows: int, columns: int, west_m: float, south_m: float, cell_m: float
) -> NDArray[np.bool_]:
    west, south = np.meshgrid(west_m + np.arange(columns) * cell_m, south_m + np.arange(rows) * cell_m)
    squares = shapely.box(west, south, west + cell_m, south + cell_m)
    shapely.prepare(boundary)
    inside: NDArray[np.bool_] = shapely.contains_properly(boundary, squares)
    edge = ~inside & shapely.intersects(boundary, squares)
    inside[edge] = shapely.area(shapely.intersection(squares[edge], boundary)) > 0
    return inside


def _pull_in(
    row: NDArray[np.int64], column: NDArray[np.int64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Move points on an outer edge into a cell that belongs: the one to the south or west, else any that touches."""
    padded = np.pad(inside, 1)
    lost = np.nonzero(~padded[row + 1, column + 1])[0]
    for i in lost:
        steps = ((0, -1), (-1, 0), (-1, -1), (0, 1), (1, 0), (1, 1), (-1, 1), (1, -1))
        step = next((s for s in steps if padded[row[i] + 1 + s[0], column[i] + 1 + s[1]]), None)
        if step is not None:
            row[i], column[i] = row[i] + step[0], column[i] + step[1]
    return row, column

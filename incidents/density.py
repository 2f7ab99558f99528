"""
Kernel density that integrates to 1: quartic with 3/(π h²), or Gaussian, evaluated exactly.

Incidents at one place are collapsed first, which changes nothing. Quartic: (3 / (π h²)) (1 − d²/h²)² within h.
Source: Silverman 1986, Density Estimation, eq. 4.5 (K₂). Bandwidth by rule: Venables and Ripley 2002, Modern Applied
Statistics with S, `bandwidth.nrd`, of each axis, both averaged.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from gis.errors import BadRecordError
from incidents.answer import Answer

Floats = NDArray[np.float64]

KERNELS = ("quartic", "gaussian")
MOST_CELLS = 4_000_000
MOST_TERMS = 500_000_000
"""Points within reach of all places together, beyond which density at places would take minutes."""
_BLOCK = 32_768


def choose_bandwidth_m(xy: Floats) -> float:
    """
    Bandwidth by the normal reference rule: the mean of both axes' 4.24 min(sd, IQR / 1.34) n^(−1/5).

    It is the radius of the quartic kernel; the Gaussian kernel of the same smoothness has a quarter of it as deviation.
    """
    if len(xy) < 2:
        raise BadRecordError(f"{len(xy)} places, expected at least 2 to choose a bandwidth. Give one with --band.")
    sd = xy.std(axis=0, ddof=1)
    iqr = np.subtract(*np.percentile(xy, [75, 25], axis=0)) / 1.34
    spread = np.where(iqr > 0, np.minimum(sd, iqr), sd)
    h = float((4 * 1.06 * spread * len(xy) ** -0.2).mean())
    if h <= 0:
        raise BadRecordError("All places are the same, so no bandwidth follows from them. Give one with --band.")
    return h


def density_at(at: Floats, xy: Floats, *, bandwidth_m: float, kernel: str = "quartic") -> Floats:
    """Density per m² at some places, shape (len(at),); it integrates to 1."""
    places, weight = collapse(xy)
    found = np.zeros(len(at))
    if kernel == "gaussian":
        for start in range(0, len(at), max(1, 4_000_000 // max(len(places), 1))):
            block = slice(start, start + max(1, 4_000_000 // max(len(places), 1)))
            far = ((at[block, None, :] - places[None, :, :]) ** 2).sum(axis=2)
            found[block] = np.exp(-far / (2 * bandwidth_m**2)) @ weight
        return found / (2 * np.pi * bandwidth_m**2 * len(xy))
    tree = cKDTree(places)
    n_near = np.asarray(tree.query_ball_point(at, bandwidth_m, return_length=True), dtype=np.int64)
    if n_near.sum() > MOST_TERMS:
        raise BadRecordError(f"A bandwidth of {bandwidth_m:g} m reaches too much at once. Choose less, or --cell.")
    step = max(1, 2_000_000 // max(int(n_near.max(initial=1)), 1))
    for start in range(0, len(at), step):
        some = at[start : start + step]
        near = tree.query_ball_point(some, bandwidth_m)
        owner = np.repeat(np.arange(len(some)), [len(one) for one in near])
        index = np.concatenate([np.asarray(one, dtype=np.int64) for one in near])
        far = ((some[owner] - places[index]) ** 2).sum(axis=1) / bandwidth_m**2
        found[start : start + step] = np.bincount(owner, weight[index] * (1 - far) ** 2, minlength=len(some))
    return found * 3 / (np.pi * bandwidth_m**2 * len(xy))


def collapse(xy: Floats) -> tuple[Floats, Floats]:
    """Distinct places, ordered, and how often each occurs."""
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    ordered = xy[order]
    new = np.ones(len(xy), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    return ordered[starts], np.diff(np.append(starts, len(xy))).astype(np.float64)


def density_on_grid(
    xy: Floats, west_m: float, south_m: float, columns: int, rows: int, cell_m: float, *,
    bandwidth_m: float, kernel: str = "quartic",
) -> Floats:  # fmt: skip
    """Density per m² at the middles of square cells, shape (rows, columns), row 0 the southernmost; exact."""
    if kernel == "gaussian":
        return _gaussian_grid(xy, west_m, south_m, columns, rows, cell_m, bandwidth_m)
    # Each point adds to the middles within h of it. Points are grouped by cell, so that for one step (cells east,
    # cells north) all points of a cell add to the same middle: their sum is one reduction.
    reach = int(np.ceil(bandwidth_m / cell_m + 0.5))
    east, north = (xy[:, 0] - west_m) / cell_m, (xy[:, 1] - south_m) / cell_m
    column, row = np.floor(east).astype(np.int64), np.floor(north).astype(np.int64)
    inside = (column >= -reach) & (column < columns + reach) & (row >= -reach) & (row < rows + reach)
    wide = columns + 2 * reach
    cell = ((row + reach) * wide + column + reach)[inside]
    order = np.argsort(cell, kind="stable")
    cell = cell[order]
    h = bandwidth_m / cell_m
    u = ((east - column - 0.5) / h)[inside][order]
    v = ((north - row - 0.5) / h)[inside][order]
    sums = np.zeros((rows + 4 * reach, wide + 2 * reach))
    steps = np.arange(-reach, reach + 1) / h
    for start in range(0, cell.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        begins = np.flatnonzero(np.diff(cell[block], prepend=-1))
        at_row, at_column = np.divmod(cell[block][begins], wide)
        far_east = (u[block][None, :] - steps[:, None]) ** 2
        far_north = (v[block][None, :] - steps[:, None]) ** 2
        for i in range(steps.size):
            left = 1.0 - far_north[i]
            for j in range(steps.size):
                # The nearest that a cell's points can be to the middle (j, i) away.
                nearest = max(abs(steps[i]) - 0.5 / h, 0.0) ** 2 + max(abs(steps[j]) - 0.5 / h, 0.0) ** 2
                if nearest >= 1:
                    continue
                weight = left - far_east[j]
                np.maximum(weight, 0.0, out=weight)
                np.multiply(weight, weight, out=weight)
                sums[at_row + i, at_column + j] += np.add.reduceat(weight, begins)
    found: Floats = sums[2 * reach : 2 * reach + rows, 2 * reach : 2 * reach + columns]
    return found * (3 / (np.pi * bandwidth_m**2 * len(xy)))


def _gaussian_grid(
    xy: Floats, west_m: float, south_m: float, columns: int, rows: int, cell_m: float, bandwidth_m: float
) -> Floats:
    """The Gaussian is a product of both axes, so the grid is a product of two matrices."""
    places, weight = collapse(xy)
    x = west_m + (np.arange(columns) + 0.5) * cell_m
    y = south_m + (np.arange(rows) + 0.5) * cell_m
    sums = np.zeros((rows, columns))
    for start in range(0, len(places), _BLOCK):
        some = places[start : start + _BLOCK]
        across = _bells(some[:, :1] - x, bandwidth_m)
        along = _bells(some[:, 1:] - y, bandwidth_m) * weight[start : start + _BLOCK, None]
        sums += along.T @ across
    return sums / (2 * np.pi * bandwidth_m**2 * len(xy))


def _bells(far_m: Floats, bandwidth_m: float) -> Floats:
    """exp(−d² / 2h²), 0 below 1e-130: products of what is smaller still would be too small for full speed."""
    exponent = (far_m / bandwidth_m) ** 2 / -2
    return np.where(exponent > -300, np.exp(np.maximum(exponent, -300)), 0.0)


def find_density(
    xy: Floats,
    *,
    cell_m: float | None = None,
    bandwidth_m: float | None = None,
    kernel: str = "quartic",
    boundary: BaseGeometry | None = None,
) -> Answer:
    """
    Density of incidents, at the incidents themselves or, with `cell_m`, at the middles of square cells.

    Rows: x, y (metres), density (per m², integrates to 1), per_hectare (incidents per hectare). Without `cell_m` one
    row an incident in input order; else cells over the boundary's box (of the incidents and a bandwidth around, without
    one), from the south-west. The bandwidth is the quartic kernel's radius, the Gaussian's deviation; by rule (see
    `choose_bandwidth_m`) unless given. Figures: bandwidth_m, rule, integral (over the cells; null without cells).
    """
    if kernel not in KERNELS:
        raise BadRecordError(f"Kernel is '{kernel}', expected quartic or gaussian. Choose one.")
    rule = "given"
    if bandwidth_m is None:
        bandwidth_m, rule = choose_bandwidth_m(xy), "mean of both axes' bandwidth.nrd"
        if kernel == "gaussian":
            bandwidth_m /= 4
    if not (bandwidth_m > 0 and np.isfinite(bandwidth_m)) or len(xy) == 0:
        raise BadRecordError(f"Bandwidth is {bandwidth_m} m and there are {len(xy)} places, expected both above 0.")
    integral = None
    if cell_m is None:
        at, density = xy, density_at(xy, xy, bandwidth_m=bandwidth_m, kernel=kernel)
    else:
        at, density = _over_cells(xy, cell_m, bandwidth_m, kernel, boundary)
        integral = float(density.sum() * cell_m**2)
    rows = pd.DataFrame({"x": at[:, 0], "y": at[:, 1], "density": density, "per_hectare": density * len(xy) * 1e4})
    asked = {"kernel": kernel, "bandwidth_m": bandwidth_m, "cell_m": cell_m}
    figures = {
        "bandwidth_m": bandwidth_m,
        "rule": rule,
        "integral": integral,
        "most_per_hectare": rows["per_hectare"].max(),
    }
    words = {"n": len(xy), "metres": f"{bandwidth_m:.0f}", "most": f"{rows['per_hectare'].max():.2g}"}
    return Answer("kde", asked, len(xy), rows, figures, "density", words)


def _over_cells(
    xy: Floats, cell_m: float, bandwidth_m: float, kernel: str, boundary: BaseGeometry | None
) -> tuple[Floats, Floats]:
    if not (cell_m > 0 and np.isfinite(cell_m)):
        raise BadRecordError(f"Side of a cell is {cell_m} m, expected more than 0. Choose 10 to 100.")
    margin = bandwidth_m * (1 if kernel == "quartic" else 4)
    box = (*(xy.min(axis=0) - margin), *(xy.max(axis=0) + margin)) if boundary is None else boundary.bounds
    first = np.floor(np.array(box[:2]) / cell_m)
    columns, rows = (float(n) for n in np.floor(np.array(box[2:]) / cell_m) - first + 1)
    if columns * rows > MOST_CELLS:
        raise BadRecordError(f"{columns:.0f} × {rows:.0f} cells of {cell_m:g} m are too many. Choose larger cells.")
    west, south = float(first[0]) * cell_m, float(first[1]) * cell_m
    grid = density_on_grid(xy, west, south, int(columns), int(rows), cell_m, bandwidth_m=bandwidth_m, kernel=kernel)
    x = west + (np.arange(int(columns)) + 0.5) * cell_m
    y = south + (np.arange(int(rows)) + 0.5) * cell_m
    return np.column_stack([np.tile(x, y.size), np.repeat(y, x.size)]), grid.ravel()

"""Outlines drawn as lines: rings in one piece or in several, closed where they nearly close."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]
Mask = npt.NDArray[np.bool_]

# Ends that lie so near were meant to meet: drawing by hand without snapping is a metre off at worst.
MAX_GAP_M: Final = 1.0


def close_rings(geometries: Geometries) -> tuple[Geometries, Mask]:
    """
    Lines whose own ends meet, or miss each other by a metre, as areas; metres, shape (n,).

    Returns
    -------
    The geometries, and the mask of those that were a multi-line, or were closed over a gap.
    """
    result = geometries.copy()
    lines = np.flatnonzero(shapely.get_dimensions(geometries) == 1)
    changed = np.zeros(len(geometries), dtype=bool)
    for index in lines:
        whole = shapely.line_merge(geometries[index])
        if whole.geom_type != "LineString" or shapely.get_num_coordinates(whole) < 4:
            continue
        xy = shapely.get_coordinates(whole)
        gap_m = float(np.hypot(*(xy[0] - xy[-1])))
        if gap_m > MAX_GAP_M or gap_m > whole.length / 10:
            continue
        is_plain = geometries[index].geom_type == "LineString" and gap_m == 0
        if not is_plain:
            xy[-1] = xy[0]
            result[index] = shapely.polygons(xy)
            changed[index] = True
    return result, changed


def join_rings(lines: Geometries) -> tuple[Geometries, float | None]:
    """
    Areas enclosed by lines that meet end to end, within a metre.

    Returns
    -------
    The areas, and when there are none the widest gap between ends, metres; None where there is no end.
    """
    parts = shapely.get_parts(lines)
    parts = parts[shapely.get_num_coordinates(parts) >= 2]
    ends = np.concatenate([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    if not len(ends):
        return np.array([], dtype=object), None
    # Ends that nearly meet are put where the first of them is.
    tree = shapely.STRtree(ends)
    end, near = tree.query(ends, predicate="dwithin", distance=MAX_GAP_M)
    first = np.arange(len(ends))
    np.minimum.at(first, end, near)
    moved = []
    for index, part in enumerate(parts):
        xy = shapely.get_coordinates(part)
        xy[0] = shapely.get_coordinates(ends[first[index]])[0]
        xy[-1] = shapely.get_coordinates(ends[first[index + len(parts)]])[0]
        moved.append(shapely.linestrings(xy))
    made = shapely.get_parts(shapely.polygonize(np.array(moved, dtype=object)))
    if len(made):
        return np.asarray(made, dtype=object), None
    alone = [i for i in range(len(ends)) if np.count_nonzero(end == i) == 1]
    gaps = [min(float(shapely.distance(ends[i], ends[k])) for k in alone if k != i) for i in alone if len(alone) > 1]
    return np.array([], dtype=object), max(gaps, default=None)

"""Parts of a community where its files have none: an outer boundary around what stands there, and grids in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[np.object_]

# 万户新村 has 11 grids on 0.72 km².
GRID_AREA_M2: Final = 65_000.0
MAX_GRIDS: Final = 400
_CELL_M: Final = 10.0
_MARGIN_M: Final = 25.0
_SNAP_M: Final = 0.001
_MAX_CELLS: Final = 4000
# The cut is placed to within a 16,000th of the part's length: 5 cm on 800 m.
_HALVINGS: Final = 14
_SAME_AREA: Final = 1e-9  # nearer than this share to the area of its box, a part is its box: 0.0001 m² of a grid


def build_boundary(geometries: Geometries) -> shapely.Polygon:
    """
    One polygon around all of `geometries` (metres, none missing): their concave hull and 25 m around it.

    The hull is taken on a raster of 10 m, coarser for districts of many square kilometres, so that its cost does not
    grow with the detail of the files.
    """
    west, south, east, north = shapely.bounds(geometries).T
    xy = np.column_stack([np.concatenate([west, east, west, east]), np.concatenate([south, south, north, north])])
    cell_m = max(_CELL_M, float(np.sqrt(np.prod(np.ptp(xy, axis=0)) / _MAX_CELLS)))
    # One complex number a cell sorts ten times as fast as a row of two.
    raster = np.unique(np.round(xy[:, 0] / cell_m) + 1j * np.round(xy[:, 1] / cell_m))
    cells = np.column_stack([raster.real, raster.imag]) * cell_m
    margin_m = max(_MARGIN_M, cell_m)
    hull = _filled(shapely.buffer(shapely.concave_hull(shapely.multipoints(cells), ratio=0.25), margin_m))
    shapely.prepare(hull)
    outside = geometries[~shapely.covers(hull, geometries)]  # prepared: only the first of the two can be
    if len(outside):
        whole = shapely.union_all([*shapely.buffer(outside, _MARGIN_M), hull])
        if whole.geom_type != "Polygon":
            whole = shapely.buffer(shapely.concave_hull(whole, ratio=0.5), _MARGIN_M)
        hull = _filled(whole)
    simple = _filled(shapely.simplify(hull, 1.0))
    shapely.prepare(simple)
    return simple if simple.is_valid and bool(shapely.covers(simple, geometries).all()) else hull


def _filled(area: object) -> shapely.Polygon:
    """A polygon without holes."""
    if not isinstance(area, shapely.Polygon):
        raise TypeError(f"expected a polygon, got {area!r}")
    return shapely.Polygon(area.exterior)


def count_grids(area_m2: float) -> int:
    """How many grids a community of this size has by default."""
    return int(min(max(round(area_m2 / GRID_AREA_M2), 1), MAX_GRIDS))


def split_grids(boundary: shapely.Geometry, points: npt.NDArray[np.float64], count: int) -> list[shapely.Geometry]:
    """
    Cut `boundary` into `count` parts without gap or overlap, alike in area and in number of `points`.

    Recursive bisection: each cut runs across the longer side, where half of the weight lies on each side; weight
    is half share of area, half share of points (buildings).

    Parameters
    ----------
    boundary
        Polygon or multipolygon, metres.
    points
        Places of buildings, shape (n, 2), metres.
    count
        Number of parts, at least 1.

    Returns
    -------
    Parts from north-west to south-east, rows first.
    """
    cuts: list[shapely.Geometry] = []
    cells = _bisect(boundary, points, count, cuts)
    if count == 1:
        return [boundary]
    linework = shapely.union_all([shapely.boundary(boundary), *cuts], grid_size=_SNAP_M)
    faces = np.array(shapely.get_parts(shapely.polygonize([linework])), dtype=object)
    faces = faces[shapely.covers(shapely.buffer(boundary, 2 * _SNAP_M), shapely.point_on_surface(faces))]
    inside = shapely.point_on_surface(faces)
    owner = shapely.STRtree(cells).query_nearest(inside, all_matches=False)[1]
    owner = _join_islands(faces, owner)
    parts = [shapely.union_all(faces[owner == cell]) for cell in np.unique(owner)]
    return _in_reading_order(parts)


def _bisect(
    part: shapely.Geometry, points: npt.NDArray[np.float64], count: int, cuts: list[shapely.Geometry]
) -> list[shapely.Geometry]:
    if count <= 1:
        return [part]
    box = west, south, east, north = shapely.bounds(part).tolist()
    axis = 0 if east - west >= north - south else 1
    low, high = (west, east) if axis == 0 else (south, north)
    first = count // 2
    area_m2 = float(shapely.area(part))
    # Inside a community nearly every part is a rectangle: what lies below a cut in it needs no geometry.
    rectangle = abs((east - west) * (north - south) - area_m2) < _SAME_AREA * area_m2
    sorted_m = np.sort(points[:, axis])
    begin, length_m = low, high - low
    for _ in range(_HALVINGS):
        at = (low + high) / 2
        share = (at - begin) / length_m if rectangle else float(shapely.area(_below(part, box, axis, at))) / area_m2
        if len(sorted_m):
            share = (share + float(np.searchsorted(sorted_m, at, side="right")) / len(sorted_m)) / 2
        low, high = (at, high) if share < first / count else (low, at)
    at = round((low + high) / 2, 3)
    if rectangle:
        below, above, cut = _cut_box(box, axis, at)
    else:
        margin = 1.0
        ends = [(at, south - margin), (at, north + margin)] if axis == 0 else [(west - margin, at), (east + margin, at)]
        half = _half_plane(box, axis, at)
        below, above = shapely.intersection(part, half), shapely.difference(part, half)
        cut = shapely.intersection(shapely.LineString(ends), part)
    cuts.append(cut)
    near = points[:, axis] <= at
    return [*_bisect(below, points[near], first, cuts), *_bisect(above, points[~near], count - first, cuts)]


def _cut_box(box: Sequence[float], axis: int, at: float) -> tuple[shapely.Geometry, shapely.Geometry, shapely.Geometry]:
    """Both halves of a rectangle, and the cut between them."""
    west, south, east, north = box
    if axis == 0:
        cut = shapely.LineString([(at, south), (at, north)])
        return shapely.box(west, south, at, north), shapely.box(at, south, east, north), cut
    cut = shapely.LineString([(west, at), (east, at)])
    return shapely.box(west, south, east, at), shapely.box(west, at, east, north), cut


def _half_plane(box: Sequence[float], axis: int, at: float) -> shapely.Polygon:
    west, south, east, north = box
    return (
        shapely.box(west - 1, south - 1, at, north + 1) if axis == 0 else shapely.box(west - 1, south - 1, east + 1, at)
    )


def _below(part: shapely.Geometry, box: Sequence[float], axis: int, at: float) -> shapely.Geometry:
    """What lies below the cut, quickly: good enough to weigh, not to keep."""
    west, south, east, north = box
    return shapely.clip_by_rect(part, west, south, *((at, north) if axis == 0 else (east, at)))


def _join_islands(faces: Geometries, owner: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Faces that are not connected with the largest one of their part go to the neighbour with the longest border."""
    owner = owner.copy()
    areas = shapely.area(faces)
    left, right = shapely.STRtree(faces).query(faces, predicate="touches")
    border_m = shapely.length(shapely.intersection(faces[left], faces[right]))
    for _ in range(len(faces)):
        main = _connected_to_largest(owner, areas, left, right, border_m)
        loose = np.flatnonzero(~main)
        if not len(loose):
            break
        moved = False
        for face in loose:
            near = (left == face) & (owner[right] != owner[face]) & main[right] & (border_m > 0)
            if near.any():
                owner[face] = owner[right[near][np.argmax(border_m[near])]]
                moved = True
        if not moved:
            break
    return owner


def _connected_to_largest(
    owner: npt.NDArray[np.intp],
    areas: npt.NDArray[np.float64],
    left: npt.NDArray[np.intp],
    right: npt.NDArray[np.intp],
    border_m: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    main = np.zeros(len(owner), dtype=bool)
    for part in np.unique(owner):
        mine = np.flatnonzero(owner == part)
        main[mine[np.argmax(areas[mine])]] = True
    linked = (owner[left] == owner[right]) & (border_m > 0)
    while True:
        reached = right[linked & main[left] & ~main[right]]
        if not len(reached):
            return main
        main[reached] = True


def _in_reading_order(parts: Sequence[shapely.Geometry]) -> list[shapely.Geometry]:
    """Parts in bands from north to south, each band from west to east: how numbers are painted on a table."""
    centres = shapely.get_coordinates(shapely.centroid(np.array(parts, dtype=object)))
    band_m = float(np.sqrt(np.mean(shapely.area(np.array(parts, dtype=object)))))
    band = np.floor((centres[:, 1].max() - centres[:, 1]) / band_m)
    return [parts[i] for i in np.lexsort([centres[:, 0], band])]

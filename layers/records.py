"""Geometry as the renderer reads it: rings and lines of local metres, in plain lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.frame import LocalFrame

Ring = list[list[float]]


def to_polygons(
    shapes: gpd.GeoSeries | Sequence[shapely.Geometry], frame: LocalFrame
) -> tuple[list[list[Ring]], np.ndarray[Any, Any]]:
    """
    Polygons with their holes.

    Parameters
    ----------
    shapes
        Polygons and multipolygons in the frame's CRS, shape (n,).
    frame
        Where the table's origin is.

    Returns
    -------
    Polygons, each a list of closed rings (outer first), shape (m,), and for each the position in `shapes` that it came
    from, shape (m,): a multipolygon gives several.
    """
    parts, owners = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    is_polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owners = parts[is_polygon], owners[is_polygon]
    rings, ring_owners = shapely.get_rings(parts, return_index=True)
    coordinates, points_owner = shapely.get_coordinates(rings, return_index=True)
    cuts = np.searchsorted(points_owner, np.arange(1, len(rings)))
    ring_lists: list[Ring] = (
        [piece.tolist() for piece in np.split(frame.to_local(coordinates), cuts)] if len(rings) else []
    )
    polygons: list[list[Ring]] = [[] for _ in parts]
    for ring, owner in zip(ring_lists, ring_owners, strict=True):
        polygons[owner].append(ring)
    return polygons, owners


def to_lines(shapes: gpd.GeoSeries, frame: LocalFrame) -> tuple[list[Ring], np.ndarray[Any, Any]]:
    """Lines of `shapes`, and for each the position that it came from; as `to_polygons`."""
    parts, owners = shapely.get_parts(shapes.to_numpy(), return_index=True)
    is_line = np.isin(shapely.get_type_id(parts), (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING))
    parts, owners = parts[is_line], owners[is_line]
    coordinates, points_owner = shapely.get_coordinates(parts, return_index=True)
    cuts = np.searchsorted(points_owner, np.arange(1, len(parts)))
    lines: list[Ring] = [piece.tolist() for piece in np.split(frame.to_local(coordinates), cuts)] if len(parts) else []
    return lines, owners


def to_points(shapes: gpd.GeoSeries | Sequence[shapely.Geometry], frame: LocalFrame) -> list[list[float]]:
    """One point for each shape: itself, or a point inside it. Shape (n, 2)."""
    points = shapely.point_on_surface(np.asarray(shapes, dtype=object))
    local: list[list[float]] = frame.to_local(shapely.get_coordinates(points)).tolist()
    return local


def lift(polygon: Sequence[Ring], z_m: float) -> list[Ring]:
    """The polygon at a height: what is extruded begins there."""
    return [[[x, y, z_m] for x, y in ring] for ring in polygon]


def to_texts(column: pd.Series[Any]) -> list[str]:
    """Texts of a column, empty where something is missing."""
    return [value if isinstance(value, str) else "" for value in column.tolist()]


def to_hours(closes: pd.Series[Any], opens: pd.Series[Any]) -> list[str]:
    """When each gate is closed, "22:00–06:00"; empty for one that never closes."""
    pairs = zip(closes.where(closes.notna(), None), opens.where(opens.notna(), None), strict=True)
    return [f"{a:%H:%M}–{b:%H:%M}" if a is not None and b is not None else "" for a, b in pairs]

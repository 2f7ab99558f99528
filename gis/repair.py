"""Geometry repair: what is broken is made sound, what cannot be is taken out, and both are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely import GeometryType

Geometries = npt.NDArray[np.object_]

# Parts below this are digitising leftovers, not something that stands in a community (a kiosk has 2 m² or more).
SLIVER_M2: Final = 0.25
# Two vertices nearer than this are one: survey accuracy of 1:500 mapping is 5 cm, files are rounded to 1 mm.
MIN_LENGTH_M: Final = 0.05


@dataclass
class Repaired:
    """
    Geometries after repair.

    Attributes
    ----------
    geometries
        Shape (n,), None where nothing sound was left.
    changed
        For each rule the mask, shape (n,), of the geometries that it changed.
    """

    geometries: Geometries
    changed: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def note(self, rule: str, mask: npt.NDArray[np.bool_]) -> None:
        if mask.any():
            self.changed[rule] = mask


def _empty_to_none(geometries: Geometries) -> Geometries:
    result = geometries.copy()
    result[shapely.is_missing(result) | shapely.is_empty(result)] = None
    return result


def without(geometries: Geometries, mask: npt.NDArray[np.bool_]) -> Geometries:
    """A copy with the geometries in `mask` missing."""
    result = geometries.copy()
    result[mask] = None
    return result


def has_finite_coordinates(geometries: Geometries) -> npt.NDArray[np.bool_]:
    """Which geometries have no NaN and no infinite coordinate; missing and empty ones count as finite."""
    xy, index = shapely.get_coordinates(geometries, return_index=True)
    finite = np.ones(len(geometries), dtype=bool)
    finite[index[~np.isfinite(xy).all(axis=1)]] = False
    return finite


def _collect(parts: Geometries, owner: npt.NDArray[np.intp], size: int, make: Callable[..., Geometries]) -> Geometries:
    """Parts put together again for each owner: one part stays itself, several become a multi-geometry."""
    result = np.full(size, None, dtype=object)
    counts = np.bincount(owner, minlength=size)
    single = counts[owner] == 1
    result[owner[single]] = parts[single]
    if not single.all():
        several, place = np.unique(owner[~single], return_inverse=True)
        result[several] = make(parts[~single], indices=place)
    return result


def repair_areas(geometries: Geometries) -> Repaired:
    """
    Polygons and multipolygons made valid; geometries in metres, shape (n,).

    Rules in `changed`: `area_from_closed_line`, `made_valid`, `sliver_dropped`, `not_an_area`, `empty`.
    """
    out = Repaired(_empty_to_none(shapely.force_2d(geometries)))
    out.note("empty", ~shapely.is_missing(geometries) & shapely.is_missing(out.geometries))
    closed = np.isin(shapely.get_type_id(out.geometries), [GeometryType.LINESTRING, GeometryType.LINEARRING])
    closed &= shapely.is_closed(out.geometries) & (shapely.get_num_coordinates(out.geometries) >= 4)
    if closed.any():
        xy, line = shapely.get_coordinates(out.geometries[closed], return_index=True)
        out.geometries[closed] = shapely.polygons(shapely.linearrings(xy, indices=line))
        out.note("area_from_closed_line", closed)
    invalid = ~shapely.is_missing(out.geometries) & ~shapely.is_valid(out.geometries)
    if invalid.any():
        out.geometries[invalid] = shapely.make_valid(out.geometries[invalid], method="structure")
        out.note("made_valid", invalid)
    return _keep_large_areas(out)


def _keep_large_areas(out: Repaired) -> Repaired:
    """Only areal parts of at least `SLIVER_M2` stay."""
    before = out.geometries
    plain = shapely.get_type_id(before) == GeometryType.POLYGON
    small = plain & (shapely.area(before) < SLIVER_M2)
    mixed = ~plain & ~shapely.is_missing(before)
    result = before.copy()
    result[small] = None
    sliver = small.copy()
    not_area = np.zeros(len(before), dtype=bool)
    if mixed.any():
        parts, owner = _flat_parts(before[mixed])
        areal = shapely.get_type_id(parts) == GeometryType.POLYGON
        large = areal & (shapely.area(parts) >= SLIVER_M2)
        where = np.flatnonzero(mixed)
        result[mixed] = _collect(parts[large], owner[large], len(where), shapely.multipolygons)
        sliver[where[owner[areal & ~large]]] = True
        has_area = np.zeros(len(where), dtype=bool)
        has_area[owner[areal]] = True
        not_area[where[~has_area]] = True
    out.geometries = result
    out.note("sliver_dropped", sliver)
    out.note("not_an_area", not_area)
    return out


def _flat_parts(geometries: Geometries) -> tuple[Geometries, npt.NDArray[np.intp]]:
    """Simple parts of collections, collections inside collections opened, with the index of their owner."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    while (shapely.get_type_id(parts) > GeometryType.POLYGON).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    return parts, owner


def repair_lines(geometries: Geometries) -> Repaired:
    """
    Lines and multilines without empty and zero-length parts; geometries in metres, shape (n,).

    Rules in `changed`: `empty`, `not_a_line`, `too_short`, `repeated_points`.
    """
    out = Repaired(_empty_to_none(shapely.force_2d(geometries)))
    out.note("empty", ~shapely.is_missing(geometries) & shapely.is_missing(out.geometries))
    there = np.flatnonzero(~shapely.is_missing(out.geometries))
    parts, owner = _flat_parts(out.geometries[there])
    is_line = np.isin(shapely.get_type_id(parts), [GeometryType.LINESTRING, GeometryType.LINEARRING])
    long_enough = shapely.length(parts) >= MIN_LENGTH_M
    result = np.full(len(geometries), None, dtype=object)
    good = is_line & long_enough
    result[there] = _collect(parts[good], owner[good], len(there), shapely.multilinestrings)
    wrong, short = np.zeros(len(geometries), dtype=bool), np.zeros(len(geometries), dtype=bool)
    wrong[there[owner[~is_line]]] = True
    short[there[owner[is_line & ~long_enough]]] = True
    cleaned = shapely.remove_repeated_points(result, 0.0)
    repeated = ~shapely.is_missing(result) & (
        shapely.get_num_coordinates(cleaned) < shapely.get_num_coordinates(result)
    )
    out.geometries = cleaned
    out.note("not_a_line", wrong)
    out.note("too_short", short)
    out.note("repeated_points", repeated)
    return out


def repair_points(geometries: Geometries) -> Repaired:
    """Points; areas and lines give a point inside. Rules in `changed`: `empty`, `point_inside`."""
    out = Repaired(_empty_to_none(shapely.force_2d(geometries)))
    out.note("empty", ~shapely.is_missing(geometries) & shapely.is_missing(out.geometries))
    other = ~shapely.is_missing(out.geometries) & (shapely.get_type_id(out.geometries) != GeometryType.POINT)
    out.geometries[other] = shapely.point_on_surface(out.geometries[other])
    out.note("point_inside", other)
    return out

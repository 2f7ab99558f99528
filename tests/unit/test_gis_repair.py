"""Geometry repair: what each rule does to the shapes that real files hold."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from gis.repair import has_finite_coordinates, repair_areas, repair_lines, repair_points


def shapes(*wkt: str | None) -> np.ndarray:
    return np.array([None if text is None else shapely.from_wkt(text) for text in wkt], dtype=object)


def test_areas() -> None:
    repaired = repair_areas(
        shapes(
            "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))",
            "POLYGON ((0 0, 10 10, 10 0, 0 10, 0 0))",  # a bow tie: two triangles of 25 m² each
            "MULTIPOLYGON (((0 0, 10 0, 10 10, 0 10, 0 0)), ((20 0, 20.1 0, 20.1 0.1, 20 0)))",
            "LINESTRING (0 0, 10 0, 10 10, 0 0)",
            "LINESTRING (0 0, 10 0)",
            "POLYGON EMPTY",
            "POLYGON Z ((0 0 5, 10 0 5, 10 10 5, 0 0 5))",
            None,
        )
    )
    areas = [None if g is None else round(g.area, 6) for g in repaired.geometries]
    assert areas == [100.0, 50.0, 100.0, 50.0, None, None, 50.0, None]
    marked = {rule: np.flatnonzero(mask).tolist() for rule, mask in repaired.changed.items()}
    assert marked == {
        "empty": [5],
        "area_from_closed_line": [3],
        "made_valid": [1],
        "sliver_dropped": [2],
        "not_an_area": [4],
    }
    assert repaired.geometries[2].geom_type == "Polygon"
    assert not shapely.has_z(repaired.geometries[6])


def test_lines() -> None:
    repaired = repair_lines(
        shapes("LINESTRING EMPTY", "LINESTRING (0 0, 0 0, 5 0)", "POINT (1 1)", "LINESTRING (0 0, 0.01 0)", None)
    )
    assert [None if g is None else g.length for g in repaired.geometries] == [None, 5.0, None, None, None]
    assert set(repaired.changed) == {"empty", "repeated_points", "not_a_line", "too_short"}


def test_points() -> None:
    repaired = repair_points(shapes("POINT Z (1 2 3)", "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))", "POINT EMPTY"))
    assert repaired.geometries[0].wkt == "POINT (1 2)"
    assert repaired.geometries[1].wkt == "POINT (1 1)"
    assert repaired.geometries[2] is None


@pytest.mark.parametrize(("x", "finite"), [(1.0, True), (np.nan, False), (np.inf, False)])
def test_finite(x: float, finite: bool) -> None:
    lines = np.array([shapely.LineString([(0, 0), (x, 1)]), None], dtype=object)
    assert has_finite_coordinates(lines).tolist() == [finite, True]

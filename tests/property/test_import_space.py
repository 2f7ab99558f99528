"""Invariants of noding and of grids, for any ways and any community."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.noding import GRID_M, REACH_M, node_lines
from gis.tessellate import build_boundary, split_grids

coordinate = st.integers(0, 400).map(lambda v: v / 4)
point = st.tuples(coordinate, coordinate)
line = st.lists(point, min_size=2, max_size=5, unique=True).map(shapely.LineString)
ways = st.lists(line, min_size=1, max_size=8).map(lambda lines: np.array(lines, dtype=object))


def meet_at_ends_only(pieces: np.ndarray) -> bool:
    """No two pieces share anything but points that are ends of both."""
    left, right = shapely.STRtree(pieces).query(pieces, predicate="intersects")
    left, right = left[left < right], right[left < right]
    shared = shapely.intersection(pieces[left], pieces[right])
    ends = shapely.multipoints(np.concatenate([shapely.get_point(pieces, 0), shapely.get_point(pieces, -1)]))
    return bool(np.all(shapely.get_dimensions(shared) == 0)) and bool(np.all(shapely.covered_by(shared, ends)))


@given(ways)
@settings(max_examples=150, deadline=None)
def test_noded_ways_cover_the_same_ground_and_meet_at_ends(lines: np.ndarray) -> None:
    noded = node_lines(lines)
    whole, made = shapely.union_all(lines), shapely.union_all(noded.pieces)
    assert shapely.hausdorff_distance(whole, made) <= 2 * GRID_M
    assert meet_at_ends_only(noded.pieces)
    covered = shapely.covered_by(noded.pieces, shapely.buffer(lines[noded.way], REACH_M + 2 * GRID_M))
    assert covered.all()
    again = node_lines(noded.pieces)
    assert sorted(shapely.to_wkb(shapely.normalize(again.pieces))) == sorted(
        shapely.to_wkb(shapely.normalize(noded.pieces))
    )


@given(ways, st.lists(st.integers(-1, 1), min_size=8, max_size=8))
@settings(max_examples=60, deadline=None)
def test_bridges_are_cut_only_where_something_ends_on_them(lines: np.ndarray, levels: list[int]) -> None:
    layer = np.array(levels[: len(lines)], dtype=np.int64)
    noded = node_lines(lines, layer)
    assert shapely.hausdorff_distance(shapely.union_all(lines), shapely.union_all(noded.pieces)) <= 3 * GRID_M
    for level in np.unique(layer):
        alone = node_lines(lines[layer == level])
        assert (layer[noded.way] == level).sum() >= len(alone.pieces)


def test_a_bridge_over_a_road_is_not_a_crossing() -> None:
    cross = np.array([shapely.LineString([(0, 0), (10, 0)]), shapely.LineString([(5, -5), (5, 5)])], dtype=object)
    assert len(node_lines(cross).pieces) == 4
    assert len(node_lines(cross, np.array([0, 1])).pieces) == 2
    ramp = np.array([shapely.LineString([(0, 0), (10, 0)]), shapely.LineString([(5, 0), (5, 5)])], dtype=object)
    assert len(node_lines(ramp, np.array([0, 1])).pieces) == 3


outline = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=3, max_size=12, unique=True).map(
    lambda xy: shapely.MultiPoint(xy).convex_hull.buffer(40)
)


@given(outline, st.integers(1, 14), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_grids_cover_the_boundary_without_gap_or_overlap(boundary, count, random) -> None:  # type: ignore[no-untyped-def]
    points = np.array([[random.uniform(0, 900), random.uniform(0, 900)] for _ in range(30)])
    grids = split_grids(boundary, points, count)
    assert len(grids) == count
    whole = shapely.union_all(grids)
    assert abs(sum(grid.area for grid in grids) - whole.area) < 1e-6
    # Vertices lie on a raster of 1 mm: the outline may move by that.
    assert shapely.symmetric_difference(whole, boundary).area < boundary.length * 0.002
    assert shapely.coverage_is_valid(grids)
    assert all(grid.geom_type == "Polygon" for grid in grids)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), min_size=1, max_size=60, unique=True))
@settings(max_examples=60, deadline=None)
def test_the_boundary_holds_every_building(corners: list[tuple[int, int]]) -> None:
    buildings = np.array([shapely.box(x, y, x + 12, y + 40) for x, y in corners], dtype=object)
    boundary = build_boundary(buildings)
    assert boundary.is_valid
    assert boundary.geom_type == "Polygon"
    assert shapely.covered_by(buildings, boundary).all()

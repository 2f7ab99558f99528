"""The exact law against enumeration of every permutation; counting against any places and boundaries."""

from __future__ import annotations

import itertools

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from incidents.hotspots import adjust_benjamini_hochberg, count_cells, exact_upper_p, gi_star

coordinate = st.integers(-40, 240).map(float) | st.floats(-40, 240)


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, (2, 4), elements=st.integers(0, 5)), arrays(np.bool_, (2, 4)))
def test_exact_p_is_the_share_of_all_permutations(counts: np.ndarray, inside: np.ndarray) -> None:
    inside[0, 0] = True
    inside.flat[np.flatnonzero(inside)[7:]] = False  # at most 7 cells: 720 orders of the 6 others
    p = exact_upper_p(counts, inside)
    assert p is not None
    assert np.isnan(p[~inside]).all()
    places, values = np.argwhere(inside), counts[inside]
    for i, place in enumerate(places):
        others, where = np.delete(values, i), np.delete(places, i, axis=0)
        near = (np.abs(where - place).max(axis=1) <= 1) if len(where) else np.zeros(0, dtype=bool)
        orders = np.array(list(itertools.permutations(others)))
        expected = (orders[:, near].sum(axis=1) >= others[near].sum()).mean()
        assert abs(p[tuple(place)] - expected) < 1e-12


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, (5, 6), elements=st.integers(0, 9)), arrays(np.bool_, (5, 6)))
def test_gi_star_is_the_formula_with_the_whole_matrix(counts: np.ndarray, inside: np.ndarray) -> None:
    z = gi_star(counts, inside)
    places, x = np.argwhere(inside), counts[inside].astype(float)
    n = len(x)
    if n < 2 or x.std() == 0:
        assert np.isnan(z).all()
        return
    w = (np.abs(places[:, None] - places[None]).max(axis=2) <= 1).astype(float)
    # Ord and Getis 1995, with general weights: Σw and Σw² apart.
    spread = x.var() * (n * (w**2).sum(axis=1) - w.sum(axis=1) ** 2) / (n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(spread > 1e-9, (w @ x - w.sum(axis=1) * x.mean()) / np.sqrt(spread), np.nan)
    np.testing.assert_allclose(z[inside], expected, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(coordinate, coordinate), max_size=40),
    st.sampled_from([25.0, 50.0, 33.3]),
    st.sampled_from(
        [
            shapely.box(0, 0, 200, 200),
            shapely.box(3.5, -20, 190.25, 111),
            shapely.Polygon([(0, 0), (200, 50), (150, 200), (60, 120)]),
            shapely.Point(100, 100).buffer(90).difference(shapely.box(80, 80, 120, 130)),
            shapely.MultiPolygon([shapely.box(0, 0, 50, 50), shapely.box(100, 100, 175, 150)]),
        ]
    ),
)
def test_each_place_within_the_boundary_is_counted_once(
    places: list[tuple[float, float]], cell_m: float, boundary: shapely.Polygon
) -> None:
    xy = np.array(places).reshape(-1, 2)
    counted = count_cells(xy, boundary, cell_m)
    within = sum(boundary.intersects(shapely.Point(place)) for place in places)
    assert counted.counts.sum() == counted.counts[counted.inside].sum() == within
    assert counted.n_outside == len(places) - within
    assert abs(shapely.union_all(counted.polygons()).intersection(boundary).area - boundary.area) < 1e-6


@given(arrays(np.float64, st.integers(0, 30), elements=st.floats(0, 1)))
def test_adjusted_p_keep_the_order_and_are_never_smaller(p: np.ndarray) -> None:
    q = adjust_benjamini_hochberg(p)
    assert ((q >= p * (1 - 1e-12)) & (q <= 1)).all()
    assert (np.diff(q[np.argsort(p, kind="stable")]) >= 0).all()
    # The step-up rule itself, at 5 %: reject all up to the largest i with p_(i) ≤ i α / m.
    ordered = np.sort(p)
    passing = np.flatnonzero(ordered <= 0.05 * np.arange(1, p.size + 1) / max(p.size, 1) - 1e-15)
    rejected = passing[-1] + 1 if passing.size else 0
    assert (q <= 0.05 - 1e-12).sum() <= rejected <= (q <= 0.05 + 1e-12).sum()

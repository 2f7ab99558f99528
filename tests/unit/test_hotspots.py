"""Hot cells through the public door, against values of other programs and by hand."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.stats import norm

from gis.errors import BadRecordError
from incidents.hotspots import (
    FEWEST_INCIDENTS,
    adjust_benjamini_hochberg,
    count_cells,
    exact_upper_p,
    find_hot_cells,
    gi_star,
    rank_hot_places,
)
from incidents.local_statistics import gi_star_from_sums
from incidents.repeats import find_repeat_places

SINCE, UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
SQUARE = shapely.box(0, 0, 1000, 1000)


@pytest.fixture(scope="module")
def known(real_data: Path) -> dict[str, dict[str, object]]:
    """Inputs and outputs of esda, spdep and hand calculation; each names its source in the file."""
    return json.loads((real_data / "incidents" / "known_answers.json").read_text(encoding="utf-8"))


def make_incidents(xy: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    """Incidents at these places, all alike except for `columns`."""
    table = {
        "category": "theft",
        "source": "call",
        "occurred_from_utc": pd.Timestamp("2025-06-01 12:00"),
        "building_id": None,
        "unit_id": None,
        "reporter_key": None,
    } | columns
    frame = pd.DataFrame(table, index=range(len(xy)))
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs="EPSG:4549")


def test_gi_star_of_six_points_agrees_with_esda_and_spdep(known: dict[str, dict[str, object]]) -> None:
    case = known["gistar_6pt"]
    points, y = np.array(case["points"], dtype=float), np.array(case["y"])
    near = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) <= case["band"]
    z = gi_star_from_sums(near @ y, near.sum(axis=1).astype(float), y)
    np.testing.assert_allclose(z, case["gi_star_z"], atol=1e-9)
    p = 2 * norm.sf(np.abs(z))
    np.testing.assert_allclose(p, case["gi_star_p_two_sided"], atol=1e-8)
    np.testing.assert_allclose(adjust_benjamini_hochberg(p), case["BH_adjusted"], atol=1e-7)


def test_gi_star_and_exact_p_of_one_full_cell(known: dict[str, dict[str, object]]) -> None:
    case = known["gistar_5x5_single_9"]
    counts = np.zeros((5, 5), dtype=np.int64)
    counts[2, 2] = 9
    z, p = gi_star(counts), exact_upper_p(counts)
    assert z[0, 0] == pytest.approx(case["z_corner"], abs=1e-6)
    assert z[0, 2] == pytest.approx(case["z_edge"], abs=1e-6)
    assert z[1:4, 1:4] == pytest.approx(np.full((3, 3), case["z_inner3x3"]), abs=1e-6)
    assert p is not None
    assert p[2, 2] == case["exact_perm_upper_p_centre"]
    around = np.ones((3, 3), dtype=bool)
    around[1, 1] = False
    assert p[1:4, 1:4][around] == pytest.approx(case["exact_perm_upper_p_the_8_around_centre"])


def test_benjamini_hochberg_of_the_handbook(known: dict[str, dict[str, object]]) -> None:
    # McDonald, Handbook of Biological Statistics, asks for p < (i/m) Q; its sixth p is on that line exactly (0.06), and
    # Benjamini and Hochberg 1995, with ≤, would take it.
    case = known["bh_fdr_mcdonald"]
    q = adjust_benjamini_hochberg(np.array(case["p"]))
    assert (q < case["alpha"] - 1e-12).sum() == case["rejections"]
    assert q[5] == pytest.approx(case["alpha"])
    assert (q <= 0.05).sum() == case["alpha05_rejections"]


def test_benjamini_hochberg_leaves_unknown_p_out() -> None:
    q = adjust_benjamini_hochberg(np.array([0.01, np.nan, 0.04]))
    assert q[0] == pytest.approx(0.02)  # 0.01 · 2 / 1
    assert np.isnan(q[1])
    assert q[2] == pytest.approx(0.04)


@pytest.mark.parametrize(
    "counts",
    [np.zeros((4, 4), int), np.full((4, 4), 7), np.array([[1, 2], [3, 4]]), np.array([[5]])],
    ids=["empty", "all_alike", "all_neighbours", "one_cell"],
)
def test_gi_star_says_where_it_is_undefined(counts: np.ndarray) -> None:
    assert np.isnan(gi_star(counts)).all()


def test_small_p_are_not_rounded_away() -> None:
    # 9 cells of 1 in a 3×3 block among 10,000: P = 1 / C(9999, 8) · C(8, 8), by hand.
    counts = np.zeros((100, 100), dtype=np.int64)
    counts[50:53, 50:53] = 1
    p = exact_upper_p(counts)
    assert p is not None
    n_ways = np.prod([(9999 - i) / (8 - i) for i in range(8)])
    assert p[51, 51] == pytest.approx(1 / n_ways, rel=1e-9)


def test_too_large_counts_are_refused_by_the_exact_law() -> None:
    rng = np.random.default_rng(0)
    assert exact_upper_p(rng.integers(0, 1_000_000, (60, 60))) is None


def test_points_on_edges_are_counted_once() -> None:
    xy = np.array([[0, 0], [50, 50], [50, 0], [100, 100], [100, 50], [0, 100], [25, 25], [101, 50]], dtype=float)
    counted = count_cells(xy, shapely.box(0, 0, 100, 100), 50)
    assert counted.inside.sum() == 4
    assert counted.n_outside == 1
    assert counted.counts[counted.inside].sum() == 7
    # [west, east) × [south, north): (50, 50) is in the north-east cell, (0, 0) and (25, 25) in the south-west one.
    assert counted.counts[:2, :2].tolist() == [[2, 1], [1, 3]]


def test_cells_do_not_move_with_the_boundary() -> None:
    point = np.array([[130.0, 130.0]])
    for boundary in (shapely.box(3, 7, 400, 400), shapely.box(101, 99, 222, 333)):
        counted = count_cells(point, boundary, 50)
        row, column = np.argwhere(counted.counts == 1)[0]
        assert (counted.west_m + column * 50, counted.south_m + row * 50) == (100, 100)


@pytest.mark.parametrize(
    ("cell_m", "boundary", "xy", "message"),
    [
        (0.0, SQUARE, [[1.0, 1.0]], "Side of a cell is 0.0 m"),
        (50.0, shapely.Polygon(), [[1.0, 1.0]], "boundary has no area"),
        (50.0, SQUARE, [[1.0, 1.0], [np.nan, 2.0]], "position 1 is"),
    ],
)
def test_unusable_lattices_are_refused(
    cell_m: float, boundary: shapely.Polygon, xy: list[list[float]], message: str
) -> None:
    with pytest.raises(BadRecordError, match=message):
        count_cells(np.array(xy), boundary, cell_m)


def test_a_planted_cluster_is_found_and_a_uniform_place_is_not() -> None:
    rng = np.random.default_rng(5)
    uniform = rng.uniform(0, 1000, (1000, 2))
    flat = find_hot_cells(make_incidents(uniform), SQUARE, since=SINCE, until=UNTIL, cell_m=50)
    assert flat.reason == "ok"
    assert flat.law == "exact"
    assert not flat.cells["hot"].any()

    cluster = rng.uniform(300, 450, (80, 2))
    found = find_hot_cells(make_incidents(np.vstack([uniform, cluster])), SQUARE, since=SINCE, until=UNTIL, cell_m=50)
    hot = found.cells[found.cells["hot"]]
    assert found.cells["count"].sum() == found.n_incidents == 1080
    assert len(hot) >= 5
    assert shapely.union_all(hot.geometry.to_numpy()).within(shapely.box(250, 250, 500, 500))
    assert set(hot["reason"]) == {"hot"}
    middle = hot[hot["cell_id"] == "7-7"].iloc[0]
    assert middle["neighbours"] == 8
    assert middle["expected"] == pytest.approx(1080 / 400 * 9)
    assert middle["neighbourhood_count"] > 2 * middle["expected"]


def test_only_what_others_reported_in_the_period_counts() -> None:
    xy = np.full((8, 2), 500.0)
    frame = make_incidents(
        xy,
        source=["call", "counter", "app", "police_found", "call", "call", "call", "call"],
        category=["theft"] * 7 + ["noise"],
        occurred_from_utc=pd.to_datetime(
            ["2025-01-01 00:00"] * 4 + ["2024-12-31 23:59", "2026-01-01 00:00", "2025-12-31 23:59", "2025-05-05 00:00"]
        ),
    )
    found = find_hot_cells(frame, SQUARE, since=SINCE, until=UNTIL, kinds=["theft"])
    assert (found.n_incidents, found.n_police_found) == (4, 1)


def test_too_few_is_said_and_nothing_is_hot() -> None:
    xy = np.full((FEWEST_INCIDENTS - 1, 2), 500.0)
    found = find_hot_cells(make_incidents(xy), SQUARE, since=SINCE, until=UNTIL)
    assert found.reason == "too_few"
    assert found.law == "none"
    assert set(found.cells["reason"]) == {"too_few"}
    assert not found.cells["hot"].any()


def test_no_incidents_at_all_is_an_answer() -> None:
    frame = make_incidents(np.zeros((0, 2)))
    found = find_hot_cells(frame, SQUARE, since=SINCE, until=UNTIL, cell_m=50)
    assert (found.n_incidents, found.reason, len(found.cells)) == (0, "too_few", 400)
    assert rank_hot_places(found, find_repeat_places(frame, since=SINCE, until=UNTIL)) == []


def test_large_counts_fall_back_to_the_normal_law_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidents.permutation_law.MOST_WORK", 10)
    xy = np.random.default_rng(1).uniform(0, 1000, (500, 2))
    found = find_hot_cells(make_incidents(xy), SQUARE, since=SINCE, until=UNTIL)
    assert found.law == "normal"
    np.testing.assert_allclose(found.cells["p"], norm.sf(found.cells["z"]))


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [(datetime(2025, 1, 1), UNTIL, "no time zone"), (UNTIL, SINCE, "before it begins")],  # noqa: DTZ001 - meant
)
def test_bad_periods_are_refused(since: datetime, until: datetime, message: str) -> None:
    with pytest.raises(BadRecordError, match=message):
        find_hot_cells(make_incidents(np.zeros((1, 2))), SQUARE, since=since, until=until)


def test_areas_and_repeat_places_share_one_list() -> None:
    rng = np.random.default_rng(7)
    uniform, cluster = rng.uniform(0, 1000, (1000, 2)), rng.uniform(100, 250, (150, 2))
    lonely = rng.uniform(725, 775, (80, 2))  # one address, across four cells
    xy = np.vstack([uniform, cluster, lonely])
    buildings = [f"b{i}" for i in rng.integers(0, 400, 1150)] + ["market"] * 80
    frame = make_incidents(xy, building_id=buildings, reporter_key=[f"k{i}" for i in range(len(xy))])
    exposure = pd.Series(1, index=[f"b{i}" for i in range(400)] + ["market"])
    hot = find_hot_cells(frame, SQUARE, since=SINCE, until=UNTIL, cell_m=50)
    repeats = find_repeat_places(frame, since=SINCE, until=UNTIL, exposure=exposure)
    top = rank_hot_places(hot, repeats, names={"market": "菜场"})
    assert [place.rank for place in top] == list(range(1, len(top) + 1))
    kinds = {place.kind: place for place in top}
    assert kinds["building"].name == "菜场"
    assert kinds["building"].count == 80
    assert kinds["building"].cell_ids, "the hot cells around it are explained by the address"
    assert kinds["area"].geometry.intersects(shapely.box(100, 100, 250, 250))
    assert kinds["area"].excess > kinds["building"].excess
    assert len(top) == 2


def test_hot_cells_that_touch_at_a_corner_are_one_area() -> None:
    frame = make_incidents(np.random.default_rng(1).uniform(0, 1000, (500, 2)))
    found = find_hot_cells(frame, SQUARE, since=SINCE, until=UNTIL, cell_m=50)
    nothing = find_repeat_places(frame, since=SINCE, until=UNTIL)
    for hot, areas in ((["3-3", "4-4"], 1), (["3-3", "5-5"], 2)):
        found.cells["hot"] = found.cells["cell_id"].isin(hot)
        listed = rank_hot_places(found, nothing)
        assert [len(place.cell_ids) for place in listed] == [2 // areas] * areas
        assert sum(place.geometry.area for place in listed) == pytest.approx(2 * 50 * 50)


def test_a_year_of_the_community_takes_far_less_than_a_tenth_of_a_second() -> None:
    xy = np.random.default_rng(2).uniform(0, 849, (3500, 2))
    frame, boundary = make_incidents(xy), shapely.box(0, 0, 849, 849)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        find_hot_cells(frame, boundary, since=SINCE, until=UNTIL)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3  # about 0.03 s on one quiet core; the bound leaves room for a busy machine


def test_a_million_cells_take_seconds() -> None:
    counts = np.random.default_rng(3).poisson(0.3, (1000, 1000))
    start = time.process_time()
    z = gi_star(counts)
    assert time.process_time() - start < 3.0  # about 0.2 s on one quiet core
    assert abs(z.mean()) < 0.01

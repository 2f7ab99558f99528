"""Two years of incidents of the sample, and what was planted in them: found by means that know nothing of `sample/`."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.stats import norm, poisson

from incidents.kinds import check_colour, list_groups, to_parents
from sample import SampleCommunity

AS_OF = pd.Timestamp("2026-11-15 16:00")  # 2026-11-15 24:00 in Shanghai, UTC
CELL_M = 50.0


@pytest.fixture(scope="module")
def sample(sample_community: SampleCommunity) -> SampleCommunity:
    return sample_community


@pytest.fixture(scope="module")
def incidents(sample: SampleCommunity) -> gpd.GeoDataFrame:
    frame = sample.tables["incidents"]
    assert isinstance(frame, gpd.GeoDataFrame)
    local = frame["occurred_from_utc"] + pd.Timedelta(hours=8)
    places = sample.tables["buildings"].set_index("building_id")["zone"]
    return frame.assign(local=local, zone=frame["building_id"].map(places))


def _cells(place: dict[str, Any]) -> Any:
    return shapely.union_all([shapely.Polygon(cell["polygon"]) for cell in place["cells"]])


def test_two_years_that_end_at_the_sample_s_own_now(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    assert len(incidents) == pytest.approx(3_500, rel=0.01)
    assert sample.tables["community"]["data_as_of"].iloc[0] == AS_OF
    assert incidents["occurred_from_utc"].min() >= AS_OF - pd.Timedelta(days=730)
    assert incidents["closed_utc"].max() <= AS_OF
    assert (incidents["occurred_from_utc"] <= incidents["occurred_to_utc"]).all()
    assert (incidents["occurred_to_utc"] <= incidents["reported_utc"]).all()
    assert (incidents["reported_utc"] <= incidents["closed_utc"]).all()
    assert incidents["reported_utc"].is_monotonic_increasing
    assert set(incidents["status"]) == {"closed"}


def test_sources_and_urgencies(incidents: gpd.GeoDataFrame) -> None:
    shares = incidents["source"].value_counts(normalize=True)
    assert set(shares.index) == {"call", "counter", "app", "police_found"}
    assert shares["police_found"] == pytest.approx(0.08, abs=0.01)
    assert set(incidents["urgency"]) == {"urgent", "normal", "not_police"}


def test_the_tree_of_kinds(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    tree = sample.tables["incident_categories"].set_index("category")
    assert set(tree.loc[tree["parent"].isna(), "name_zh"]) == {"报警", "求助", "投诉"}
    leaves = tree[~tree.index.isin(tree["parent"])]
    assert set(incidents["category"]) <= set(leaves.index)
    assert tree.loc["domestic_violence", "sensitive"]
    assert (tree[["name_zh", "name_en"]] != "").all().all()
    groups = tree.loc[leaves["parent"].unique()]
    assert set(groups.index) == set(list_groups(to_parents(tree.reset_index())))
    assert groups["key"].is_unique
    assert groups[["symbol", "colour", "target_minutes"]].notna().all().all()
    for colour in groups["colour"]:
        check_colour(colour)
    # Two keys lead to every leaf: that of its group, then its own.
    assert not leaves[["parent", "key"]].duplicated().any()
    assert leaves["key"].str.fullmatch("[0-9a-z]").all()


def test_hours_and_weekdays_differ_by_kind(incidents: gpd.GeoDataFrame) -> None:
    hour = incidents["local"].dt.hour

    def share(category: str, hours: list[int]) -> float:
        return float(hour[incidents["category"] == category].isin(hours).mean())

    night = [*range(21, 24), 0, 1, 2]
    assert share("noise.night", night) > 3 * share("fraud.phone", night)
    assert share("traffic.crash", [7, 8, 17, 18]) > 2 * share("noise.night", [7, 8, 17, 18])
    fights = incidents[incidents["category"].isin(["violence.fight", "order.drunk"])]
    assert (fights["local"].dt.day_of_week >= 4).mean() > 0.46  # 3/7 = 0.43 without a weekend


def test_thefts_overnight_are_known_as_intervals(incidents: gpd.GeoDataFrame) -> None:
    interval = incidents["occurred_from_utc"] < incidents["occurred_to_utc"]
    thefts = incidents["category"].str.startswith("theft.")
    assert interval[incidents["category"] == "theft.battery"].mean() > 0.5
    assert not interval[~thefts].any()


def test_incidents_lie_in_their_grid_and_building(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    grids = sample.tables["grids"].set_index("grid_id")["geom"]
    houses = sample.tables["buildings"].set_index("building_id")["geom"]
    assert all(grids[row.grid_id].buffer(0.01).contains(row.geom) for row in incidents.itertuples())
    with_house = incidents[incidents["building_id"].notna()]
    assert len(with_house) > 0.7 * len(incidents)
    assert all(houses[row.building_id].distance(row.geom) < 0.02 for row in with_house.itertuples())


def test_some_reporters_call_again_and_again(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    calls = incidents["reporter_key"].value_counts()
    callers = sample.truth["persistent_callers"]
    assert len(callers) == 4
    for caller in callers:
        assert calls[caller["reporter_key"]] >= caller["calls"] >= 10
    assert calls.iloc[len(callers)] < min(caller["calls"] for caller in callers)
    assert incidents["reporter_key"].isna().equals(incidents["source"] == "police_found")


def test_nothing_planted_is_more_than_three_times_its_baseline(sample: SampleCommunity) -> None:
    truth = sample.truth
    moved = truth["patrol_moved"]
    places = [*truth["hot_places"], *truth["repeat_addresses"], truth["patrol_worked"], moved["from"], moved["to"]]
    assert len(truth["hot_places"]) == 6
    for place in [*places, truth["near_repeat_series"]]:
        assert 1.5 < place["times"] <= 3.0
    for place in places:
        extra = len(place["extra_incident_ids"])
        assert extra <= (place["times"] - 1) * place["baseline_expected"] + 0.51


def test_counts_at_hot_places_are_what_the_truth_says(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    """Counted from the rows alone, each within what a Poisson law allows at one in 100,000."""
    reported = incidents[incidents["source"] != "police_found"]
    moved = sample.truth["patrol_moved"]
    for place in [*sample.truth["hot_places"], sample.truth["patrol_worked"], moved["from"], moved["to"]]:
        # Cells on the rim hold places that are not planted, so only the buildings and their cells count: a lower bound.
        inside = shapely.contains(_cells(place), reported.geometry.to_numpy())
        of_kind = reported["category"].isin(place["categories"]) & reported["local"].dt.hour.isin(place["hours"])
        in_time = reported["local"].between(place["from"], place["to"], inclusive="left")
        count = int((inside & of_kind & in_time).sum())
        expected = place["times"] * place["baseline_expected"]
        assert poisson.sf(count, expected) < 1 - 1e-5 or count >= expected
        assert count > 1.6 * place["baseline_expected"]
        ids = set(place["extra_incident_ids"])
        assert ids <= set(reported["incident_id"][inside & of_kind & in_time])


def test_a_scan_of_the_last_year_finds_most_hot_places(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    """Getis and Ord's Gi* (1995) by its formula on 50 m cells, normal law, Benjamini-Hochberg at 0.05."""
    recent = incidents[
        (incidents["source"] != "police_found") & (incidents["occurred_from_utc"] > AS_OF - pd.Timedelta(days=365))
    ]
    boundary = sample.tables["community"]["boundary"].iloc[0]
    left, low, right, high = boundary.bounds
    columns, rows = int((right - left) // CELL_M) + 1, int((high - low) // CELL_M) + 1
    counts = np.zeros((columns, rows))
    x, y = recent.geometry.x.to_numpy(), recent.geometry.y.to_numpy()
    np.add.at(counts, (((x - left) // CELL_M).astype(int), ((y - low) // CELL_M).astype(int)), 1)
    corner_x, corner_y = np.meshgrid(left + np.arange(columns) * CELL_M, low + np.arange(rows) * CELL_M, indexing="ij")
    boxes = shapely.box(corner_x, corner_y, corner_x + CELL_M, corner_y + CELL_M)
    inside = shapely.intersects(boundary, boxes)

    def neighbours(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, 1)
        shifted = [padded[i : i + columns, j : j + rows] for i in range(3) for j in range(3)]
        return np.sum(shifted, axis=0)

    n = int(inside.sum())
    mean, variance = counts[inside].mean(), counts[inside].var()
    weight = neighbours(inside.astype(float))
    z = (neighbours(counts) - weight * mean) / np.sqrt(variance * (n * weight - weight**2) / (n - 1))
    p = norm.sf(z[inside])
    limits = np.sort(p) <= 0.05 * np.arange(1, n + 1) / n
    hot = boxes[inside][p <= np.sort(p)[np.flatnonzero(limits)[-1]]]

    moved_to = sample.truth["patrol_moved"]["to"]
    found = [shapely.intersects(hot, _cells(place)).any() for place in sample.truth["hot_places"]]
    planted = shapely.union_all([_cells(place) for place in [*sample.truth["hot_places"], moved_to]])
    assert sum(found) >= 4
    assert (~shapely.intersects(hot, planted)).sum() <= 0.25 * len(hot)


def test_planted_addresses_lead_the_list_of_repeats(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    planted = [place["unit_id"] for place in sample.truth["repeat_addresses"]]
    top = incidents["unit_id"].value_counts().index
    assert len(planted) == 10
    assert len(set(top[:5]) & set(planted)) >= 4
    assert len(set(top[:40]) & set(planted)) >= 7


def test_the_thefts_of_the_series_follow_each_other(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    series = sample.truth["near_repeat_series"]
    thefts = incidents[incidents["incident_id"].isin(series["incident_ids"])].sort_values("occurred_from_utc")
    assert len(thefts) >= 8
    assert thefts["category"].isin(series["categories"]).all()
    assert set(thefts["zone"]) == {series["zone"]}
    steps = thefts.geometry.distance(thefts.geometry.shift())[1:]
    gaps = thefts["occurred_from_utc"].diff()[1:]
    assert (steps <= series["step_m"] + 0.05).all()
    assert (gaps <= pd.Timedelta(days=series["step_days"])).all()
    assert thefts["local"].between(series["from"], series["to"]).all()


def test_one_patrol_helped_and_one_moved_the_trouble(sample: SampleCommunity, incidents: gpd.GeoDataFrame) -> None:
    reported = incidents[incidents["source"] != "police_found"]

    def daily(place: dict[str, Any], first: pd.Timestamp, last: pd.Timestamp) -> float:
        inside = shapely.contains(_cells(place), reported.geometry.to_numpy())
        return float((inside & reported["local"].between(first, last)).sum() / (last - first).days)

    begin, end = AS_OF - pd.Timedelta(days=730), AS_OF
    worked = sample.truth["patrol_worked"]
    changed = pd.Timestamp(worked["to"])
    assert daily(worked, changed, end) < 0.65 * daily(worked, begin, changed)
    moved = sample.truth["patrol_moved"]
    changed = pd.Timestamp(moved["from"]["to"])
    assert moved["to"]["from"] == moved["from"]["to"]
    assert daily(moved["from"], changed, end) < 0.65 * daily(moved["from"], begin, changed)
    assert daily(moved["to"], changed, end) > 1.4 * daily(moved["to"], begin, changed)
    away = shapely.Point(moved["from"]["centre"]).distance(shapely.Point(moved["to"]["centre"]))
    assert 100 < away < 250

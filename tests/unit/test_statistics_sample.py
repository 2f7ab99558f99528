"""What the sample planted is found, for three seeds; what was not, is not; and each method says its sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from incidents.analysing import weigh
from incidents.baselines import AS_USUAL, FEW, MORE, TOO_FEW, find_baselines, judge_count
from incidents.change import Counted, count_directions, find_displacement
from incidents.concentration import find_repeats, find_visit_rates
from incidents.forecasts import MEAN, RIVAL, find_back_test
from incidents.gi_star import find_hot_units
from incidents.hours import Calendar, compare_days, find_hours
from incidents.near_repeats import find_chains, find_near_repeats
from incidents.periods import find_trends, split_periods
from incidents.scan import find_fresh_cluster
from incidents.units import count_hexagons, count_segments, count_squares
from sample import SampleCommunity, build_community

SEEDS = (7, 11, pytest.param(23, marks=pytest.mark.soak))
RING_M = 120.0


@cache
def other(seed: int) -> SampleCommunity:
    return build_community(seed)


def get_community(seed: int, community: SampleCommunity) -> SampleCommunity:
    return community if seed == community.truth["seed"] else other(seed)


def get_reported(community: SampleCommunity) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, float]:
    """Reported incidents, their places, days since the history began, and how long it is."""
    rows = community.tables["incidents"]
    rows = rows[rows["source"] != "police_found"].reset_index(drop=True)
    begin = pd.Timestamp(community.truth["patrol_worked"]["from"], tz="Asia/Shanghai")
    days = (pd.to_datetime(rows["occurred_from_utc"], utc=True) - begin) / pd.Timedelta(days=1)
    end = (pd.Timestamp(community.truth["data_as_of"]) - begin) / pd.Timedelta(days=1)
    return rows, shapely.get_coordinates(rows.geometry.to_numpy()), days.to_numpy(), end


def get_boundary(community: SampleCommunity) -> shapely.Polygon:
    return shapely.union_all(community.tables["grids"].geometry.to_numpy())


def judge(community: SampleCommunity, planted: dict[str, Any]) -> dict[str, Any]:
    """The change at a planted place, against the rest of the community."""
    _, xy, t_days, end = get_reported(community)
    begin = pd.Timestamp(community.truth["patrol_worked"]["from"])
    change = (pd.Timestamp(planted["to"]) - begin) / pd.Timedelta(days=1)
    centre, radius = tuple(planted["centre"]), 62.0
    apart = np.hypot(*(xy - np.array(centre)).T)
    after = t_days >= change

    def count(chosen: np.ndarray) -> Counted:
        return Counted(int((chosen & ~after).sum()), int((chosen & after).sum()))

    treated, ring = count(apart <= radius), count((apart > radius) & (apart <= radius + RING_M))
    rest = count(apart > radius + RING_M)
    parts = count_directions(xy, t_days, centre=centre, radius_m=radius, ring_m=RING_M, change_days=change)
    answer = find_displacement(
        treated, weigh(rest, treated), ring, weigh(rest, ring), parts=parts, before_weight=(end - change) / change
    )
    return dict(answer.figures)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_worked_and_what_moved_are_told_apart(sample_community: SampleCommunity, seed: int) -> None:
    community = get_community(seed, sample_community)
    worked = judge(community, community.truth["patrol_worked"])
    moved = judge(community, community.truth["patrol_moved"]["from"])
    assert worked["verdict"] in ("worked", "worked_unsure")
    assert worked["moved_to"] == []
    assert moved["verdict"] == "moved"
    assert worked["local"]["high"] < 0
    assert moved["local"]["high"] < 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [count_squares, count_hexagons])
def test_hot_cells_hold_what_was_planted(sample_community: SampleCommunity, seed: int, count: Any) -> None:
    community = get_community(seed, sample_community)
    _, xy, _, _ = get_reported(community)
    units = count(xy, get_boundary(community), 25.0)
    answer = find_hot_units(units)
    hot = answer.rows["hot"].to_numpy()
    truth = community.truth
    planted = [
        *truth["hot_places"],
        *truth["repeat_addresses"],
        truth["patrol_worked"],
        *truth["patrol_moved"].values(),
    ]
    ground = shapely.union_all([shapely.Polygon(cell["polygon"]) for place in planted for cell in place["cells"]])
    # A cell is true when its window, itself and what touches it, holds a planted one.
    window = shapely.buffer(units.geometry[hot], 25.0, join_style="mitre")
    assert hot.sum() >= 3
    assert shapely.intersects(window, ground).mean() >= 0.75
    assert answer.figures["law"] == "exact"
    assert f"{hot.sum()}" in answer.sentence("zh")


def test_the_planted_series_is_a_chain(sample_community: SampleCommunity) -> None:
    rows, xy, t_days, _ = get_reported(sample_community)
    series = sample_community.truth["near_repeat_series"]
    theft = rows["category"].isin(series["categories"]).to_numpy()
    chains = find_chains(xy[theft], t_days[theft], distance_m=series["step_m"] + 25, days=series["step_days"] + 4).rows
    planted = rows[theft]["incident_id"].isin(series["incident_ids"]).to_numpy()
    biggest = chains.loc[planted, "chain"].value_counts()
    assert biggest.iloc[0] >= 0.8 * planted.sum()


def test_near_repeats_are_found_where_they_are_and_not_elsewhere() -> None:
    rng = np.random.default_rng(5)
    xy, t_days = rng.uniform(0, 800, (600, 2)), rng.uniform(0, 365, 600)
    assert not find_near_repeats(xy, t_days).rows["sure"].any()
    again = rng.choice(600, 40, replace=False)
    xy = np.concatenate([xy, xy[again] + rng.uniform(-15, 15, (40, 2))])
    t_days = np.concatenate([t_days, t_days[again] + rng.uniform(0, 2.5, 40)])
    answer = find_near_repeats(xy, t_days, permutations=199, rng=rng)
    best = answer.rows.sort_values("ratio", na_position="first").iloc[-1]
    assert (best["distance"], best["days"]) == ("0-50", "0-3")
    assert best["p"] == pytest.approx(1 / 200)
    assert answer.sentence("en").startswith("After one incident")


def test_a_fresh_cluster_is_found_and_chance_is_not() -> None:
    rng = np.random.default_rng(6)
    xy, t_days = rng.uniform(0, 800, (1_500, 2)), rng.uniform(0, 365, 1_500)
    quiet = find_fresh_cluster(xy, t_days, now_days=365, rng=np.random.default_rng(0))
    assert quiet.figures["p"] > 0.05
    xy[:7], t_days[:7] = np.array([400.0, 400.0]) + rng.uniform(-30, 30, (7, 2)), 363.5
    loud = find_fresh_cluster(xy, t_days, now_days=365, rng=np.random.default_rng(0))
    assert loud.figures["p"] == pytest.approx(1 / 1_000)
    assert loud.figures["recurrence_days"] == pytest.approx(1_000)
    assert loud.rows["in_cluster"].to_numpy()[:7].all()
    assert np.hypot(loud.figures["x"] - 400, loud.figures["y"] - 400) < 60
    assert loud.figures == find_fresh_cluster(xy, t_days, now_days=365, rng=np.random.default_rng(0)).figures


def test_scan_p_is_even_under_chance() -> None:
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        answer = find_fresh_cluster(
            rng.uniform(0, 400, (150, 2)), rng.uniform(0, 60, 150), permutations=99, most_days=5, rng=rng
        )
        p.append(answer.figures["p"])
    # Of 40 even p, 2 are below 0.05; more than 6 happen once in 100.
    assert (np.array(p) <= 0.05).sum() <= 6


def test_a_count_is_judged_by_its_own_past() -> None:
    assert judge_count(12, 36, 12) == MORE  # P(X ≥ 12 of 48 | 1/13) is 2e-4
    assert judge_count(4, 48, 12) == AS_USUAL  # no incident at all would be 0.02
    assert judge_count(0, 72, 12) == FEW  # (12/13)^72 = 0.003
    assert judge_count(1, 6, 12) == TOO_FEW
    assert judge_count(0, 0, 12) == TOO_FEW


def test_baseline_takes_the_same_weekdays_and_hours_before() -> None:
    since = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
    times = [since + timedelta(hours=1)] * 6
    for week in range(1, 5):
        times += [since - timedelta(weeks=week) + timedelta(hours=1)]  # same weekday and hour: counts
        times += [since - timedelta(weeks=week) + timedelta(hours=9)] * 5  # evenings: do not
    answer = find_baselines(
        ["B1"] * len(times), pd.Series(times), since=since, until=since + timedelta(hours=4), periods=4,
        history_since=since - timedelta(weeks=4),
    )  # fmt: skip
    row = answer.rows.iloc[0]
    assert (row["count"], row["before"], row["periods"], row["verdict"]) == (6, 4, 4, MORE)
    assert answer.sentence("zh").startswith("本期 6 起，多于平常")


def test_trends_and_unfinished_periods() -> None:
    edges = split_periods(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, 12, tzinfo=UTC), days=28)
    assert len(edges) == 4
    assert edges[-1] == datetime(2026, 4, 1, 12, tzinfo=UTC)
    counts = np.ones((40, 6), dtype=np.int64)
    counts[0], counts[1, 4:], counts[2, :4] = 12, 12, 12
    answer = find_trends(counts)
    assert answer.rows["trend"].tolist()[:4] == ["persistent", "emerging", "former", "none"]
    assert answer.figures["persistent"] == answer.figures["emerging"] == answer.figures["former"] == 1


def test_clock_spreads_what_is_known_only_as_between() -> None:
    begin = pd.Series(pd.to_datetime(["2026-03-01 22:00", "2026-03-02 01:30", "2026-03-02 05:00"]))  # UTC: Monday 6 h
    end = pd.Series(pd.to_datetime(["2026-03-02 02:00", "2026-03-02 01:30", "2026-03-09 05:00"]))
    answer = find_hours(begin, end)
    table = answer.rows.set_index(["weekday", "hour"])["weight"]
    assert table[(0, 6)] == table[(0, 9)] - 1 == pytest.approx(0.25)
    assert (answer.n_used, answer.left_out["too_long"]) == (2, 1)
    assert table.sum() == pytest.approx(2)


def test_calendar_days_against_the_others() -> None:
    school = Calendar("school", frozenset(date(2026, 3, d) for d in range(2, 7)))
    days = [date(2026, 3, 3)] * 10 + [date(2026, 3, 8)] * 2 + [date(2026, 4, 1)]
    answer = compare_days(days, school, since=date(2026, 3, 1), until=date(2026, 3, 11))
    assert answer.rows["count"].tolist() == [10, 2]
    assert answer.figures["ratio"] == pytest.approx(5)
    assert answer.left_out["outside_period"] == 1


def test_repeats_count_places_and_never_name_callers(sample_community: SampleCommunity) -> None:
    rows, _, _, _ = get_reported(sample_community)
    everything = sample_community.tables["buildings"]["building_id"].tolist()
    answer = find_repeats(
        rows["building_id"].where(rows["building_id"].notna(), None).tolist(),
        callers=rows["reporter_key"].tolist(), all_places=everything,
    )  # fmt: skip
    assert answer.n_used + answer.left_out["no_place"] == len(rows) == len(answer.rows)
    assert answer.figures["all_places"] == len(everything)
    assert not set(rows["reporter_key"]) & {str(v) for column in answer.rows for v in answer.rows[column]}
    assert (answer.rows["one_caller"].dropna() <= answer.rows["count"][answer.rows["one_caller"].notna()]).all()


def test_visits_per_100_rentals() -> None:
    table = find_visit_rates(["G1"] * 5 + ["G2", None], ["G1"] * 50 + ["G3"] * 10).rows.set_index("grid_id")
    assert table.loc["G1", "per_100"] == pytest.approx(10)
    assert np.isnan(table.loc["G2", "per_100"])
    assert table.loc["G3", "visits"] == 0


def test_back_test_stands_beside_last_period(sample_community: SampleCommunity) -> None:
    _, xy, t_days, end = get_reported(sample_community)
    roads = sample_community.tables["roads"].set_index("road_id")
    for units in (count_squares(xy, get_boundary(sample_community), 50.0), count_segments(xy, roads)):
        period = np.floor((t_days - end) / 28).astype(int)
        counts = np.column_stack([units.count(period == k) for k in range(-26, 0)])
        answer = find_back_test(counts, size=units.size)
        table = answer.rows.set_index(["map", "share"])
        assert (table["pei"] <= 1).all()
        assert table.loc[(RIVAL, 0.1), "gain"] == 0
        # A year tells more than four weeks where trouble is: the sample's places stay.
        assert table.loc[(MEAN, 0.1), "hit_rate"] > table.loc[(RIVAL, 0.1), "hit_rate"]
        assert table.loc[(MEAN, 0.1), "pai"] > 1.3

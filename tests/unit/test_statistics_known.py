"""Every known answer (other programs, handbooks, by hand: its file names the source) through the public door."""

from __future__ import annotations

import itertools
import json
import math
from decimal import Decimal, getcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from gis.errors import BadRecordError
from incidents.analysing import Options, analyse_table
from incidents.change import Counted, find_displacement
from incidents.close_pairs import close_in_space, close_in_time
from incidents.density import choose_bandwidth_m, density_on_grid
from incidents.gi_star import find_hot_points
from incidents.knox import find_knox, find_moments, shuffle_pairs
from incidents.near_repeats import find_chains
from incidents.rates import compare_counts, e_test, garwood_interval, most_in_window_p


@pytest.fixture(scope="module")
def known(real_data: Path) -> dict[str, dict[str, Any]]:
    return json.loads((real_data / "incidents" / "known_answers.json").read_text(encoding="utf-8"))


def to_table(**columns: Any) -> pd.DataFrame:
    """As the command line reads a CSV: all text."""
    return pd.DataFrame(columns).map(str)


def test_gi_star_of_six_points(known: dict[str, dict[str, Any]]) -> None:
    case = known["gistar_6pt"]
    x, y = np.array(case["points"]).T
    answer = analyse_table("gi-star", to_table(x=x, y=y, value=case["y"]), Options(band_m=case["band"]))
    np.testing.assert_allclose(answer.rows["z"], case["gi_star_z"], atol=1e-9)
    np.testing.assert_allclose(answer.rows["p"], case["gi_star_p_two_sided"], atol=1e-8)
    np.testing.assert_allclose(answer.rows["q"], case["BH_adjusted"], atol=1e-7)
    assert set(answer.rows["law"]) == {"normal"}  # measurements, not counts


def test_gi_star_of_one_full_cell(known: dict[str, dict[str, Any]]) -> None:
    case = known["gistar_5x5_single_9"]
    xy = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), axis=-1).reshape(-1, 2)
    value = np.zeros(25)
    value[12] = 9
    rows = find_hot_points(xy, value, band_m=2**0.5).rows
    z, p = rows["z"].to_numpy().reshape(5, 5), rows["p"].to_numpy().reshape(5, 5)
    assert [z[0, 0], z[0, 2], z[1, 1], z[2, 2]] == pytest.approx(
        [case["z_corner"], case["z_edge"], case["z_inner3x3"], case["z_inner3x3"]], abs=1e-6
    )
    assert p[2, 2] == case["exact_perm_upper_p_centre"]
    assert p[1, 1] == p[2, 1] == pytest.approx(case["exact_perm_upper_p_the_8_around_centre"])


def test_knox_of_the_reference_set(known: dict[str, dict[str, Any]], real_data: Path) -> None:
    case = known["knox_burkitt"]
    cases = pd.read_csv(real_data / "incidents" / "burkitt.csv")
    table = to_table(x=cases["X"], y=cases["Y"], t=cases["T"])
    options = Options(band_m=case["delta"], days=case["tau"], permutations=999, seed=1)
    figures = analyse_table("knox", table, options).figures
    assert figures["table"] == case["observed"]
    assert figures["expected"] == pytest.approx(case["expected_nst"], abs=1e-6)
    assert figures["p_poisson"] == pytest.approx(case["P_ge_correct"], abs=1e-7)
    assert figures["p_permutation"] == pytest.approx(case["perm_p_seed12345_99"], abs=0.06)  # of 99 shuffles there


def test_knox_moments_are_those_of_shuffling() -> None:
    # Beside 2,000 shuffles of events as clustered as real ones: mean within 4 standard errors, sd within 5 %.
    rng = np.random.default_rng(3)
    xy = np.concatenate([rng.normal(0, 40, (150, 2)), rng.uniform(-300, 300, (250, 2))])
    t_days = np.concatenate([rng.uniform(0, 200, 300), rng.normal(100, 3, 100)])
    mean, variance = find_moments(close_in_space(xy, 50), close_in_time(t_days, 7))
    drawn = shuffle_pairs(xy, t_days, 50, 7, 2_000, rng)
    assert abs(drawn.mean() - mean) < 4 * (variance / 2_000) ** 0.5
    assert drawn.std() == pytest.approx(variance**0.5, rel=0.05)


def test_knox_by_trees_is_knox_by_the_whole_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    xy, t_days = rng.integers(0, 60, (300, 2)).astype(float), rng.integers(0, 90, 300).astype(float)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= 10
    gap = np.abs(t_days[:, None] - t_days[None]) <= 7
    upper = np.triu(np.ones((300, 300), dtype=bool), 1)
    for most in (8_000_000, 0):  # pairs held in memory, and not
        monkeypatch.setattr("incidents.close_pairs.MOST_PAIRS", most)
        figures = find_knox(xy, t_days, distance_m=10, days=7).figures
        assert figures["close_space"] == (apart & upper).sum()
        assert figures["close_time"] == (gap & upper).sum()
        assert figures["observed"] == (apart & gap & upper).sum()


def test_chains_of_near_strings(known: dict[str, dict[str, Any]]) -> None:
    case = known["near_strings"]
    table = to_table(x=case["x"], y=[case["y"]] * 5, t=case["t"])
    rows = analyse_table("near-repeat", table, Options(band_m=case["dist"], days=case["time"])).rows
    assert rows["chain"].tolist() == case["components"]
    assert rows["role"].tolist() == ["originator", "near_repeat", "near_repeat", "originator", "near_repeat"]


def test_pai_pei_and_rri(known: dict[str, dict[str, Any]]) -> None:
    case = known["pai"]
    answer = analyse_table("pai", to_table(pred=case["pred"], obs=case["obs"]), Options())
    for name in ("PAI", "PEI", "RRI"):
        assert answer.figures["by_rank"][name.lower()] == pytest.approx(case[name], abs=1e-6)
    # Rows keep the order of the input: of the two that were predicted 4, the one with fewer incidents ranks first.
    assert answer.rows["rank"].tolist() == [1, 3, 2, 4, 5, 6]
    assert answer.rows["pai"].iloc[1] == pytest.approx(case["PAI"][2], abs=1e-6)
    simple = known["pai_simple"]
    answer = analyse_table("pai", to_table(pred=simple["pred"], obs=simple["obs"]), Options())
    assert answer.rows["pai"].tolist() == pytest.approx(simple["PAI"])
    assert answer.rows["pei"].tolist() == pytest.approx(simple["PEI"])


def add_up_exactly(first: int, second: int) -> tuple[Decimal, dict[tuple[int, int], Decimal]]:
    """
    The e-test's sum in whole numbers and 40 digits: pairs that are more extreme, and those exactly as extreme.

    x, y is more extreme than first, second where (x − y)² (first + second) > (first − second)² (x + y), which whole
    numbers decide without rounding. Krishnamoorthy and Thomson 2004, with equal exposures and pooled rate.
    """
    getcontext().prec = 40
    rate = Decimal(first + second) / 2
    chance = [(-rate).exp() * rate**k / Decimal(math.factorial(k)) for k in range(120)]
    more, ties = Decimal(0), {}
    for x, y in itertools.product(range(120), repeat=2):
        left, right = (x - y) ** 2 * (first + second), (first - second) ** 2 * (x + y)
        if left > right:
            more += chance[x] * chance[y]
        elif left == right and x + y:
            ties[x, y] = chance[x] * chance[y]
    return more, ties


def test_e_test(known: dict[str, dict[str, Any]]) -> None:
    for pair, expected in known["e_test"].items():
        first, second = json.loads(pair.replace("(", "[").replace(")", "]"))
        more, ties = add_up_exactly(first, second)
        assert e_test(first, second) == pytest.approx(float(more + sum(ties.values())), abs=1e-12)
        # Of (30, 18) the pairs (18, 9) and (9, 18) are exactly as extreme: 9² / 27 = 12² / 48 = 3. The program that
        # made this answer loses them to rounding: its figure is the exact sum without just these two.
        lost = ties[18, 9] + ties[9, 18] if (first, second) == (30, 18) else 0
        assert float(more + sum(ties.values()) - lost) == pytest.approx(expected, abs=5e-8)
        assert e_test(second, first) == pytest.approx(e_test(first, second), abs=1e-12)


def test_exact_poisson_test_and_interval(known: dict[str, dict[str, Any]]) -> None:
    case = known["poisson_exact"]
    assert compare_counts(30, 18).p == pytest.approx(case["(30,18) equal exposure"], abs=1e-9)
    test = compare_counts(30, 18, exposure_first=31, exposure_second=28)
    assert test.p == pytest.approx(case["(30 in 31 d,18 in 28 d)"], abs=1e-9)
    assert test.ratio == pytest.approx(case["rate_ratio"], abs=1e-7)
    assert [test.low, test.high] == pytest.approx(case["ci95"], abs=1e-7)


def test_garwood_interval() -> None:
    # Garwood 1936, Table I: 95 % limits of 0, 1 and 10.
    assert garwood_interval(0) == (0.0, pytest.approx(3.689, abs=1e-3))
    assert garwood_interval(1) == (pytest.approx(0.0253, abs=1e-4), pytest.approx(5.572, abs=1e-3))
    assert garwood_interval(10) == (pytest.approx(4.795, abs=1e-3), pytest.approx(18.39, abs=1e-2))


def test_most_in_any_window(known: dict[str, dict[str, Any]]) -> None:
    case = known["scan_window_naus"]
    # The program that made these leaves the last term of Naus's fourth sum out and writes the exponent, windows − 2,
    # as L − k: with k = 2 right for 208 windows, with k = 1 that of 261 windows and not of 260. Done so, the formula
    # gives its figures to the last digit.
    assert naus_as_there(6, mean=0.6, exponent=208 - 2) == pytest.approx(case["(208,2,0.6,6)"], abs=5e-9)
    assert naus_as_there(6, mean=1.0, exponent=260 - 1) == pytest.approx(case["(260,1,1,6)"], abs=5e-7)
    # What the missing term and the exponent are worth.
    p = most_in_window_p(6, mean_per_unit=0.6, window=1, length=208)
    assert p == pytest.approx(case["(208,2,0.6,6)"], abs=1e-6)
    p = most_in_window_p(6, mean_per_unit=1.0, window=1, length=261)
    assert p == pytest.approx(case["(260,1,1,6)"], abs=1e-4)


def naus_as_there(n: int, *, mean: float, exponent: int) -> float:
    """Naus's approximation as that program has it: the fourth sum ends at n − 2."""

    def at(k: int) -> float:
        return float(poisson.pmf(k, mean))

    def up(k: int) -> float:
        return float(poisson.cdf(k, mean)) if k >= 0 else 0.0

    two = up(n - 1) ** 2 - (n - 1) * at(n) * at(n - 2) - (n - 1 - mean) * at(n) * up(n - 3)
    first = 2 * at(n) * up(n - 1) * ((n - 1) * up(n - 2) - mean * up(n - 3))
    second = (n - 1) * (n - 2) * up(n - 3) - 2 * (n - 2) * mean * up(n - 4) + mean**2 * up(n - 5)
    third = sum(at(2 * n - r) * up(r - 1) ** 2 for r in range(1, n))
    fourth = sum(at(2 * n - r) * at(r) * ((r - 1) * up(r - 2) - mean * up(r - 3)) for r in range(2, n - 1))
    three = up(n - 1) ** 3 - first + 0.5 * at(n) ** 2 * second + third - fourth
    return float(1 - two * (three / two) ** exponent)


def test_most_in_any_window_is_what_random_histories_show() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(4_000):
        times = np.sort(rng.uniform(0, 104, rng.poisson(0.3 * 104)))
        hits += bool((times[4:] - times[:-4] <= 2).any())
    p = most_in_window_p(5, mean_per_unit=0.3, window=2, length=104)
    assert hits / 4_000 == pytest.approx(p, abs=4 * (p * (1 - p) / 4_000) ** 0.5)


def test_bandwidth_of_both_axes(known: dict[str, dict[str, Any]]) -> None:
    case = known["bandwidth_nrd"]
    one = np.arange(1.0, 11.0)
    assert choose_bandwidth_m(np.column_stack([one, one])) == pytest.approx(case["1:10"], abs=1e-6)
    assert choose_bandwidth_m(np.column_stack([one, 3 * one])) == pytest.approx(2 * case["1:10"], abs=1e-5)


def test_quartic_kernel_integrates_to_one(known: dict[str, dict[str, Any]]) -> None:
    grid = density_on_grid(np.array([[0.3, -0.2]]), -12, -12, 240, 240, 0.1, bandwidth_m=10)
    assert grid.sum() * 0.01 == pytest.approx(known["quartic"]["integral"], abs=1e-5)
    assert grid.max() == pytest.approx(3 / (np.pi * 100), rel=1e-3)


def test_follows_the_latest() -> None:
    xy, t_days = np.zeros((3, 2)), np.array([0.0, 5.0, 2.0])
    rows = find_chains(xy, t_days, distance_m=1, days=10).rows
    assert rows["role"].tolist() == ["originator", "repeat", "repeat"]
    assert [None if pd.isna(v) else int(v) for v in rows["follows"]] == [None, 2, 0]


def test_displacement_with_weights_by_hand() -> None:
    # Δ treated = 20 − 0.5·60 = −10, variance 20 + 0.25·60 = 35; control twice as large, weight 0.5: 0.5·(45 − 0.5·80) =
    # 2.5, variance 0.25·(45 + 0.25·80) = 16.25. So −12.5 with a variance of 51.25.
    answer = find_displacement(Counted(60, 20), Counted(80, 45, 0.5), before_weight=0.5)
    assert answer.figures["wdd"] == pytest.approx(-12.5)
    assert answer.figures["sd"] == pytest.approx(51.25**0.5)
    assert answer.figures["ring"] is None
    with pytest.raises(BadRecordError, match="A ring was given for one area only"):
        find_displacement(Counted(1, 1), Counted(1, 1), Counted(1, 1))


def test_a_fall_and_a_rise_on_one_side_of_the_ring_has_moved() -> None:
    treated, control, ring, rest = Counted(90, 15), Counted(900, 450, 0.1), Counted(160, 95), Counted(1_600, 800, 0.1)
    parts = {"N": Counted(40, 18), "E": Counted(40, 45), "S": Counted(40, 16), "W": Counted(40, 16)}
    whole = find_displacement(treated, control, ring, rest, before_weight=0.5)
    assert whole.figures["verdict"] in ("worked", "worked_unsure")
    moved = find_displacement(treated, control, ring, rest, parts=parts, before_weight=0.5)
    assert (moved.figures["verdict"], moved.figures["moved_to"]) == ("moved", ["E"])
    assert moved.sentence("zh").startswith("转移了")

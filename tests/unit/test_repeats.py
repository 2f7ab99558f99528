"""Repeat places through the public door."""

from __future__ import annotations

from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from gis.errors import BadRecordError
from incidents.concentration import find_curve, find_luck_curve
from incidents.repeats import find_repeat_places

SINCE, UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def make_incidents(rows: list[tuple[str | None, str, str | None, str]]) -> gpd.GeoDataFrame:
    """Rows of (building, category, caller, day of 2025)."""
    frame = pd.DataFrame(rows, columns=["building_id", "category", "reporter_key", "day"])
    frame["occurred_from_utc"] = pd.to_datetime("2025-" + frame["day"])
    frame["source"] = "call"
    frame["unit_id"] = frame["building_id"]
    x = np.arange(len(frame), dtype=float)
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(x, 2 * x), crs="EPSG:4549")


EXPOSURE = pd.Series({"a": 40, "b": 40, "c": 10, "d": 10})
ROWS = [("a", "noise", "k1", f"03-{day:02d}") for day in range(1, 8)] + [
    ("a", "theft", "k2", "05-01"),
    ("b", "theft", None, "06-01"),
    ("b", "theft", None, "06-02"),
    ("c", "dispute", "k3", "01-01"),
    (None, "dispute", "k3", "01-01"),
]


def test_each_place_has_its_count_and_its_callers() -> None:
    found = find_repeat_places(make_incidents(ROWS), since=SINCE, until=UNTIL, exposure=EXPOSURE).set_index("place_id")
    assert list(found.index) == ["a", "b", "c"]
    a = found.loc["a"]
    assert (a["count"], a["n_callers"], a["n_same_caller"]) == (8, 2, 7)
    assert a["categories"] == {"noise": 7, "theft": 1}
    assert (a["first_utc"], a["last_utc"]) == (
        pd.Timestamp("2025-03-01", tz="UTC"),
        pd.Timestamp("2025-05-01", tz="UTC"),
    )
    assert (a["geometry"].x, a["geometry"].y) == (3.5, 7.0)
    # Callers who are not known are not one caller.
    assert (found.loc["b", "n_callers"], found.loc["b", "n_same_caller"]) == (0, 0)


def test_expected_and_p_are_by_dwellings() -> None:
    found = find_repeat_places(make_incidents(ROWS), since=SINCE, until=UNTIL, exposure=EXPOSURE).set_index("place_id")
    # 11 placed incidents on 100 dwellings: 4.4 on 40, 1.1 on 10. P(X ≥ 8 | 4.4) = 1 − Σ_{i<8} e^-4.4 4.4^i / i!
    assert found.loc["a", "expected"] == pytest.approx(4.4)
    assert found.loc["c", "expected"] == pytest.approx(1.1)
    terms = [np.exp(-4.4) * 4.4**i / np.prod(np.arange(1, i + 1)) for i in range(8)]
    assert found.loc["a", "p"] == pytest.approx(1 - sum(terms))
    # Four places are tested, the one without incidents included, so the least p is adjusted by 4.
    assert found.loc["a", "q"] == pytest.approx(4 * found.loc["a", "p"])


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("c", "noise", f"k{i}", "02-02") for i in range(9)], "repeat"),
        ([("c", "noise", "k1", "02-02")] * 5 + [("c", "noise", f"k{i}", "02-02") for i in range(2, 6)], "one_caller"),
        ([("c", "noise", "k1", "02-02")] * 2, "few"),
        ([("a", "noise", f"k{i}", "02-02") for i in range(4)], "chance"),
    ],
)
def test_the_reason_says_what_it_is(rows: list[tuple[str, str, str, str]], reason: str) -> None:
    everywhere = [("a", "theft", f"x{i}", "04-04") for i in range(8)] + [
        ("b", "theft", f"y{i}", "04-04") for i in range(8)
    ]
    found = find_repeat_places(make_incidents(rows + everywhere), since=SINCE, until=UNTIL, exposure=EXPOSURE)
    row = found.set_index("place_id").loc[rows[0][0]]
    assert row["reason"] == reason
    assert row["repeated"] == (reason in ("repeat", "one_caller"))


def test_without_dwellings_nothing_is_claimed() -> None:
    found = find_repeat_places(make_incidents(ROWS), since=SINCE, until=UNTIL)
    assert set(found["reason"]) == {"no_exposure"}
    assert found["p"].isna().all()
    assert not found["repeated"].any()


def test_a_place_without_dwellings_counts_as_one() -> None:
    exposure = pd.Series({"a": 9, "b": 0})
    found = find_repeat_places(make_incidents(ROWS), since=SINCE, until=UNTIL, exposure=exposure).set_index("place_id")
    # 9 + 1 (b has none) + 1 (c is not in the table) = 11 dwellings, 11 incidents.
    assert found["expected"].to_dict() == pytest.approx({"a": 9.0, "b": 1.0, "c": 1.0})
    assert found.loc["b", "p"] == pytest.approx(poisson.sf(1, 1.0))


def test_by_unit_uses_the_dwelling() -> None:
    frame = make_incidents(ROWS)
    frame["unit_id"] = "u-" + frame["building_id"].astype("str")
    frame.loc[frame["building_id"].isna(), "unit_id"] = None
    found = find_repeat_places(frame, since=SINCE, until=UNTIL, by="unit")
    assert found["place_id"].tolist() == ["u-a", "u-b", "u-c"]


def test_an_unknown_kind_of_place_is_refused() -> None:
    with pytest.raises(BadRecordError, match="expected building or unit"):
        find_repeat_places(make_incidents(ROWS), since=SINCE, until=UNTIL, by="street")  # type: ignore[arg-type]


def test_the_curve_that_luck_makes_is_that_of_dealing_incidents_out() -> None:
    rng = np.random.default_rng(2)
    homes = rng.integers(5, 60, 300).astype(np.float64)
    luck = find_luck_curve(250, homes)
    shares = np.array([0.02, 0.05, 0.1, 0.2, 0.5])
    dealt = []
    for _ in range(400):
        curve = find_curve(rng.multinomial(250, homes / homes.sum()), 300)
        dealt.append(np.interp(shares, curve["place_share"], curve["incident_share"]))
    expected = np.interp(shares, luck["place_share"], luck["incident_share"])
    np.testing.assert_allclose(np.mean(dealt, axis=0), expected, atol=0.006)
    assert luck.iloc[-1].tolist() == [300.0, 1.0, pytest.approx(1.0)]
    with pytest.raises(BadRecordError, match="not all 0"):
        find_luck_curve(3, np.zeros(4))

"""What changed and what stays, by hand-made histories; before and after of a zone, by hand-made change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from shapely import Point

from gis.errors import BadRecordError
from incidents.baselines import find_least_total
from incidents.briefing import find_changes, find_standing, keep_testable
from incidents.zone_effect import Peer, find_effect

UNTIL = datetime(2026, 11, 15, 16, tzinfo=UTC)
WEEK = timedelta(weeks=1)


def make_history(counts: dict[str, list[int]], *, weeks: int = 12) -> tuple[list[str], pd.Series]:
    """Places and times with so many incidents a period, oldest first, the last one ending at `UNTIL`."""
    ids, times = [], []
    for place, numbers in counts.items():
        for back, number in enumerate(reversed(numbers)):
            begin = UNTIL - WEEK * weeks * (back + 1)
            times += [begin + WEEK * weeks * (k + 0.5) / max(1, number) for k in range(number)]
            ids += [place] * number
    return ids, pd.Series(pd.to_datetime(times, utc=True))


def find(counts: dict[str, list[int]]) -> pd.DataFrame:
    ids, times = make_history(counts)
    period = {"since": UNTIL - 12 * WEEK, "until": UNTIL, "history_since": UNTIL - 60 * WEEK}
    return find_changes(ids, times, **period).set_index("place_id")


def test_a_place_is_held_against_the_period_before_and_its_own_baseline() -> None:
    rows = find({"a": [5, 6, 4, 5, 22], "b": [20, 21, 19, 20, 4], "c": [9, 11, 10, 10, 11], "d": [0, 1, 0, 0, 1]})
    assert rows["verdict"].to_dict() == {
        "a": "more_than_usual", "b": "few", "c": "as_usual", "d": "too_few_to_say",
    }  # fmt: skip
    assert rows["last"].to_dict() == {"a": 5, "b": 20, "c": 10, "d": 0}
    assert rows["baseline"].to_dict() == {"a": 5.0, "b": 20.0, "c": 10.0, "d": 0.25}
    # Of 42 incidents in five like periods 22 or more in the last one: the conditional test, by hand.
    assert rows.loc["a", "p"] == pytest.approx(binom.sf(21, 42, 1 / 5))
    assert rows.loc["b", "p"] == pytest.approx(binom.cdf(4, 84, 1 / 5))


def test_looking_at_many_places_makes_none_of_them_remarkable() -> None:
    """One place at p = 0.02 among two hundred quiet ones: luck."""
    quiet = {f"q{n}": [3, 3, 3, 3, 3] for n in range(200)}
    rows = find({**quiet, "loud": [3, 3, 3, 3, 9]})
    assert rows.loc["loud", "p"] < 0.05
    assert rows.loc["loud", "verdict"] == "as_usual"
    assert find({"loud": [3, 3, 3, 3, 9]}).loc["loud", "verdict"] == "more_than_usual"


def test_only_places_that_the_test_could_tell_anything_of_are_reckoned_in() -> None:
    """Four like periods before: all 5 now of 5 is 5^-5 = 0.0003, which one of 150 places needs; of 3 it is 0.008."""
    quiet = {f"q{n}": [1, 0, 1, 0, 1] for n in range(150)}
    ids, times = make_history({**quiet, "new": [0, 0, 0, 0, 5], "once": [0, 0, 0, 0, 1]})
    period = {"since": UNTIL - 12 * WEEK, "until": UNTIL, "history_since": UNTIL - 60 * WEEK}
    kept = keep_testable(ids, times, **period)
    assert set(filter(None, kept)) == {"new"}
    assert find_changes(kept, times, **period).set_index("place_id").loc["new", "verdict"] == "more_than_usual"
    assert find_least_total([5, 1, *[3] * 150], 4) == 4  # 5^-4 = 0.0016 is enough for the one place of 4 or more


def test_without_a_period_before_there_is_nothing_to_say() -> None:
    ids, times = make_history({"a": [7]})
    with pytest.raises(BadRecordError, match="no whole period"):
        find_changes(ids, times, since=UNTIL - 12 * WEEK, until=UNTIL, history_since=UNTIL - 12 * WEEK)


@pytest.mark.parametrize(
    ("counts", "trend", "above"),
    [
        ([15, 16, 14, 15], "persistent", 4),
        ([2, 1, 15, 16], "emerging", 2),
        ([15, 16, 1, 2], "former", 2),
        ([3, 2, 3, 2], "neither", 2),
    ],
)
def test_a_place_stays_comes_up_or_is_over(counts: list[int], trend: str, above: int) -> None:
    """100 incidents a period, of which chance would put 2.5 here."""
    ids, times = make_history({"here": counts, "elsewhere": [100 - count for count in counts]})
    inside = np.array([one == "here" for one in ids])
    found = find_standing(inside, times, share=0.025, since=UNTIL - 48 * WEEK, until=UNTIL)
    assert (found.counts, found.trend, found.above) == (tuple(counts), trend, above)
    assert found.expected == pytest.approx([2.5] * 4)


# Before and after

START, NOW = 364.0, 364.0 + 182.0
ZONE = Point(0, 0).buffer(50)


def scatter(*groups: tuple[float, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Incidents `east_m` of the zone's middle: so many in the year before and so many in the half year since."""
    xy, days = [], []
    for east, before, after in groups:
        xy += [(east, 0.0)] * (before + after)
        days += [*np.linspace(0, START - 1, before), *np.linspace(START, NOW - 1, after)]
    return np.array(xy), np.array(days)


@pytest.mark.parametrize(
    ("inside", "near", "second_row", "verdict"),
    [
        ((80, 12), (40, 20), (40, 20), "worked"),
        ((80, 12), (40, 45), (40, 20), "moved"),
        ((80, 12), (40, 20), (40, 50), "moved"),  # behind the next row of houses
        ((80, 12), (40, 26), (40, 20), "worked"),
        ((80, 40), (40, 20), (40, 20), "unclear"),
        ((40, 50), (40, 20), (40, 20), "worse"),
        ((3, 1), (40, 20), (40, 20), "too_few"),
    ],
)
def test_what_worked_is_told_from_what_moved(
    inside: tuple[int, int], near: tuple[int, int], second_row: tuple[int, int], verdict: str
) -> None:
    """The half year since has half of what the year before had, everywhere else."""
    xy, days = scatter((0, *inside), (80, *near), (140, *second_row), (900, 1000, 500))
    found = find_effect(xy, days, ZONE, start_day=START, now_day=NOW, first_day=0.0)
    assert found.verdict == verdict
    assert (found.before, found.after) == inside
    assert found.usual == pytest.approx(inside[0] / 2)
    assert (found.before_days, found.after_days, found.compared) == (364.0, 182.0, "rest")


def test_a_season_is_no_effect() -> None:
    """Everywhere only a quarter is left: the comparison takes that out."""
    xy, days = scatter((0, 80, 10), (80, 40, 5), (900, 1000, 125))
    found = find_effect(xy, days, ZONE, start_day=START, now_day=NOW, first_day=0.0)
    assert found.verdict == "unclear"
    assert found.usual == pytest.approx(10)


@pytest.mark.parametrize("start", [NOW - 20, 20.0, NOW + 30])
def test_four_weeks_on_both_sides_are_needed(start: float) -> None:
    xy, days = scatter((0, 80, 12), (900, 1000, 500))
    assert find_effect(xy, days, ZONE, start_day=start, now_day=NOW, first_day=0.0).verdict == "too_early"


def test_zones_of_the_lot_that_wait_are_the_comparison() -> None:
    """The waiting zone fell as much by itself: nothing came of the patrols, whatever the rest of the town did."""
    xy, days = scatter((0, 160, 30), (80, 40, 20), (400, 160, 30), (900, 1000, 500))
    waiting = Peer(Point(400, 0).buffer(50), NOW, same_lot=True)
    found = find_effect(xy, days, ZONE, start_day=START, now_day=NOW + 90, first_day=0.0, peers=[waiting])
    assert (found.verdict, found.compared) == ("unclear", "lot")
    assert found.after_days == NOW - START  # from then on nobody waits any more
    alone = find_effect(xy, days, ZONE, start_day=START, now_day=NOW, first_day=0.0)
    assert (alone.verdict, alone.compared) == ("worked", "rest")

"""Where check-in points are suggested, on a drawing small enough to reckon by hand; all metres."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest
from shapely import Point, box

from tasks.checkin_points import build_draft
from tasks.suggesting_points import Spot, suggest_points

# Hot places, the hottest first: squares of 50 m with their lower left corners at (0, 0), (400, 0) and (0, 1000).
HOT, SECOND, FAR = box(0, 0, 50, 50), box(400, 0, 450, 50), box(0, 1000, 50, 1050)
EAST = Spot("东门", Point(80, 25))  # 30 m from HOT, 320 m from SECOND
SOUTH = Spot("南门", Point(25, -40))  # 40 m from HOT
MIDDLE = Spot("中门", Point(250, 25))  # 200 m from HOT, 150 m from SECOND
SPOTS = [MIDDLE, SOUTH, EAST]


def suggest(
    *places: object, spots: list[Spot] = SPOTS, taken: tuple[Point, ...] = (), most: int = 5
) -> list[tuple[int, str, float]]:
    found = suggest_points(places, spots, list(taken), most=most)  # type: ignore[arg-type]
    return [(one.place, one.spot.name, one.gap_m) for one in found]


def test_the_nearest_gate_of_each_place_and_none_twice() -> None:
    assert suggest(HOT, SECOND, FAR) == [(0, "东门", 30.0), (1, "中门", 150.0)]  # no gate within 250 m of the third
    # Two places that share their nearest gate: the second takes the next that is 60 m from it.
    # From (80, 25) to (25, -40) are 85 m; from HOT's other half, 25 m further west, the gates are 55 and 40 m off.
    west = box(-25, 0, 25, 50)
    assert suggest(HOT, west) == [(0, "东门", 30.0), (1, "南门", 40.0)]


def test_a_gate_on_the_edge_of_a_place_counts_as_near_as_it_is() -> None:
    edge = Spot("西门", Point(0, 25))
    assert suggest(HOT, spots=[EAST, edge]) == [(0, "西门", 0.0)]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        # A point at 125 m from the place serves it already; one at 126 m does not.
        (Point(175, 25), []),
        (Point(176, 25), [(0, "东门", 30.0)]),
    ],
)
def test_what_is_there_is_not_suggested_again(taken: Point, expected: list[tuple[int, str, float]]) -> None:
    assert suggest(HOT, taken=(taken,)) == expected


def test_two_points_are_never_side_by_side() -> None:
    # Both gates lie 30 m from their place and 59 m from each other; then 60 m.
    other = box(139, 0, 189, 50)
    for apart_m, names in ((59.0, ["东门"]), (60.0, ["东门", "北门"])):
        north = Spot("北门", Point(80 + apart_m, 25))
        assert [name for _, name, _ in suggest(HOT, other, spots=[EAST, north])] == names


def test_a_spot_without_a_name_is_none_and_five_are_enough() -> None:
    nameless = Spot("", Point(55, 25))
    assert suggest(HOT, spots=[nameless, EAST]) == [(0, "东门", 30.0)]
    row = [box(300 * n, 0, 300 * n + 50, 50) for n in range(8)]
    gates = [Spot(f"{n}号门", Point(300 * n + 60, 25)) for n in range(8)]
    assert [place for place, *_ in suggest(*row, spots=gates)] == [0, 1, 2, 3, 4]
    assert [place for place, *_ in suggest(*row, spots=gates, most=2)] == [0, 1]
    assert suggest(spots=gates) == []


def test_the_order_of_spots_changes_nothing() -> None:
    twins = [Spot("乙门", Point(80, 25)), Spot("甲门", Point(-30, 25))]  # both 30 m away
    assert suggest(HOT, spots=twins) == suggest(HOT, spots=twins[::-1]) == [(0, "乙门", 30.0)]


def test_what_is_opened_at_a_suggestion_is_open_by_day_and_for_four_weeks() -> None:
    draft = build_draft("东门", "最近四周多次报警", EAST.at.x, EAST.at.y, today=date(2026, 11, 23))
    assert (draft.hours_from, draft.hours_to, draft.lit) == (time(8), time(18), False)
    assert (draft.opens_on, draft.closes_on) == (date(2026, 11, 23), date(2026, 12, 20))  # 28 days, both included
    assert (draft.weekdays, draft.team_id, draft.photo_wanted, draft.points) == ("1234567", None, False, 2)
    assert replace(draft, lit=True).hours_to == time(18)  # that it is lit is seen, the hours are chosen

"""Ways inside a building, against figures that can be reckoned by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box, union_all

from gis.indoor_ways import find_indoor_way, find_room_way, measure_m

CORRIDOR = union_all([box(0, 0, 20, 2), box(18, 0, 20, 12)])  # an L of 2 m width


def test_around_one_corner() -> None:
    """From (1, 1) to (19, 11) past the inner corner (18, 2): sqrt(17² + 1²) + sqrt(1² + 9²) = 17.029 + 9.055."""
    way = find_indoor_way(CORRIDOR, Point(1, 1), Point(19, 11))
    assert way is not None
    assert list(way.coords) == [(1, 1), (18, 2), (19, 11)]
    assert way.length == pytest.approx(26.085, abs=0.001)
    assert measure_m([way]) == pytest.approx(way.length)


def test_straight_where_one_sees_it_and_none_where_there_is_no_way() -> None:
    straight = find_indoor_way(CORRIDOR, Point(1, 1), Point(17, 1))
    assert straight is not None
    assert straight.length == 16
    rooms = union_all([box(0, 0, 4, 4), box(6, 0, 10, 4)])
    assert find_indoor_way(rooms, Point(1, 1), Point(8, 1)) is None


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.floats(0, 20), st.floats(0, 12)), st.tuples(st.floats(0, 20), st.floats(0, 12)))
def test_it_stays_inside_and_is_no_shorter_than_the_straight_line(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    start, end = Point(a), Point(b)
    way = find_indoor_way(CORRIDOR, start, end)
    assert way is not None
    assert CORRIDOR.buffer(0.03).covers(way)
    assert way.length >= Point(way.coords[0]).distance(Point(way.coords[-1])) - 1e-9
    back = find_indoor_way(CORRIDOR, end, start)
    assert back is not None
    assert back.length == pytest.approx(way.length, abs=0.02)


def test_through_the_door_and_up_the_stairs() -> None:
    """A corridor 2 m wide, a room of 4 m by 4 m at it with its door at (10, 2); stairs at the east end."""
    corridor, stairs = box(0, 0, 18, 2), box(18, 0, 20, 2)
    parts = [
        (1, "exit", Point(0, 1)), (1, "corridor", corridor), (1, "stairs", stairs),
        (1, "room", box(8, 2, 12, 6)), (1, "door", Point(10, 2)),
        (2, "stairs", stairs), (2, "corridor", corridor), (2, "room", box(0, 2, 4, 6)),
    ]  # fmt: skip
    same = find_room_way(parts, 3, Point(-3, 1))
    assert same is not None
    ((level, line),) = same
    assert level == 1
    assert (10, 2) in list(line.coords)
    assert line.length == pytest.approx(
        (10**2 + 1) ** 0.5 + 2, abs=0.2
    )  # to the door, then 2 m to the middle of the room
    above = find_room_way(parts, 7, Point(-3, 1))
    assert above is not None
    assert [level for level, _ in above] == [1, 2]
    assert above[0][1].length == pytest.approx(19, abs=0.1)
    assert find_room_way([*parts, (5, "room", box(0, 2, 4, 6))], 8, Point(-3, 1)) is None  # no stairs are drawn there

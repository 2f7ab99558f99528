"""A schematic plan tiles the storey: nothing overlaps, nothing is lost, every room reaches its landing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon
from shapely.affinity import rotate, translate

from gis.errors import BadRecordError
from gis.storey_plans import DOOR_M, DoorPlan, StoreyPlan, plan_storey

FAR = (500_000.0, 3_700_000.0)  # where coordinates of EPSG:4549 are: metres to the millimetre need nine digits


@st.composite
def houses(draw: st.DrawFn) -> tuple[Polygon, list[DoorPlan]]:
    """A slab, perhaps with a bay that stands out or is cut in, turned anywhere, with doors along one long side."""
    long, deep = draw(st.floats(12, 70)), draw(st.floats(8, 16))
    shape = shapely.box(0, 0, long, deep)
    bay = draw(st.sampled_from(["none", "out", "in", "wing"]))
    at, wide = draw(st.floats(0.2, 0.6)) * long, draw(st.floats(0.1, 0.3)) * long
    if bay == "out":
        shape = shape.union(shapely.box(at, deep - 0.1, at + wide, deep + draw(st.floats(0.6, 2.0))))
    elif bay == "in":
        shape = shape.difference(shapely.box(at, deep - draw(st.floats(0.4, 1.5)), at + wide, deep + 1))
    elif bay == "wing":
        shape = shape.union(shapely.box(long - 10, deep - 0.1, long, deep + draw(st.floats(2, 9))))
    doors = draw(st.integers(1, max(1, int(long // 12))))
    rooms = draw(st.lists(st.integers(1, 4), min_size=doors, max_size=doors))
    angle = draw(st.floats(0, 180))
    places = [Point(long * (n + 0.5) / doors, 0) for n in range(doors)]

    def move(one: shapely.Geometry) -> shapely.Geometry:
        return translate(rotate(one, angle, origin=(0, 0)), *FAR)

    return move(shape), [DoorPlan(f"e{n}", move(place), rooms[n]) for n, place in enumerate(places)]


def check(plan: StoreyPlan, outline: Polygon, doors: list[DoorPlan]) -> None:
    shapes = [room.outline for room in plan.rooms] + [way for _, way in plan.landings]
    assert all(shape.is_valid and shape.geom_type == "Polygon" for shape in shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(outline.area, abs=0.05)
    assert shapely.union_all(shapes).symmetric_difference(outline).area < 0.05
    overlaps = [a.intersection(b).area for n, a in enumerate(shapes) for b in shapes[:n]]
    assert max(overlaps, default=0.0) < 0.01
    for room in plan.rooms:
        ways = shapely.union_all([way for key, way in plan.landings if key == room.door])
        assert shapely.length(room.outline.boundary.intersection(ways.buffer(0.002))) > DOOR_M - 0.01
    keys = [(room.door, room.index) for room in plan.rooms]
    assert len(set(keys)) == len(keys) == sum(door.rooms for door in doors)


@settings(max_examples=60, deadline=None)
@given(houses())
def test_a_house_with_landings(house: tuple[Polygon, list[DoorPlan]]) -> None:
    outline, doors = house
    plan = plan_storey(outline, doors)
    check(plan, outline, doors)
    for door in doors:  # one gets from the door onto the landing
        assert min(way.distance(door.at) for key, way in plan.landings if key == door.key) < 0.05


@settings(max_examples=25, deadline=None)
@given(houses(), st.integers(2, 24))
def test_a_hall_with_an_aisle(house: tuple[Polygon, list[DoorPlan]], stalls: int) -> None:
    outline, doors = house
    door = [DoorPlan("", doors[0].at, min(stalls, int(outline.area // 20)))]
    check(plan_storey(outline, door, is_hall=True), outline, door)


def test_a_slab_by_hand() -> None:
    """24 m by 10 m, two doors in the south, two homes each: walls at 6, 12 and 18 m, landings of 2.4 m by 2 m."""
    doors = [DoorPlan("west", Point(6, 0), 2), DoorPlan("east", Point(18, 0), 2)]
    plan = plan_storey(shapely.box(0, 0, 24, 10), doors)
    west = [room.outline.bounds for room in plan.rooms if room.door == "west"]
    assert np.allclose(west, [(0, 0, 6, 10), (6, 0, 12, 10)], atol=0.01)
    assert {round(way.area, 2) for _, way in plan.landings} == {4.8}
    assert [room.index for room in plan.rooms if room.door == "east"] == [1, 2]


def test_a_single_room_is_the_whole_of_it() -> None:
    plan = plan_storey(shapely.box(0, 0, 8, 5), [DoorPlan("", Point(4, 0), 1)], is_hall=True)
    assert plan.rooms[0].outline.area == 40
    assert plan.landings == ()


def test_what_cannot_be_is_refused_with_a_way_out() -> None:
    two = shapely.union_all([shapely.box(0, 0, 10, 8), shapely.box(20, 0, 30, 8)])
    with pytest.raises(BadRecordError, match="has 2 pieces"):
        plan_storey(two, [DoorPlan("e", Point(5, 0), 2)])
    with pytest.raises(BadRecordError, match="do not fit on 80 m²"):
        plan_storey(shapely.box(0, 0, 10, 8), [DoorPlan("e", Point(5, 0), 40)])
    with pytest.raises(BadRecordError, match="expected 1 to 60"):
        plan_storey(shapely.box(0, 0, 10, 8), [DoorPlan("e", Point(5, 0), 0)])

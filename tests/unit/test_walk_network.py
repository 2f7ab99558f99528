"""Travel times where the straight line is wrong: a wall, a shut gate, the sixth floor. Reckoned by hand."""

from __future__ import annotations

from datetime import UTC, datetime, time

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, box

from gis.errors import BadRecordError, CrsMismatchError, GeographicCrsError
from gis.walk_links import Spot
from gis.walk_network import Gate, WalkNetwork
from gis.walk_pace import LEAVE_S, Vehicle, get_stairs_s
from gis.walk_routes import find_route
from gis.walk_search import travel_times_s
from tests.fixtures.walkways import CRS, at, build, gate, moved, roads

NOON = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
NIGHT = datetime(2026, 11, 16, 16, 0, tzinfo=UTC)  # 00:00 in Shanghai
FOOT_M_S = 1.4


def time_s(
    network: WalkNetwork,
    origin: Point,
    destination: Point | Spot,
    *,
    when: datetime | None = NOON,
    vehicle: Vehicle = Vehicle.FOOT,
) -> float:
    goal = destination if isinstance(destination, Spot) else Spot(destination)
    origins = gpd.GeoSeries([origin], index=["R1"], crs=CRS)
    times = travel_times_s(network, goal, origins, at=when, vehicles=[vehicle])
    assert times.index.tolist() == ["R1"]
    return float(times["R1"])


def test_along_a_way_at_walking_pace() -> None:
    network = build(roads(("service", [(0, 0), (300, 0)])))
    assert time_s(network, at(20, 0), at(258, 0)) == pytest.approx(238 / FOOT_M_S)


def test_both_walk_from_where_they_are_to_the_way() -> None:
    network = build(roads(("service", [(0, 0), (300, 0)])))
    assert time_s(network, at(20, 10), at(258, -30)) == pytest.approx((10 + 238 + 30) / FOOT_M_S)


def test_nobody_is_nowhere_in_no_time() -> None:
    network = build(roads(("service", [(0, 0), (300, 0)])))
    assert time_s(network, at(20, 51), at(258, 0)) == np.inf  # 51 m from the way: farther than 50 m
    assert time_s(network, at(20, 0), at(258, -51)) == np.inf
    assert time_s(network, at(20, 49), at(258, 0)) == pytest.approx((49 + 238) / FOOT_M_S)


def test_a_wall_makes_the_near_one_far() -> None:
    # Two ways 40 m apart with a wall between, joined 400 m to the east.
    ways = roads(
        ("footpath", [(0, 0), (400, 0)]), ("footpath", [(0, 40), (400, 40)]), ("footpath", [(400, 0), (400, 40)])
    )
    without = build(ways)
    # From 22 m north of the first way the second is 18 m off, and the wall stands between.
    assert time_s(without, at(0, 19), at(100, 39)) == pytest.approx((19 + 400 + 40 + 300 + 1) / FOOT_M_S)
    assert time_s(without, at(0, 22), at(100, 39)) == pytest.approx((18 + 100 + 1) / FOOT_M_S)
    walled = build(ways, walls=[[(-100, 25), (390, 25)]])
    assert time_s(walled, at(0, 22), at(100, 39)) == pytest.approx((22 + 400 + 40 + 300 + 1) / FOOT_M_S)


def test_a_way_that_a_wall_cuts_is_shut_until_a_gate_is_drawn() -> None:
    ways = roads(("service", [(0, 0), (300, 0)]))
    wall = [(150.0, -80.0), (150.0, 80.0)]
    shut = build(ways, walls=[wall])
    assert time_s(shut, at(20, 0), at(258, 0)) == np.inf
    assert shut.closed_crossings == 1
    opened = build(ways, walls=[wall], gates=[gate("D1", 151, 3)])  # clicked 3 m beside: within reach
    assert time_s(opened, at(20, 0), at(258, 0)) == pytest.approx(238 / FOOT_M_S)
    assert opened.closed_crossings == 0
    assert time_s(opened, at(20, 0), at(258, 0), when=NIGHT) == np.inf


def test_a_gate_opens_the_wall_where_it_stands_and_not_beside() -> None:
    # Two ways 20 m apart through one wall, joined at both ends; the gate stands on the second.
    ways = roads(
        ("service", [(0, 0), (300, 0)]),
        ("service", [(0, 20), (300, 20)]),
        ("service", [(0, 0), (0, 20)]),
        ("service", [(300, 0), (300, 20)]),
    )
    network = build(ways, walls=[[(150, -80), (150, 80)]], gates=[gate("D1", 150, 20)])
    assert network.closed_crossings == 1
    assert time_s(network, at(100, 0), at(200, 0)) == pytest.approx((100 + 20 + 300 + 20 + 100) / FOOT_M_S)


def test_a_shut_gate_is_a_wall_and_the_way_round_is_taken() -> None:
    # Straight 200 m through the gate; round by the open one 100 + 200 + 100 m.
    ways = roads(
        ("service", [(0, 0), (0, 100)]),
        ("service", [(0, 100), (200, 100)]),
        ("service", [(200, 100), (200, 0)]),
        ("service", [(0, 0), (200, 0)]),
    )
    network = build(ways, gates=[gate("D1", 100, 0), gate("D2", 100, 100, closes=None, opens=None)])
    assert time_s(network, at(0, 0), at(200, 0)) == pytest.approx(200 / FOOT_M_S)
    assert time_s(network, at(0, 0), at(200, 0), when=NIGHT) == pytest.approx(400 / FOOT_M_S)
    assert time_s(network, at(0, 0), at(200, 0), when=None) == pytest.approx(200 / FOOT_M_S)


def test_beside_a_shut_gate_nobody_slips_through() -> None:
    network = build(roads(("service", [(0, 0), (300, 0)])), gates=[gate("D1", 150, 0)])
    for beside_m in (0.5, 1.5):
        assert time_s(network, at(149, beside_m), at(151, beside_m), when=NIGHT) == np.inf
        assert time_s(network, at(149, beside_m), at(151, beside_m)) == pytest.approx((2 + 2 * beside_m) / FOOT_M_S)
    assert time_s(network, at(149, 1), at(20, 0), when=NIGHT) == pytest.approx(130 / FOOT_M_S)  # the same side


def test_a_gate_where_ways_meet_shuts_all_of_them() -> None:
    ways = roads(
        ("service", [(0, 0), (100, 0)]), ("service", [(100, 0), (200, 0)]), ("footpath", [(100, 0), (100, 90)])
    )
    network = build(ways, gates=[gate("D1", 100, 0)])
    for goal in (at(180, 0), at(100, 80)):
        assert time_s(network, at(10, 0), goal) < np.inf
        assert time_s(network, at(10, 0), goal, when=NIGHT) == np.inf


def test_a_link_crosses_a_wall_at_an_open_gate_only() -> None:
    # No way leads through the gate: the house behind the wall is 30 m from the way.
    ways = roads(("service", [(0, 0), (300, 0)]))
    wall = [(0.0, 10.0), (300.0, 10.0)]
    network = build(ways, walls=[wall], gates=[gate("D1", 150, 10)])
    assert time_s(network, at(20, 0), at(151, 30)) == pytest.approx((131 + 30) / FOOT_M_S)
    assert time_s(network, at(20, 0), at(151, 30), when=NIGHT) == np.inf
    assert time_s(network, at(20, 0), at(170, 30)) == np.inf  # too far along the wall from the gate


def test_the_sixth_floor_is_three_minutes_up() -> None:
    house = box(40, 5, 60, 15)
    network = build(roads(("service", [(0, 0), (300, 0)])), houses=[("B1", house)], doors=[("E1", "B1", 50, 5)])
    inside = at(45, 12)
    on_the_ground = time_s(network, at(200, 0), Spot(inside, "B1", level=1))
    assert on_the_ground == pytest.approx((150 + 5) / FOOT_M_S)  # to the door, not to the point
    assert time_s(network, at(200, 0), Spot(inside, "B1", level=6)) == pytest.approx(on_the_ground + 5 * 18 * 2)
    assert (get_stairs_s(None), get_stairs_s(1), get_stairs_s(2), get_stairs_s(-1)) == (0, 0, 36, 36)


def test_a_house_is_reached_by_its_own_entrance() -> None:
    house = box(40, 5, 60, 15)
    ways = roads(("service", [(0, 0), (300, 0)]), ("service", [(0, 20), (300, 20)]), ("service", [(300, 0), (300, 20)]))
    doors = [("E1", "B1", 50, 5), ("E2", "B1", 50, 15)]
    network = build(ways, houses=[("B1", house)], doors=doors)
    inside = at(50, 10)
    assert time_s(network, at(250, 0), Spot(inside, "B1")) == pytest.approx((200 + 5) / FOOT_M_S)
    by_the_back = time_s(network, at(250, 0), Spot(inside, "B1", entrance_id="E2"))
    assert by_the_back == pytest.approx((50 + 20 + 250 + 5) / FOOT_M_S)
    assert time_s(network, at(250, 0), inside) == pytest.approx((200 + 5) / FOOT_M_S)  # a point in it is the house


def test_a_link_does_not_lead_through_another_house() -> None:
    # From behind the house the near way is 20 m off, but through the house; the far one 25 m.
    ways = roads(("service", [(0, 0), (300, 0)]), ("service", [(0, 45), (300, 45)]), ("service", [(300, 0), (300, 45)]))
    network = build(ways, houses=[("B1", box(40, 5, 60, 15))], doors=[("E1", "B1", 50, 5)])
    assert time_s(network, at(200, 0), at(50, 20)) == pytest.approx((100 + 45 + 250 + 25) / FOOT_M_S)


def test_a_link_does_not_lead_through_water() -> None:
    ways = roads(("service", [(0, 0), (300, 0)]), ("service", [(0, 60), (300, 60)]), ("service", [(300, 0), (300, 60)]))
    pond = box(0, 10, 290, 14)
    network = build(ways, water=[pond])
    assert time_s(network, at(200, 0), at(50, 20)) == pytest.approx((100 + 60 + 250 + 40) / FOOT_M_S)
    assert time_s(build(ways), at(200, 0), at(50, 20)) == pytest.approx((150 + 20) / FOOT_M_S)


def test_where_the_map_has_a_hole_the_other_way_is_taken() -> None:
    # The nearest way is a scrap that leads nowhere; the street is 20 m off.
    ways = roads(("footpath", [(40, 25), (60, 25)]), ("service", [(0, 0), (300, 0)]))
    assert time_s(build(ways), at(50, 20), at(250, 0)) == pytest.approx((20 + 200) / FOOT_M_S)


def test_an_ebike_rides_what_it_may_and_is_left_where_it_may_not() -> None:
    ways = roads(("service", [(0, 0), (400, 0)]), ("footpath", [(400, 0), (400, 140)]))
    network = build(ways)
    assert time_s(network, at(0, 0), at(400, 0), vehicle=Vehicle.EBIKE) == pytest.approx(400 / 4 + LEAVE_S)
    to_the_end = time_s(network, at(0, 0), at(400, 140), vehicle=Vehicle.EBIKE)
    assert to_the_end == pytest.approx(400 / 4 + LEAVE_S + 140 / FOOT_M_S)


def test_who_has_left_the_car_does_not_drive_on() -> None:
    # A short cut on foot of 20 m between two streets, then 400 m of street; round by car 1,020 m.
    ways = roads(
        ("main", [(0, 0), (300, 0)]),
        ("footpath", [(0, 0), (0, 20)]),
        ("main", [(0, 20), (-400, 20)]),
        ("main", [(300, 0), (300, 20)]),
        ("main", [(300, 20), (0, 20)]),
    )
    network = build(ways)
    assert time_s(network, at(0, 0), at(-400, 20), vehicle=Vehicle.CAR) == pytest.approx(1020 / 8 + LEAVE_S)
    assert time_s(network, at(0, 0), at(-400, 20)) == pytest.approx(420 / FOOT_M_S)


def test_a_one_way_street_sends_a_car_round_and_nobody_on_foot() -> None:
    # A block of 300 m by 100 m; its southern side may be driven eastwards only, whichever way it was drawn.
    block = [(0.0, 0.0), (300.0, 0.0)], [(300.0, 0.0), (300.0, 100.0), (0.0, 100.0), (0.0, 0.0)]
    west, east = at(50, 0), at(250, 0)
    for street, sign in ((block[0], 1), (block[0][::-1], -1)):
        for kind, car_m_s, ebike_obeys in (("main", 8.0, True), ("service", 4.0, False)):
            network = build(roads((kind, street), (kind, block[1]), one_way=(sign, 0)))
            with_it, against = 200.0, 50 + 100 + 300 + 100 + 50.0  # metres: over 50 m of it, and round the block
            for vehicle, one, other, seconds in (
                (Vehicle.CAR, west, east, with_it / car_m_s + 10),
                (Vehicle.CAR, east, west, against / car_m_s + 10),
                (Vehicle.EBIKE, east, west, (against if ebike_obeys else with_it) / 4.0 + 10),
                (Vehicle.FOOT, east, west, with_it / 1.4),
            ):
                route = find_route(network, Spot(one), Spot(other), vehicle=vehicle, at=NOON)
                assert route is not None
                assert route.travel_time_s == pytest.approx(min(seconds, with_it / 1.4))
                ridden = route.vehicle is not Vehicle.FOOT
                assert route.length_m == pytest.approx(against if ridden and seconds > with_it / 4 + 10 else with_it)


def test_what_a_way_says_to_bicycles_and_feet_goes_before_what_it_says_to_all() -> None:
    # The same block; the southern side is one-way eastwards. From its eastern end back to its western one it is 200 m
    # against the sign, or 600 m round the block.
    block = [(0.0, 0.0), (300.0, 0.0)], [(300.0, 0.0), (300.0, 100.0), (0.0, 100.0), (0.0, 0.0)]
    west, east = at(50, 0), at(250, 0)
    against, round_m = 200.0, 600.0
    for kind, bicycle, length_m in (
        ("main", None, round_m),  # nothing is said to bicycles: on a street the sign holds
        ("main", 0, against),  # "except bicycles"
        ("service", None, against),  # in the yard it is meant for cars
        ("service", 1, round_m),  # said to bicycles it holds there, too
        ("service", -1, against),
    ):
        ways = roads((kind, block[0]), (kind, block[1]), one_way=(1, 0), oneway_bicycle=(bicycle, None))
        ridden = time_s(build(ways), east, west, vehicle=Vehicle.EBIKE)
        assert ridden == pytest.approx(min(length_m / 4 + LEAVE_S, against / FOOT_M_S))
        assert time_s(build(ways), east, west, vehicle=Vehicle.CAR) > against / 8 + LEAVE_S
    stairs = roads(("footpath", block[0]), ("footpath", block[1]), oneway_foot=(1, 0))
    assert time_s(build(stairs), west, east) == pytest.approx(against / FOOT_M_S)
    assert time_s(build(stairs), east, west) == pytest.approx(round_m / FOOT_M_S)


def test_a_car_does_not_pass_a_gate_for_pedestrians() -> None:
    network = build(roads(("inner", [(0, 0), (400, 0)])), gates=[gate("D1", 200, 0, kind="pedestrian")])
    walked = time_s(network, at(0, 0), at(400, 0), vehicle=Vehicle.CAR)
    assert walked == pytest.approx(200 / 4 + LEAVE_S + 200 / FOOT_M_S)
    assert time_s(network, at(0, 0), at(400, 0), vehicle=Vehicle.EBIKE) == pytest.approx(400 / 4 + LEAVE_S)


def test_steps_outdoors_cost_two_seconds_each() -> None:
    network = build(roads(("footpath", [(0, 0), (100, 0)]), ("steps", [(100, 0), (106, 0)])))
    # 6 m of treads of 0.3 m are 20 steps.
    assert time_s(network, at(0, 0), at(106, 0)) == pytest.approx(100 / FOOT_M_S + 20 * 2)


def test_what_takes_longer_than_the_limit_is_not_looked_for() -> None:
    network = build(roads(("service", [(0, 0), (300, 0)])))
    origins = gpd.GeoSeries([at(0, 0), at(200, 0)], index=["far", "near"], crs=CRS)
    times = travel_times_s(network, Spot(at(300, 0)), origins, at=NOON, limit_s=100.0)
    assert times["far"] == np.inf
    assert times["near"] == pytest.approx(100 / FOOT_M_S)


def test_hours_pass_midnight_and_the_minute_counts() -> None:
    over_night = Gate("D1", None, "vehicle", time(22), time(6))
    assert [over_night.is_open(time(*hm)) for hm in ((21, 59), (22, 0), (0, 0), (5, 59), (6, 0))] == [
        True, False, False, False, True,
    ]  # fmt: skip
    by_day = Gate("D2", None, "vehicle", time(12), time(14))
    assert [by_day.is_open(time(*hm)) for hm in ((11, 59), (12, 0), (13, 59), (14, 0))] == [True, False, False, True]
    assert not Gate("D3", None, "vehicle", time(8), time(8)).is_open(time(8))
    assert Gate("D4", None, "vehicle", None, None).is_open(time(3))


def test_a_route_names_its_gates_and_its_line_is_as_long_as_it_says() -> None:
    ways = roads(("service", [(0, 0), (300, 0)]), ("footpath", [(300, 0), (300, 100)]))
    house = box(306, 40, 320, 60)
    network = build(
        ways,
        gates=[gate("D1", 150, 0)],
        walls=[[(150, 10), (150, 90)]],
        houses=[("B1", house)],
        doors=[("E1", "B1", 306, 50)],
    )
    route = find_route(network, Spot(at(10, 5)), Spot(at(310, 50), "B1", level=3), vehicle=Vehicle.EBIKE, at=NOON)
    assert route is not None
    drawn = moved(LineString([(10, 5), (10, 0), (150, 0), (300, 0), (300, 50), (306, 50)]))
    assert route.line.equals_exact(drawn, 1e-6)
    assert (route.length_m, route.walked_m) == (pytest.approx(5 + 290 + 50 + 6), pytest.approx(5 + 50 + 6))
    assert route.travel_time_s == pytest.approx(61 / FOOT_M_S + 290 / 4 + LEAVE_S + 72)
    assert [g.gate_id for g in route.gates] == ["D1"]
    assert (route.entrance_id, route.stairs_s, route.vehicle) == ("E1", 72.0, Vehicle.EBIKE)
    assert route.road_names == ("service 0", "footpath 1")
    assert route.is_verified
    assert find_route(network, Spot(at(10, 5)), Spot(at(310, 50), "B1"), at=NIGHT) is None


def test_gates_are_unverified_until_walls_and_hours_are_known() -> None:
    ways, wall = roads(("service", [(0, 0), (300, 0)])), [(150.0, 10.0), (150.0, 90.0)]
    unknown = gate("D1", 150, 0, closes=None, opens=None)
    assert not build(ways).is_verified
    assert not build(ways, gates=[gate("D1", 150, 0)]).is_verified  # no walls
    assert not build(ways, walls=[wall], gates=[unknown]).is_verified  # no hours
    assert build(ways, walls=[wall], gates=[gate("D1", 150, 0), unknown]).is_verified
    seen = {**unknown, "verified_utc": NOON}  # somebody confirmed by hand that it never closes
    assert build(ways, walls=[wall], gates=[seen]).is_verified
    route = find_route(build(ways), Spot(at(0, 0)), Spot(at(300, 0)), at=NOON)
    assert route is not None
    assert not route.is_verified


def test_degrees_and_other_systems_are_refused_by_name() -> None:
    ways = roads(("service", [(0, 0), (300, 0)]))
    with pytest.raises(GeographicCrsError, match="EPSG:4326"):
        build(ways.set_crs("EPSG:4326", allow_override=True))
    with pytest.raises(CrsMismatchError, match=r"EPSG:4549.*EPSG:4548"):
        build(ways.set_crs("EPSG:4548", allow_override=True), gates=[gate("D1", 1, 1)])
    network = build(ways)
    with pytest.raises(CrsMismatchError, match=r"EPSG:32651.*EPSG:4549"):
        travel_times_s(network, Spot(at(0, 0)), gpd.GeoSeries([at(1, 1)], crs="EPSG:32651"), at=NOON)
    with pytest.raises(BadRecordError, match="no time zone"):
        time_s(network, at(0, 0), at(1, 0), when=NOON.replace(tzinfo=None))

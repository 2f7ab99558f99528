"""Schematic plans in the store: homes of the register get rooms, nothing is invented, each change can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely import Point, box
from shapely.affinity import rotate, translate

from data.building_plans import (
    copy_spec,
    find_sisters,
    propose_spec,
    put_plan,
    put_plans,
    read_house,
    read_spec,
    rebuild_specs,
    undo_plan_change,
)
from data.plan_spec import PlanSpec
from data.queries import find_plan_changes
from data.store import Store
from data.viewer import WALL, Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from layers import SCENES
from tests.fixtures.small_community import build, found

AT = datetime(2026, 6, 1, tzinfo=UTC)
OFFICER = Viewer(Role.OFFICER, account_id="a1", name="officer")


def clock() -> datetime:
    return AT


def turned(shape: shapely.Geometry) -> shapely.Geometry:
    """The house once more, elsewhere and turned by 70 degrees."""
    return translate(rotate(shape, 70, origin=(0, 0)), -60, -60)


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Store]:
    """
    Two houses of one shape with two doors, and a hall without doors. Of house b the register has two homes behind each
    door on two of three storeys, without outlines; on the second storey three behind the first door.
    """
    with Store(tmp_path / "small.duckdb", clock=clock) as store:
        found(store)
        body = box(0, 0, 24, 10)
        rows = [("b", body, 3), ("s", turned(body), 2), ("hall", box(40, 0, 70, 18), 1)]
        build(
            store, "buildings",
            *({"building_id": one, "name": one, "floors_above": n, "geom": shape} for one, shape, n in rows),
        )  # fmt: skip
        doors = [("e1", 6.0), ("e2", 18.0)]
        for house, move in (("b", lambda shape: shape), ("s", turned)):
            build(
                store, "entrances",
                *(
                    {"entrance_id": f"{house}-{one}", "building_id": house, "name": one, "geom": move(Point(x, 0))}
                    for one, x in doors
                ),
            )  # fmt: skip
        homes = [(1, "e1", 2), (1, "e2", 2), (2, "e1", 3), (2, "e2", 2)]
        units = [
            {"unit_id": f"{door}-{level}0{n}", "building_id": "b", "entrance_id": f"b-{door}", "level": level,
             "room": f"{level}0{n}", "use": "dwelling", "residents_count": 1, "floating_count": 0, "geom": Point(0, 0)}
            for level, door, count in homes
            for n in range(1, count + 1)
        ]  # fmt: skip
        build(store, "units", *units)
        store.write(lambda tx: tx.execute("units", "UPDATE units SET geom = NULL"))
        yield store


def read(store: Store, building: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(SCENES["inside"].build(store, WALL, "zh", {"building": building}))
    return content


def test_the_register_says_how_many_and_its_homes_get_their_rooms(village: Store) -> None:
    spec = propose_spec(read_house(village, "b"))
    assert spec == PlanSpec("landings", {"b-e1": 3, "b-e2": 2}, {"1": {"b-e1": 2}})
    made = put_plan(village, OFFICER, "b", spec, clock=clock)
    assert made.without == 0
    assert made.units == 9
    inside = read(village, "b")
    assert inside["schematic"] is True
    assert all(unit["p"] for unit in inside["units"])
    second = [unit["n"] for unit in inside["units"] if unit["l"] == 2 and unit["e"] == "b-e1"]
    assert sorted(second) == ["201", "202", "203"]
    # The third storey has no home on record: rooms of the plan, no units.
    assert {room["l"] for room in inside["rooms"]} == {3}
    assert village.read("SELECT count(*) AS n FROM units")["n"].iloc[0] == 9
    areas = village.read("SELECT sum(ST_Area(geom)) AS m FROM plan_rooms WHERE building_id = 'b' AND level = 1")
    assert areas["m"].iloc[0] == pytest.approx(240, abs=0.05)


def test_an_outline_of_a_file_is_never_touched(village: Store) -> None:
    own = "UPDATE units SET geom = ST_GeomFromText('POLYGON ((0 0, 1 0, 1 1, 0 0))') WHERE unit_id = 'e1-101'"
    village.write(lambda tx: tx.execute("units", own))
    put_plan(village, OFFICER, "b", propose_spec(read_house(village, "b")), clock=clock)
    kept = village.read("SELECT ST_Area(geom) AS m, geom_source FROM units WHERE unit_id = 'e1-101'").iloc[0]
    assert kept["m"] == 0.5
    assert kept["geom_source"] is None


def test_a_storey_and_a_number_are_corrected_by_hand_and_each_step_is_taken_back(village: Store) -> None:
    spec = PlanSpec("landings", {"b-e1": 2, "b-e2": 2})
    put_plan(village, OFFICER, "b", spec, clock=clock)
    three = spec.with_storey(3, {"b-e1": 4, "b-e2": 2})
    put_plan(village, OFFICER, "b", three, clock=clock)
    named = three.with_name(3, "b-e1", 4, "3A")
    put_plan(village, OFFICER, "b", named, clock=clock)
    numbers = [room["n"] for room in read(village, "b")["rooms"] if room["l"] == 3]
    assert sorted(numbers) == ["301", "301", "302", "302", "303", "3A"]
    with pytest.raises(BadRecordError, match="301 would be there twice"):
        put_plan(village, OFFICER, "b", named.with_name(3, "b-e1", 2, "301"), clock=clock)
    changes = find_plan_changes(village, OFFICER)["event_id"].tolist()
    with pytest.raises(RefusedError, match="not the last one"):
        undo_plan_change(village, OFFICER, changes[1], clock=clock)
    undo_plan_change(village, OFFICER, changes[0], clock=clock)
    assert read_spec(village, "b") == three
    assert sorted(room["n"] for room in read(village, "b")["rooms"] if room["l"] == 3)[-1] == "304"
    undone = int(find_plan_changes(village, OFFICER)["event_id"].max())
    with pytest.raises(RefusedError, match="took another back"):
        undo_plan_change(village, OFFICER, undone, clock=clock)
    with pytest.raises(RecordMissingError, match="no change 999"):
        undo_plan_change(village, OFFICER, 999, clock=clock)
    sql = "SELECT subject_id, detail FROM events WHERE subject_table = 'building_plans' ORDER BY event_id"
    events = village.read(sql)
    rebuilt = rebuild_specs(list(events.itertuples(index=False, name=None)))
    assert rebuilt["b"] == three.to_dict()


def test_a_plan_that_is_taken_off_leaves_nothing(village: Store) -> None:
    put_plan(village, OFFICER, "b", propose_spec(read_house(village, "b")), clock=clock)
    put_plan(village, OFFICER, "b", None, clock=clock)
    left = "SELECT (SELECT count(*) FROM plan_rooms) + (SELECT count(*) FROM units WHERE geom IS NOT NULL) AS n"
    assert village.read(left)["n"].iloc[0] == 0
    assert read(village, "b")["schematic"] is False
    undo_plan_change(village, OFFICER, int(find_plan_changes(village, OFFICER)["event_id"].max()), clock=clock)
    assert read(village, "b")["schematic"] is True


def test_it_is_copied_to_the_sister_that_stands_another_way(village: Store) -> None:
    spec = PlanSpec("landings", {"b-e1": 3, "b-e2": 2}, {"3": {"b-e1": 1, "b-e2": 1}}, {"1|b-e1|1": "店"})
    put_plan(village, OFFICER, "b", spec, clock=clock)
    source = read_house(village, "b")
    sisters = find_sisters(village, source)
    assert [one.building_id for one in sisters] == ["s"]
    copied = copy_spec(source, spec, sisters[0])
    assert copied == PlanSpec("landings", {"s-e1": 3, "s-e2": 2}, {}, {"1|s-e1|1": "店"})  # it has two storeys
    made = put_plans(village, OFFICER, {"s": copied}, clock=clock, copied_from="b")
    assert made["s"].rooms == 10
    sql = """SELECT number, ST_AsWKB(geom) AS geom FROM plan_rooms
        WHERE building_id = ? AND level = 1 AND kind = 'room' ORDER BY place"""
    shapes = {one: village.read_geo(sql, [one]) for one in ("b", "s")}
    assert shapes["b"]["number"].tolist() == shapes["s"]["number"].tolist()
    assert shapes["b"].area.tolist() == pytest.approx(shapes["s"].area.tolist(), abs=0.05)


def test_a_hall_without_doors_and_a_single_room(village: Store) -> None:
    made = put_plan(village, OFFICER, "hall", PlanSpec("hall", {"": 12}), clock=clock)
    assert made.rooms == 12
    inside = read(village, "hall")
    assert sorted(int(room["n"]) for room in inside["rooms"]) == list(range(1, 13))
    put_plan(village, OFFICER, "hall", PlanSpec("hall", {"": 1}), clock=clock)
    single = read(village, "hall")["rooms"]
    assert [room["n"] for room in single] == ["1"]
    assert shapely.Polygon(single[0]["p"][0]).area == pytest.approx(540, abs=0.1)


def test_who_may_not_and_what_is_not_there(village: Store) -> None:
    spec = PlanSpec("hall", {"": 2})
    for role in (Role.WALL, Role.GRID_WORKER, Role.AUDITOR):
        with pytest.raises(NotAllowedError):
            put_plan(village, Viewer(role, frozenset()), "hall", spec, clock=clock)
    with pytest.raises(RecordMissingError, match="nowhere"):
        put_plan(village, OFFICER, "nowhere", spec, clock=clock)
    for wrong, match in (
        (replace(spec, kind="castle"), "expected one of landings, hall"),
        (replace(spec, rooms={"e9": 2}), "Give rooms for its own entrances"),
        (replace(spec, storeys={"7": {"": 2}}), "has no storey 7"),
        (replace(spec, names={"1||1": "一 号!"}), "expected 1 to 12 letters"),
    ):
        with pytest.raises(BadRecordError, match=match):
            put_plan(village, OFFICER, "hall", wrong, clock=clock)

"""The scene of open incidents: what came in is drawn at its home, and what the wall may not know is not."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import shapely
import shapely.affinity
from starlette.testclient import TestClient

from data.queries import find_alarms
from data.settings_store import put_setting
from data.store import Store
from data.viewer import WALL
from i18n import Language
from incidents.open_alarms import MOST_DRAWN, URGENCIES, Loudness, rank_open
from layers import SCENES, build_frame
from layers.alarm_places import NEAR_M, Body, Places, find_places
from tests.fixtures.access import Clock
from tests.fixtures.intake import MIDDLE_M, URL, intake_clock, intake_store, local, report, send, sender
from tests.fixtures.small_community import build

__all__ = ["intake_clock", "intake_store", "sender"]

START = datetime.fromisoformat("2026-11-23 00:00")  # as stored: UTC without saying so
FLOOR = {"floor_id": "f2", "building_id": "b12", "level": 2, "elevation_m": 3.2, "height_m": 2.9}


def read(store: Store, lang: Language = "zh") -> dict[str, Any]:
    scene: dict[str, Any] = json.loads(SCENES["alarms"].build(store, WALL, lang, {}))
    return scene


def put_home(store: Store) -> None:
    """Home 101 of house 12 lies on the second storey, in its western half."""
    build(store, "floors", {**FLOOR, "geom": shapely.box(0, 0, 10, 10)})
    middle = shapely.affinity.translate(shapely.box(0, 0, 5, 10), *MIDDLE_M)
    store.write(
        lambda tx: tx.execute(
            "units", "UPDATE units SET level = 2, geom = ST_GeomFromText(?) WHERE unit_id = 'u101'", [middle.wkt]
        )
    )


def test_an_alarm_is_drawn_at_its_home_and_storey(sender: TestClient, intake_store: Store) -> None:
    put_home(intake_store)
    taken = send(sender, address="小村12幢1单元101室", urgency="urgent")
    scene = read(intake_store)
    assert scene["counts"] == {"open": 1, "loud": 1, "done": 0, "unplaced": 0, "not_drawn": 0, "drawn": 1}
    (alarm,) = scene["alarms"]
    assert (alarm["id"], alarm["k"], alarm["u"], alarm["s"], alarm["l"]) == (
        taken["incident_id"], "盗窃电动自行车", "urgent", "placed", 0,
    )  # fmt: skip
    assert alarm["p"] == "12幢1单元101室"  # everybody here knows in which community
    assert alarm["pick"] == {"kind": "unit", "id": "u101"}
    assert alarm["due"] - alarm["at"] == 5 * 60_000
    # Half a metre outside the walls of a home of 5 x 10 m on the second storey.
    assert shapely.Polygon(alarm["home"][0]).bounds == (-0.5, -0.5, 5.5, 10.5)
    assert alarm["storey"] == [3.2, 2.9]
    assert (shapely.Polygon(alarm["rings"][0]).bounds, alarm["top"]) == ((-0.5, -0.5, 10.5, 10.5), 10.0)
    assert read(intake_store, "en")["alarms"][0]["k"] == "E-bike theft"


def test_of_a_sensitive_kind_the_wall_knows_the_grid_only(sender: TestClient, intake_store: Store) -> None:
    put_home(intake_store)
    send(sender, category="self_harm", address="小村12幢1单元101室", description="说要跳楼", caller_name="王建国")
    scene = read(intake_store)
    (alarm,) = scene["alarms"]
    assert (alarm["k"], alarm["p"], alarm["pick"]) == ("警情", "01网格", {"kind": "grid", "id": "g1"})
    assert alarm["x"] == [0.0, 0.0]  # the middle of the grid, not the house
    assert not {"home", "rings", "storey", "g"} & set(alarm)
    told = json.dumps(scene, ensure_ascii=False)
    for word in ("self_harm", "轻生", "u101", "b12", "12幢", "王建国", "跳楼"):
        assert word not in told


def test_no_caller_and_no_words_of_theirs(sender: TestClient, intake_store: Store) -> None:
    send(
        sender,
        address="小村12幢1单元101室 柳金雀家",
        description="柳金雀 13987654321 说车被偷",
        caller_name="柳金雀",
        caller_phone="13987654321",
        source_no="JQ-77",
    )
    told = json.dumps([read(intake_store), read(intake_store, "en")], ensure_ascii=False)
    for word in ("柳金雀", "13987654321", "车被偷", "JQ-77"):
        assert word not in told


def test_without_a_house_the_nearest_one_names_the_place(sender: TestClient, intake_store: Store) -> None:
    send(sender, **local(30, 5))  # twenty metres east of house 12, thirty west of 13
    send(sender, **local(-95, -95))  # far from all
    assert {alarm["p"] for alarm in read(intake_store)["alarms"]} == {"12幢附近", "01网格"}


def test_who_was_found_nearest_is_the_nearest_whoever_asks_beside(intake_store: Store) -> None:
    """Brute force over more points than are remembered, each asked twice by each of four threads."""
    places = find_places(intake_store, WALL, build_frame(intake_store))
    x, y = np.meshgrid(MIDDLE_M[0] + np.arange(-150, 150, 7.3), MIDDLE_M[1] + np.arange(-150, 150, 7.3))
    points = shapely.points(x.ravel(), y.ravel())
    away_m = np.array([shapely.distance(points, places.bodies[one].outline) for one in places.ids])
    nearest = [places.ids[n] if far <= NEAR_M else None for n, far in zip(away_m.argmin(0), away_m.min(0), strict=True)]
    assert len(points) > 1000
    assert set(nearest) == {"b12", "b13", None}

    def ask(turn: int) -> list[Body | None]:
        order = np.roll(np.arange(len(points)), 401 * turn)
        found = {int(n): places.find_near(points[n]) for _ in range(2) for n in order}
        return [found[n] for n in range(len(points))]

    with ThreadPoolExecutor(4) as askers:
        for found in askers.map(ask, range(4)):
            assert [n for n, one in enumerate(nearest) if found[n] is not places.find_body(one)] == []


def test_after_a_change_of_a_building_only_its_row_is_read(intake_store: Store) -> None:
    frame = build_frame(intake_store)

    def change(sql: str, *values: object) -> Places:
        intake_store.write(lambda tx: tx.execute("buildings", sql, list(values)))
        return find_places(intake_store, WALL, frame)

    before = find_places(intake_store, WALL, frame)
    assert find_places(intake_store, WALL, frame) is before
    other = next(one for one in before.ids if one != "b12")
    middle = before.bodies["b12"].outline.centroid
    assert before.find_near(middle) is before.bodies["b12"]
    named = change("UPDATE buildings SET name = ? WHERE building_id = ?", "新十二幢", "b12")
    assert named.bodies["b12"].name.endswith("新十二幢")
    assert named.bodies[other] is before.bodies[other]  # as it was: not read again
    assert named.tree is before.tree
    assert named.find_near(middle) is named.bodies["b12"]  # by its new name, though it was asked for before
    far = shapely.affinity.translate(shapely.box(0, 0, 8, 8), MIDDLE_M[0] + 500, MIDDLE_M[1])
    moved = change("UPDATE buildings SET geom = ST_GeomFromText(?) WHERE building_id = ?", far.wkt, "b12")
    assert moved.find_near(far.centroid) is moved.bodies["b12"]
    assert moved.bodies[other] is before.bodies[other]
    gone = change("DELETE FROM buildings WHERE building_id = ?", "b12")
    assert (gone.find_near(far.centroid), set(gone.ids)) == (None, set(before.ids) - {"b12"})
    assert change("UPDATE buildings SET height_m = height_m + 1").bodies[other].top_m == before.bodies[other].top_m + 1


def test_without_a_place_it_is_listed_and_counted(sender: TestClient, intake_store: Store) -> None:
    send(sender, address="说不清在哪里")
    scene = read(intake_store)
    assert (scene["counts"]["open"], scene["counts"]["unplaced"], scene["counts"]["drawn"]) == (1, 1, 0)
    (alarm,) = scene["alarms"]
    assert (alarm["x"], alarm["p"], alarm["s"]) == (None, "地点待定", "received")


def test_two_hundred_are_drawn_and_the_rest_counted(sender: TestClient, intake_store: Store) -> None:
    urgent = [report(address="小村12幢", urgency="urgent") for _ in range(3)]
    for rows in (urgent, [report(address="小村13幢") for _ in range(100)], [report(**local(5, 5)) for _ in range(110)]):
        assert sender.post(URL, json=rows).status_code == 201
    scene = read(intake_store)
    assert scene["counts"] == {
        "open": 213, "loud": 213, "done": 0, "unplaced": 0, "not_drawn": 13, "drawn": MOST_DRAWN,
    }  # fmt: skip
    assert len(scene["alarms"]) == 200
    assert [alarm["u"] for alarm in scene["alarms"][:4]] == ["urgent", "urgent", "urgent", "normal"]


def test_of_thousands_the_first_are_told_as_if_all_had_been_ranked(intake_store: Store) -> None:
    rng = np.random.default_rng(5)
    count = 3000
    build(
        intake_store,
        "incidents",
        *(
            {
                "incident_id": f"i{number:04d}", "category": rng.choice(["theft", "theft.ebike", "self_harm"]),
                "urgency": rng.choice(URGENCIES), "source": "call", "grid_id": rng.choice(["g1", None]),
                "status": rng.choice(["received", "placed", "accepted", "on_scene", "handled", "closed", "cancelled"]),
                "reported_utc": START + timedelta(minutes=int(rng.integers(600))),
                "occurred_from_utc": START, "occurred_to_utc": START,
                "geom": shapely.Point(rng.uniform(-90, 90, 2)) if rng.random() < 0.8 else shapely.Point(),
            }
            for number in range(count)
        ),
    )  # fmt: skip
    target = "UPDATE incident_categories SET target_minutes = 20 WHERE category = 'theft.ebike'"
    intake_store.write(lambda tx: tx.execute("incidents", "UPDATE incidents SET geom = NULL WHERE ST_IsEmpty(geom)"))
    intake_store.write(lambda tx: tx.execute("incident_categories", target))
    # The oracle: every row that is open, ranked one against the other by the rule, and only then cut.
    rows = find_alarms(intake_store, WALL)
    targets = {"theft.ebike": 20.0}
    ranked = pd.DataFrame(rank_open({**row, "target_minutes": targets.get(row["category"])} for row in rows))
    is_placed = ranked["geom"].notna()
    is_done = ranked["loudness"] == Loudness.DONE
    parts = ((~is_done & is_placed, 200), (~is_done & ~is_placed, 50), (is_done, 50))
    expected = sorted(index for part, most in parts for index in ranked.index[part][:most])
    scene = read(intake_store)
    assert [alarm["id"] for alarm in scene["alarms"]] == list(ranked["incident_id"].loc[expected])
    assert scene["counts"] == {
        "open": int((~is_done).sum()), "loud": int((ranked["loudness"] == Loudness.LOUD).sum()),
        "done": int(is_done.sum()), "unplaced": int((~is_done & ~is_placed).sum()),
        "not_drawn": int((~is_done & is_placed).sum()) - 200, "drawn": 200,
    }  # fmt: skip


def test_it_calms_down_and_goes_out(sender: TestClient, intake_store: Store) -> None:
    taken = send(sender, address="小村12幢")

    def change(action: str, **values: str) -> dict[str, Any]:
        body = {"action": action, "reason": "by the test", **values}
        assert sender.patch(f"{URL}/{taken['incident_id']}", json=body).status_code == 200
        return read(intake_store)

    assert change("dispatch")["alarms"][0]["l"] == 0
    accepted = change("accept")
    assert (accepted["alarms"][0]["l"], accepted["counts"]["loud"], accepted["counts"]["open"]) == (1, 0, 1)
    assert change("arrive")["alarms"][0]["due"] is None
    handled = change("handle")
    assert (handled["alarms"][0]["l"], handled["counts"]["open"], handled["counts"]["done"]) == (2, 0, 1)
    closed = change("close")
    assert (closed["alarms"], closed["counts"]["done"]) == ([], 0)


def test_the_walls_setting_is_told(intake_store: Store, intake_clock: Clock) -> None:
    assert (read(intake_store)["flies"], read(intake_store)["shift"]) == (False, [8, 12])

    def put(name: str, value: object) -> None:
        intake_store.write(lambda tx: put_setting(tx, name, value, changed_by="test", clock=intake_clock))

    put("wall_flies", True)
    put("shift_first_hour", 9)
    assert (read(intake_store)["flies"], read(intake_store)["shift"]) == (True, [9, 12])

"""What the wall is told about one alarm, and what its one key writes down: for whom, and with what refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shapely
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from data.runtime import Runtime
from data.settings import Settings
from data.store import Store
from data.viewer import Role, Viewer
from layers import SCENES
from server.alarm import build_alarm_routes
from server.events import EventHub
from server.state import AppState
from tests.fixtures.access import Clock
from tests.fixtures.intake import intake_clock, intake_store, local, send, sender
from tests.fixtures.small_community import build

__all__ = ["intake_clock", "intake_store", "sender"]


@pytest.fixture
def wall(intake_store: Store, intake_clock: Clock) -> Iterator[Callable[[Role], TestClient]]:
    """A client of the routes for somebody of a role, as the door lets them in."""
    settings = Settings(intake_store.path.parent)
    state = AppState(Runtime(intake_store, settings), intake_clock, SCENES, EventHub(), "t", intake_clock())
    app = Starlette(routes=build_alarm_routes(state))

    def let_in(role: Role) -> TestClient:
        async def door(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("state", {})["viewer"] = Viewer(role, account_id="a", name="officer07")
            await app(scope, receive, send)

        inner: ASGIApp = door
        return TestClient(inner)

    return let_in


def put_ways(store: Store) -> None:
    """A street past house 12, a gate in a wall that closes at ten, and an officer on it who is ready."""
    road = {"road_id": "r1", "kind": "inner", "name": "和顺路", "width_m": 4.0, "walkable": True}
    build(store, "roads", {**road, "geom": shapely.LineString([(-90, -5), (90, -5)])})
    build(
        store,
        "walls",
        {"wall_id": "w1", "kind": "wall", "height_m": 2.0, "geom": shapely.LineString([(-40, -90), (-40, 90)])},
    )
    build(store, "gates", {"gate_id": "d1", "name": "西门", "kind": "vehicle", "geom": shapely.Point(-40, -5)})
    officer = {
        "responder_id": "p1",
        "call_sign": "警员01",
        "kind": "officer",
        "channel": "警务1",
        "full_time": True,
        "name": "王建国",
    }
    build(store, "responders", {**officer, "geom": shapely.Point(-80, -5)})
    store.write(
        lambda tx: [
            tx.execute("gates", "UPDATE gates SET closes_at = '22:00', opens_at = '06:00'"),
            tx.execute("responders", "UPDATE responders SET duty_from = '08:00', duty_to = '20:00'"),
        ]
    )


def test_who_what_to_say_which_gate_and_what_worked(
    wall: Callable[[Role], TestClient], sender: TestClient, intake_store: Store
) -> None:
    put_ways(intake_store)
    first = send(sender, address="小村12幢", received_at="2026-11-22T13:55:00+08:00")
    change = {"disposition": "mediated", "status": "closed", "id": first["incident_id"]}
    intake_store.write(
        lambda tx: tx.execute(
            "incidents",
            "UPDATE incidents SET disposition = $disposition, status = $status, "
            "closed_utc = reported_utc + INTERVAL 40 MINUTE WHERE incident_id = $id",
            change,
        )
    )
    taken = send(sender, address="小村12幢", caller_name="王建国", description="王建国 13987654321")
    told = wall(Role.WALL).get(f"/alarm/{taken['incident_id']}.json?lang=zh")
    assert told.status_code == 200
    body = told.json()
    (row,) = body["who"]
    assert (row["call_sign"], row["channel"], row["kind"]) == ("警员01", "警务1", "民警")
    assert row["travel_s"] > 0
    assert "警员01，警员01" in row["say"]
    assert "12幢" in row["say"]
    assert row["by"] == [{"name": "西门", "hours": "22:00–06:00"}]
    (gate,) = body["gates"]
    assert (gate["name"], gate["open"], gate["hours"]) == ("西门", True, "22:00–06:00")  # the clock says 14:00
    (past,) = body["earlier"]
    assert (past["kind"], past["outcome"], past["minutes"], past["same"]) == ("盗窃电动自行车", "调解", 40, True)
    english = wall(Role.WALL).get(f"/alarm/{taken['incident_id']}.json?lang=en").json()
    assert english["earlier"][0]["outcome"] == "mediated"
    for text in (told.text, json.dumps(english)):
        assert "王建国" not in text
        assert "13987654321" not in text


def test_one_key_writes_down_sent_then_accepted_then_arrived(
    wall: Callable[[Role], TestClient], sender: TestClient, intake_store: Store
) -> None:
    put_ways(intake_store)
    taken = send(sender, address="小村12幢")
    address = f"/alarm/{taken['incident_id']}.json"

    def press() -> str:
        answer = wall(Role.OFFICER).post(address, json={"responder_id": "p1"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    def read_status() -> str:
        return str(intake_store.read("SELECT status FROM incidents")["status"].iloc[0])

    def find_ways() -> list[dict[str, Any]]:
        ways: list[dict[str, Any]] = wall(Role.WALL).get("/ways.json").json()["ways"]
        return ways

    assert find_ways() == []
    assert press() == "sent"
    (way,) = find_ways()
    assert (way["call_sign"], way["state"], way["verified"]) == ("警员01", "sent", True)
    # From the officer, 80 m west and 5 m south of the middle, through the gate to the house that begins at the middle.
    assert way["l"][0] == [-80.0, -5.0]
    assert shapely.LineString(way["l"]).distance(shapely.Point(-40, -5)) < 0.01
    assert shapely.Point(way["l"][-1]).distance(shapely.box(0, 0, 10, 10)) < 5.1
    # 14:00 by the test's clock, and at least 75 m at less than 2 m/s.
    assert way["eta"] > 1_795_413_600_000 + 37_000
    assert read_status() == "dispatched"
    assert [(press(), read_status()) for _ in range(3)] == [
        ("accepted", "accepted"), ("on_scene", "on_scene"), ("on_scene", "on_scene"),
    ]  # fmt: skip
    assert find_ways() == []  # who is there needs no way
    assert wall(Role.WALL).get(address).json()["sent"] == [{"id": "p1", "call_sign": "警员01", "state": "on_scene"}]
    kept = intake_store.read("SELECT rank, by_hand, decided_by, advice FROM dispatch_decisions").iloc[0]
    assert (kept["rank"], kept["by_hand"], kept["decided_by"]) == (1, False, "officer07")
    assert json.loads(kept["advice"])["ranking"]["rows"][0]["responder_id"] == "p1"


def test_what_cannot_be_told_is_said_so(
    wall: Callable[[Role], TestClient], sender: TestClient, intake_store: Store
) -> None:
    def ask(taken: dict[str, Any]) -> Any:
        return wall(Role.OFFICER).get(f"/alarm/{taken['incident_id']}.json").json().get("problem")

    assert ask(send(sender, address="小村12幢")) == "no_ways"
    put_ways(intake_store)
    assert ask(send(sender, category="self_harm", address="小村12幢")) == "hidden"  # an officer's wall is a wall
    assert ask(send(sender, address="说不清在哪里")) == "unplaced"
    assert wall(Role.OFFICER).get("/alarm/none.json").status_code == 404


def test_what_cannot_be_written_down_is_refused(
    wall: Callable[[Role], TestClient], sender: TestClient, intake_store: Store
) -> None:
    put_ways(intake_store)
    taken = send(sender, **local(5, 5))
    address = f"/alarm/{taken['incident_id']}.json"
    assert wall(Role.OFFICER).post(address, content=b"no json").status_code == 400
    assert wall(Role.OFFICER).post(address, json=["p1"]).status_code == 400
    assert wall(Role.OFFICER).post(address, json={"responder_id": "nobody"}).status_code == 404
    assert wall(Role.GRID_WORKER).post(address, json={"responder_id": "p1"}).status_code == 403
    assert intake_store.read("SELECT count(*) AS n FROM dispatches")["n"].iloc[0] == 0

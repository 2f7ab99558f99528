"""What a phone brings back from a round: each thing once, at the time and place of the door, and never another's."""

from __future__ import annotations

import io
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.freshness import decide_proposal
from data.moments import get_aware
from data.runtime import Runtime
from data.settings import Settings
from data.store import Store
from data.task_photos import get_photo
from data.viewer import Viewer
from layers import SCENES
from server.events import EventHub
from server.state import AppState
from server.visits import FILES, PATH, build_visit_routes
from tasks.life_cycle import Action, Kind, State
from tasks.orders import Wrong
from tasks.visit_rounds import find_round
from tests.fixtures.access import Clock, access_store, clock
from tests.fixtures.tasks import Office, office

__all__ = ["access_store", "clock", "office"]


def open_phone(store: Store, clock: Clock, viewer: Viewer) -> TestClient:
    """The page as it is served, behind a door that has found out who asks."""
    runtime = Runtime(store, Settings(store.path.parent), is_demo=False)
    app = Starlette(routes=build_visit_routes(AppState(runtime, clock, SCENES, EventHub(), "t", clock())))

    async def door(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["viewer"] = viewer
        await app(scope, receive, send)

    return TestClient(door)


def build_seen(office: Office, task_id: str, **values: Any) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()), "kind": "visit", "task": task_id, "device_utc": office.clock().isoformat(), **values
    }  # fmt: skip


def send(phone: TestClient, seen: dict[str, Any]) -> dict[str, Any]:
    answer = phone.post(f"{PATH}/send", json=seen)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def build_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def test_a_round_is_loaded_whole_with_our_clock(office: Office) -> None:
    phone = open_phone(office.store, office.clock, office.worker)
    task, dispute = office.make(), office.make(kind=Kind.DISPUTE)
    office.make(subject_id="u2", receiver=None)
    told = phone.get(f"{PATH}/round.json").json()
    assert (told["round"], [one["id"] for one in told["tasks"]]) == (None, [task])  # mediation has no door
    loaded = phone.post(f"{PATH}/round", json={"tasks": [task]}).json()
    assert datetime.fromisoformat(loaded["server_utc"]) == office.clock()
    assert datetime.fromisoformat(loaded["round"]["ends_utc"]) == office.clock() + timedelta(hours=24)
    (stop,) = loaded["stops"]
    assert {part["code"] for part in stop["parts"]["zh"]} >= {"what", "who", "history", "way"}
    assert stop["known"]["unit.residents_count"] == "2"
    assert "王建国" not in json.dumps(loaded, ensure_ascii=False)
    for wrong in ({"tasks": []}, {"tasks": [task], "more": 1}):
        assert phone.post(f"{PATH}/round", json=wrong).status_code == 422
    neighbour = open_phone(office.store, office.clock, office.neighbour)
    assert neighbour.post(f"{PATH}/round", json={"tasks": [task]}).status_code == 403
    assert dispute


@pytest.mark.parametrize("skew_s", [0.0, -7200.0, 90.0])
def test_time_and_place_are_those_of_the_door(office: Office, skew_s: float) -> None:
    """A phone that goes two hours fast says 16:00 at 14:00; sent four hours later, it still was 14:00."""
    phone, task = open_phone(office.store, office.clock, office.worker), office.make()
    office.clock.move(hours=1)
    true = office.clock()
    device = (true - timedelta(seconds=skew_s)).isoformat()
    # 120° E is the meridian of EPSG:4549: its easting is 500 km by definition.
    where = {"lon": 120.0, "lat": 33.39, "accuracy_m": 8}
    seen = build_seen(office, task, device_utc=device, skew_s=skew_s, where=where, answers={"exit": "ok"})
    office.clock.move(hours=4)
    assert send(phone, seen) == {"task": task, "state": "submitted", "kept": False}
    row = office.store.read("SELECT *, ST_X(geom) AS x, ST_Y(geom) AS y FROM task_evidence").iloc[0]
    assert get_aware(row["captured_utc"]) == true
    assert get_aware(row["received_utc"]) == office.clock()
    assert (row["clock_skew_s"], row["place_source"], row["accuracy_m"]) == (skew_s, "device", 8)
    assert row["x"] == pytest.approx(500_000, abs=0.01)
    # Arc of the meridian from the equator, by hand: 111132.95 x 33.39 - 16038.5 sin 66.78° + 16.8 sin 133.56° (GRS 80).
    assert row["y"] == pytest.approx(3_696_001, abs=5)
    assert office.rebuild(task).submitted_utc == true
    office.check_rebuilt(task)


def test_each_thing_is_taken_once_and_a_repeat_gets_the_first_answer(office: Office) -> None:
    phone, task = (
        open_phone(office.store, office.clock, office.worker),
        office.make(subject_kind="rental", subject_id="r1"),
    )
    visit = build_seen(office, task, findings=[{"code": "exit", "rectify_by": "2026-12-01", "text": ""}], answers={"exit": "not_ok"})  # fmt: skip # noqa: E501
    change = build_seen(
        office, task, kind="difference", subject_kind="unit", subject_id="u1", what="moved_in", field="residents_count",
        new_value="4",
    )  # fmt: skip
    photo = {"key": str(uuid.uuid4()), "task": task, "evidence": visit["key"], "device_utc": visit["device_utc"]}
    for _ in range(3):
        sent = phone.post(f"{PATH}/photo", params=photo, content=build_picture())
        assert sent.status_code == 200, sent.text
        assert send(phone, visit) == {"task": task, "state": "submitted", "kept": False}
        assert send(phone, change)["proposal"] == change["key"]
        office.do(office.officer, task, Action.SEND_BACK, reason="照片不清楚") if _ == 0 else None
    counts = {
        table: int(office.store.read(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0])
        for table in ("task_evidence", "task_photos", "task_findings", "proposals", "visit_answers")
    }
    assert counts == {"task_evidence": 1, "task_photos": 1, "task_findings": 1, "proposals": 1, "visit_answers": 3}
    assert office.rebuild(task).state is State.ACCEPTED  # sent back once: the repeat submits nothing again
    other = {**visit, "text": "另一句话"}
    assert phone.post(f"{PATH}/send", json=other).status_code == 409
    kept = office.store.read("SELECT photo_id FROM task_photos")["photo_id"].iloc[0]
    assert get_photo(office.store, office.officer, kept, clock=office.clock).content[:2] == b"\xff\xd8"


def test_nothing_overwrites_the_register_before_somebody_else_accepts(office: Office) -> None:
    store, task = office.store, office.make()
    phone = open_phone(store, office.clock, office.worker)
    change = build_seen(
        office, task, kind="difference", subject_kind="unit", subject_id="u1", what="moved_out",
        field="residents_count", new_value="0",
    )  # fmt: skip
    send(phone, change)
    read = lambda: int(store.read("SELECT residents_count AS n FROM units WHERE unit_id = 'u1'")["n"].iloc[0])  # noqa: E731
    row = store.read("SELECT old_value, new_value, proposed_by, state FROM proposals").iloc[0].tolist()
    assert row == ["2", "0", office.worker.account_id, "waiting"]
    assert read() == 2
    decide_proposal(store, office.officer, change["key"], accept=True, clock=office.clock)
    assert read() == 0


def test_nobody_home_keeps_the_task_and_goes_last(office: Office) -> None:
    phone = open_phone(office.store, office.clock, office.worker)
    first, second = office.make(), office.make(subject_kind="rental", subject_id="r1")
    phone.post(f"{PATH}/round", json={"tasks": [first, second]})
    told = send(phone, build_seen(office, first, kind="nobody_home", text="上门未遇，已留告知单。"))
    assert told["state"] == "accepted"
    # It is 14:00 in Shanghai: they come again the same evening at seven, 11:00 UTC.
    assert office.rebuild(first).again_utc == office.clock().replace(hour=11)
    office.check_rebuilt(first)
    lasting = find_round(office.store, office.worker, now=office.clock())
    assert lasting is not None
    assert lasting.task_ids == (second, first)
    assert send(phone, build_seen(office, first))["state"] == "submitted"


def test_a_rectification_is_closed_by_what_was_seen_at_the_door(office: Office) -> None:
    task = office.make()
    office.do(
        office.worker, task, Action.SUBMIT, evidence=office.saw("e1"),
        findings=(Wrong("exit", office.clock().date() + timedelta(days=3)),),
    )  # fmt: skip
    check = office.do(office.officer, task, Action.DEMAND).recheck_id
    assert check is not None
    office.clock.move(days=3)
    phone = open_phone(office.store, office.clock, office.worker)
    (stop,) = phone.post(f"{PATH}/round", json={"tasks": [check]}).json()["stops"]
    assert (stop["kind"], stop["demanded"]) == ("rectification", ["exit"])
    assert phone.post(f"{PATH}/send", json=build_seen(office, check)).status_code == 200  # kept: it said nothing
    assert office.rebuild(check).state is State.ASSIGNED
    assert send(phone, build_seen(office, check, mended=True))["state"] == "submitted"
    office.do(office.officer, check, Action.CLOSE)  # another than who was there
    assert office.rebuild(task).state is State.CLOSED


def test_what_comes_too_late_is_kept_and_what_is_not_theirs_is_not(office: Office) -> None:
    phone, task = open_phone(office.store, office.clock, office.worker), office.make()
    seen = build_seen(office, task, text="门开着")
    office.do(office.officer, task, Action.CANCEL, reason="不用去了")
    assert send(phone, seen) == {"task": task, "state": "cancelled", "kept": True}
    neighbour = open_phone(office.store, office.clock, office.neighbour)
    assert neighbour.post(f"{PATH}/send", json=build_seen(office, task)).status_code == 403
    photo = {"key": str(uuid.uuid4()), "task": task, "evidence": seen["key"], "device_utc": seen["device_utc"]}
    assert neighbour.post(f"{PATH}/photo", params=photo, content=build_picture()).status_code == 403
    assert phone.post(f"{PATH}/photo", params=photo, content=b"no picture").status_code == 422
    for wrong in ({"key": "1"}, {"kind": "steal"}, {"where": {"lon": 999, "lat": 0}}, {"answers": {"exit": "maybe"}}):
        assert phone.post(f"{PATH}/send", json={**build_seen(office, task), **wrong}).status_code == 422
    assert phone.post(f"{PATH}/send", content=b"{").status_code == 422
    assert int(office.store.read("SELECT count(*) AS n FROM task_evidence")["n"].iloc[0]) == 1


def test_the_page_holds_nobody_and_its_files_are_named_by_their_state(office: Office) -> None:
    office.make()
    phone = open_phone(office.store, office.clock, office.worker)
    for lang in ("zh", "en"):
        page = phone.get(f"{PATH}?lang={lang}").text
        assert "grid01" not in page
        assert "小村" not in page
    worker = phone.get(f"{PATH}/worker.js")
    assert worker.headers["service-worker-allowed"] == "/phone/"
    assert "@MARK@" not in worker.text
    for path in (one for one in FILES.iterdir() if one.suffix in (".js", ".css")):
        assert phone.get(f"{PATH}/{path.name}").status_code == 200
        if path.name != "worker.js":  # each is kept by the worker: one that is forgotten is missed in flight mode
            assert path.name in worker.text
    assert phone.get(f"{PATH}/../visits.py").status_code == 404

"""What is sent to a grid worker on their telephone: their own only, answered in one touch, harmless when it is late."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.runtime import Runtime
from data.settings import Settings
from data.store import Store
from data.viewer import Role, Viewer
from incidents.dispatches import link_account, send
from layers import SCENES
from server.events import EventHub
from server.phone_sent import PATH, build_phone_routes
from server.state import AppState
from tests.fixtures.access import Clock
from tests.fixtures.dispatch import OFFICER, WORKER, dispatch_clock, dispatch_store, read_dispatches, take_in

__all__ = ["dispatch_clock", "dispatch_store"]


def open_phone(store: Store, clock: Clock, viewer: Viewer) -> TestClient:
    """The page as it is served, behind a door that has found out who asks."""
    runtime = Runtime(store, Settings(store.path.parent), is_demo=False)
    app = Starlette(routes=build_phone_routes(AppState(runtime, clock, SCENES, EventHub(), "t", clock())))

    async def door(scope: Any, receive: Any, send_: Any) -> None:
        scope.setdefault("state", {})["viewer"] = viewer
        await app(scope, receive, send_)

    return TestClient(door)


def test_the_one_who_was_sent_answers(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    incident_id = take_in(store, clock)
    phone = open_phone(store, clock, WORKER)
    assert "现在没有派给您的警情" in phone.get(PATH).text
    told = send(store, OFFICER, incident_id, "r1", clock=clock).dispatch.dispatch_id
    clock.move(minutes=2)
    page = phone.get(PATH).text
    for word in (
        "盗窃电动自行车",
        "小村12幢1单元101室",
        "2 分钟前派出",
        "接受，我去",
        'http-equiv="refresh" content="10"',
    ):
        assert word in page
    for person in ("王建国", "1381234"):
        assert person not in page
    for action, state in (("accept", "accepted"), ("arrive", "on_scene")):
        answered = phone.post(PATH, data={"dispatch": told, "action": action}, follow_redirects=False)
        assert answered.status_code == 303
        (one,) = read_dispatches(store, incident_id)
        assert (one.state, one.answered_way) == (state, "in_app")
    late = phone.post(PATH, data={"dispatch": told, "action": "decline"})
    assert "没有记下" in late.text
    assert "I am there" not in phone.get(f"{PATH}?lang=en").text
    assert "You are there" in phone.get(f"{PATH}?lang=en").text


@pytest.mark.parametrize("action", ["accept", "stand_down", "expire", "nonsense", ""])
def test_nobody_answers_for_another(dispatch_store: Store, dispatch_clock: Clock, action: str) -> None:
    store, clock = dispatch_store, dispatch_clock
    incident_id = take_in(store, clock)
    told = send(store, OFFICER, incident_id, "r2", clock=clock).dispatch.dispatch_id
    for viewer in (WORKER, OFFICER):
        phone = open_phone(store, clock, viewer)
        assert not re.search(r"小村12幢", phone.get(PATH).text)
        phone.post(PATH, data={"dispatch": told, "action": action, "who": "r2"})
        assert read_dispatches(store, incident_id)[0].state == "sent", "a dispatcher's own page answers for them alone"


def test_an_officer_is_who_the_administrator_says(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    admin = Viewer(Role.ADMIN, account_id="a1", name="admin")
    assert "还没有对应的呼号" in open_phone(store, clock, OFFICER).get(PATH).text
    link_account(store, admin, "o1", "r3", clock=clock)
    send(store, OFFICER, take_in(store, clock), "r3", clock=clock)
    assert "接受，我去" in open_phone(store, clock, OFFICER).get(PATH).text
    link_account(store, admin, "o1", None, clock=clock)
    assert "还没有对应的呼号" in open_phone(store, clock, OFFICER).get(PATH).text

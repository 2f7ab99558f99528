"""Paired surfaces behind the door, with real sessions: pairing raises nobody's rights, no wall gets a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from data import passwords
from data.accounts import add_account, change_password, disable_account
from data.runtime import Runtime
from data.sessions import Sessions
from data.settings import Settings
from data.store import Store
from data.viewer import Role
from layers import SCENES
from server.door import Door, DoorState
from server.events import EventHub
from server.guard import Guard, build_content_security_policy
from server.pairing import Holder, Pairing, Why
from server.routes import build_routes
from server.signin import SignIn
from server.state import AppState
from tests.fixtures.access import Clock, found
from tests.integration.test_door import read_form

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "four words that fit"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class House:
    """A village with two homes behind guard and door."""

    store: Store
    app: Starlette
    pairing: Pairing

    def sign_in(self, name: str) -> TestClient:
        """A browser of its own, signed in."""
        client = TestClient(
            self.app, base_url="http://localhost:8501", follow_redirects=False, client=("127.0.0.1", 5),
            headers={"accept": "text/html"},
        )  # fmt: skip
        form = read_form(client.get("/login").text)
        assert client.post("/login", data={**form, "name": name, "password": PASSWORD}).status_code == 303
        return client


@pytest.fixture
def house(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with Store(tmp_path / "real.duckdb", clock=clock) as store:
        store.write(found)
        boundary = "UPDATE community SET boundary = ST_MakeEnvelope(0, 0, 10, 10)"
        store.write(lambda transaction: transaction.execute("community", boundary))
        roles = {"wall1": Role.WALL, "wall2": Role.WALL, "officer07": Role.OFFICER, "tablet1": Role.OFFICER}
        for name, role in {**roles, "neighbour": Role.VOLUNTEER, "audit1": Role.AUDITOR}.items():
            account = add_account(store, name, role, password="first words", clock=clock)
            change_password(store, account.account_id, "first words", PASSWORD, clock=clock)
        sessions, pairing = Sessions(store, clock), Pairing(clock)
        sessions.on_end(lambda session: pairing.end_session(session.session_id))
        runtime = Runtime(store, Settings(tmp_path, "real"))
        state = AppState(runtime, clock, SCENES, EventHub(), "token", clock(), pairing=pairing)
        door = DoorState(store, clock, sessions, is_demo=False)
        routes = [*build_routes(state, assets=ROOT / "ui" / "components" / "table"), *SignIn(door).build_routes()]
        door.routes = frozenset(route.path for route in routes if hasattr(route, "path"))
        policy = build_content_security_policy("")
        app = Starlette(routes=routes, middleware=[Middleware(Guard, policy=policy), Middleware(Door, state=door)])
        yield House(store, app, pairing)
        sessions.close()


def post(client: TestClient, path: str, **body: Any) -> httpx.Response:
    return client.post(path, json=body)


def show(wall: TestClient) -> str:
    return str(post(wall, "/pair/code").json()["code"])


def join(wall: TestClient, client: TestClient, surface: str) -> None:
    assert post(client, "/pair/join", **{"as": surface, "code": show(wall)}).status_code == 200


def test_a_wall_a_desk_and_a_tablet_are_paired_over_http(house: House) -> None:
    wall, desk, tablet = house.sign_in("wall1"), house.sign_in("officer07"), house.sign_in("tablet1")
    join(wall, desk, "desk")
    join(wall, tablet, "tablet")
    assert desk.get("/pair/state?as=desk").json() == {"paired": True, "why": None}
    said = post(tablet, "/pair/say", **{"as": "tablet", "topic": "select", "value": {"kind": "unit", "id": "u1"}})
    assert said.status_code == 200
    cookie = next(one for one in desk.cookies.jar if one.name == "shapan_pair_desk")
    assert cookie.has_nonstandard_attr("HttpOnly")
    log = house.store.read("SELECT actor, detail FROM audit_log WHERE subject_kind = 'pairing' ORDER BY seq")
    assert [json.loads(detail)["what"] for detail in log["detail"]] == [
        "code_shown", "paired", "code_shown", "paired",
    ]  # fmt: skip
    assert list(log["actor"]) == ["wall1", "officer07", "wall1", "tablet1"]
    # Its cookie is of no use to another account, nor to nobody.
    stolen = {"shapan_pair_desk": str(desk.cookies["shapan_pair_desk"])}
    tablet.cookies.update(stolen)
    assert tablet.get("/pair/state?as=desk").json() == {"paired": False, "why": "session"}
    assert TestClient(house.app, base_url="http://localhost", client=("127.0.0.1", 5), cookies=stolen).get(
        "/pair/state?as=desk"
    ).status_code == 401  # fmt: skip


def test_pairing_raises_nobodys_rights(house: House) -> None:
    """A wall that is paired with an officer's desk asks for no more than before; who may not look may not pair."""
    wall, desk = house.sign_in("wall1"), house.sign_in("officer07")
    join(wall, desk, "desk")
    post(desk, "/pair/say", **{"as": "desk", "topic": "select", "value": {"kind": "unit", "id": "u1"}})
    assert wall.get("/whoami").json() == {"role": "wall"}
    for name in ("neighbour", "audit1"):
        client = house.sign_in(name)
        for path in ("/second", "/tablet", "/pair/state?as=desk", "/pair/stream?as=desk", "/scene/inside.json?unit=u1"):
            assert client.get(path).status_code == 403, path
        assert post(client, "/pair/join", **{"as": "desk", "code": show(wall)}).status_code == 403
        assert post(client, "/pair/code").status_code == 403


def test_the_wall_and_the_second_screen_never_receive_a_person(house: House) -> None:
    """王建国 owns and lets the home u1, 李小红 lives there: whatever is said, neither comes to a wall."""
    wall, desk, second = house.sign_in("wall1"), house.sign_in("officer07"), house.sign_in("wall2")
    join(wall, desk, "desk")
    join(wall, second, "second")
    for value in ({"kind": "unit", "id": "u1"}, {"kind": "building", "id": "b1"}):
        assert post(desk, "/pair/say", **{"as": "desk", "topic": "select", "value": value}).status_code == 200
    tried = [
        {"kind": "unit", "id": "王建国 13812341234"},
        {"kind": "occupant", "id": "o1"},
        {"kind": "unit", "id": "u9"},
    ]
    for value in tried:
        answer = post(desk, "/pair/say", **{"as": "desk", "topic": "select", "value": value})
        assert answer.status_code == 400
    member = house.pairing.find(second.cookies["shapan_pair_second"], house_holder(house, second))
    assert member is not None
    assert not isinstance(member, Why)
    heard = json.dumps(member.group.said, ensure_ascii=False)
    assert '"u1"' not in heard
    assert '"b1"' in heard
    answers = [second.get(path) for path in ("/scene/inside.json?building=b1", "/scene/inside.json?unit=u1", "/second")]
    assert [answer.status_code for answer in answers] == [200] * 3
    for text in (heard, *(answer.text for answer in answers)):
        for canary in ("王建国", "王**", "李小红", "李**", "13812341234", "1234", "13987654321", "002X"):
            assert canary not in text


def house_holder(house: House, client: TestClient) -> Holder:
    row = house.store.read(
        "SELECT session_id FROM sessions s JOIN accounts a USING (account_id) WHERE a.name = 'wall2'"
    )
    return Holder(str(row["session_id"].iloc[0]), "127.0.0.1")


def test_two_walls_keep_apart(house: House) -> None:
    one, other, desk, tablet = (house.sign_in(name) for name in ("wall1", "wall2", "officer07", "tablet1"))
    join(one, desk, "desk")
    join(other, tablet, "tablet")
    post(one, "/pair/leave", **{"as": "wall"})
    assert desk.get("/pair/state?as=desk").json() == {"paired": False, "why": "wall_left"}
    assert tablet.get("/pair/state?as=tablet").json() == {"paired": True, "why": None}


def test_a_disabled_account_and_a_sign_out_end_the_pairing(house: House, clock: Clock) -> None:
    wall, desk, tablet = (house.sign_in(name) for name in ("wall1", "officer07", "tablet1"))
    join(wall, desk, "desk")
    join(wall, tablet, "tablet")
    disable_account(house.store, "officer07", clock=clock)
    assert desk.get("/pair/state?as=desk").status_code in (303, 401)
    form = read_form(wall.get("/logout").text)
    wall.post("/logout", data=form)
    assert tablet.get("/pair/state?as=tablet").json() == {"paired": False, "why": "wall_left"}


def test_another_site_cannot_pair_or_say_anything(house: House) -> None:
    wall, desk = house.sign_in("wall1"), house.sign_in("officer07")
    code = show(wall)
    body = {"as": "desk", "code": code}
    assert desk.post("/pair/join", json=body, headers={"origin": "http://evil.example"}).status_code == 403
    # What a form of another site can send without being asked about first is no JSON.
    plain = desk.post("/pair/join", content=json.dumps(body), headers={"content-type": "text/plain"})
    assert plain.status_code == 400
    assert desk.get("/pair/join").status_code == 405
    assert post(desk, "/pair/join", **body).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"as": "lamp"}', b"{" + b" " * 5000 + b"}", b'"\xff"'])
def test_whatever_is_sent_is_answered_with_a_sentence(house: House, body: bytes) -> None:
    client = house.sign_in("officer07")
    for path in ("/pair/join", "/pair/say", "/pair/leave"):
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
    assert client.get("/pair/state?as=lamp").status_code == 400
    assert client.get("/pair/stream?as=desk").status_code == 410

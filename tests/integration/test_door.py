"""The door: nothing without a session, nothing after it, and sign-in that gives nothing away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from data import passwords
from data.accounts import add_account, change_password, disable_account
from data.sessions import Sessions
from data.store import Store
from data.viewer import Role
from server.door import SESSION_COOKIE, Door, DoorState, choose_return
from server.guard import Guard, build_content_security_policy
from server.signin import SignIn

FIRST, OWN = "Erstes-Wort-77", "eine lange Losung 9"
PAGE = {"accept": "text/html"}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class House:
    """A store with an officer and an auditor behind the door."""

    store: Store
    clock: Clock
    sessions: Sessions
    app: Starlette

    def open(self) -> TestClient:
        """A browser with an empty jar of cookies."""
        return TestClient(
            self.app, base_url="http://localhost:8501", follow_redirects=False, client=("127.0.0.1", 5), headers=PAGE
        )

    def actions(self) -> list[tuple[str, str]]:
        """The log so far: actor and action."""
        rows = self.store.read("SELECT actor, action FROM audit_log ORDER BY seq")
        return list(zip(rows["actor"], rows["action"], strict=True))


async def answer(_: Request) -> Response:
    return JSONResponse({"secret": "inside"})


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(f"heard {await websocket.receive_text()}")
    except WebSocketDisconnect:
        return


def build_house(store: Store, clock: Clock, *, is_demo: bool = False) -> House:
    sessions = Sessions(store, clock)
    door = DoorState(store, clock, sessions, is_demo)
    routes = [
        Route("/scene/{layer}.json", answer),
        Route("/api/v1/admin/info", answer),
        *SignIn(door).build_routes(),
    ]
    door.routes = frozenset(route.path for route in routes)
    everything = [*routes, WebSocketRoute("/_stcore/stream", talk), Route("/{path:path}", answer)]
    policy = build_content_security_policy("")
    app = Starlette(routes=everything, middleware=[Middleware(Guard, policy=policy), Middleware(Door, state=door)])
    return House(store, clock, sessions, app)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    # The same hash, made cheaply: how dear it is, is tested with the accounts.
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    clock = Clock()
    with Store(tmp_path / "real.duckdb", clock=clock) as store:
        for name, role in (("officer07", Role.OFFICER), ("audit1", Role.AUDITOR), ("chief", Role.ADMIN)):
            account = add_account(store, name, role, password=FIRST, clock=clock)
            if name != "officer07":
                change_password(store, account.account_id, FIRST, OWN, clock=clock)
        built = build_house(store, clock)
        yield built
        built.sessions.close()


def read_form(page: str) -> dict[str, str]:
    """Hidden fields of a page's form."""
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))


def sign_in(client: TestClient, name: str, password: str, **more: str) -> Response:
    form = read_form(client.get("/login").text)
    return client.post("/login", data={**form, "name": name, "password": password, **more})


def test_without_a_session_a_page_leads_to_the_sign_in_and_nothing_else_is_answered(house: House) -> None:
    client = house.open()
    for path in ("/", "/static/index.js", "/media/1.png", "/_stcore/health", "/audit", "/anything"):
        page = client.get(path)
        assert page.status_code == 303, path
        assert page.headers["location"].startswith("/login?next=")
        asked = client.get(path, headers={"accept": "application/json"})
        assert asked.status_code == 401
        assert "inside" not in asked.text
    assert client.get("/scene/x.json", headers={"accept": "*/*"}).status_code == 401
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream", headers={"host": "localhost"}):
        pass


def test_the_first_password_opens_nothing_but_its_own_change(house: House) -> None:
    client = house.open()
    answered = sign_in(client, "officer07", FIRST)
    assert (answered.status_code, answered.headers["location"]) == (303, "/password")
    assert client.get("/").headers["location"] == "/password"
    assert client.get("/scene/x.json", headers={"accept": "*/*"}).status_code == 403
    form = read_form(client.get("/password").text)
    wrong = client.post("/password", data={**form, "old": FIRST, "new": OWN, "again": OWN + "x"})
    assert wrong.status_code == 400
    weak = client.post("/password", data={**form, "old": FIRST, "new": "officer07", "again": "officer07"})
    assert weak.status_code == 400
    before = client.cookies[SESSION_COOKIE]
    done = client.post("/password", data={**form, "old": FIRST, "new": OWN, "again": OWN})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert client.cookies[SESSION_COOKIE] != before
    assert client.get("/").json() == {"secret": "inside"}
    assert house.actions()[-2:] == [("officer07", "sign_in"), ("officer07", "account")]


def test_the_cookie_is_for_this_server_and_no_script(house: House) -> None:
    client = house.open()
    cookie = sign_in(client, "chief", OWN).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie, "on loopback there is no https"
    secure = TestClient(house.app, base_url="https://localhost", follow_redirects=False, client=("127.0.0.1", 5))
    assert "Secure" in sign_in(secure, "chief", OWN).headers["set-cookie"]


def test_every_refusal_reads_the_same(house: House) -> None:
    disable_account(house.store, "audit1", clock=house.clock)
    client = house.open()
    pages = [
        re.sub(r'value="[0-9a-f]{64}"', "", sign_in(client, name, password).text)
        for name, password in (("officer07", "x" * 12), ("nobody", "x" * 12), ("audit1", OWN))
    ]
    assert len(set(pages)) == 1
    assert house.actions()[-2:] == [("unknown", "sign_in_refused"), ("audit1", "sign_in_refused")]


def test_a_form_that_is_not_ours_is_refused(house: House) -> None:
    client = house.open()
    client.get("/login")
    assert client.post("/login", data={"name": "chief", "password": OWN}).status_code == 403
    assert client.post("/login", data={"name": "chief", "password": OWN, "form": "0" * 64}).status_code == 403
    other = house.open()
    form = read_form(other.get("/login").text)
    assert client.post("/login", data={**form, "name": "chief", "password": OWN}).status_code == 403
    foreign = client.post("/login", data=form, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403


def test_who_tries_too_often_waits_whatever_the_name(house: House) -> None:
    client = house.open()
    form = read_form(client.get("/login").text)
    answers = [client.post("/login", data={**form, "name": f"name{n}", "password": "x"}).status_code for n in range(22)]
    assert answers == [401] * 20 + [429] * 2


def test_the_rights_table_is_asked_for_each_route_and_a_refusal_is_logged(house: House) -> None:
    client = house.open()
    sign_in(client, "audit1", OWN)
    assert client.get("/scene/x.json").status_code == 403
    assert client.get("/whoami").json() == {"role": "auditor"}
    assert house.actions()[-1] == ("audit1", "refusal")
    chief = house.open()
    sign_in(chief, "chief", OWN)
    assert chief.get("/scene/x.json").json() == {"secret": "inside"}


def test_a_command_of_the_command_line_is_left_to_its_token(house: House) -> None:
    assert house.open().get("/api/v1/admin/info").json() == {"secret": "inside"}


def test_signing_out_needs_our_form_and_ends_the_session_at_once(house: House) -> None:
    client = house.open()
    sign_in(client, "chief", OWN)
    token = client.cookies[SESSION_COOKIE]
    form = read_form(client.get("/logout").text)
    assert client.get("/").status_code == 200, "a link alone signs nobody out"
    assert client.post("/logout", data=form).headers["location"] == "/login"
    again = house.open()
    again.cookies.set(SESSION_COOKIE, token)
    assert again.get("/").status_code == 303


def test_an_idle_session_ends_though_its_page_asks_by_itself(house: House) -> None:
    client = house.open()
    sign_in(client, "chief", OWN)
    for _ in range(7):
        house.clock.now += timedelta(minutes=5)
        status = client.get("/scene/x.json", headers={"accept": "*/*"}).status_code
    assert status == 401
    assert client.get("/").status_code == 303


def test_what_a_person_does_keeps_the_session_awake_until_its_last_hour(house: House) -> None:
    client = house.open()
    sign_in(client, "chief", OWN)
    for _ in range(12 * 3 - 1):
        house.clock.now += timedelta(minutes=20)
        assert client.get("/").status_code == 200
    house.clock.now += timedelta(minutes=20)
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("how", ["revoked", "disabled"])
def test_a_page_that_is_open_is_closed_when_its_session_is_ended(house: House, how: str) -> None:
    client = house.open()
    add_account(house.store, "second", Role.ADMIN, password=FIRST, clock=house.clock)
    sign_in(client, "chief", OWN)
    cookie = f"{SESSION_COOKIE}={client.cookies[SESSION_COOKIE]}"
    with client.websocket_connect("/_stcore/stream", headers={"host": "localhost", "cookie": cookie}) as socket:
        socket.send_text("one")
        assert socket.receive_text() == "heard one"
        if how == "revoked":
            house.sessions.end_all(house.sessions.list_live()[0].account.account_id)
        else:
            disable_account(house.store, "chief", clock=house.clock)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == 4401
    assert client.get("/").status_code == 303


def test_the_demo_lets_everybody_in_and_a_link_changes_the_role(tmp_path: Path) -> None:
    with Store(tmp_path / "demo.duckdb") as store:
        house = build_house(store, Clock(), is_demo=True)
        client = house.open()
        assert client.get("/whoami").json() == {"role": "officer"}
        assert client.get("/login").headers["location"] == "/"
        assert client.get("/demo-role?role=auditor&next=/audit").headers["location"] == "/audit"
        assert client.get("/whoami").json() == {"role": "auditor"}
        assert client.get("/demo-role?role=emperor").status_code == 303
        assert client.get("/whoami").json() == {"role": "auditor"}


def test_the_role_of_a_demo_means_nothing_where_there_is_sign_in(house: House) -> None:
    client = house.open()
    client.cookies.set("shapan_demo_role", "admin")
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("/audit?lang=en", "/audit?lang=en"), ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://evil", "/"),
        ("javascript:alert(1)", "/"), (None, "/"), ("/a\r\nSet-Cookie: x", "/"), ("/<script>", "/"),
    ],
)  # fmt: skip
def test_the_way_back_never_leaves_this_server(wanted: str | None, taken: str) -> None:
    assert choose_return(wanted) == taken


@given(st.text(max_size=40))
def test_no_way_back_leaves_this_server(text: str) -> None:
    assert re.fullmatch(r"/([^/\\\s<>:][^\\\s<>:]*)?", choose_return(text))

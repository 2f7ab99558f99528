"""The office's own sign-in: there and back against a real local provider, and a provider that does not serve."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.testclient import TestClient

from server import oidc_provider
from server.door import SESSION_COOKIE
from server.oidc import BROWSER_COOKIE
from tests.fixtures.office_house import DOWN, STALE, Office, build_office, read_target
from tests.fixtures.office_provider import Claims
from tests.integration.test_door import OWN, sign_in

pytest_plugins = ["tests.fixtures.office_house"]


# The way


def test_who_the_provider_vouches_for_is_in(office: Office) -> None:
    client = office.open()
    page = client.get("/login?next=/audit")
    start = html.unescape(re.search(r'href="(/oidc/start[^"]*)"', page.text)[1])  # type: ignore[index]
    done = office.go(client, start=start)
    assert done.status_code == 200, "not a redirect: a browser would follow it without the new cookie"
    assert read_target(done) == "/audit"
    cookie = next(c for c in done.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.get("/whoami").json() == {"role": "officer"}
    assert BROWSER_COOKIE not in client.cookies
    assert office.provider.plan.asked == ["/.well-known/openid-configuration", "/authorize", "/token", "/keys"]
    assert office.actions()[-2:] == [("officer07", "account"), ("officer07", "sign_in")]


def test_from_then_on_the_subject_counts_and_the_name_there_does_not(office: Office) -> None:
    office.go(office.open())
    office.provider.plan.person = {"sub": "person-1", "preferred_username": "married-name"}
    client = office.open()
    assert office.go(client).status_code == 200
    assert client.get("/whoami").json() == {"role": "officer"}
    assert office.actions()[-2:] == [("officer07", "sign_in")] * 2, "bound once, at the first"
    del office.provider.plan.person["preferred_username"]
    assert office.go(office.open()).status_code == 200


def test_nothing_of_the_tokens_is_kept(office: Office) -> None:
    office.provider.plan.claims = {"email": "zhang@example", "name": "张三", "groups": ["admin"], "role": "admin"}
    client = office.open()
    office.go(client)
    assert client.get("/whoami").json() == {"role": "officer"}, "nothing that the provider says gives a role"
    office.sessions.sweep()
    kept = "".join(
        office.store.read(f"SELECT * FROM {table}").to_string() for table in ("accounts", "sessions", "audit_log")
    )
    for text in ("zhang@example", "张三", "an access token", "eyJ"):
        assert text not in kept


def test_the_cookie_of_the_way_is_for_the_way_only(office: Office) -> None:
    cookie = office.open().get("/oidc/start").headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/oidc/", "Max-Age=600"):
        assert part in cookie
    assert "Secure" not in cookie
    secure = TestClient(office.app, base_url="https://localhost", follow_redirects=False, client=("127.0.0.1", 5))
    sent = secure.get("/oidc/start")
    assert "Secure" in sent.headers["set-cookie"]
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://localhost/oidc/return"]


def test_the_language_is_kept_on_the_way(office: Office) -> None:
    client = office.open()
    office.provider.plan.person["preferred_username"] = "nobody"
    assert "You cannot sign in here" in office.go(client, start="/oidc/start?lang=en").text


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_back_never_leaves_this_server(office: Office, wanted: str) -> None:
    client = office.open()
    start = str(httpx.URL("/oidc/start", params={"next": wanted}))
    assert read_target(office.go(client, start=start)) == "/"


# The return


def test_a_return_is_good_once(office: Office) -> None:
    client = office.open()
    back = office.begin(client)
    cookie = client.cookies[BROWSER_COOKIE]
    assert client.get(back).status_code == 200
    again = client.get(back, headers={"cookie": f"{BROWSER_COOKIE}={cookie}"})
    assert (again.status_code, STALE in again.text) == (400, True)


def test_a_return_is_good_in_the_browser_that_began_it(office: Office) -> None:
    """Else somebody could sign another's browser in as himself, and read later what was looked at in his name."""
    first, other = office.open(), office.open()
    back = office.begin(first)
    assert other.get(back).status_code == 400
    office.begin(other)
    page = other.get(back)
    assert (page.status_code, STALE in page.text) == (400, True)
    assert SESSION_COOKIE not in other.cookies
    assert first.get(back).status_code == 200, "nobody can spoil it"


def test_two_windows_of_one_browser_do_not_disturb_each_other(office: Office) -> None:
    client = office.open()
    one, two = office.begin(client, start="/oidc/start?next=/one"), office.begin(client, start="/oidc/start?next=/two")
    assert two != one
    assert read_target(client.get(one)) == "/one"


def test_a_code_of_another_sign_in_is_refused(office: Office) -> None:
    """A stolen code, put into one's own return: PKCE and the nonce are of the sign-in that it was made for."""
    victim, thief = office.open(), office.open()
    stolen = parse_qs(urlsplit(office.begin(victim)).query)["code"][0]
    own = httpx.URL(office.begin(thief))
    page = thief.get(str(own.copy_set_param("code", stolen)))
    assert page.status_code == 401
    assert office.refusals()[-1] == ("unknown", "office_token_code_refused")


@pytest.mark.parametrize("minutes", [10, -1])
def test_a_return_after_ten_minutes_or_from_the_future_is_too_late(office: Office, minutes: int) -> None:
    client = office.open()
    back = office.begin(client)
    office.clock.now += timedelta(minutes=minutes)
    assert client.get(back).status_code == 400


@pytest.mark.parametrize("query", ["", "?state=x&code=y", "?code=y", "?state=%00&code=%ff"])
def test_a_return_that_nobody_began_is_stale(office: Office, query: str) -> None:
    assert office.open().get(f"/oidc/return{query}").status_code == 400
    assert office.refusals() == [], "anybody can ask for this: it fills no log"


def test_what_the_provider_says_of_an_error_is_not_shown(office: Office) -> None:
    client = office.open()
    state = parse_qs(urlsplit(office.begin(client)).query)["state"][0]
    said = {"state": state, "error": "access_denied", "error_description": "<script>alert(1)</script>"}
    page = client.get("/oidc/return", params=said)
    assert page.status_code == 400
    assert "alert(1)" not in page.text
    assert "access_denied" not in page.text


def test_an_answer_of_another_issuer_is_refused(office: Office) -> None:
    """RFC 9207."""
    client = office.open()
    back = httpx.URL(office.begin(client)).copy_set_param("iss", "https://id.example")
    office.provider.plan.asked.clear()
    assert client.get(str(back)).status_code == 401
    assert office.provider.plan.asked == []


def test_who_begins_too_often_waits(office: Office) -> None:
    client = office.open()
    assert [client.get("/oidc/start").status_code for _ in range(21)] == [303] * 20 + [429]


# The provider does not serve


def answer_slowly() -> Any:
    async def wait() -> Response:
        await asyncio.sleep(60)  # until the one who asked goes away
        return JSONResponse({})

    return wait()


def redirect_out() -> Response:
    return RedirectResponse("http://127.0.0.1:9/elsewhere", 302)


DOWN_ANSWERS: dict[str, Callable[[], Any]] = {
    "an error": lambda: JSONResponse({"issuer": "x"}, 503),
    "a page": lambda: HTMLResponse("<h1>Wartung</h1>"),
    "a list": lambda: JSONResponse([]),
    "nothing": lambda: Response(b""),
    "depth": lambda: Response(b"[" * 100_000),
    "too much": lambda: Response(b" " * 600_000 + b"{}"),
    "a redirect": redirect_out,
    "late": answer_slowly,
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_provider_that_does_not_serve_is_said_and_passwords_go_on(
    office: Office, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for name, instead in DOWN_ANSWERS.items():
        monkeypatch.setattr(oidc_provider, "ANSWER_S", 0.3 if name == "late" else 30.0)
        office.provider.plan.instead = {path: instead}
        client = office.open()
        page = client.get("/oidc/start?next=/audit") if path.startswith("/.well") else office.go(client)
        assert (name, page.status_code, DOWN in page.text) == (name, 503, True)
        assert 'href="/login?next=' in page.text
    assert office.refusals() == []
    assert sign_in(client, "chief", OWN).status_code == 303
    office.provider.plan.instead = {}
    assert office.go(office.open()).status_code == 200, "and it is asked again when it serves"


def test_a_provider_that_is_switched_off(office: Office) -> None:
    dark = build_office(office.store, office.clock, office.provider, issuer="http://127.0.0.1:9/realms/office")
    page = dark.open().get("/oidc/start")
    assert (page.status_code, DOWN in page.text) == (503, True)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "http://127.0.0.1:1/realms/office"},
        {"token_endpoint": "http://id.example/token"},
        {"token_endpoint": "https://id.example/token"},
        {"jwks_uri": "https://id.example/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
def test_metadata_that_lead_elsewhere_are_not_followed(office: Office, metadata: Claims) -> None:
    office.provider.plan.metadata = metadata
    assert office.open().get("/oidc/start").status_code == 503
    assert office.provider.plan.asked == ["/.well-known/openid-configuration"]

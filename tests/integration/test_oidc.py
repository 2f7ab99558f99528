"""The office's own sign-in: the way there and back against a real local provider, and everything that must not work."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import json
import re
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from data.accounts import add_account, change_password, disable_account, reset_password
from data.office_accounts import allow_office_sign_in, end_office_sign_in
from data.sessions import Sessions
from data.store import Store
from data.viewer import Role
from gis.errors import BadRecordError, RefusedError
from server import oidc_provider
from server.access import run
from server.door import SESSION_COOKIE, Door, DoorState
from server.guard import Guard, build_content_security_policy
from server.oidc import BROWSER_COOKIE, OfficeSignIn
from server.oidc_options import ProviderOptions, find_provider_options, is_allowed_address
from server.oidc_provider import BadTokenError, Provider
from server.signin import SignIn
from tests.fixtures.office_provider import CLIENT, EC, RSA, SECRET, Claims, OfficeProvider, Plan
from tests.integration.test_door import FIRST, OWN, PAGE, Clock, House, answer, sign_in

TRUST = ssl.create_default_context()  # made once: it reads every certificate of the system
REFUSED = "不能用单位统一身份登录沙盘"
STALE, DOWN = "本次登录已过期", "现在没有应答"


@dataclass
class Office(House):
    """A house behind the door, and its office's provider."""

    provider: OfficeProvider

    def go(self, client: TestClient, *, start: str = "/oidc/start") -> Response:
        """The whole way: our page, the provider, back to us."""
        return client.get(self.begin(client, start=start))

    def begin(self, client: TestClient, *, start: str = "/oidc/start") -> str:
        """The way there; the address that the browser is sent back to."""
        sent = client.get(start)
        assert sent.status_code == 303, sent.text
        back = httpx.get(sent.headers["location"], trust_env=False, verify=TRUST)
        assert back.status_code == 302
        return str(back.headers["location"])

    def refusals(self) -> list[tuple[str, str]]:
        """Actor and reason of every refusal so far."""
        rows = self.store.read("SELECT actor, detail FROM audit_log WHERE action = 'sign_in_refused' ORDER BY seq")
        return [(actor, json.loads(text)["why"]) for actor, text in zip(rows["actor"], rows["detail"], strict=True)]


@pytest.fixture(scope="module")
def running() -> Iterator[OfficeProvider]:
    with OfficeProvider() as provider:
        yield provider


def build_office(store: Store, clock: Clock, provider: OfficeProvider, issuer: str | None = None) -> Office:
    sessions = Sessions(store, clock)
    door = DoorState(store, clock, sessions, is_demo=False)
    asked = Provider(ProviderOptions(issuer or provider.issuer, CLIENT, SECRET), clock)
    routes = [*SignIn(door, office_sign_in=True).build_routes(), *OfficeSignIn(door, asked).build_routes()]
    door.routes = frozenset(route.path for route in routes if isinstance(route, Route))
    policy = build_content_security_policy("")
    app = Starlette(
        routes=[*routes, Route("/{path:path}", answer)],
        middleware=[Middleware(Guard, policy=policy), Middleware(Door, state=door)],
    )
    return Office(store, clock, sessions, app, provider)


def fill(store: Store, clock: Clock, issuer: str) -> None:
    """An officer who signs in at the office; an auditor and an administrator with passwords."""
    for name, role in (("officer07", Role.OFFICER), ("audit1", Role.AUDITOR), ("chief", Role.ADMIN)):
        account = add_account(store, name, role, password=FIRST, clock=clock)
        if name != "officer07":
            change_password(store, account.account_id, FIRST, OWN, clock=clock)
    allow_office_sign_in(store, "officer07", issuer, clock=clock)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, running: OfficeProvider) -> Path:
    """Folder of a store with its accounts, to be copied: passwords are hashed slowly on purpose."""
    folder = tmp_path_factory.mktemp("filled")
    with Store(folder / "real.duckdb", clock=Clock()) as store:
        fill(store, Clock(), running.issuer)
    return folder


@contextmanager
def open_office(filled: Path, folder: Path, running: OfficeProvider) -> Iterator[Office]:
    shutil.copytree(filled, folder)
    clock = Clock()
    running.plan = Plan(lambda: int(clock().timestamp()))
    with Store(folder / "real.duckdb", clock=clock) as store:
        built = build_office(store, clock, running)
        yield built
        built.sessions.close()


@pytest.fixture
def office(filled: Path, tmp_path: Path, running: OfficeProvider) -> Iterator[Office]:
    with open_office(filled, tmp_path / "home", running) as opened:
        yield opened


def read_target(page: Response) -> str:
    """Where a page goes on to by itself."""
    found = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]*)">', page.text)
    assert found, page.text
    return html.unescape(found[1])


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


# Tokens that prove nothing


def sign_with_nothing(claims: Claims) -> str:
    return f"{encode({'alg': 'none', 'typ': 'JWT'})}.{encode(claims)}."


def sign_with_what_is_public(claims: Claims) -> str:
    """The classic: HS256, the public key as it is published taken for a secret."""
    signed = f"{encode({'alg': 'HS256', 'typ': 'JWT', 'kid': 'old'})}.{encode(claims)}"
    mac = hmac.new(RSA["old"].as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def sign_with_a_key_of_ones_own(claims: Claims) -> str:
    own = ECKey.generate_key("P-256")
    return jwt.encode({"alg": "ES256", "kid": "ec", "jwk": own.as_dict(private=False)}, claims, own)


def encode(part: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def swap_claims(claims: Claims) -> str:
    head, _, mac = jwt.encode({"alg": "RS256", "kid": "old"}, claims, RSA["old"]).split(".")
    return f"{head}.{encode(claims | {'sub': 'somebody else'})}.{mac}"


NOW = int(Clock()().timestamp())
WRONG: dict[str, tuple[Claims, Callable[[Claims], str] | None, str]] = {
    "another nonce": ({"nonce": "x"}, None, "nonce"),
    "no nonce": ({"nonce": None}, None, "nonce"),
    "nonces": ({"nonce": ["x"]}, None, "nonce"),
    "another audience": ({"aud": "mail"}, None, "aud"),
    "no audience": ({"aud": None}, None, "aud"),
    "audiences and nobody authorised": ({"aud": [CLIENT, "mail"]}, None, "azp"),
    "audiences and another authorised": ({"aud": [CLIENT, "mail"], "azp": "mail"}, None, "azp"),
    "another authorised": ({"azp": "mail"}, None, "azp"),
    "another issuer": ({"iss": "https://id.example"}, None, "iss"),
    "issuer with a stroke more": ({"iss": "{issuer}/"}, None, "iss"),
    "no issuer": ({"iss": None}, None, "iss"),
    "expired": ({"iat": NOW - 400, "exp": NOW - 60}, None, "exp"),
    "no end": ({"exp": None}, None, "exp"),
    "an end that is no time": ({"exp": "2099-01-01"}, None, "exp"),
    "from the future": ({"iat": NOW + 61}, None, "iat"),
    "not yet": ({"nbf": NOW + 61}, None, "nbf"),
    "no subject": ({"sub": None}, None, "sub"),
    "empty subject": ({"sub": ""}, None, "sub"),
    "a number as subject": ({"sub": 7}, None, "sub"),
    "a long subject": ({"sub": "x" * 256}, None, "sub"),
    "alg none": ({}, sign_with_nothing, "unsupported_algorithm"),
    "HS256 with the public key": ({}, sign_with_what_is_public, "unsupported_algorithm"),
    "RS512, which is not on our list": (
        {}, lambda c: jwt.encode({"alg": "RS512", "kid": "old"}, c, RSA["old"], ["RS512"]), "unsupported_algorithm",
    ),
    "a key in its own header": ({}, sign_with_a_key_of_ones_own, "bad_signature"),
    "a key that is not for signatures": (
        {}, lambda c: jwt.encode({"alg": "RS256", "kid": "enc"}, c, RSA["new"]), "key",
    ),
    "other claims than were signed": ({}, swap_claims, "bad_signature"),
    "no token at all": ({}, lambda _: "no.token", "decode_error"),
}  # fmt: skip


@pytest.fixture(scope="module")
def refusing(filled: Path, tmp_path_factory: pytest.TempPathFactory, running: OfficeProvider) -> Iterator[Office]:
    """One house for all tokens that are refused: they change nothing of it."""
    with open_office(filled, tmp_path_factory.mktemp("refusing") / "home", running) as opened:
        yield opened


@pytest.mark.parametrize("name", WRONG)
def test_a_token_that_proves_nothing_is_refused(refusing: Office, name: str) -> None:
    claims, sign, why = WRONG[name]
    office = refusing
    claims = {k: v.replace("{issuer}", office.provider.issuer) if isinstance(v, str) else v for k, v in claims.items()}
    office.provider.plan = Plan(lambda: NOW, claims=claims, sign=sign)
    # Each from an address of its own: one alone would be told that it tries too often.
    client = TestClient(
        office.app, base_url="http://localhost:8501", follow_redirects=False, headers=PAGE,
        client=(f"127.0.0.{list(WRONG).index(name) + 2}", 5),
    )  # fmt: skip
    page = office.go(client)
    assert page.status_code == 401
    assert REFUSED in page.text
    assert SESSION_COOKIE not in client.cookies
    assert client.get("/").status_code == 303
    assert office.refusals()[-1] == ("unknown", f"office_token_{why}")


@pytest.mark.parametrize(
    ("claims", "sign"),
    [
        ({"aud": [CLIENT]}, None),
        ({"aud": [CLIENT, "mail"], "azp": CLIENT}, None),
        ({"iat": NOW - 400, "exp": NOW - 59}, None),  # a clock that is a minute late
        ({"iat": NOW + 60, "exp": NOW + 300}, None),
        ({}, lambda c: jwt.encode({"alg": "PS256", "kid": "old", "x5t": "abc", "own": 1}, c, RSA["old"], ["PS256"],
                                  oidc_provider.JWSRegistry(algorithms=["PS256"], strict_check_header=False))),
        ({}, lambda c: jwt.encode({"alg": "ES256", "kid": "ec"}, c, EC)),
    ],
    ids=["one audience", "two audiences", "late", "early", "PS256", "ES256"],
)  # fmt: skip
def test_a_token_that_is_right_otherwise_is_taken(
    office: Office, claims: Claims, sign: Callable[[Claims], str] | None
) -> None:
    office.provider.plan.claims, office.provider.plan.sign = claims, sign
    assert office.go(office.open()).status_code == 200


@given(place=st.integers(0, 400), letter=st.sampled_from("abcXYZ019-_.="))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_letter_of_a_token_can_be_changed(running: OfficeProvider, asked: Provider, place: int, letter: str) -> None:
    def change(claims: Claims) -> str:
        token = jwt.encode({"alg": "RS256", "kid": "old"}, claims, RSA["old"])
        signed = token.rpartition(".")[0]
        where = place % len(signed)
        return token[:where] + (letter if token[where] != letter else "A") + token[where + 1 :]

    running.plan = Plan(lambda: NOW)
    assert asyncio.run(redeem(asked)) == "person-1"
    running.plan.sign = change
    assert asyncio.run(redeem(asked)) is None


@pytest.fixture(scope="module")
def asked(running: OfficeProvider) -> Provider:
    """Our side alone, without its pages."""
    return Provider(ProviderOptions(running.issuer, CLIENT, SECRET), Clock())


async def redeem(asked: Provider) -> str | None:
    """The subject that a provider's code is redeemed for, None when its answer proves nothing."""
    way = {"redirect_uri": "http://localhost:8501/oidc/return", "nonce": "n" * 43, "verifier": "v" * 43}
    address = await asked.build_address(state="s" * 43, **way)
    back = await asyncio.to_thread(httpx.get, address, trust_env=False, verify=TRUST)
    code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
    try:
        return (await asked.redeem(code, **way)).subject
    except BadTokenError:
        return None


@pytest.mark.parametrize(
    ("secret", "method"), [(SECRET, "client_secret_basic"), (SECRET, "client_secret_post"), (None, "none")]
)
def test_the_client_proves_itself_as_the_provider_wants_it(
    running: OfficeProvider, secret: str | None, method: str
) -> None:
    running.plan = Plan(lambda: NOW, secret=secret, method=method)
    options = ProviderOptions(running.issuer, CLIENT, secret)
    assert asyncio.run(redeem(Provider(options, Clock()))) == "person-1"
    assert asyncio.run(redeem(Provider(replace(options, client_secret="another"), Clock()))) is None


# Keys


def test_a_new_key_is_fetched_once_and_an_unknown_one_is_refused(office: Office) -> None:
    plan = office.provider.plan
    office.go(office.open())
    plan.kid, plan.published = "new", ("new",)
    plan.asked.clear()
    assert office.go(office.open()).status_code == 200
    assert plan.asked == ["/authorize", "/token", "/keys"]
    assert office.go(office.open()).status_code == 200
    assert plan.asked == ["/authorize", "/token", "/keys", "/authorize", "/token"]
    plan.kid = "old"
    plan.asked.clear()
    assert office.go(office.open()).status_code == 401
    assert plan.asked == ["/authorize", "/token", "/keys"], "asked once more, not for ever"


def test_a_key_that_was_taken_back_is_trusted_an_hour_at_most(office: Office) -> None:
    office.go(office.open())
    office.provider.plan.published = ("new",)
    office.clock.now += timedelta(minutes=59)
    assert office.go(office.open()).status_code == 200
    office.clock.now += timedelta(minutes=1)
    assert office.go(office.open()).status_code == 401


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


# Who may


def change_nothing(_: Office) -> None:
    return


def disable(office: Office) -> None:
    disable_account(office.store, "officer07", clock=office.clock)


def bind_to_another(office: Office) -> None:
    office.go(office.open())
    office.provider.plan.person = {"sub": "person-2", "preferred_username": "officer07"}


def disable_when_bound(office: Office) -> None:
    office.go(office.open())
    disable(office)


def allow_elsewhere(office: Office) -> None:
    allow_office_sign_in(office.store, "officer07", "https://id.example", clock=office.clock)


def end(office: Office) -> None:
    office.go(office.open())
    end_office_sign_in(office.store, "officer07", clock=office.clock)


PEOPLE: dict[str, tuple[str | None, Callable[[Office], None], str, str]] = {
    "unknown": ("nobody", change_nothing, "unknown", "unknown_name"),
    "without a name": (None, change_nothing, "unknown", "unknown_name"),
    "in capitals": ("Officer07", change_nothing, "unknown", "unknown_name"),
    "an account with a password only": ("chief", change_nothing, "chief", "office_not_allowed"),
    "disabled": ("officer07", disable, "officer07", "disabled"),
    "disabled when bound": ("officer07", disable_when_bound, "officer07", "disabled"),
    "another subject of the same name": ("officer07", bind_to_another, "officer07", "office_other_subject"),
    "allowed at another provider": ("officer07", allow_elsewhere, "officer07", "office_not_allowed"),
    "no longer allowed": ("officer07", end, "officer07", "office_not_allowed"),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_who_may_not_is_told_one_sentence_and_the_log_says_why(office: Office, who: str) -> None:
    name, prepare, actor, why = PEOPLE[who]
    office.provider.plan.person["preferred_username"] = name
    prepare(office)
    before = office.store.read("SELECT * FROM accounts ORDER BY name")
    client = office.open()
    page = office.go(client)
    assert page.status_code == 401
    assert page.text == refuse_plainly(office), "one sentence for all"
    assert SESSION_COOKIE not in client.cookies
    assert office.refusals()[0] == (actor, why)
    assert before.equals(office.store.read("SELECT * FROM accounts ORDER BY name"))


def refuse_plainly(office: Office) -> str:
    """The page that somebody is shown whose token is expired."""
    office.provider.plan.claims = {"exp": 1}
    return str(office.go(office.open()).text)


def test_an_account_of_the_office_has_no_password_any_more(office: Office) -> None:
    assert sign_in(office.open(), "officer07", FIRST).status_code == 401
    for _ in range(6):  # guessing closes it for passwords, and keeps nobody out who comes from the office
        sign_in(office.open(), "officer07", "x" * 12)
    assert office.go(office.open()).status_code == 200


def test_a_session_ends_when_its_account_is_disabled_or_no_longer_allowed(office: Office) -> None:
    client = office.open()
    office.go(client)
    assert client.get("/whoami").status_code == 200
    end(office)
    assert client.get("/whoami", headers={"accept": "*/*"}).status_code == 401


def test_a_dutys_account_goes_to_another_person_when_the_administrator_says_so(office: Office) -> None:
    bind_to_another(office)
    assert office.go(office.open()).status_code == 401
    allow_office_sign_in(office.store, "officer07", office.provider.issuer, clock=office.clock)
    assert office.go(office.open()).status_code == 200
    office.provider.plan.person["sub"] = "person-1"
    assert office.go(office.open()).status_code == 401


def test_an_administrator_can_name_the_subject(office: Office) -> None:
    issuer = office.provider.issuer
    allow_office_sign_in(office.store, "audit1", issuer, subject="person-9", clock=office.clock)
    office.provider.plan.person = {"sub": "person-8", "preferred_username": "audit1"}
    assert office.go(office.open()).status_code == 401
    office.provider.plan.person = {"sub": "person-9", "preferred_username": "anything"}
    client = office.open()
    office.go(client)
    assert client.get("/whoami").json() == {"role": "auditor"}
    with pytest.raises(RefusedError, match="signs in as 'audit1' already"):
        allow_office_sign_in(office.store, "officer07", issuer, subject="person-9", clock=office.clock)


def test_the_last_administrator_keeps_the_password(office: Office) -> None:
    issuer = office.provider.issuer
    with pytest.raises(RefusedError, match="'chief' is the last administrator with a password"):
        allow_office_sign_in(office.store, "chief", issuer, clock=office.clock)
    add_account(office.store, "second", Role.ADMIN, password=FIRST, clock=office.clock)
    allow_office_sign_in(office.store, "chief", issuer, clock=office.clock)
    with pytest.raises(RefusedError, match="'second' is the last"):
        allow_office_sign_in(office.store, "second", issuer, clock=office.clock)


@pytest.mark.parametrize(
    ("issuer", "subject"), [("", None), ("id.example", None), ("https://a", ""), ("https://a", "x" * 256)]
)
def test_what_cannot_be_an_issuer_or_a_subject(office: Office, issuer: str, subject: str | None) -> None:
    with pytest.raises(BadRecordError):
        allow_office_sign_in(office.store, "officer07", issuer, subject=subject, clock=office.clock)


def test_the_command_line_allows_and_ends_it(office: Office) -> None:
    store, clock, issuer = office.store, office.clock, office.provider.issuer
    made = run(store, clock, "user-office", {"name": "audit1", "issuer": issuer})
    assert (made["name"], made["issuer"], made["must_change"]) == ("audit1", issuer, False)
    assert run(store, clock, "user-office", {"name": "audit1", "off": True})["issuer"] is None
    with pytest.raises(BadRecordError, match="SHAPAN_OIDC_ISSUER"):
        run(store, clock, "user-office", {"name": "audit1", "issuer": None})
    reset_password(store, "audit1", password=OWN + "x", clock=clock)
    assert sign_in(office.open(), "audit1", OWN + "x").headers["location"] == "/password"


# Settings

GOOD = {"SHAPAN_OIDC_ISSUER": "https://id.example/realms/office", "SHAPAN_OIDC_CLIENT_ID": "shapan"}


def test_without_settings_there_is_no_such_sign_in(office: Office) -> None:
    assert find_provider_options({"PATH": "/bin", "SHAPAN_OIDC_ISSUER": ""}) is None
    door = DoorState(office.store, office.clock, office.sessions, is_demo=False)
    routes = SignIn(door).build_routes()
    client = TestClient(Starlette(routes=routes), base_url="http://localhost")
    assert "/oidc/start" not in client.get("/login").text
    assert client.get("/oidc/start").status_code == 404


def test_settings_are_read(tmp_path: Path) -> None:
    found = find_provider_options({**GOOD, "SHAPAN_OIDC_CLIENT_SECRET": "s3cret"})
    assert found == ProviderOptions("https://id.example/realms/office", "shapan", "s3cret")
    assert "s3cret" not in repr(found)
    path = tmp_path / "secret"
    path.write_text("of the file\n")
    path.chmod(0o600)
    found = find_provider_options({**GOOD, "SHAPAN_OIDC_CLIENT_SECRET_FILE": str(path)})
    assert found
    assert found.client_secret == "of the file"
    path.chmod(0o644)
    with pytest.raises(RefusedError, match="chmod 600"):
        find_provider_options({**GOOD, "SHAPAN_OIDC_CLIENT_SECRET_FILE": str(path)})


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"SHAPAN_OIDC_ISSUER": "http://id.example"}, "SHAPAN_OIDC_ISSUER is 'http://id.example'"),
        ({"SHAPAN_OIDC_ISSUER": ""}, "SHAPAN_OIDC_ISSUER"),
        ({"SHAPAN_OIDC_ISSUER": "https://id.example?a=b"}, "SHAPAN_OIDC_ISSUER"),
        ({"SHAPAN_OIDC_ISSUER": "https://me:secret@id.example"}, "SHAPAN_OIDC_ISSUER"),
        ({"SHAPAN_OIDC_CLIENT_ID": ""}, "SHAPAN_OIDC_CLIENT_ID is missing"),
        ({"SHAPAN_OIDC_CLIENT_SECRET": "a", "SHAPAN_OIDC_CLIENT_SECRET_FILE": "b"}, "both set"),
        ({"SHAPAN_OIDC_CLIENT_SECRET_FILE": "nowhere"}, "nowhere, which cannot be read"),
        ({"SHAPAN_OIDC_CLIENT_SECRET": "密码"}, "printable ASCII"),
        ({"SHAPAN_OIDC_CA_FILE": "nowhere.pem"}, "SHAPAN_OIDC_CA_FILE names nowhere.pem"),
    ],
)
def test_settings_that_cannot_be_used_are_named(more: dict[str, str], named: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(named)):
        find_provider_options(GOOD | more)


@given(st.text(max_size=60))
def test_only_https_or_this_machine_is_asked(text: str) -> None:
    for address in (text, f"http://{text}", f"http://id.example/{text}", f"https://u:p@{text}"):
        if is_allowed_address(address):
            parts = httpx.URL(address)  # another parser
            assert parts.scheme == "https" or parts.host in {"localhost", "127.0.0.1", "::1"}
            assert not parts.userinfo

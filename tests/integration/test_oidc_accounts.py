"""The office's own sign-in: which accounts may, what the log says of the others, and the settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.accounts import add_account, disable_account, reset_password
from data.office_accounts import allow_office_sign_in, end_office_sign_in
from data.viewer import Role
from gis.errors import BadRecordError, RefusedError
from server.access import run
from server.door import SESSION_COOKIE, DoorState
from server.oidc_options import ProviderOptions, find_provider_options, is_allowed_address
from server.signin import SignIn
from tests.fixtures.office_house import Office
from tests.integration.test_door import FIRST, OWN, sign_in

pytest_plugins = ["tests.fixtures.office_house"]


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

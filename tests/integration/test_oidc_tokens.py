"""The office's own sign-in: which tokens and keys of a provider are taken, and all that must not be."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from server import oidc_provider
from server.door import SESSION_COOKIE
from server.oidc_options import ProviderOptions
from server.oidc_provider import BadTokenError, Provider
from tests.fixtures.loops import run_async
from tests.fixtures.office_house import REFUSED, TRUST, Office, open_office
from tests.fixtures.office_provider import CLIENT, EC, RSA, SECRET, Claims, OfficeProvider, Plan
from tests.integration.test_door import PAGE, Clock

pytest_plugins = ["tests.fixtures.office_house"]


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
    assert run_async(redeem(asked)) == "person-1"
    running.plan.sign = change
    assert run_async(redeem(asked)) is None


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
    assert run_async(redeem(Provider(options, Clock()))) == "person-1"
    assert run_async(redeem(Provider(replace(options, client_secret="another"), Clock()))) is None


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

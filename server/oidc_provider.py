"""
The office's own provider of sign-ins (OIDC): what it says of itself, its keys, and whom it vouches for.

Only the host that the administrator named is asked, and only when somebody signs in: its metadata and keys, kept for an
hour, and once per sign-in its token endpoint. Of the ID token `sub` and `preferred_username` are read; none is kept.
Followed: OpenID Connect Core 1.0 (3.1.3.7), Discovery 1.0 (4.3), RFC 7636 (PKCE), RFC 9700 (security practice).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import prepare_token_request  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry

from data.office_accounts import MAX_SUBJECT, OfficePerson
from data.store import Clock
from server.oidc_options import ProviderOptions, is_allowed_address

ALGORITHMS = ("RS256", "ES256", "PS256")
"""Signatures that are taken: of a pair of keys, so that what is public cannot sign. Never "none", never HS256."""
LEEWAY_S = 60
ANSWER_S = 10.0  # the whole of one question: somebody waits in front of the page
KEPT = timedelta(hours=1)  # a key that the provider takes back is trusted no longer than this
_TIMEOUT = httpx.Timeout(5.0, connect=3.0)
_MAX_BYTES = 512 * 1024
_WELL_KNOWN = "/.well-known/openid-configuration"
_KEY_KINDS = frozenset({"RSA", "EC"})
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


class ProviderDownError(Exception):
    """The provider does not answer, or not as one; its text is for the log and quotes nothing of the answer."""


class BadTokenError(Exception):
    """The provider answered, and what it answered proves nothing; its text is a code for the log."""


@dataclass(frozen=True)
class Metadata:
    """What is used of the provider's metadata."""

    authorization: str
    token: str
    keys: str
    auth_methods: tuple[str, ...]


class Provider:
    """Asks the provider; used from the server's event loop."""

    def __init__(self, options: ProviderOptions, clock: Clock) -> None:
        self.options = options
        self._clock = clock
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, KeySet] | None = None
        self._trust: ssl.SSLContext | None = None

    async def build_address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in; raises `ProviderDownError`."""
        metadata = await self._get_metadata()
        client = self._build_client(redirect_uri)
        address, _ = client.create_authorization_url(
            metadata.authorization, state=state, code_verifier=verifier, nonce=nonce
        )
        return str(address)

    async def redeem(self, code: str, *, redirect_uri: str, nonce: str, verifier: str) -> OfficePerson:
        """
        Who signed in there, for the code that the browser brought back.

        Raises
        ------
        ProviderDownError
            It does not answer.
        BadTokenError
            It does not take the code, or its token is not for us, now, and this browser.
        """
        metadata = await self._get_metadata()
        client = self._build_client(redirect_uri)
        body = prepare_token_request("authorization_code", "", redirect_uri, code=code, code_verifier=verifier)
        method = self._choose_method(metadata)
        address, headers, body = client.client_auth(method).prepare("POST", metadata.token, dict(_FORM), body)
        status, answer = await self._ask("POST", address, headers=headers, content=body)
        if 400 <= status < 500 and "error" in answer:
            raise BadTokenError("code_refused")
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise ProviderDownError("the token endpoint gave no ID token")
        return self._to_person(await self._read_claims(token), nonce)

    def _build_client(self, redirect_uri: str) -> OAuth2Client:
        """Authlib's flow without its transport: that one follows the environment's proxies and redirects by default."""
        return OAuth2Client(
            None,
            client_id=self.options.client_id,
            client_secret=self.options.client_secret,
            scope="openid profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _choose_method(self, metadata: Metadata) -> str:
        if not self.options.client_secret:
            return "none"
        is_post_only = (
            "client_secret_post" in metadata.auth_methods and "client_secret_basic" not in metadata.auth_methods
        )
        return "client_secret_post" if is_post_only else "client_secret_basic"

    async def _get_metadata(self) -> Metadata:
        if self._metadata is None or not self._is_fresh(self._metadata[0]):
            status, answer = await self._ask("GET", self.options.issuer.rstrip("/") + _WELL_KNOWN)
            if status != 200:
                raise ProviderDownError(f"its metadata answered {status}")
            self._metadata = (self._clock(), self._to_metadata(answer))
        return self._metadata[1]

    def _to_metadata(self, answer: Mapping[str, Any]) -> Metadata:
        if answer.get("issuer") != self.options.issuer:
            raise ProviderDownError("its metadata names another issuer than SHAPAN_OIDC_ISSUER")
        methods = answer.get("token_endpoint_auth_methods_supported")
        metadata = Metadata(
            authorization=str(answer.get("authorization_endpoint")),
            token=str(answer.get("token_endpoint")),
            keys=str(answer.get("jwks_uri")),
            auth_methods=tuple(map(str, methods)) if isinstance(methods, list) else (),
        )
        if not all(map(is_allowed_address, (metadata.authorization, metadata.token, metadata.keys))):
            raise ProviderDownError("its metadata names an address that is not https")
        host = urlsplit(self.options.issuer).hostname
        if any(urlsplit(address).hostname != host for address in (metadata.token, metadata.keys)):
            raise ProviderDownError("its metadata names another host, which is not asked")
        return metadata

    async def _read_claims(self, token: str) -> dict[str, Any]:
        """Claims of a token whose signature holds; with keys fetched anew, once, when it names one that is unknown."""
        was_fetched = self._keys is None or not self._is_fresh(self._keys[0])
        try:
            return _decode(token, await self._fetch_keys() if was_fetched or self._keys is None else self._keys[1])
        except InvalidKeyIdError:
            if was_fetched:
                raise BadTokenError("key") from None
        try:
            return _decode(token, await self._fetch_keys())
        except InvalidKeyIdError:
            raise BadTokenError("key") from None

    async def _fetch_keys(self) -> KeySet:
        status, answer = await self._ask("GET", (await self._get_metadata()).keys)
        listed = answer.get("keys")
        if status != 200 or not isinstance(listed, list):
            raise ProviderDownError(f"its keys answered {status}")
        keys = KeySet([key for one in listed if (key := _find_key(one)) is not None])
        self._keys = (self._clock(), keys)
        return keys

    def _to_person(self, claims: Mapping[str, Any], nonce: str) -> OfficePerson:
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock().timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.options.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self.options.client_id},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except JoseError as error:
            raise BadTokenError(str(getattr(error, "claim", error.error))) from None
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise BadTokenError("nonce")
        is_for_others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (is_for_others or "azp" in claims) and claims.get("azp") != self.options.client_id:
            raise BadTokenError("azp")
        subject, name = claims["sub"], claims.get("preferred_username")
        if len(subject) > MAX_SUBJECT:
            raise BadTokenError("sub")
        return OfficePerson(self.options.issuer, subject, name if isinstance(name, str) else None)

    def _is_fresh(self, fetched: datetime) -> bool:
        """Also over when the clock went back: nobody knows then how old it is."""
        return timedelta() <= self._clock() - fetched < KEPT

    async def _ask(self, method: str, address: str, **values: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of one answer; no redirect, no proxy, no more than so many seconds and bytes."""
        try:
            async with (
                asyncio.timeout(ANSWER_S),
                self._open() as client,
                client.stream(method, address, **values) as got,
            ):
                content = b""
                async for part in got.aiter_bytes():
                    content += part
                    if len(content) > _MAX_BYTES:
                        raise ProviderDownError("its answer is too long")
            answer = json.loads(content)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise ProviderDownError(f"no answer: {type(error).__name__}") from None
        except (ValueError, RecursionError):
            raise ProviderDownError("its answer is no JSON") from None
        if not isinstance(answer, dict):
            raise ProviderDownError("its answer is no JSON object")
        return got.status_code, answer

    def _open(self) -> httpx.AsyncClient:
        if self._trust is None:
            self._trust = ssl.create_default_context()
            if self.options.ca_file is not None:
                self._trust.load_verify_locations(self.options.ca_file)
        return httpx.AsyncClient(verify=self._trust, trust_env=False, follow_redirects=False, timeout=_TIMEOUT)


def _find_key(listed: object) -> Key | None:
    """A key that can verify a signature of ours; others in the list are passed over (RFC 7517, 5)."""
    if not isinstance(listed, dict) or listed.get("kty") not in _KEY_KINDS or listed.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(listed)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _decode(token: str, keys: KeySet) -> dict[str, Any]:
    # Providers put parameters of their own into the header; those that must be understood ("crit") are refused.
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        return jwt.decode(token, keys, algorithms=ALGORITHMS, registry=registry).claims
    except InvalidKeyIdError:
        raise
    except (JoseError, ValueError, TypeError) as error:
        raise BadTokenError(getattr(error, "error", "") or "signature") from None

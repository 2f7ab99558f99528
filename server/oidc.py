"""
Signing in at the office's own provider: there and back (OIDC, authorization code with PKCE).

What was begun is kept in memory for ten minutes, belongs to the browser that began it and is used once. The cookie for
that is SameSite=Lax, because the way back is a navigation from another site. The session's own cookie stays Strict: so
the answer there is a page of ours that goes on by itself, and not a redirect, which a browser would follow as part of
the other site's navigation, without the cookie that it was just given.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from data.audit import Entry, record
from data.drills import is_drill
from data.office_accounts import OfficePerson, OfficeRefusal, sign_in_from_office
from i18n import Language, t
from server.door import SESSION_COOKIE, DoorState, choose_return, find_address
from server.oidc_provider import BadTokenError, Provider, ProviderDownError
from server.pages import HEADERS, build_note, build_page
from server.signin import find_language
from server.tries import Tries

BROWSER_COOKIE = "shapan_oidc"
LASTS = timedelta(minutes=10)
MAX_BEGUN = 1000  # some hundred bytes each; an office begins a handful at once
_MAX_CODE = 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Begun:
    """One sign-in on its way: which browser began it, when, and what its return has to fit."""

    browser: str
    began: datetime
    nonce: str
    verifier: str
    redirect_uri: str
    wanted: str
    lang: Language


@dataclass(frozen=True)
class OfficeSignIn:
    """The two addresses of one process."""

    door: DoorState
    provider: Provider
    _begun: dict[str, Begun] = field(default_factory=dict)
    _tries: Tries = field(default_factory=Tries)

    def build_routes(self) -> list[BaseRoute]:
        """Their addresses."""
        return [
            Route("/oidc/start", self.start, methods=["GET"]),
            Route("/oidc/return", self.take_return, methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider."""
        lang, wanted = find_language(request), choose_return(request.query_params.get("next"))
        if self._tries.is_too_often(find_address(request.scope) or ""):
            return self._say(lang, "door.too_often", 429, wanted=wanted)
        browser = request.cookies.get(BROWSER_COOKIE, "")
        if not 40 <= len(browser) <= 60:
            browser = secrets.token_urlsafe(32)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        redirect_uri = f"{request.url.scheme}://{request.url.netloc}/oidc/return"
        try:
            address = await self.provider.build_address(
                redirect_uri=redirect_uri, state=state, nonce=nonce, verifier=verifier
            )
        except ProviderDownError as error:
            return self._say_down(lang, error, wanted)
        self._keep(state, Begun(_digest(browser), self.door.clock(), nonce, verifier, redirect_uri, wanted, lang))
        answer = RedirectResponse(address, 303, headers=HEADERS)
        answer.set_cookie(
            BROWSER_COOKIE,
            browser,
            max_age=int(LASTS.total_seconds()),
            path="/oidc/",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    async def take_return(self, request: Request) -> Response:
        """Who comes back: a session, or the one sentence for every reason."""
        begun = self._take(request.query_params.get("state", ""), request.cookies.get(BROWSER_COOKIE, ""))
        if begun is None:
            return self._say(find_language(request), "oidc.stale", 400)
        lang, address = begun.lang, find_address(request.scope)
        code = request.query_params.get("code", "")
        if not 0 < len(code) <= _MAX_CODE or "error" in request.query_params:
            return self._say(lang, "oidc.not_done", 400, wanted=begun.wanted)
        try:
            if request.query_params.get("iss", self.provider.options.issuer) != self.provider.options.issuer:
                raise BadTokenError("iss")  # RFC 9207: an answer of another provider
            person = await self.provider.redeem(
                code, redirect_uri=begun.redirect_uri, nonce=begun.nonce, verifier=begun.verifier
            )
        except ProviderDownError as error:
            return self._say_down(lang, error, begun.wanted)
        except BadTokenError as error:
            await run_in_threadpool(self._note_bad_token, str(error), address)
            return self._say(lang, "oidc.refused", 401, wanted=begun.wanted)
        token = await run_in_threadpool(self._sign_in, person, address)
        if token is None:
            return self._say(lang, "oidc.refused", 401, wanted=begun.wanted)
        answer = self._go_on(lang, begun.wanted)
        answer.delete_cookie(BROWSER_COOKIE, path="/oidc/")
        is_secure = request.url.scheme == "https"
        answer.set_cookie(SESSION_COOKIE, token, path="/", httponly=True, samesite="strict", secure=is_secure)
        return answer

    def _sign_in(self, person: OfficePerson, address: str | None) -> str | None:
        result = sign_in_from_office(self.door.store, person, clock=self.door.clock, address=address)
        if isinstance(result, OfficeRefusal):
            return None
        return self.door.sessions.start(result, address=address)

    def _note_bad_token(self, why: str, address: str | None) -> None:
        detail = {"why": f"office_token_{why}", "how": "office"}
        record(
            self.door.store, Entry("sign_in_refused", "unknown", address=address, detail=detail), clock=self.door.clock
        )

    def _keep(self, state: str, begun: Begun) -> None:
        for known in [s for s, one in self._begun.items() if not self._lasts(one)]:
            del self._begun[known]
        while len(self._begun) >= MAX_BEGUN:  # the oldest goes: who began it begins again
            del self._begun[next(iter(self._begun))]
        self._begun[state] = begun

    def _take(self, state: str, browser: str) -> Begun | None:
        """What this browser began; another one's stays, so that nobody can spoil it by guessing."""
        begun = self._begun.get(state)
        if begun is None or not hmac.compare_digest(begun.browser, _digest(browser)):
            return None
        del self._begun[state]
        return begun if self._lasts(begun) else None

    def _lasts(self, begun: Begun) -> bool:
        """Also over when the clock went back: nobody knows then how old it is."""
        return timedelta() <= self.door.clock() - begun.began < LASTS

    # Pages

    def _say_down(self, lang: Language, error: ProviderDownError, wanted: str) -> Response:
        _log.warning("The office's provider of sign-ins does not serve.", extra={"fields": {"why": str(error)}})
        return self._say(lang, "oidc.down", 503, wanted=wanted)

    def _say(self, lang: Language, key: str, status: int, *, wanted: str = "/") -> Response:
        """One sentence, and the way back to the sign-in page."""
        back = f'<a class="button" href="{escape(_login(lang, wanted))}">{t("door.back", lang)}</a>'
        return build_page(
            t("oidc.title", lang),
            build_note(t(key, lang)) + back,
            lang=lang,
            other=_login("en" if lang == "zh" else "zh", wanted),
            status=status,
            is_drill=is_drill(self.door.store),
        )

    def _go_on(self, lang: Language, wanted: str) -> Response:
        """Signed in: on to where they wanted to go, by itself; the link is for browsers that do not."""
        body = f'<p>{t("oidc.done", lang)}</p><a class="button" href="{escape(wanted)}">{t("oidc.go_on", lang)}</a>'
        marked = is_drill(self.door.store)
        return build_page(t("oidc.title", lang), body, lang=lang, other=wanted, go_on=wanted, is_drill=marked)


def _digest(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


def _login(lang: Language, wanted: str) -> str:
    """The sign-in page's address in that language."""
    return f"/login?{urlencode({'next': wanted, 'lang': lang})}"

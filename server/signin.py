"""
Signing in and out, changing one's password, and choosing a role in the demo: plain pages.

Every form carries a value that only our own page can know (a keyed hash of a random cookie), so that no other page can
send it, even where a browser ignores SameSite.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from data.accounts import Refusal, change_password, sign_in
from data.drills import is_drill
from data.sessions import Session
from data.viewer import Role
from gis.errors import ShapanError
from i18n import Language, check_language, t
from server.door import DEMO_COOKIE, SESSION_COOKIE, DoorState, choose_return, find_address, find_viewer
from server.pages import HEADERS, build_field, build_form, build_note, build_page
from server.tries import Tries

FORM_COOKIE = "shapan_form"
VISIT_COOKIE = "shapan_visit"
"""On a phone that holds a round: how many things wait there to be sent (server/phone_visit/keep.js)"""
_FORM_FIELD = "form"
_DEMO_S = 30 * 24 * 3600


@dataclass(frozen=True)
class SignIn:
    """The sign-in pages of one process."""

    door: DoorState
    office_sign_in: bool = False
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _tries: Tries = field(default_factory=Tries)

    def build_routes(self) -> list[BaseRoute]:
        """Their addresses."""
        return [
            Route("/login", self.show_login, methods=["GET"]),
            Route("/login", self._checked(self.take_login), methods=["POST"]),
            Route("/password", self.show_password, methods=["GET"]),
            Route("/password", self._checked(self.take_password), methods=["POST"]),
            Route("/logout", self.show_logout, methods=["GET"]),
            Route("/logout", self._checked(self.take_logout), methods=["POST"]),
            Route("/whoami", self.answer_who, methods=["GET"]),
            Route("/demo-role", self.take_role, methods=["GET"]),
        ]

    async def show_login(self, request: Request) -> Response:
        """The form, in a demo straight to the wall."""
        if self.door.is_demo:
            return RedirectResponse("/", 303, headers=HEADERS)
        return self._draw_login(request, find_language(request))

    async def take_login(self, request: Request) -> Response:
        """Start a session, or say the one sentence for every reason."""
        form = await request.form()
        if self._tries.is_too_often(find_address(request.scope) or ""):
            lang = check_language(form.get("lang"))
            return self._draw_login(request, lang, note=t("door.too_often", lang), status=429)
        name, password = str(form.get("name", ""))[:200], str(form.get("password", ""))[:200]
        lang, wanted = check_language(form.get("lang")), choose_return(str(form.get("next", "")))
        result = await run_in_threadpool(self._sign_in, name, password, find_address(request.scope))
        if isinstance(result, Refusal):
            return self._draw_login(
                request, lang, note=t("door.refused", lang), status=401, wanted=str(form.get("next", ""))
            )
        wanted = choose_return(str(form.get("next", "")))
        answer = RedirectResponse("/password" if result[1] else wanted, 303, headers=HEADERS)
        self._put_cookie(request, answer, SESSION_COOKIE, result[0])
        return answer

    async def show_password(self, request: Request) -> Response:
        """The form that changes one's password; without a session, the sign-in."""
        session = _get_session(request)
        return self._draw_password(request, find_language(request), session) if session else _to("/")

    async def take_password(self, request: Request) -> Response:
        """Change it and start a new session, or say why not."""
        session = _get_session(request)
        if session is None:
            return _to("/")
        form = await request.form()
        lang = check_language(form.get("lang"))
        old, new, again = (str(form.get(name, ""))[:200] for name in ("old", "new", "again"))
        if new != again:
            return self._draw_password(request, lang, session, note=t("door.not_the_same", lang), status=400)
        try:
            token = await run_in_threadpool(self._change, session, old, new, find_address(request.scope))
        except ShapanError:
            return self._draw_password(request, lang, session, note=t("door.password_refused", lang), status=400)
        answer = _to("/")
        self._put_cookie(request, answer, SESSION_COOKIE, token)
        return answer

    async def show_logout(self, request: Request) -> Response:
        """Asks once: a link alone must not sign anybody out."""
        lang = find_language(request)
        if self.door.is_demo:
            return _to("/")
        if waiting := find_waiting(request):
            note = build_note(t("visit.sign_out_waits", lang, n=waiting))
            link = f'<a class="button" href="/phone/visit?lang={lang}">{t("visit.open", lang)}</a>'
            title = t("door.sign_out_title", lang)
            return self._finish(request, build_page(title, note + link, lang=lang, other=_other(request, lang)))
        form = build_form("/logout", "", t("door.sign_out", lang), hidden=self._hidden(request, lang))
        back = f'<a class="button second" href="/">{t("door.back", lang)}</a>'
        page = self._build(t("door.sign_out_title", lang), form + back, lang, _other(request, lang))
        return self._finish(request, page)

    async def take_logout(self, request: Request) -> Response:
        """End the session; a phone that holds a round of visits is emptied, unless something waits there to be sent."""
        if find_waiting(request):
            return _to("/logout")
        if _get_session(request) is not None:
            await run_in_threadpool(self.door.sessions.end, request.cookies[SESSION_COOKIE], "sign_out")
        answer = _to("/login")
        answer.delete_cookie(SESSION_COOKIE, path="/")
        if VISIT_COOKIE in request.cookies:
            answer.headers["Clear-Site-Data"] = '"cache", "storage"'
            answer.delete_cookie(VISIT_COOKIE, path="/")
        return answer

    async def answer_who(self, request: Request) -> Response:
        """Role of who asks: a page asks it to learn that its session ended."""
        return JSONResponse({"role": find_viewer(request).role.value}, headers=HEADERS)

    async def take_role(self, request: Request) -> Response:
        """In a demo: go on in another role. It shows invented data only, so a link may do it."""
        answer = _to(choose_return(request.query_params.get("next")))
        role = request.query_params.get("role")
        if self.door.is_demo and role in set(Role):
            answer.set_cookie(DEMO_COOKIE, str(role), max_age=_DEMO_S, path="/", httponly=True, samesite="strict")
        return answer

    def _sign_in(self, name: str, password: str, address: str | None) -> tuple[str, bool] | Refusal:
        result = sign_in(self.door.store, name, password, clock=self.door.clock, address=address)
        if isinstance(result, Refusal):
            return result
        return self.door.sessions.start(result, address=address), result.must_change

    def _change(self, session: Session, old: str, new: str, address: str | None) -> str:
        account_id = session.account.account_id
        account = change_password(self.door.store, account_id, old, new, clock=self.door.clock, address=address)
        return self.door.sessions.start(account, address=address)

    def _draw_login(
        self, request: Request, lang: Language, *, note: str = "", status: int = 200, wanted: str | None = None
    ) -> Response:
        wanted = choose_return(request.query_params.get("next") if wanted is None else wanted)
        fields = (
            build_field("name", t("door.name", lang), autocomplete="username")
            + build_field("password", t("door.password", lang), kind="password", autocomplete="current-password")
        )  # fmt: skip
        start = escape(f"/oidc/start?{urlencode({'next': wanted, 'lang': lang})}")
        office = f'<a class="button second" href="{start}">{t("door.office", lang)}</a>'
        form = build_form(
            "/login", fields, t("door.sign_in", lang), hidden={**self._hidden(request, lang), "next": wanted}
        )
        said = build_note(note) if note else ""
        body = f"<p>{t('door.sign_in_text', lang)}</p>{said}{form}{office if self.office_sign_in else ''}"
        other = _other(request, lang, next=wanted)
        return self._finish(request, self._build(t("door.sign_in_title", lang), body, lang, other, status))

    def _draw_password(
        self, request: Request, lang: Language, session: Session, *, note: str = "", status: int = 200
    ) -> Response:
        fields = (
            build_field("old", t("door.old_password", lang), kind="password", autocomplete="current-password")
            + build_field("new", t("door.new_password", lang), kind="password", autocomplete="new-password")
            + build_field("again", t("door.again", lang), kind="password", autocomplete="new-password")
        )
        form = build_form("/password", fields, t("door.change", lang), hidden=self._hidden(request, lang))
        first = f"<p>{t('door.first_password', lang)}</p>" if session.must_change else ""
        body = f"{first}<p>{t('door.password_rules', lang)}</p>{build_note(note) if note else ''}{form}"
        page = self._build(t("door.password_title", lang), body, lang, _other(request, lang), status)
        return self._finish(request, page)

    def _build(self, title: str, body: str, lang: Language, other: str, status: int = 200) -> Response:
        marked = is_drill(self.door.store)
        return build_page(title, body, lang=lang, other=other, status=status, is_drill=marked)

    def _checked(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Only forms that our own page made in this browser."""

        async def answer(request: Request) -> Response:
            form = await request.form(max_files=0, max_fields=10, max_part_size=4096)
            cookie = request.cookies.get(FORM_COOKIE, "")
            if not cookie or not hmac.compare_digest(
                str(form.get(_FORM_FIELD, "")).encode(), self._seal(cookie).encode()
            ):
                lang = check_language(form.get("lang"))
                body = (
                    build_note(t("door.stale_form", lang))
                    + f'<a class="button" href="/login">{t("door.back", lang)}</a>'
                )
                title = t("door.sign_in_title", lang)
                return self._build(title, body, lang, _other(request, lang), 403)
            return await handler(request)

        return answer

    def _seal(self, cookie: str) -> str:
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def _hidden(self, request: Request, lang: Language) -> dict[str, str]:
        cookie = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
        request.state.form_cookie = cookie
        return {_FORM_FIELD: self._seal(cookie), "lang": lang}

    def _finish(self, request: Request, page: Response) -> Response:
        self._put_cookie(request, page, FORM_COOKIE, request.state.form_cookie)
        return page

    def _put_cookie(self, request: Request, answer: Response, name: str, value: str) -> None:
        """For this browser's sitting only: the server says how long it lasts."""
        is_secure = request.url.scheme == "https"
        answer.set_cookie(name, value, path="/", httponly=True, samesite="strict", secure=is_secure)


def find_language(request: Request) -> Language:
    """Language of the address (`?lang=en`), or of the page that it leads to."""
    wanted = request.query_params.get("next", "")
    return check_language("en" if "lang=en" in wanted else request.query_params.get("lang"))


def _get_session(request: Request) -> Session | None:
    session: Session | None = request.scope["state"].get("session")
    return session


def _to(path: str) -> Response:
    return RedirectResponse(path, 303, headers=HEADERS)


def _other(request: Request, lang: Language, **kept: str) -> str:
    return f"{request.url.path}?{urlencode({**kept, 'lang': 'en' if lang == 'zh' else 'zh'})}"


def find_waiting(request: Request) -> int:
    """How many things a round of visits on this device has not sent yet."""
    text = request.cookies.get(VISIT_COOKIE, "")
    return int(text) if text.isdecimal() and len(text) < 6 else 0

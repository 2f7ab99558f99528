"""
The door: who a request comes from, and whether they may have what they ask for.

ASGI middleware inside the guard. Everything but sign-in itself needs a session, Streamlit's pages, files and websocket
included; a session that ends (signed out, idle, revoked) closes what it holds open at that moment. The synthetic sample
on loopback is shown without sign-in, with a switch of roles. What was found is left for the application in
`scope["state"]`: `viewer`, and `session` where there is one.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.audit import build_entry, record
from data.openings import find_openings
from data.rights import Right, get_right
from data.sessions import Session, Sessions
from data.store import Clock, Store
from data.viewer import Role, Viewer
from i18n import LANGUAGES, t
from server.answers import build_refusal

SESSION_COOKIE = "shapan_session"
DEMO_COOKIE = "shapan_demo_role"
DEMO_ROLE = Role.OFFICER
CLOSED_BY_SERVER = 4401
"""Websocket close code of a session that ended."""

# Asked before there is a session, or with a key or token of their own.
_OPEN = frozenset(
    {"/login", "/oidc/start", "/oidc/return", "/health", "/metrics", "/favicon.ico", "/favicon.png"}
    | {"/api/v1/docs", "/api/v1/openapi.json"}
)
_OPEN_PREFIXES = (
    "/connect",
    "/ca.",
    "/api/v1/admin/",
    "/api/v1/incidents",
    "/api/v1/incident-categories",
    "/api/v1/positions",
)
# With a first password nothing else is to be had.
_FIRST = frozenset({"/password", "/logout"})
# What a page asks by itself: it must not keep an empty desk signed in.
_BY_ITSELF = (
    *("/scene/", "/events", "/assets/", "/vendor/", "/static/", "/_stcore/", "/media/", "/whoami"),
    *("/pair/state", "/pair/stream"),
)
_STREAMS = frozenset({"/events", "/pair/stream"})
# Forms and what Streamlit posts; files come in through the command line's own address.
_MAX_BODY_BYTES = 1_000_000
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WITH_FILES = "/api/"


@dataclass
class DoorState:
    """
    What the door and the sign-in pages share.

    Attributes
    ----------
    store, clock, sessions
        Of this process.
    is_demo
        The synthetic sample on loopback: everybody is let in, in the role that they choose.
    routes
        Paths of our own routes as they are written ("/scene/{layer}.json"): their rights are rows of the rights table.
    """

    store: Store
    clock: Clock
    sessions: Sessions
    is_demo: bool
    routes: frozenset[str] = frozenset()
    _held: dict[str, set[asyncio.Event]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loop: asyncio.AbstractEventLoop | None = None

    def __post_init__(self) -> None:
        self.sessions.on_end(self.let_go)

    def let_go(self, session: Session) -> None:
        """End what the session holds open; called on any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, session.session_id)

    def _wake(self, session_id: str) -> None:
        with self._lock:
            held = set(self._held.get(session_id, ()))
        for ended in held:
            ended.set()

    @contextmanager
    def hold(self, session: Session) -> Iterator[asyncio.Event]:
        """An event that is set when the session ends."""
        self._loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        with self._lock:
            self._held.setdefault(session.session_id, set()).add(ended)
        try:
            yield ended
        finally:
            with self._lock:
                self._held[session.session_id].discard(ended)
                if not self._held[session.session_id]:
                    del self._held[session.session_id]


def read_cookie(headers: Headers, name: str) -> str | None:
    """Value of one cookie, None when there is none or the header cannot be read."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


def find_demo_role(text: str | None) -> Role:
    """The role that a demo's visitor chose."""
    return Role(text) if text in set(Role) else DEMO_ROLE


class Door:
    """Wraps the application, inside the guard."""

    def __init__(self, app: ASGIApp, state: DoorState) -> None:
        self._app = app
        self._state = state
        # A path without a parameter comes before one that could be read so.
        self._patterns = [(_compile(path), path) for path in sorted(state.routes, key=lambda path: "{" in path)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if _is_too_large(scope):
            await _answer(build_refusal(413, _both("door.too_large")), scope, receive, send)
            return
        if scope["type"] not in {"http", "websocket"} or path in _OPEN or path.startswith(_OPEN_PREFIXES):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        own = scope.setdefault("state", {})
        if self._state.is_demo:
            role = find_demo_role(read_cookie(headers, DEMO_COOKIE))
            own["viewer"] = replace(build_demo_viewer(self._state.store, role), account_id=None)
            await self._let_in(scope, receive, send, None)
            return
        is_busy = scope["type"] == "http" and not path.startswith(_BY_ITSELF)
        token = read_cookie(headers, SESSION_COOKIE)
        session = await run_in_threadpool(self._state.sessions.find, token, is_use=is_busy) if token else None
        if session is None:
            await _answer(_ask_to_sign_in(scope, headers), scope, receive, send)
        elif session.must_change and path not in _FIRST:
            await _answer(_ask_to_change(scope, headers), scope, receive, send)
        else:
            own["session"] = session
            own["viewer"] = session.to_viewer()
            await self._let_in(scope, receive, send, session)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, session: Session | None) -> None:
        viewer: Viewer = scope["state"]["viewer"]
        name = self._find_route(scope["path"])
        if get_right(viewer.role, "route", name) is Right.NO:
            await run_in_threadpool(self._note_refusal, viewer, name, scope)
            await _answer(build_refusal(403, _both("door.not_allowed"), kind="NotAllowedError"), scope, receive, send)
        elif session is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._follow_socket(scope, receive, send, session)
        elif scope["path"] in _STREAMS:
            await self._follow_stream(scope, receive, send, session)
        else:
            await self._app(scope, receive, send)

    def _find_route(self, path: str) -> str:
        return next((name for pattern, name in self._patterns if pattern.fullmatch(path)), "streamlit")

    def _note_refusal(self, viewer: Viewer, name: str, scope: Scope) -> None:
        entry = build_entry(viewer, "refusal", subject_kind="route", subject_id=name, address=find_address(scope))
        record(self._state.store, entry, clock=self._state.clock)

    async def _follow_socket(self, scope: Scope, receive: Receive, send: Send, session: Session) -> None:
        """The websocket of a page: what its person does keeps the session awake, and it closes with the session."""
        token = read_cookie(Headers(scope=scope), SESSION_COOKIE)
        with self._state.hold(session) as ended:
            ending = asyncio.ensure_future(ended.wait())

            async def receive_while_it_lasts() -> Message:
                coming = asyncio.ensure_future(_receive(receive))
                await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
                if ending.done():
                    coming.cancel()
                    await send({"type": "websocket.close", "code": CLOSED_BY_SERVER})
                    return {"type": "websocket.disconnect", "code": CLOSED_BY_SERVER}
                message = coming.result()
                if message["type"] == "websocket.receive":
                    await run_in_threadpool(self._state.sessions.find, token)
                return message

            try:
                await self._app(scope, receive_while_it_lasts, send)
            finally:
                ending.cancel()

    async def _follow_stream(self, scope: Scope, receive: Receive, send: Send, session: Session) -> None:
        with self._state.hold(session) as ended:
            ending = asyncio.ensure_future(ended.wait())
            answering = asyncio.ensure_future(self._run(scope, receive, send))
            try:
                await asyncio.wait({answering, ending}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ending.cancel()
                if not answering.done():
                    answering.cancel()
            if answering.done() and not answering.cancelled():
                answering.result()

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _receive(receive: Receive) -> Message:
    return await receive()


def find_viewer(request: Request) -> Viewer:
    """Who asks, as the door found out."""
    viewer: Viewer = request.scope["state"]["viewer"]
    return viewer


def build_demo_viewer(store: Store, role: Role) -> Viewer:
    """Who a visitor of the demo is in a role; a grid worker looks after one of the sample's grids."""
    grids = None
    if role is Role.GRID_WORKER:
        rows = store.read("SELECT grid_id FROM grids ORDER BY number, grid_id LIMIT 1 OFFSET 6")
        grids = frozenset(rows["grid_id"])
    return Viewer(role, grids, f"demo-{role.value}", f"demo-{role.value}")


def find_session_viewer(state: DoorState, token: str | None, demo_role: str | None) -> Viewer | None:
    """Who a page is drawn for, from the cookies that its websocket came with; with what is open to them now."""
    if state.is_demo:
        role = find_demo_role(demo_role)
        viewer = build_demo_viewer(state.store, role)
    else:
        session = state.sessions.find(token, is_use=False)
        if session is None or session.must_change:
            return None
        viewer = session.to_viewer()
    openings = find_openings(state.store, str(viewer.account_id), clock=state.clock)
    return replace(viewer, openings=openings)


def find_address(scope: Scope) -> str | None:
    """Network address of the connection itself; what a header says does not count."""
    client = scope.get("client")
    return str(client[0]) if client else None


def choose_return(text: str | None) -> str:
    """Where to go after signing in: a path of ours, never another site ("//evil", "https:…", a backslash)."""
    return text if text and re.fullmatch(r"/(?![/\\])[A-Za-z0-9._~/?&=%+-]*", text) else "/"


def _is_too_large(scope: Scope) -> bool:
    """Whether a request brings more than a form, or does not say how much it brings."""
    if scope["type"] != "http" or scope["method"] not in _BODY_METHODS or scope["path"].startswith(_WITH_FILES):
        return False
    headers = Headers(scope=scope)
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or (length and not length.isdecimal()):
        return True
    return int(length or 0) > _MAX_BODY_BYTES


def _compile(path: str) -> re.Pattern[str]:
    """A route's path as it is written, as a pattern of the paths that it answers."""
    pattern = re.sub(r"\\{[^}]*:path\\}", ".+", re.escape(path))
    return re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", pattern))


def _is_page(scope: Scope, headers: Headers) -> bool:
    return scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", "")


def _ask_to_sign_in(scope: Scope, headers: Headers) -> Response:
    if not _is_page(scope, headers):
        return build_refusal(401, _both("door.sign_in_first"), kind="NotSignedIn")
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = choose_return(scope["path"] + (f"?{query}" if query else ""))
    lang = "&lang=en" if "lang=en" in query else ""
    return RedirectResponse(f"/login?next={quote(wanted, safe='')}{lang}", 303, headers={"Cache-Control": "no-store"})


def _ask_to_change(scope: Scope, headers: Headers) -> Response:
    if not _is_page(scope, headers):
        return build_refusal(403, _both("door.change_first"), kind="NotAllowedError")
    return RedirectResponse("/password", 303, headers={"Cache-Control": "no-store"})


def _both(key: str) -> str:
    return " ".join(t(key, lang) for lang in LANGUAGES)


async def _answer(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": CLOSED_BY_SERVER})
    else:
        await refusal(scope, receive, send)

"""
/api/v1: the interface of other systems, a FastAPI application beside the pages.

Every request shows a key, in the demonstration too; the documentation alone is open, for it holds nothing. The key is
looked at before a byte of the body is read. Bodies are bounded, and no answer repeats what was sent: it may be about a
person.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.api_keys import KeyRefusal, KeyRing
from data.drills import is_drill
from data.store import Clock, Store
from gis.errors import BadRecordError, RecordMissingError, RefusedError, ShapanError, StoreClosedError, find_kind
from i18n import check_language
from incidents.taking_in import TakingIn
from server.api_page import build_api_page
from server.intake import build_intake_router
from server.intake_checks import FieldsError
from server.positions import build_positions_router

PREFIX = "/api/v1"
OPEN_PATHS = frozenset({f"{PREFIX}/openapi.json", f"{PREFIX}/docs"})
"""Served to everybody: they describe the interface and hold no data."""
KEYED_PREFIXES = (f"{PREFIX}/incidents", f"{PREFIX}/incident-categories", f"{PREFIX}/positions")
"""Paths that ask for a key of their own instead of a session."""
MAX_BODY_BYTES = 2_000_000
_SWEEP_EVERY = timedelta(minutes=1)
_READ, _WRITE, _POSITIONS = "incidents:read", "incidents:write", "positions:write"
_REFUSED: Mapping[KeyRefusal, tuple[int, str]] = {
    KeyRefusal.UNKNOWN: (401, "The key is missing or not known. Send it as: Authorization: Bearer KEY."),
    KeyRefusal.REVOKED: (401, "The key is missing or not known. Send it as: Authorization: Bearer KEY."),
    KeyRefusal.SCOPE: (403, "This key may not do that: it has another scope."),
    KeyRefusal.TOO_MANY: (429, "Too many requests with this key: wait some seconds, or send many incidents at once."),
}
_STATUS: tuple[tuple[type[ShapanError], int], ...] = (
    (FieldsError, 422),
    (RecordMissingError, 404),
    (RefusedError, 409),
    (BadRecordError, 422),
    (StoreClosedError, 503),
)
# FastAPI would send traces to wherever the environment says: nothing of ours leaves by itself.
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
_log = logging.getLogger(__name__)


def build_api(store: Store, clock: Clock, taking_in: TakingIn | None = None) -> FastAPI:
    """The application to mount at `PREFIX`; its own paths begin behind that."""
    api = FastAPI(
        title="Shapan",
        version="1",
        description="Incidents of one community: taken in, placed, followed to their end; and where radios are.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": PREFIX}],
        telemetry=_NO_TELEMETRY,
        dependencies=[Security(HTTPBearer(auto_error=False, description="A key made with: shapan key create"))],
    )
    api.include_router(build_intake_router(store, clock, taking_in or TakingIn(store, clock)))
    api.include_router(build_positions_router(store, clock))
    _add_documentation(api, store)
    api.add_exception_handler(RequestValidationError, _answer_fields)
    api.add_exception_handler(HTTPException, _answer_http)
    api.add_exception_handler(ShapanError, _answer_error)
    api.add_middleware(ApiGate, keys=KeyRing(store, clock), clock=clock)
    return api


def _add_documentation(api: FastAPI, store: Store) -> None:
    @api.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return JSONResponse(api.openapi())

    @api.get("/docs", include_in_schema=False)
    def docs(lang: str = "zh") -> Response:
        return build_api_page(api.openapi(), check_language(lang), is_drill=is_drill(store))


class ApiGate:
    """ASGI middleware: the key, then the body, at most so long; both are left in the request's state."""

    def __init__(self, app: ASGIApp, keys: KeyRing, clock: Clock) -> None:
        self._app = app
        self._keys = keys
        self._clock = clock
        self._swept: datetime | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scheme, _, text = headers.get("authorization", "").partition(" ")
        needed = _find_scope(scope["method"], scope["path"])
        key = await run_in_threadpool(self._keys.check, text.strip() if scheme.lower() == "bearer" else "", needed)
        if isinstance(key, KeyRefusal):
            status, sentence = _REFUSED[key]
            await _refuse(status, sentence)(scope, receive, send)
            return
        length = headers.get("content-length", "0")
        body = await _read_body(receive) if length.isdecimal() and int(length) <= MAX_BODY_BYTES else None
        if body is None:
            await _refuse(413, f"The body is larger than {MAX_BODY_BYTES} bytes: send fewer at once.")(
                scope, receive, send
            )
            return
        scope.setdefault("state", {}).update(api_key=key, body=body)
        await self._app(scope, _replay(body, receive), send)
        await self._sweep()

    async def _sweep(self) -> None:
        """Write back when keys were last used, once a minute."""
        now = self._clock()
        if self._swept is None or not now - _SWEEP_EVERY < self._swept <= now:
            self._swept = now
            await run_in_threadpool(self._keys.sweep)


def _find_scope(method: str, path: str) -> str:
    """What a key must allow for a request."""
    if path.startswith(f"{PREFIX}/positions"):
        return _POSITIONS
    return _READ if method in {"GET", "HEAD"} else _WRITE


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, None when it is too large or its sender went away."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            return None
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _refuse(
    status: int, sentence: str, *, kind: str = "RefusedError", fields: list[dict[str, str]] | None = None
) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 429:
        headers["Retry-After"] = "5"
    content = {"error": {"kind": kind, "message": sentence, "fields": fields or []}}
    return JSONResponse(content, status_code=status, headers=headers)


def _answer_fields(_: Request, error: Exception) -> Response:
    """What the models refuse: the field and the reason, never the value."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    problems = error.errors()
    if any(one["type"] == "json_invalid" for one in problems):
        return _refuse(400, "The body is not JSON.", kind="BadRequest")
    fields = [{"field": _to_path(one["loc"]), "reason": str(one["msg"])} for one in problems]
    return _refuse(
        422, f"{len(fields)} field(s) cannot be used; nothing was written.", kind="BadRecordError", fields=fields
    )


def _to_path(parts: tuple[Any, ...]) -> str:
    """`[3].lon` for the third incident's longitude; where it came from (body, query) and our tags are left out."""
    text = ""
    for part in parts[1:]:
        if part not in ("one", "many"):
            text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text or str(parts[0])


def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    answer = _refuse(error.status_code, str(error.detail), kind="BadRequest")
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _answer_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ShapanError)  # noqa: S101 - registered for it
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status == 500:
        _log.error("A request of another system failed.", exc_info=error)
    problems = error.problems if isinstance(error, FieldsError) else ()
    fields = [{"field": field, "reason": reason} for field, reason in problems]
    return _refuse(status, str(error), kind=find_kind(error), fields=fields)

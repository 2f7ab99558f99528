"""
Addresses of paired surfaces: `/pair/…` for what they say to one another, and the pages of the second screen and the
tablet. A device is known by a cookie of its own for each kind of surface, beside the session, never instead of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from data.audit import build_entry, record
from data.sessions import Session
from data.store import Clock, Store
from gis.errors import BadRecordError, RecordMissingError, RefusedError, ShapanError
from server.answers import build_refusal
from server.door import find_address, find_viewer
from server.pairing import CodeRefusedError, Holder, Pairing, Surface, TooOftenError, Why
from server.pairing_pages import build_surface_page
from server.signin import find_language

_MOST_BYTES = 4_000
_COOKIE_S = 24 * 3600
_HEADERS = {"Cache-Control": "no-store"}
_STATUS = {CodeRefusedError: 403, TooOftenError: 429, RecordMissingError: 410, BadRecordError: 400, RefusedError: 403}
# What a selection names, by its kind.
_KNOWN = {
    "building": "SELECT 1 FROM buildings WHERE building_id = ?", "unit": "SELECT 1 FROM units WHERE unit_id = ?",
    "site": "SELECT 1 FROM key_sites WHERE site_id = ?", "grid": "SELECT 1 FROM grids WHERE grid_id = ?",
}  # fmt: skip


@dataclass(frozen=True)
class PairingRoutes:
    """The addresses of one process."""

    pairing: Pairing
    store: Store
    clock: Clock

    def build_routes(self) -> list[BaseRoute]:
        """Their routes."""
        return [
            Route("/pair/state", self.answer_state, methods=["GET"]),
            Route("/pair/stream", self.answer_stream, methods=["GET"]),
            Route("/pair/code", self.take_code, methods=["POST"]),
            Route("/pair/join", self.take_join, methods=["POST"]),
            Route("/pair/say", self.take_say, methods=["POST"]),
            Route("/pair/leave", self.take_leave, methods=["POST"]),
            Route("/second", self.show_page, methods=["GET"]),
            Route("/tablet", self.show_page, methods=["GET"]),
        ]

    async def show_page(self, request: Request) -> Response:
        """The second screen, or the tablet."""
        return await run_in_threadpool(
            build_surface_page, self.store, request.url.path.strip("/"), lang=find_language(request)
        )

    async def answer_state(self, request: Request) -> Response:
        """Whether this device is paired, else why not any more."""
        try:
            surface = _read_surface(request.query_params.get("as"))
        except BadRecordError as error:
            return build_refusal(400, str(error))
        found = self.pairing.find(_read_token(request, surface), _find_holder(request))
        why = found.value if isinstance(found, Why) else None
        return JSONResponse({"paired": not (found is None or why), "why": why}, headers=_HEADERS)

    async def answer_stream(self, request: Request) -> Response:
        """What is said in the group, as server-sent events; 410 for a device that is not paired."""
        try:
            surface = _read_surface(request.query_params.get("as"))
        except BadRecordError as error:
            return build_refusal(400, str(error))
        stream = self.pairing.listen(_read_token(request, surface), _find_holder(request))
        if stream is None:
            return build_refusal(410, "This device is not paired.", kind="NotPaired")
        headers = {**_HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(stream.stream(), media_type="text/event-stream", headers=headers)

    async def take_code(self, request: Request) -> Response:
        """A new code, for the wall to show."""
        try:
            await _read_body(request)
            code, token, lasts = self.pairing.show_code(_read_token(request, Surface.WALL), _find_holder(request))
        except ShapanError as error:
            return _refuse(error)
        await self._note(request, "code_shown", Surface.WALL)
        answer = JSONResponse({"code": code, "seconds": int(lasts.total_seconds())}, headers=_HEADERS)
        return _put_cookie(request, answer, Surface.WALL, token)

    async def take_join(self, request: Request) -> Response:
        """Pair this device by a code."""
        try:
            body = await _read_body(request)
            surface = _read_surface(body.get("as"))
            code = "".join(str(body.get("code", ""))[:20].split())
            token = self.pairing.join(code, surface, _find_holder(request))
        except ShapanError as error:
            if isinstance(error, CodeRefusedError | TooOftenError):
                await self._note(request, "code_refused", None)
            return _refuse(error)
        await self._note(request, "paired", surface)
        return _put_cookie(request, JSONResponse({"paired": True}, headers=_HEADERS), surface, token)

    async def take_say(self, request: Request) -> Response:
        """Tell the group."""
        try:
            body = await _read_body(request)
            token = _read_token(request, _read_surface(body.get("as")))
            value = body.get("value")
            await run_in_threadpool(self._check_known, body.get("topic"), value)
            number = self.pairing.say(token, _find_holder(request), str(body.get("topic")), value)
        except ShapanError as error:
            return _refuse(error)
        return JSONResponse({"n": number}, headers=_HEADERS)

    async def take_leave(self, request: Request) -> Response:
        """Unpair this device; at the wall, all."""
        try:
            surface = _read_surface((await _read_body(request)).get("as"))
        except ShapanError as error:
            return _refuse(error)
        self.pairing.leave(_read_token(request, surface), _find_holder(request))
        await self._note(request, "unpaired", surface)
        answer = JSONResponse({"paired": False}, headers=_HEADERS)
        answer.delete_cookie(_name_cookie(surface), path="/")
        return answer

    def _check_known(self, topic: object, value: Any) -> None:
        """A selection of something that is not there is refused: an id must not carry a message."""
        if topic != "select" or not isinstance(value, dict):
            return
        sql = _KNOWN.get(str(value.get("kind")))
        if sql is None or self.store.read(sql, [str(value.get("id"))[:200]]).empty:
            raise BadRecordError("There is no such place in this store: it may have been taken back with its import.")

    async def _note(self, request: Request, what: str, surface: Surface | None) -> None:
        detail = {"what": what, **({"surface": surface.value} if surface else {})}
        address = find_address(request.scope)
        entry = build_entry(find_viewer(request), "change", subject_kind="pairing", address=address, detail=detail)
        await run_in_threadpool(record, self.store, entry, clock=self.clock)


def _find_holder(request: Request) -> Holder:
    session: Session | None = request.scope["state"].get("session")
    return Holder(None if session is None else session.session_id, find_address(request.scope) or "")


def _name_cookie(surface: Surface) -> str:
    return f"shapan_pair_{surface.value}"


def _read_token(request: Request, surface: Surface) -> str | None:
    return request.cookies.get(_name_cookie(surface))


def _read_surface(value: object) -> Surface:
    if value not in set(Surface):
        raise BadRecordError(f"'as' is '{str(value)[:20]}', expected one of {', '.join(Surface)}.")
    return Surface(str(value))


async def _read_body(request: Request) -> dict[str, Any]:
    """A small JSON object; a page of another site cannot send this type without being asked about first."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadRecordError("Expected a body of type application/json.")
    body = await request.body()
    try:
        value = json.loads(body) if len(body) <= _MOST_BYTES else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadRecordError(f"Expected a JSON object of at most {_MOST_BYTES} bytes.")
    return value


def _refuse(error: ShapanError) -> Response:
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    return build_refusal(status, str(error), kind=type(error).__name__)


def _put_cookie(request: Request, answer: Response, surface: Surface, token: str) -> Response:
    is_secure = request.url.scheme == "https"
    answer.set_cookie(
        _name_cookie(surface), token, max_age=_COOKIE_S, path="/", httponly=True, samesite="strict", secure=is_secure
    )
    return answer

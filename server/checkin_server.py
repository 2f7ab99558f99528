"""
The check-in server: a small application of its own, for volunteers' phones, that may stand outside the police network.

It shows the office's points, takes signed check-ins and keeps them until the office has them. It knows nobody: whether
a card is good is seen at the office. A phone that has no net keeps what it did and sends it once when it is back; so it
does when it is told to come again later, because too much comes from its address or from all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gis.errors import BadRecordError
from i18n import LANGUAGES, check_language, t
from server.answers import build_refusal
from server.checkin_box import CheckinBox
from server.checkin_page import build_phone_page
from server.rate_limits import Allowance, RateLimits
from tasks.records import read_record

MOST_BYTES: Final = 2_000_000
MOST_AT_ONCE: Final = 100
BODY_S: Final = 60.0
"""For a whole body: a photo over a slow net."""
EACH: Final = Allowance(at_once=2_000, per_s=20)
"""Check-ins and other requests of one address: 72,000 in an hour, for all phones behind one provider's address."""
EVERYBODY: Final = Allowance(at_once=10_000, per_s=100)
FULL_WAIT_S: Final = 600
FAULT_COSTS: Final = 20
"""Requests that a body counts for which is no check-in."""
_SCRIPTS: Final = Path(__file__).parent / "checkin_phone"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(self)", "X-Robots-Tag": "noindex", "Cache-Control": "no-cache",
}  # fmt: skip
_FILES: Final = {"phone.js": "text/javascript", "worker.js": "text/javascript", "phone.css": "text/css"}


def build_limits(clock_s: Callable[[], float] = time.monotonic) -> RateLimits:
    """What phones may ask of the server."""
    return RateLimits(EACH, EVERYBODY, clock_s=clock_s)


def build_checkin_app(box: CheckinBox, *, limits: RateLimits | None = None, body_s: float = BODY_S) -> Starlette:
    """The application over one box; a whole body has `body_s` to come in."""
    limits = build_limits() if limits is None else limits
    phone = _Phone(box, limits, body_s)
    return Starlette(
        routes=[
            Route("/", phone.show, methods=["GET"]),
            Route("/points.json", phone.list_points, methods=["GET"]),
            Route("/checkins", phone.take, methods=["POST"]),
            Route("/health", phone.tell, methods=["GET"]),
            *(Route(f"/{name}", phone.give, methods=["GET"]) for name in _FILES),
        ],
        middleware=[Middleware(_Limited, limits=limits)],
    )


class _Limited:
    """Sends away who asks too much, before anything is read."""

    def __init__(self, app: ASGIApp, *, limits: RateLimits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait_s = self._limits.take(find_address(scope)) if scope["type"] == "http" else 0
        await (build_wait(wait_s) if wait_s else self._app)(scope, receive, send)


class _Phone:
    def __init__(self, box: CheckinBox, limits: RateLimits, body_s: float) -> None:
        self._box, self._limits, self._body_s = box, limits, body_s

    async def show(self, request: Request) -> Response:
        """The page, the same for everybody: what it knows of a person it keeps in the phone."""
        lang = check_language(request.query_params.get("lang"))
        return HTMLResponse(build_phone_page(lang), headers=_HEADERS)

    async def give(self, request: Request) -> Response:
        """Script and style of the page."""
        name = request.url.path.rpartition("/")[2]
        content = (_SCRIPTS / name).read_bytes()
        return Response(content, media_type=_FILES[name], headers=_HEADERS)

    async def list_points(self, _: Request) -> Response:
        """Open points, as the office told them."""
        points = await run_in_threadpool(self._box.find_points)
        return JSONResponse({"points": points}, headers=_HEADERS)

    async def tell(self, _: Request) -> Response:
        """Whether it works, and how many check-ins wait for the office."""
        return JSONResponse({"ok": True, "waiting": await run_in_threadpool(self._box.queue.count_waiting)})

    async def take(self, request: Request) -> Response:
        """Check-ins of a phone: an answer only once all of them are on the disk."""
        if not request.headers.get("content-type", "").startswith("application/json"):
            return build_refusal(415, "Check-ins come as application/json.")
        address = find_address(request.scope)
        try:
            async with asyncio.timeout(self._body_s):
                body = await _read_body(request)
        except TimeoutError:
            self._limits.charge(address, FAULT_COSTS)
            return _close(build_refusal(408, "The check-ins did not come in whole. Send them again."))
        if body is None:
            self._limits.charge(address, FAULT_COSTS)
            return _close(build_refusal(413, f"Send at most {MOST_BYTES} bytes at once."))
        try:
            items = _read_items(body)
        except BadRecordError as error:
            self._limits.charge(address, FAULT_COSTS)
            return build_refusal(400, str(error), kind="BadRecordError")
        if len(items) > 1 and (wait_s := self._limits.take(address, len(items) - 1)):  # the first was paid at the door
            return build_wait(wait_s)
        kept = await run_in_threadpool(lambda: self._box.queue.take(items, now=self._box.clock()))
        if not kept:
            full = build_refusal(503, "The office has to fetch what waits here first. Keep it and send it later.")
            full.headers["Retry-After"] = str(FULL_WAIT_S)
            return full
        return JSONResponse({"taken": [one for one, _ in items]}, status_code=202, headers=_HEADERS)


def find_address(scope: Scope) -> str:
    """Who asks; empty where that is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def build_wait(wait_s: int) -> JSONResponse:
    """Come again in `wait_s` seconds; what was sent is still the phone's."""
    sentence = " ".join(t("checkins.phone_wait", lang, n=wait_s) for lang in LANGUAGES)
    answer = build_refusal(429, sentence, kind="TooManyRequests")
    answer.headers["Retry-After"] = str(wait_s)
    return answer


async def _read_body(request: Request) -> bytes | None:
    """The whole body, None when it is too large: then what is left of it is not waited for."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _close(answer: JSONResponse) -> JSONResponse:
    answer.headers["Connection"] = "close"
    return answer


def _read_items(body: bytes) -> list[tuple[str, Mapping[str, Any]]]:
    try:
        given = json.loads(body)
        items = given["items"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadRecordError('Check-ins come as {"items": [{"record": …}]}. Reload the page.') from error
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_AT_ONCE:
        raise BadRecordError(f"Send 1 to {MOST_AT_ONCE} check-ins at once.")
    read: list[tuple[str, Mapping[str, Any]]] = []
    for item in items:
        if not isinstance(item, Mapping):
            raise BadRecordError("A check-in is no object. Send it again from the page.")
        record = read_record(item.get("record"))
        kept: dict[str, Any] = {"record": dict(record.plain)}
        photo = item.get("photo")
        if photo is not None:
            if not isinstance(photo, str) or hashlib.sha256(photo.encode()).hexdigest() != record.photo_sha256:
                raise BadRecordError("The photo is not the one that was signed for. Take it again.")
            kept["photo"] = photo
        read.append((record.record_id, kept))
    return read

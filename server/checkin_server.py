"""
The check-in server: a small application of its own, for volunteers' phones, that may stand outside the police network.

It shows the office's points, takes signed check-ins and keeps them until the office has them. It knows nobody: whether
a card is good is seen at the office. A phone that has no net keeps what it did and sends it once when it is back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from gis.errors import BadRecordError
from i18n import check_language
from server.answers import build_refusal
from server.checkin_box import CheckinBox
from server.checkin_page import build_phone_page
from tasks.records import read_record

MOST_BYTES: Final = 2_000_000
MOST_AT_ONCE: Final = 100
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


def build_checkin_app(box: CheckinBox) -> Starlette:
    """The application over one box."""
    phone = _Phone(box)
    return Starlette(
        routes=[
            Route("/", phone.show, methods=["GET"]),
            Route("/points.json", phone.list_points, methods=["GET"]),
            Route("/checkins", phone.take, methods=["POST"]),
            Route("/health", phone.tell, methods=["GET"]),
            *(Route(f"/{name}", phone.give, methods=["GET"]) for name in _FILES),
        ]
    )


class _Phone:
    def __init__(self, box: CheckinBox) -> None:
        self._box = box

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
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return build_refusal(413, f"Send at most {MOST_BYTES} bytes at once.")
        try:
            items = _read_items(body)
        except BadRecordError as error:
            return build_refusal(400, str(error), kind="BadRecordError")
        kept = await run_in_threadpool(lambda: self._box.queue.take(items, now=self._box.clock()))
        if not kept:
            return build_refusal(503, "The office has to fetch what waits here first. Keep it and send it later.")
        return JSONResponse({"taken": [one for one, _ in items]}, status_code=202, headers=_HEADERS)


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

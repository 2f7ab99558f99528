"""ASGI middleware in front of the guard: each request becomes a line of the log and a figure, never with a person."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.viewer import Viewer

OTHER_ROUTE = "streamlit"
"""What all paths are called that are none of our own routes: pages, Streamlit's files, and what does not exist."""
_SOCKET_ACCEPTED = 101
_SOCKET_REFUSED = 403
_log = logging.getLogger(__name__)


class Watch:
    """
    Wraps the whole application.

    Parameters
    ----------
    routes
        Our own routes.
    on_answer
        Told the route as it is written, the status and the seconds until the answer began.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], on_answer: Callable[[str, int, float], None]) -> None:
        self._app = app
        self._routes = [route for route in routes if isinstance(route, Route | Mount)]
        self._on_answer = on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        path = scope["path"]
        is_answered = False

        def note(status: int) -> None:
            nonlocal is_answered
            if not is_answered:
                is_answered = True
                self._note(scope, path, status, time.perf_counter() - started)

        async def send_and_note(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                note(message["status"])
            elif message["type"] == "websocket.accept":
                note(_SOCKET_ACCEPTED)
            elif message["type"] == "websocket.close":
                note(_SOCKET_REFUSED)
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            note(500)
            raise

    def _note(self, scope: Scope, path: str, status: int, duration_s: float) -> None:
        route = self._find_route(scope, path)
        self._on_answer(route, status, duration_s)
        fields: dict[str, object] = {
            "method": scope.get("method", "WEBSOCKET"),
            "route": route,
            "status": status,
            "ms": round(duration_s * 1000, 1),
        }
        if route != OTHER_ROUTE and status < 400:
            fields["path"] = path  # one that exists; what somebody else typed may be a name
        viewer: Viewer | None = scope.get("state", {}).get("viewer")
        if viewer is not None and viewer.account_id is not None:
            fields["account_id"] = viewer.account_id  # never the name
        _log.info("request", extra={"fields": fields})

    def _find_route(self, scope: Scope, path: str) -> str:
        asked = {**scope, "type": "http", "path": path, "method": scope.get("method", "GET"), "root_path": ""}
        return next((one.path for one in self._routes if one.matches(asked)[0] is not Match.NONE), OTHER_ROUTE)

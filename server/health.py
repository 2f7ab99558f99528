"""GET /health: whether this server can do its work, and nothing about what it holds."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.store import Store

HEALTH_PATH = "/health"
_log = logging.getLogger(__name__)


def build_health_route(store: Store) -> Route:
    """200 `{"status": "ok"}` when the store answers, 503 `{"status": "failing"}` when it does not."""

    async def respond(_: Request) -> Response:
        try:
            await run_in_threadpool(store.read, "SELECT 1 AS one")
        except Exception:  # noqa: BLE001 - whatever it is, the server cannot do its work
            _log.exception("The store does not answer.")
            return JSONResponse({"status": "failing"}, status_code=503, headers={"Cache-Control": "no-store"})
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    return Route(HEALTH_PATH, respond)

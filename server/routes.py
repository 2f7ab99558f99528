"""The addresses that answer beside the pages."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from i18n import LANGUAGES, t
from server.admin import build_admin_routes
from server.files import AssetsEndpoint, build_renderer
from server.scenes import SceneEndpoint
from server.state import AppState


def build_routes(state: AppState, *, assets: Path) -> list[BaseRoute]:
    """
    Routes of one process.

    Parameters
    ----------
    state
        What the routes share.
    assets
        Folder whose scripts and styles are served under /assets/.
    """
    renderer = build_renderer()

    async def respond_events(_: Request) -> Response:
        if state.hub.is_full:
            text = "\n".join(t("server.too_many_streams", lang) for lang in LANGUAGES)
            return PlainTextResponse(text, status_code=503, headers={"Retry-After": "30"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(state.hub.stream(), media_type="text/event-stream", headers=headers)

    async def respond_health(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    return [
        Route("/healthz", respond_health),
        Route("/events", respond_events),
        Route("/scene/{layer}.json", SceneEndpoint(state).respond),
        Route("/vendor/deck.js", renderer.respond),
        Route("/assets/{path:path}", AssetsEndpoint(assets).respond),
        *build_admin_routes(state),
    ]

"""The addresses that answer beside the pages."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from incidents.taking_in import TakingIn
from server.admin import build_admin_routes
from server.alarm import build_alarm_routes
from server.api import PREFIX as API_PREFIX
from server.api import build_api
from server.connect import build_connect_routes
from server.events import respond_events
from server.files import AssetsEndpoint, build_renderer
from server.hand_intake import build_hand_routes
from server.health import build_health_route
from server.pairing import Pairing
from server.pairing_routes import PairingRoutes
from server.scenes import SceneEndpoint
from server.state import AppState

BESIDE_THE_TABLE = ("surfaces", "inside", "ground")
"""Components whose scripts are served as the table's are."""


def build_routes(state: AppState, *, assets: Path, scenes: SceneEndpoint | None = None) -> list[BaseRoute]:
    """
    Routes of one process.

    Parameters
    ----------
    state
        What the routes share.
    assets
        Folder whose scripts and styles are served under /assets/.
    scenes
        Answers scene files, where the caller warms it.
    """
    renderer = build_renderer()
    taking_in = TakingIn(state.store, state.clock)

    async def answer_events(_: Request) -> Response:
        return respond_events(state.hub)

    return [
        build_health_route(state.store),
        Route("/metrics", state.metrics.respond),
        Route("/events", answer_events),
        Route("/scene/{layer}.json", (scenes or SceneEndpoint(state)).respond),
        Route("/vendor/deck.js", renderer.respond),
        *build_alarm_routes(state),
        Route(
            "/assets/{path:path}",
            AssetsEndpoint(assets, boot_id=state.runtime.boot_id, beside=BESIDE_THE_TABLE).respond,
        ),
        *PairingRoutes(state.pairing or Pairing(state.clock), state.store, state.clock).build_routes(),
        *build_admin_routes(state),
        *build_hand_routes(state.store, state.clock, taking_in),
        Mount(API_PREFIX, app=build_api(state.store, state.clock, taking_in)),
        *([] if state.network is None else build_connect_routes(state.network)),
    ]

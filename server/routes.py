"""The addresses that answer beside the pages."""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from data.drills import is_drill
from i18n import LANGUAGES, check_language
from incidents.taking_in import TakingIn
from server.admin import build_admin_routes
from server.alarm import build_alarm_routes
from server.api import PREFIX as API_PREFIX
from server.api import build_api
from server.changes import SceneChanges
from server.connect import build_connect_routes
from server.events import find_since, respond_events
from server.files import AssetsEndpoint, build_renderer
from server.hand_intake import build_hand_routes
from server.health import build_health_route
from server.index import Index
from server.kiosk import build_kiosk_routes
from server.model import build_model_routes
from server.packs import build_pack_routes
from server.pairing import Pairing
from server.pairing_routes import PairingRoutes
from server.phone_patrol import build_patrol_routes
from server.phone_sent import build_phone_routes
from server.scenes import SceneEndpoint
from server.site_plan import build_site_routes
from server.state import AppState
from server.unit_panel import build_unit_routes
from server.visits import build_visit_routes
from server.way_in import build_way_in_routes

BESIDE_THE_TABLE = ("surfaces", "inside", "ground", "tracing")
"""Components whose scripts are served as the table's are."""


def build_routes(
    state: AppState, *, assets: Path, scenes: SceneEndpoint | None = None, page: str | None = None
) -> list[BaseRoute]:
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
    page
        Streamlit's index.html, to be answered at / with the first picture; None: / is not ours.
    """
    renderer = build_renderer()
    taking_in = TakingIn(state.store, state.clock)
    files = scenes or SceneEndpoint(state)
    changes = SceneChanges(state.store, state.scenes, files)

    async def answer_events(request: Request) -> Response:
        lang, since = request.query_params.get("lang"), find_since(request)
        if lang not in LANGUAGES or since is None:
            return respond_events(state.hub)
        said = check_language(lang)
        return respond_events(state.hub, since, lambda shown: run_in_threadpool(changes.describe, said, shown))

    return [
        *([] if page is None else [Route("/", Index(state, page).respond)]),
        build_health_route(state.store),
        Route("/metrics", state.metrics.respond),
        Route("/events", answer_events),
        Route("/scene/{layer}.json", files.respond),
        Route("/vendor/deck.js", renderer.respond),
        *build_alarm_routes(state),
        *build_unit_routes(state),
        *build_way_in_routes(state),
        *build_site_routes(state),
        *build_model_routes(state),
        Route(
            "/assets/{path:path}",
            AssetsEndpoint(assets, boot_id=state.runtime.boot_id, beside=BESIDE_THE_TABLE).respond,
        ),
        *PairingRoutes(state.pairing or Pairing(state.clock), state.store, state.clock).build_routes(),
        *build_admin_routes(state),
        *build_hand_routes(state.store, state.clock, taking_in),
        Mount(API_PREFIX, app=build_api(state.store, state.clock, taking_in)),
        *build_phone_routes(state),
        *build_kiosk_routes(state),
        *build_pack_routes(state),
        *build_patrol_routes(state),
        *([] if state.network is None else build_connect_routes(state.network, is_drill=is_drill(state.store))),
        *build_visit_routes(state),
    ]

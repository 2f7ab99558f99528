"""
/site/{site_id}.json: the floor plan of a key site for the second screen; /site/{site_id}/purpose: why a school's plan
is looked at. A plan has no person in it, but a school's tells where children are: it opens to an account for a reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.openings import find_openings, open_fields
from data.site_plans import SUBJECT, PurposeNeededError
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError
from layers.site_plan import build_site_plan
from server.answers import build_refusal
from server.door import find_viewer
from server.packs import find_carrier
from server.state import AppState

PATH = "/site/{site_id}.json"
PURPOSE_PATH = "/site/{site_id}/purpose"


def build_site_routes(state: AppState) -> list[Route]:
    """The routes of one process."""

    async def tell(request: Request) -> Response:
        site_id, target = request.path_params["site_id"], request.query_params.get("to", "")
        part = int(target) if target.isascii() and target.isdecimal() else None
        viewer = _find_looker(request, state)
        try:
            plan = await run_in_threadpool(build_site_plan, state.store, viewer, site_id, at=state.clock(), target=part)
        except PurposeNeededError as error:
            return build_refusal(403, str(error), kind="PurposeNeededError")
        except NotAllowedError as error:
            return build_refusal(403, str(error), kind="NotAllowedError")
        except RecordMissingError as error:
            return build_refusal(404, str(error), kind="RecordMissingError")
        return JSONResponse({"plan": plan}, headers={"Cache-Control": "no-store"})

    async def say_purpose(request: Request) -> Response:
        try:
            body: Any = await request.json()
        except ValueError:
            return build_refusal(400, "The body is not JSON.")
        reason = body.get("reason") if isinstance(body, dict) else None
        if not isinstance(reason, str):
            return build_refusal(400, "reason is missing: say what the plan is needed for.")
        viewer = find_carrier(request, is_demo=state.runtime.is_demo)
        site_id = request.path_params["site_id"]

        def give() -> None:
            open_fields(state.store, viewer, SUBJECT, site_id, reason=reason, clock=state.clock)

        try:
            await run_in_threadpool(give)
        except NotAllowedError as error:
            return build_refusal(403, str(error), kind="NotAllowedError")
        except RecordMissingError as error:
            return build_refusal(404, str(error), kind="RecordMissingError")
        except BadRecordError as error:
            return build_refusal(400, str(error), kind="BadRecordError")
        return JSONResponse({"open": True}, headers={"Cache-Control": "no-store"})

    return [Route(PATH, tell, methods=["GET"]), Route(PURPOSE_PATH, say_purpose, methods=["POST"])]


def _find_looker(request: Request, state: AppState) -> Viewer:
    """Who looks, with what is open to them; in the demonstration a visitor of a role is one account."""
    if not state.runtime.is_demo:
        return find_viewer(request)
    viewer = find_carrier(request, is_demo=True)
    return replace(viewer, openings=find_openings(state.store, str(viewer.account_id), clock=state.clock))

"""
/unit/{unit_id}.json: what the second screen says of one home that was chosen.

It is the wall's, whoever looks: numbers of residents as on the wall's own card, no person, nothing of a sensitive kind.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.viewer import WALL
from gis.errors import RecordMissingError
from i18n import check_language
from layers.unit_panel import build_unit_panel
from server.answers import build_refusal
from server.state import AppState

PATH = "/unit/{unit_id}.json"


def build_unit_routes(state: AppState) -> list[Route]:
    """The route of one process."""

    async def tell(request: Request) -> Response:
        unit_id, lang = request.path_params["unit_id"], check_language(request.query_params.get("lang"))
        try:
            told = await run_in_threadpool(build_unit_panel, state.store, WALL, unit_id, lang)
        except RecordMissingError as error:
            return build_refusal(404, str(error), kind="RecordMissingError")
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    return [Route(PATH, tell, methods=["GET"])]

"""/way-in.json?kind=…&id=…: the way from the nearest open gate to what is selected on the table, asked by a press."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gis.errors import RecordMissingError
from layers import build_frame
from layers.way_in import KINDS, build_way_in
from server.answers import build_refusal
from server.state import AppState

PATH = "/way-in.json"


def build_way_in_routes(state: AppState) -> list[Route]:
    """The route of one process."""

    async def tell(request: Request) -> Response:
        kind, place_id = request.query_params.get("kind", ""), request.query_params.get("id", "")
        if kind not in KINDS:
            return build_refusal(400, f"A way leads to one of {', '.join(KINDS)}. Give kind and id.")
        store = state.store
        try:
            way = await run_in_threadpool(
                lambda: build_way_in(store, build_frame(store), kind, place_id, at=state.clock())
            )
        except RecordMissingError as error:
            return build_refusal(404, str(error), kind="RecordMissingError")
        return JSONResponse({"way": way}, headers={"Cache-Control": "no-store"})

    return [Route(PATH, tell, methods=["GET"])]

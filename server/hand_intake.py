"""
/desk-intake: what the desk's page for taking calls asks while somebody types, and where it sends what was typed.

Its browser half is ui/components/intake. Who may is the rights table's (the door asks it); the checks, the place and
the answer are those of the interface for other systems (server/intake.py).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import shapely
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.queries import find_boundary, find_buildings, find_reported, find_roads, find_units
from data.store import Clock, Store
from data.viewer import Viewer
from gis.errors import RecordMissingError, ShapanError, find_kind
from incidents.taking_in import TakingIn
from server.answers import build_refusal
from server.door import find_viewer
from server.intake import take_in_reports, to_report
from server.intake_checks import FieldsError, KnownKinds, check_incidents
from server.intake_models import IncidentIn

PREFIX = "/desk-intake"
_LOCAL = ZoneInfo("Asia/Shanghai")
_LONGEST = 200
_MARGIN_M = 12.0
Respond = Callable[[Request], Awaitable[Response]]


def build_hand_routes(store: Store, clock: Clock, taking_in: TakingIn) -> list[Route]:
    """Routes of one open store."""
    desk = HandIntake(store, clock, taking_in)
    return [
        Route(f"{PREFIX}/find", desk.find, methods=["GET"]),
        Route(f"{PREFIX}/plan", desk.plan, methods=["GET"]),
        Route(f"{PREFIX}/units", desk.units, methods=["GET"]),
        Route(f"{PREFIX}/incidents", desk.take_in, methods=["POST"]),
    ]


class HandIntake:
    """Answers the page for taking calls."""

    def __init__(self, store: Store, clock: Clock, taking_in: TakingIn) -> None:
        self._store = store
        self._clock = clock
        self._taking_in = taking_in
        self._kinds = KnownKinds(store)
        self._numbers = Numbers()

    async def find(self, request: Request) -> Response:
        """Addresses that may be meant by what was typed so far."""
        text = request.query_params.get("q", "")[:_LONGEST]

        def work() -> dict[str, object]:
            options = self._taking_in.places.get().suggest(text) if text.strip() else []
            return {"options": [vars(one) for one in options[:6]]}

        return await _answer(work)

    async def plan(self, request: Request) -> Response:
        """Outlines to click at, in metres east and south of a corner."""
        viewer = find_viewer(request)
        return await _answer(lambda: build_plan(self._store, viewer))

    async def units(self, request: Request) -> Response:
        """Homes of one building by storey, each with its standard address."""
        viewer, building_id = find_viewer(request), request.query_params.get("building", "")[:80]

        def work() -> dict[str, object]:
            finder = self._taking_in.places.get()
            units = find_units(self._store, viewer, building_id)
            rows = zip(units["unit_id"], units["level"], units["room"], strict=True)
            return {
                "address": finder.find_address(building_id),
                "units": [
                    {
                        "level": None if pd.isna(level) else int(level),
                        "room": None if pd.isna(room) else str(room),
                        "address": finder.find_address(building_id, str(unit_id)),
                    }
                    for unit_id, level, room in rows
                ],
            }

        return await _answer(work)

    async def take_in(self, request: Request) -> Response:
        """One incident, as it was typed; received now unless another time was given."""
        body, viewer = await request.body(), find_viewer(request)
        key = request.headers.get("idempotency-key", "")[:_LONGEST] or None
        return await _answer(lambda: self._take_in(viewer, body, key), status=201)

    def _take_in(self, viewer: Viewer, body: bytes, key: str | None) -> dict[str, object]:
        now = self._clock()
        one = read_incident(body, now)
        usual = self._kinds.get()
        check_incidents(usual, [one], now)
        report = replace(to_report(one, usual[one.category]), number=self._numbers.take(now))
        by = viewer.name or viewer.role.value
        answer = take_in_reports(self._taking_in, [report], sent_by=by, idempotency_key=key, body=body)
        (taken,) = json.loads(answer.body)["incidents"]
        alike = [self._describe(viewer, other) for other in taken["possible_duplicates"]]
        return {**taken, "alike": [one for one in alike if one is not None]}

    def _describe(self, viewer: Viewer, incident_id: str) -> dict[str, object] | None:
        """What tells one incident from another in a line."""
        rows = find_reported(self._store, viewer, incident_id=incident_id)
        if rows.empty:
            return None
        row = rows.iloc[0]
        return {
            "incident_id": incident_id,
            "number": None if pd.isna(row["number"]) else str(row["number"]),
            "category": None if pd.isna(row["category"]) else str(row["category"]),
            "time": f"{row['reported_utc'].astimezone(_LOCAL):%H:%M:%S}",
            "address": None if pd.isna(row["address"]) else str(row["address"]),
        }


class Numbers:
    """Numbers of what was taken in by hand: day and second, and a letter more when that second has one already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = ("", 0)

    def take(self, now: datetime) -> str:
        """The next number, e.g. 20261128-143015."""
        stem = f"{now.astimezone(_LOCAL):%Y%m%d-%H%M%S}"
        with self._lock:
            repeat = self._last[1] + 1 if self._last[0] == stem else 0
            self._last = (stem, repeat)
        return stem if not repeat else f"{stem}-{repeat}"


def read_incident(body: bytes, now: datetime) -> IncidentIn:
    """What was typed; `FieldsError` with each field's reason."""
    try:
        values = json.loads(body)
        if not isinstance(values, dict):
            raise FieldsError([("body", "expected one incident")])
        return IncidentIn.model_validate({"received_at": now.isoformat(), **values})
    except ValidationError as error:
        raise FieldsError([(str(one["loc"][0]), one["msg"]) for one in error.errors()]) from error
    except ValueError as error:
        raise FieldsError([("body", "expected JSON in UTF-8")]) from error


def build_plan(store: Store, viewer: Viewer) -> dict[str, object]:
    """Boundary, ways and buildings as paths; `west` and `north` are the corner in the community's CRS, metres."""
    buildings = find_buildings(store, viewer)
    if buildings.empty:
        raise RecordMissingError("This store holds no buildings yet: import them first, with 'shapan import'.")
    boundary = find_boundary(store, viewer)
    outline = shapely.union_all([*boundary.geometry.to_numpy(), shapely.box(*buildings.total_bounds)])
    west, south, east, north = outline.buffer(_MARGIN_M).bounds
    names = buildings["zone"].fillna("") + buildings["name"].fillna("")
    inside = shapely.point_on_surface(buildings.geometry.to_numpy())
    rows = zip(buildings["building_id"], names, buildings["address"], buildings.geometry, inside, strict=True)
    return {
        "west": west,
        "north": north,
        "width": round(east - west, 1),
        "height": round(north - south, 1),
        "boundary": "".join(_to_path(shape, west, north) for shape in boundary.geometry),
        "ways": "".join(_to_path(way, west, north) for way in find_roads(store, viewer).geometry),
        "buildings": [
            {
                "id": str(building_id),
                "name": str(name),
                "address": None if pd.isna(address) else str(address),
                "x_m": round(spot.x, 2),
                "y_m": round(spot.y, 2),
                "d": _to_path(shape, west, north),
            }
            for building_id, name, address, shape, spot in rows
        ],
    }


def _to_path(shape: Any, west: float, north: float) -> str:
    parts = shapely.get_parts(shape)
    lines = shapely.get_rings(parts) if parts[0].geom_type == "Polygon" else parts
    path = ""
    for line in lines:
        xy = shapely.get_coordinates(line)
        path += "M" + "L".join(f"{x - west:.1f} {north - y:.1f}" for x, y in xy.tolist())
    return path


async def _answer(work: Callable[[], dict[str, object]], *, status: int = 200) -> Response:
    try:
        content = await run_in_threadpool(work)
    except FieldsError as error:
        fields = [{"field": field, "reason": reason} for field, reason in error.problems]
        body = {"error": {"kind": find_kind(error), "message": str(error), "fields": fields}}
        return JSONResponse(body, status_code=422, headers={"Cache-Control": "no-store"})
    except ShapanError as error:
        return build_refusal(409, str(error), kind=find_kind(error))
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})

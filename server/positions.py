"""
/api/v1/positions: a radio system tells where people are, in batches; each row is answered for itself.

Who is off duty is told so and not kept. An answer is given after the commit; the same rows again are `duplicate`.
"""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter

from data.incident_places import to_metric_all
from data.store import Clock, Store
from gis.errors import RecordMissingError
from incidents.forces import Outcome, PositionReport, take_positions
from server import position_models as models
from server.intake import REFUSALS
from server.intake_checks import FieldsError, find_place_problems


def build_positions_router(store: Store, clock: Clock) -> APIRouter:
    """Routes of positions, of one open store."""
    router = APIRouter(tags=["positions"], responses=REFUSALS)

    @router.post(
        "/positions",
        response_model=models.PositionsOut,
        response_description="What became of each row; those that are not stored say why.",
        operation_id="positions",
        summary="Positions of people with radios",
    )
    def take(body: models.PositionsIn) -> models.PositionsOut:
        given = body if isinstance(body, list) else [body]
        problems = [
            (f"[{number}].{field}" if len(given) > 1 else field, reason)
            for number, one in enumerate(given)
            for field, reason in _find_problems(one)
        ]
        if problems:
            raise FieldsError(problems)
        outcomes = take_positions(store, _to_reports(store, given), clock=clock)
        counts = Counter(outcomes)
        return models.PositionsOut(
            stored=counts[Outcome.STORED],
            positions=[
                models.PositionOut(
                    responder_id=one.responder_id, call_sign=one.call_sign, is_stored=outcome is Outcome.STORED,
                    outcome=outcome,
                )
                for one, outcome in zip(given, outcomes, strict=True)
            ],
        )  # fmt: skip

    return router


def _find_problems(one: models.PositionIn) -> list[tuple[str, str]]:
    found = list(find_place_problems("", one.lon, one.lat, one.crs))
    if one.responder_id is None and one.call_sign is None:
        found.append(("call_sign", "needed, or responder_id: whose position it is"))
    return found


def _to_reports(store: Store, given: list[models.PositionIn]) -> list[PositionReport]:
    crs = store.crs()
    if crs is None:
        raise RecordMissingError("This store holds no community yet: import one first, with 'shapan import'.")
    places: list[tuple[float, float]] = [(0.0, 0.0)] * len(given)
    for system in {one.crs for one in given}:
        rows = [number for number, one in enumerate(given) if one.crs == system]
        moved = to_metric_all([(given[n].lon, given[n].lat) for n in rows], system, crs)
        for number, (x_m, y_m) in zip(rows, moved.tolist(), strict=True):
            places[number] = (x_m, y_m)
    return [
        PositionReport(x_m, y_m, one.at, one.responder_id, one.call_sign, one.accuracy_m)
        for one, (x_m, y_m) in zip(given, places, strict=True)
    ]

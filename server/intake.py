"""
/api/v1/incidents: incidents come in from other systems, are asked for and are changed.

What may come in and go out is written down in `intake_models`; who may is decided before (server/api.py). An answer is
given after the commit; a request with an Idempotency-Key that comes again gets the first answer, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import AwareDatetime

from data.api_keys import ApiKey
from data.incident_alike import find_possible_duplicates
from data.incident_changes import read_stored
from data.incident_places import DISAGREE_M, Found, Said
from data.incident_writes import Answer, IntakeRequest, NewIncident, Outcome
from data.queries import find_categories, find_reported
from data.store import Clock, Store
from data.viewer import Role, Viewer
from gis.errors import RecordMissingError
from incidents.life_cycle import State, find_allowed, list_stays, rebuild
from incidents.steps import list_steps
from incidents.taking_in import Correction, Report, TakingIn
from server import intake_models as models
from server.intake_checks import KnownKinds, check_change, check_incidents, check_moment

REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": models.Refusal, "description": text}
    for code, text in (
        (400, "The body is not JSON."),
        (401, "The key is missing, unknown or revoked."),
        (403, "The key has another scope."),
        (409, "The store holds no place yet, or the step is not allowed now; nothing was written."),
        (413, "The body is too large."),
        (422, "Fields cannot be used, each with its reason; nothing was written."),
        (429, "Too many requests for this key."),
    )
}
_MISSING: dict[int | str, dict[str, Any]] = {
    404: {"model": models.Refusal, "description": "There is no such incident."}
}
_ID = Annotated[str, Path(max_length=80, description="Id as it was answered")]


def build_intake_router(store: Store, clock: Clock, taking_in: TakingIn) -> APIRouter:
    """Routes of incidents, of one open store."""
    router = APIRouter(tags=["incidents"], responses=REFUSALS)
    kinds = KnownKinds(store)

    @router.post(
        "/incidents",
        status_code=201,
        response_model=models.TakenInAll,
        response_description="Taken in and stored.",
        responses={200: {"model": models.TakenInAll, "description": "All of them had come in before."}},
        operation_id="take_in",
        summary="Take in one incident or many",
    )
    def take_in(
        request: Request,
        body: models.IncidentsIn,
        idempotency_key: Annotated[
            str | None,
            Header(min_length=1, max_length=200, description="Any text that stays the same when it is sent again"),
        ] = None,
    ) -> Response:
        sender: ApiKey = request.state.api_key
        given = body if isinstance(body, list) else [body]
        usual = kinds.get()
        check_incidents(usual, given, clock())
        reports = [to_report(one, usual[one.category]) for one in given]
        answer = take_in_reports(
            taking_in, reports, sent_by=sender.name, idempotency_key=idempotency_key, body=request.state.body
        )
        return Response(answer.body, answer.status, media_type="application/json")

    @router.get("/incidents", response_model=models.ReportedAll, operation_id="list", summary="Incidents, newest first")
    def list_incidents(
        request: Request,
        since: Annotated[AwareDatetime | None, Query(description="Reported at this time or later")] = None,
        until: Annotated[AwareDatetime | None, Query(description="Reported before this time")] = None,
        status: Annotated[list[State] | None, Query(description="Any of these")] = None,
        category: Annotated[
            list[models.Code] | None, Query(description="Any of these, and the kinds below them")
        ] = None,
        placed: Annotated[bool | None, Query(description="false: only those that wait for a place")] = None,
        before: Annotated[str | None, Query(max_length=80, description="next_before of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=500, description="Rows at the most")] = 100,
    ) -> models.ReportedAll:
        rows = find_reported(
            store,
            _to_viewer(request),
            since=check_moment("since", since),
            until=check_moment("until", until),
            statuses=None if status is None else [one.value for one in status],
            categories=category,
            is_placed=placed,
            before=before,
            limit=limit,
        )
        found = [models.Reported.model_validate(one) for one in _describe_reported(store, taking_in, rows)]
        is_full = len(found) == limit
        return models.ReportedAll(incidents=found, next_before=found[-1].incident_id if is_full else None)

    @router.get(
        "/incidents/{incident_id}",
        response_model=models.ReportedOne,
        responses=_MISSING,
        operation_id="get",
        summary="One incident with its steps and times",
    )
    def get_incident(request: Request, incident_id: _ID) -> models.ReportedOne:
        return _read_one(store, taking_in, _to_viewer(request), incident_id)

    @router.patch(
        "/incidents/{incident_id}",
        response_model=models.ReportedOne,
        responses=_MISSING,
        operation_id="change",
        summary="Change one incident, with a reason",
    )
    def change(request: Request, incident_id: _ID, body: models.ChangeIn) -> models.ReportedOne:
        sender: ApiKey = request.state.api_key
        check_change(kinds.get(), body)
        said = Said(body.lon, body.lat, body.crs, body.address)
        correction = Correction(
            body.reason,
            body.action,
            body.duplicate_of,
            None if said == Said() else said,
            body.category,
            body.urgency,
        )
        taking_in.change(incident_id, correction, by=sender.name)
        return _read_one(store, taking_in, _to_viewer(request), incident_id)

    @router.get(
        "/incident-categories", response_model=models.Categories, operation_id="categories", summary="The tree of kinds"
    )
    def list_categories(request: Request) -> models.Categories:
        rows = find_categories(store, _to_viewer(request)).astype(object)
        plain = rows.where(rows.notna(), None).to_dict("records")
        return models.Categories(categories=[models.Category.model_validate(row) for row in plain])

    return router


def _to_viewer(request: Request) -> Viewer:
    """Another system sees what the wall sees: no person, and of a sensitive kind its grid and its time."""
    sender: ApiKey = request.state.api_key
    return Viewer(Role.WALL, name=sender.name)


def take_in_reports(
    taking_in: TakingIn, reports: Sequence[Report], *, sent_by: str, idempotency_key: str | None, body: bytes
) -> Answer:
    """Take in what one request brought, and answer it with `TakenInAll` as JSON; a repeat gets the first answer."""
    built = [taking_in.build(one, sent_by=sent_by) for one in reports]
    # Before the write: all that others wait for is what has to be written.
    found = [one.found for one, _ in built]
    finder = taking_in.places.get()
    places = [
        {**_describe_place(place, lonlat, finder.crs), "candidates": list(place.candidates)}
        for place, lonlat in zip(found, finder.to_lonlats(found), strict=True)
    ]

    def respond(outcomes: Sequence[Outcome]) -> Answer:
        rows = [
            _describe_taken_in(one, place, left_out, outcome)
            for (one, left_out), place, outcome in zip(built, places, outcomes, strict=True)
        ]
        status = 201 if any(outcome.is_new for outcome in outcomes) else 200
        return Answer(status, _to_json({"incidents": rows}))

    return taking_in.writer.write(
        IntakeRequest(
            None if idempotency_key is None else _digest(f"{sent_by}\x1f{idempotency_key}".encode()),
            _digest(body),
            tuple(one for one, _ in built),
            respond,
        )
    )


def to_report(one: models.IncidentIn, usual_urgency: str) -> Report:
    """What was reported, with what is usual where nothing is said."""
    begun = one.occurred_from or one.received_at
    return Report(
        one.received_at,
        begun,
        one.occurred_to or begun,
        one.category,
        one.urgency or usual_urgency,
        one.source,
        Said(one.lon, one.lat, one.crs, one.address),
        one.source_no,
        one.description,
        one.caller_name,
        one.caller_phone,
        Said(one.caller_lon, one.caller_lat, one.caller_crs, one.caller_address),
    )


def _describe_taken_in(
    one: NewIncident, place: dict[str, object], left_out: tuple[str, ...], outcome: Outcome
) -> dict[str, object]:
    return {
        "incident_id": one.incident_id,
        "source_no": one.number,
        "is_new": outcome.is_new,
        "status": one.status if outcome.is_new else None,
        "place": place if outcome.is_new else None,
        "possible_duplicates": list(outcome.possible_duplicates),
        "left_out": list(left_out),
    }


def _describe_place(found: Found, lonlat: tuple[float, float] | None, crs: str | None) -> dict[str, object]:
    return {
        "is_placed": found.is_placed,
        "lon": None if lonlat is None else round(lonlat[0], 8),
        "lat": None if lonlat is None else round(lonlat[1], 8),
        "x_m": None if found.x_m is None else round(found.x_m, 3),
        "y_m": None if found.y_m is None else round(found.y_m, 3),
        "crs": crs,
        "building_id": found.building_id,
        "unit_id": found.unit_id,
        "grid_id": found.grid_id,
        "address": found.address,
        "source": found.source,
        "confidence": found.confidence if found.source else None,
        "reason": found.reason,
        "gap_m": found.gap_m,
        "disagrees": found.gap_m is not None and found.gap_m > DISAGREE_M,
    }


def _describe_reported(store: Store, taking_in: TakingIn, rows: pd.DataFrame) -> list[dict[str, object]]:
    records = [
        {name: None if name != "geom" and pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict("records")
    ]
    found = [_to_found(row) for row in records]
    lonlats = taking_in.places.get().to_lonlats(found) if records else []
    crs = store.crs()
    return [
        {**_describe_row(row), "place": _describe_place(place, lonlat, crs)}
        for row, place, lonlat in zip(records, found, lonlats, strict=True)
    ]


def _to_found(row: Mapping[Any, Any]) -> Found:
    point = row["geom"]
    is_placed = point is not None and not point.is_empty
    return Found(
        point.x if is_placed else None,
        point.y if is_placed else None,
        row["building_id"],
        row["unit_id"],
        row["grid_id"],
        row["place_source"],
        row["place_confidence"] or 0.0,
        row["place_reason"],
        row["place_gap_m"],
        row["address"],
    )


def _describe_row(row: Mapping[Any, Any]) -> dict[str, object]:
    return {
        "incident_id": row["incident_id"],
        "source_no": row["number"],
        "category": row["category"],
        "urgency": row["urgency"],
        "source": row["source"],
        "received_at": row["reported_utc"],
        "occurred_from": row["occurred_from_utc"],
        "occurred_to": row["occurred_to_utc"],
        "closed_at": row["closed_utc"],
        "status": row["status"],
        "undisclosed": row["undisclosed"],
        "duplicate_of": row["duplicate_of"],
    }


def _read_one(store: Store, taking_in: TakingIn, viewer: Viewer, incident_id: str) -> models.ReportedOne:
    rows = find_reported(store, viewer, incident_id=incident_id)
    if rows.empty:
        raise RecordMissingError(f"There is no incident '{incident_id[:40]}'.")
    (described,) = _describe_reported(store, taking_in, rows)
    steps = list_steps(read_stored(store, incident_id))
    case = rebuild(incident_id, steps)
    is_told = not described["undisclosed"]
    return models.ReportedOne.model_validate(
        {
            **described,
            "steps": [
                {
                    "action": step.action,
                    "at": step.at_utc,
                    "by": step.by,
                    "duplicate_of": step.duplicate_of if is_told else None,
                }
                for step in steps
            ],
            "times": [
                {
                    "state": stay.state,
                    "since": stay.from_utc,
                    "duration_s": None if stay.duration is None else stay.duration.total_seconds(),
                }
                for stay in list_stays(case)
            ],
            "allowed_actions": list(find_allowed(case)),
            "possible_duplicates": list(find_possible_duplicates(store, incident_id)) if is_told else [],
        }
    )


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""
/alarm/{incident_id}.json: from an alarm on the wall to whom to send, what to say, which gate is open, and what worked
there last time; and the one key that writes down what was said by voice. /ways.json: who was sent, their way and when
they will be there.

What is shown is the wall's, whoever looks: call signs, never a person, and nothing of a sensitive kind. Who writes is
the session's account, as the rights say (actions `dispatch` and `answer_dispatch`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any

import shapely
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.queries import find_categories, find_dispatches, find_scene
from data.viewer import WALL
from gis.errors import NotAllowedError, RecordMissingError, RefusedError, ShapanError
from gis.walk_network import LOCAL, Gate
from i18n import Language, check_language, say_age, t, term
from incidents.advising import Advice, advise_dispatch
from incidents.dispatches import Decision, answer, send
from incidents.dispatching import DispatchAction
from incidents.ranking import Ranked
from incidents.walking import get_walk_network
from layers import build_frame
from layers.ways import TABLES as WAYS_TABLES
from layers.ways import build_ways
from server.answers import build_refusal
from server.door import find_viewer
from server.state import AppState

PATH = "/alarm/{incident_id}.json"
WAYS_PATH = "/ways.json"
MOST_ROWS = 6
"""As many as are read while an alarm is open; the dispatch page has them all."""
_MOST_GATES, _GATES_WITHIN_M = 4, 250.0
_MOST_EARLIER = 3
# What somebody has to know before they send: of the other reasons the desk tells.
_TOLD = frozenset({"with_police", "last_in_grid", "last_police", "rest_cut_short", "stale_position"})
_NEXT: Mapping[str, DispatchAction] = {
    "sent": DispatchAction.ACCEPT,
    "accepted": DispatchAction.ARRIVE,
    "on_the_way": DispatchAction.ARRIVE,
}


def build_alarm_routes(state: AppState) -> list[Route]:
    """GET tells, POST writes down what was said by voice."""

    async def tell(request: Request) -> Response:
        incident_id, lang = request.path_params["incident_id"], check_language(request.query_params.get("lang"))
        try:
            told = await run_in_threadpool(_tell, state, incident_id, lang)
        except RecordMissingError as error:
            return build_refusal(404, str(error), kind="RecordMissingError")
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    async def note(request: Request) -> Response:
        try:
            body = await request.json()
        except ValueError:
            return build_refusal(400, "The body is not JSON.")
        responder_id = body.get("responder_id") if isinstance(body, dict) else None
        if not isinstance(responder_id, str):
            return build_refusal(400, "responder_id is missing: expected the id of a responder of the list.")
        viewer, incident_id = find_viewer(request), request.path_params["incident_id"]
        try:
            done = await run_in_threadpool(_note, state, viewer, incident_id, responder_id)
        except NotAllowedError as error:
            return build_refusal(403, str(error), kind="NotAllowedError")
        except RecordMissingError as error:
            return build_refusal(404, str(error), kind="RecordMissingError")
        except RefusedError as error:
            code = getattr(error, "code", "refused")
            return JSONResponse({"error": {"kind": "RefusedError", "code": code, "message": str(error)}}, 409)
        return JSONResponse(done, headers={"Cache-Control": "no-store"})

    ways = _Ways(state)

    async def show_ways(_: Request) -> Response:
        found = await run_in_threadpool(ways.find)
        return JSONResponse({"ways": found}, headers={"Cache-Control": "no-store"})

    return [
        Route(PATH, tell, methods=["GET"]),
        Route(PATH, note, methods=["POST"]),
        Route(WAYS_PATH, show_ways, methods=["GET"]),
    ]


class _Ways:
    """Ways of those who were sent, reckoned once for all screens while nothing they depend on was written."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, datetime], list[dict[str, Any]]] | None = None

    def find(self) -> list[dict[str, Any]]:
        store, at = self._state.store, self._state.clock()
        key = (store.revision(*WAYS_TABLES), at.replace(second=0, microsecond=0))  # gates open and shut on the minute
        with self._lock:
            if self._known is None or self._known[0] != key:
                self._known = (key, build_ways(store, WALL, build_frame(store), at=at))
            return self._known[1]


def _tell(state: AppState, incident_id: str, lang: Language) -> dict[str, Any]:
    at = state.clock()
    sent = find_dispatches(state.store, WALL, incident_id=incident_id, active=True)
    told: dict[str, Any] = {
        "id": incident_id,
        "sent": [
            {"id": row["responder_id"], "call_sign": row["call_sign"], "state": row["state"]}
            for row in sent.to_dict("records")
        ],
    }
    try:
        advice = advise_dispatch(state.store, WALL, incident_id, at=at, chosen=[one["id"] for one in told["sent"]])
    except NotAllowedError:
        return {**told, "problem": "hidden"}
    except RefusedError:
        return {**told, "problem": "unplaced"}
    except RecordMissingError:
        if find_scene(state.store, WALL, incident_id).empty:
            raise
        return {**told, "problem": "no_ways"}
    except ShapanError:
        return {**told, "problem": "no_ways"}
    return {**told, **_describe(state, advice, incident_id, {one["id"] for one in told["sent"]}, lang, at)}


def _describe(
    state: AppState, advice: Advice, incident_id: str, sent: Set[str], lang: Language, at: datetime
) -> dict[str, Any]:
    names = find_categories(state.store, WALL).set_index("category")[f"name_{lang}"].to_dict()
    # Who is on it comes first: the one key goes on with them.
    everybody = (*advice.ranking.rows, *advice.ranking.left_out)
    rows = [row for row in everybody if row.responder_id in sent]
    rows += [row for row in advice.ranking.rows if row.responder_id not in sent][:MOST_ROWS]
    return {
        "who": [_describe_row(advice, row, lang) for row in rows],
        "can": len(advice.ranking.rows),
        "left_out": len(advice.ranking.left_out),
        "verified": advice.is_verified,
        "gates": _describe_gates(state, incident_id, at),
        "earlier": [
            {
                "kind": names.get(one["category"], one["category"]),
                "at": int(one["reported_utc"].timestamp() * 1000),
                "outcome": None if one["disposition"] is None else _say_outcome(str(one["disposition"]), lang),
                "minutes": None
                if one["closed_utc"] is None
                else round((one["closed_utc"] - one["reported_utc"]).total_seconds() / 60),
                "same": bool(one["is_same_kind"]),
            }
            for one in advice.earlier[:_MOST_EARLIER]
        ],
    }


def _describe_row(advice: Advice, row: Ranked, lang: Language) -> dict[str, Any]:
    route = advice.routes.get(row.responder_id)
    return {
        "id": row.responder_id,
        "call_sign": row.call_sign,
        "kind": term("responder", row.kind, lang),
        "channel": row.channel,
        "travel_s": None if row.travel_time_s is None else round(row.travel_time_s),
        "say": advice.sentences.get(row.responder_id, {}).get(lang, ""),
        "notes": [_say_note(reason.code, reason.values, lang) for reason in row.reasons if reason.code in _TOLD],
        "by": [] if route is None else [{"name": gate.name, "hours": _say_hours(gate)} for gate in route.gates],
    }


def _say_note(code: str, values: Mapping[str, Any], lang: Language) -> str:
    if code == "stale_position":
        minutes = values["minutes"]
        if minutes is None:
            return t("ranking.reason_stale_position_unknown", lang)
        return t("ranking.reason_stale_position", lang, age=say_age(minutes, lang))
    return t(f"ranking.reason_{code}", lang, **values)


def _say_outcome(code: str, lang: Language) -> str:
    try:
        return t(f"alarms.outcome_{code}", lang)
    except KeyError:
        return code  # a file may bring one of its own


def _say_hours(gate: Any) -> str:
    """When it is shut, "22:00–06:00"; empty for one that never closes."""
    return "" if gate.closes_at is None or gate.opens_at is None else f"{gate.closes_at:%H:%M}–{gate.opens_at:%H:%M}"


def _describe_gates(state: AppState, incident_id: str, at: datetime) -> list[dict[str, Any]]:
    """Gates around the place, the nearest first: whether each is open at this moment, and when it is shut."""
    point = find_scene(state.store, WALL, incident_id)["geom"].iloc[0]
    network = get_walk_network(state.store)
    if point is None or point.is_empty or not network.gates:
        return []
    moment = at.astimezone(LOCAL).time()
    near: dict[str, tuple[float, Gate]] = {}
    for index in network.gate_tree.query(point, predicate="dwithin", distance=_GATES_WITHIN_M).tolist():
        gate = network.gates[index]
        away_m = float(shapely.distance(network.gate_tree.geometries[index], point))
        near[gate.gate_id] = min(near.get(gate.gate_id, (away_m, gate)), (away_m, gate), key=lambda pair: pair[0])
    nearest = sorted(near.values(), key=lambda pair: (pair[0], pair[1].gate_id))[:_MOST_GATES]
    return [
        {
            "name": gate.name or gate.gate_id,
            "open": gate.is_open(moment) if gate.is_known else None,
            "hours": _say_hours(gate),
            "away_m": round(away_m),
        }
        for away_m, gate in nearest
    ]


def _note(state: AppState, viewer: Any, incident_id: str, responder_id: str) -> dict[str, str]:
    """Send by voice; what was sent is accepted by voice, who accepted has arrived: the next of these."""
    active = find_dispatches(state.store, WALL, incident_id=incident_id, active=True).to_dict("records")
    mine = next((one for one in active if one["responder_id"] == responder_id), None)
    if mine is None:
        advice = advise_dispatch(state.store, WALL, incident_id, at=state.clock())
        ids = [row.responder_id for row in advice.ranking.rows]
        rank = ids.index(responder_id) + 1 if responder_id in ids else None
        decision = Decision(advice.to_dict(), rank, by_hand=rank is None)
        seen = [str(one["dispatch_id"]) for one in active]
        sent = send(state.store, viewer, incident_id, responder_id, decision=decision, seen=seen, clock=state.clock)
        return {"state": sent.dispatch.state.value}
    action = _NEXT.get(str(mine["state"]))
    if action is None:
        return {"state": str(mine["state"])}
    return {"state": answer(state.store, viewer, str(mine["dispatch_id"]), action, clock=state.clock).state.value}

"""
Ways of those who were sent: from where each was last to the door of the incident, and when they will be there.

Only of incidents whose place the viewer may know; call signs, never a name. Who is on scene needs no way any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import shapely

from data.queries import find_dispatches, find_forces, find_scene
from data.store import Store
from data.viewer import Viewer
from gis.errors import RecordMissingError
from gis.walk_links import Spot
from gis.walk_pace import Vehicle
from gis.walk_routes import find_route
from incidents.dispatching import DispatchState
from incidents.walking import NETWORK_TABLES, get_walk_network
from layers.frame import LocalFrame

TABLES = ("dispatches", "incidents", "responders", *NETWORK_TABLES)
"""What a way depends on, beside the hour."""
MOST_WAYS = 60
_UNDER_WAY = frozenset({DispatchState.SENT.value, DispatchState.ACCEPTED.value, DispatchState.ON_THE_WAY.value})


def build_ways(store: Store, viewer: Viewer, frame: LocalFrame, *, at: datetime) -> list[dict[str, Any]]:
    """
    Ways at an aware time, the latest sent first, at most `MOST_WAYS`.

    Returns
    -------
    For each: `id` of the dispatch, `incident`, `call_sign`, `state`, `l` (line in local metres) and `eta` (milliseconds
    of Unix time), the last two None where no open way is known; `verified` is False where walls and gates are not.
    """
    sent = find_dispatches(store, viewer, active=True)
    sent = sent[sent["state"].isin(_UNDER_WAY) & ~sent["undisclosed"].astype(bool)]
    if sent.empty:
        return []
    forces = find_forces(store, viewer).set_index("responder_id")
    return [
        _build_way(store, viewer, frame, dict(row), forces, at) for row in sent[::-1][:MOST_WAYS].to_dict("records")
    ]


def _build_way(
    store: Store, viewer: Viewer, frame: LocalFrame, row: dict[Any, Any], forces: Any, at: datetime
) -> dict[str, Any]:
    way: dict[str, Any] = {
        "id": row["dispatch_id"],
        "incident": row["incident_id"],
        "call_sign": row["call_sign"],
        "state": row["state"],
        "l": None,
        "eta": None,
        "verified": True,
    }
    scene = find_scene(store, viewer, row["incident_id"])
    if scene.empty or row["responder_id"] not in forces.index:
        return way
    one, to = forces.loc[row["responder_id"]], scene.iloc[0].to_dict()
    if not _is_point(one["geom"]) or not _is_point(to["geom"]):
        return way
    spot = Spot(to["geom"], _to_text(to["building_id"]), _to_text(to["entrance_id"]), _to_level(to["level"]))
    try:
        network = get_walk_network(store)
    except RecordMissingError:  # no roads are known
        return way
    vehicle = Vehicle(one["vehicle"]) if isinstance(one["vehicle"], str) else Vehicle.FOOT
    route = find_route(network, Spot(one["geom"]), spot, vehicle=vehicle, at=at)
    if route is not None:
        line = frame.to_local(np.asarray(shapely.get_coordinates(route.line)))
        eta = at + timedelta(seconds=route.travel_time_s)
        way |= {"l": line.tolist(), "eta": round(eta.timestamp() * 1000), "verified": route.is_verified}
    return way


def _is_point(shape: object) -> bool:
    return isinstance(shape, shapely.Point) and not shape.is_empty


def _to_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _to_level(value: Any) -> int | None:
    return None if value is None or value != value else int(value)

"""
From an incident to whom to send: the ranking, each one's way and the sentence to read out, what worked there before.

What comes out is plain enough to be stored with the decision: what the ranking knew when somebody was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.moments import to_aware
from data.queries import find_categories, find_earlier, find_forces, find_scene, find_sending_rules
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError, RefusedError
from gis.walk_links import Spot
from gis.walk_network import Gate, WalkNetwork
from gis.walk_pace import Vehicle
from gis.walk_routes import Route, trace_route
from gis.walk_search import find_starts, search_from
from i18n import LANGUAGES
from incidents.kinds import Parents, to_parents
from incidents.radio import Scene, say_order
from incidents.ranking import Need, Ranking, Responder, Way, rank_responders
from incidents.sending import SendingRules
from incidents.walking import get_walk_network

MOST_ROUTES = 9
"""Ways that are traced; more than nine rows nobody reads while an alarm is open, and nine have a key of their own."""
LIMIT_S = 3600.0


@dataclass(frozen=True)
class PassedGate:
    """A gate on the way, which is open now; local times, None where it never closes. `is_known`: its hours are."""

    gate_id: str
    name: str | None
    kind: str
    closes_at: time | None
    opens_at: time | None


@dataclass(frozen=True)
class RowRoute:
    """
    The way of one row.

    Attributes
    ----------
    coordinates
        (x, y) in the community's CRS, metres; `LocalFrame.to_local` makes the table's metres of them.
    length_m, walked_m, stairs_s
        See `Route`.
    vehicle
        What is ridden for a part of it.
    gates
        In order.
    road_names
        In order.
    entrance_id
        Door that it leads to.
    """

    coordinates: tuple[tuple[float, float], ...]
    length_m: float
    walked_m: float
    stairs_s: float
    vehicle: str
    gates: tuple[PassedGate, ...]
    road_names: tuple[str, ...]
    entrance_id: str | None


@dataclass(frozen=True)
class Advice:
    """
    Whom to send to one incident, as it was known `at`.

    Attributes
    ----------
    place, level
        As it is said on the radio; storey, where the unit is known.
    is_verified
        False: walls and gates are not known here: every way says "gates unverified".
    closed_crossings
        How often a way is cut by a wall for want of a gate: there the map wants looking after.
    ranking
        Rows, those left out, what would help.
    routes, sentences
        By responder id, of the first `MOST_ROUTES` rows and of whoever was asked for: the way; and in each language
        what is read out on the radio.
    earlier
        What happened at this place before and how it ended, codes and times.
    """

    incident_id: str
    at: datetime
    place: str
    level: int | None
    is_verified: bool
    closed_crossings: int
    ranking: Ranking
    routes: Mapping[str, RowRoute]
    sentences: Mapping[str, Mapping[str, str]]
    earlier: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: times as ISO 8601, sets and tuples as lists."""
        plain: dict[str, Any] = _to_plain(asdict(self))
        return plain


def advise_dispatch(
    store: Store, viewer: Viewer, incident_id: str, *, at: datetime, chosen: Sequence[str] = ()
) -> Advice:
    """
    Whom to send to an incident, at an aware time.

    Parameters
    ----------
    chosen
        Responders whose way and sentence are wanted too, though they stand further down or were left out.

    Raises
    ------
    RecordMissingError
        There is no such incident, or no roads.
    RefusedError
        It has no place yet.
    NotAllowedError
        It is of a sensitive kind, whose place this viewer may not know.
    """
    row = _get_scene_row(store, viewer, incident_id)
    network = get_walk_network(store)
    destination = Spot(row["geom"], row["building_id"], row["entrance_id"], row["level"])
    forces = find_forces(store, viewer)
    responders = [_to_responder(one) for one in forces.to_dict("records")]
    lineage = _find_lineage(store, row["category"])
    rules = SendingRules.build(find_sending_rules(store, viewer))
    placed = forces[~forces.geometry.isna() & ~forces.geometry.is_empty]
    ways, routes = _find_ways(network, destination, placed, at)
    ranking = rank_responders(responders, ways, Need(lineage, str(row["urgency"])), rules=rules, at=at)
    wanted = [one.responder_id for one in ranking.rows[:MOST_ROUTES]]
    wanted += [one for one in chosen if one not in wanted]
    shown = {one: route for one in wanted if (route := routes.trace(one)) is not None}
    scene = Scene.from_row(row)
    known = {one.responder_id: one for one in (*ranking.rows, *ranking.left_out)}
    sentences = {
        one: {str(lang): say_order(scene, known[one], shown.get(one), lang) for lang in LANGUAGES}
        for one in wanted
        if one in known
    }
    return Advice(
        incident_id,
        at,
        scene.place,
        row["level"],
        network.is_verified,
        network.closed_crossings,
        ranking,
        {one: _to_row_route(route) for one, route in shown.items()},
        sentences,
        tuple(_read_earlier(store, viewer, incident_id)),
    )


def _get_scene_row(store: Store, viewer: Viewer, incident_id: str) -> dict[str, Any]:
    scene = find_scene(store, viewer, incident_id)
    if scene.empty:
        raise RecordMissingError(f"There is no incident '{incident_id[:40]}'. Reload the list.")
    row = {name: None if name != "geom" and pd.isna(value) else value for name, value in scene.iloc[0].items()}
    if row["undisclosed"]:
        raise NotAllowedError(
            f"Incident '{incident_id[:40]}' is of a sensitive kind, whose place this screen may not show. "
            "Send somebody from a desk."
        )
    if row["geom"] is None or row["geom"].is_empty:
        raise RefusedError(f"Incident '{incident_id[:40]}' has no place yet: find its place first, then send somebody.")
    row["level"] = None if row["level"] is None else int(row["level"])
    return row


class _Routes:
    """Traces ways of one search on demand: a line is dear, a time is not."""

    def __init__(self, found: Any, starts: Any, index: Mapping[str, int]) -> None:
        self._found, self._starts, self._index = found, starts, index

    def trace(self, responder_id: str) -> Route | None:
        index = self._index.get(responder_id)
        return None if index is None else trace_route(self._found, self._starts, index)


def _find_ways(
    network: WalkNetwork, destination: Spot, forces: gpd.GeoDataFrame, at: datetime
) -> tuple[dict[str, Way], _Routes]:
    """Times of everybody who has a position; for whom there is none, what it would be with every gate open."""
    ids = forces["responder_id"].tolist()
    spots = [Spot(point) for point in forces.geometry]
    vehicles = [Vehicle(one) if one in _VEHICLES else Vehicle.FOOT for one in forces["vehicle"]]
    found = search_from(network, destination, at=at, vehicles=vehicles, limit_s=LIMIT_S)
    starts = find_starts(found, spots, vehicles)
    ways = {one: Way(float(time_s)) for one, time_s in zip(ids, starts.time_s, strict=True)}
    cut_off = np.flatnonzero(~np.isfinite(starts.time_s)).tolist()
    if cut_off and network.gates:
        if_open = search_from(network, destination, at=None, vehicles=vehicles, limit_s=LIMIT_S)
        others = find_starts(if_open, [spots[i] for i in cut_off], [vehicles[i] for i in cut_off])
        shut = {gate.gate_id for gate, is_open in zip(network.gates, network.find_open(at), strict=True) if not is_open}
        for number, i in enumerate(cut_off):
            route = trace_route(if_open, others, number)
            if route is not None:
                gates = tuple(gate.name or gate.gate_id for gate in route.gates if gate.gate_id in shut)
                ways[ids[i]] = Way(float("inf"), route.travel_time_s, gates)
    return ways, _Routes(found, starts, {one: number for number, one in enumerate(ids)})


_VEHICLES = frozenset(one.value for one in Vehicle)
_TIMES = ("status_utc", "last_sent_utc", "last_off_utc", "position_utc")


def _to_responder(row: Mapping[Any, Any]) -> Responder:
    plain = {name: None if name != "geom" and pd.isna(value) else value for name, value in row.items()}
    point = plain["geom"]
    times = {name: to_aware(row[name]) for name in _TIMES}
    return Responder(
        responder_id=str(plain["responder_id"]),
        call_sign=str(plain["call_sign"]),
        kind=str(plain["kind"]),
        channel=plain["channel"],
        vehicle=plain["vehicle"] or Vehicle.FOOT.value,
        skills=frozenset(str(plain["skills"] or "").split()),
        status=plain["status"],
        duty_from=plain["duty_from"],
        duty_to=plain["duty_to"],
        no_night_duty=bool(plain["no_night_duty"]),
        has_position=isinstance(point, shapely.Point) and not point.is_empty,
        grid_id=plain["grid_id"],
        **times,
    )


@lru_cache(maxsize=2)
def _read_parents(store: Store, _revision: int) -> Parents:
    """The tree of kinds, which is the same for everybody, read once after it was written to."""
    return to_parents(find_categories(store, Viewer(Role.WALL, name="advice")))


def _find_lineage(store: Store, category: str) -> tuple[str, ...]:
    """The kind, the kind above it, and so on to the top."""
    parents = _read_parents(store, store.revision("incident_categories", "settings"))
    lineage = [category]
    while (above := parents.get(lineage[-1])) is not None and above not in lineage:
        lineage.append(above)
    return tuple(lineage)


def _read_earlier(store: Store, viewer: Viewer, incident_id: str) -> list[dict[str, Any]]:
    rows = find_earlier(store, viewer, incident_id)
    columns = ["incident_id", "category", "urgency", "reported_utc", "closed_utc", "disposition", "is_same_kind"]
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in rows[columns].astype(object).to_dict("records")
    ]


def _to_row_route(route: Route) -> RowRoute:
    xy = shapely.get_coordinates(route.line)
    return RowRoute(
        tuple((float(x), float(y)) for x, y in xy),
        route.length_m,
        route.walked_m,
        route.stairs_s,
        route.vehicle.value,
        tuple(_to_passed(gate) for gate in route.gates),
        route.road_names,
        route.entrance_id,
    )


def _to_passed(gate: Gate) -> PassedGate:
    return PassedGate(gate.gate_id, gate.name, gate.kind, gate.closes_at, gate.opens_at)


def _to_plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _to_plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [_to_plain(one) for one in value]
    if isinstance(value, datetime | time):
        return value.isoformat()
    return value

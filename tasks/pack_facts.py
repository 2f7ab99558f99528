"""
What an inspection pack (检查包) knows of one visit: who, what to look at, what was before, and the way there.

Names are masked whatever was opened on a screen: paper is lost, and a phone too. Who is under fourteen is never in it.
Kinds of incident that the wall may not name are not named here either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely

from data.hidden_kinds import list_hidden
from data.queries import (
    find_earlier_visits,
    find_gates,
    find_occupants,
    find_task,
    find_task_findings,
    find_task_incidents,
    find_verdicts,
    get_place,
)
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError
from gis.walk_links import Spot
from gis.walk_network import Gate
from gis.walk_pace import Vehicle
from gis.walk_routes import Route, trace_route
from gis.walk_search import find_starts, search_from
from incidents.walking import get_walk_network
from tasks.checklists import Item, list_items

Row = dict[str, Any]
_MOST_OCCUPANTS = 12
_MOST_INCIDENTS = 8
_ANYBODY = Viewer(Role.WALL, name="pack")
"""Gates and ways hold no person."""


@dataclass(frozen=True)
class PackWay:
    """The way from the gate that is nearest on foot and open at that time."""

    gate: Gate
    route: Route


@dataclass(frozen=True)
class PackFacts:
    """
    One visit.

    Attributes
    ----------
    task
        Row of the task, its point as x_m, y_m (community's CRS).
    place
        Facts of the home, site or building as `get_place` has them; None where it is none, or another's grid.
    building
        Facts of the building that it is in.
    rental
        The rental, where there is one, and `verdict`, where it is or was suspected.
    occupants, occupants_count
        Of fourteen and older, names masked, those who live there now; at most some, and how many there are.
    items
        The checklist.
    demanded
        Of a re-check: what was found and has to be mended.
    earlier
        Visits before, the newest first.
    incidents
        At this address, the newest first; `category` None where it is not named here.
    way
        None where no open way is known.
    """

    task: Row
    place: Row | None
    building: Row | None
    rental: Row | None
    verdict: Row | None
    occupants: tuple[Row, ...]
    occupants_count: int
    items: tuple[Item, ...]
    demanded: tuple[Row, ...]
    earlier: tuple[Row, ...]
    incidents: tuple[Row, ...]
    way: PackWay | None


def gather_facts(store: Store, viewer: Viewer, task_id: str, *, at: datetime) -> PackFacts:
    """
    What the pack of one task says, at an aware time.

    Raises
    ------
    RecordMissingError
        There is no such task for this viewer.
    """
    viewer = replace(viewer, openings=frozenset())
    rows = _to_rows(find_task(store, viewer, task_id))
    if not rows:
        raise RecordMissingError(f"There is no task '{task_id[:40]}'. Choose it from the list.")
    task = rows[0]
    kind, subject = _find_place_key(task)
    place = _find_place(store, viewer, kind, subject)
    building = place if kind == "building" else _find_place(store, viewer, "building", task["building_id"])
    lives = _to_rows(find_occupants(store, viewer, task["unit_id"])) if task["unit_id"] else []
    lives = [one for one in lives if one["moved_out_on"] is None]
    rental = _find_rental(task, place)
    verdicts = [] if rental is None else _to_rows(find_verdicts(store, viewer, rental_id=rental["rental_id"]))
    parent = task["parent_id"]
    return PackFacts(
        task,
        place,
        building,
        rental,
        verdicts[0] if verdicts else None,
        tuple(lives[:_MOST_OCCUPANTS]),
        len(lives),
        list_items(store, task["checklist"]),
        tuple(_to_rows(find_task_findings(store, viewer, parent))) if parent else (),
        tuple(_to_rows(find_earlier_visits(store, viewer, task_id))),
        _find_incidents(store, viewer, task_id),
        find_way(store, task, at=at),
    )


def find_way(store: Store, task: Mapping[str, Any], *, at: datetime) -> PackWay | None:
    """The way from the nearest open gate to the door."""
    if task["x_m"] is None or task["y_m"] is None:
        return None
    try:
        network = get_walk_network(store)
    except RecordMissingError:
        return None
    gates = find_gates(store, _ANYBODY)
    if gates.empty:
        return None
    door = Spot(shapely.Point(task["x_m"], task["y_m"]), task["building_id"], _find_entrance(store, task))
    search = search_from(network, door, at=at, vehicles=(Vehicle.FOOT,))
    starts = find_starts(search, [Spot(point) for point in gates.geometry], [Vehicle.FOOT] * len(gates))
    nearest = int(np.argmin(starts.time_s))
    route = trace_route(search, starts, nearest)
    return None if route is None else PackWay(network.gates[nearest], route)


def _find_entrance(store: Store, task: Mapping[str, Any]) -> str | None:
    if not task["unit_id"]:
        return None
    rows = store.read("SELECT entrance_id FROM units WHERE unit_id = ? AND entrance_id IS NOT NULL", [task["unit_id"]])
    return None if rows.empty else str(rows["entrance_id"].iloc[0])


def _find_place_key(task: Mapping[str, Any]) -> tuple[str, str | None]:
    if task["subject_kind"] == "site":
        return "site", task["subject_id"]
    return ("unit", task["unit_id"]) if task["unit_id"] else ("building", task["building_id"])


def _find_place(store: Store, viewer: Viewer, kind: str, place_id: str | None) -> Row | None:
    """Facts of a place; None for one in another's grid, whose register is not for this viewer."""
    if place_id is None:
        return None
    try:
        place = get_place(store, viewer, kind, place_id)  # type: ignore[arg-type]
    except (NotAllowedError, RecordMissingError):
        return None
    facts = {**place.facts, "rentals": place.rentals}
    facts.pop("has_minor", None)
    return facts


def _find_rental(task: Mapping[str, Any], place: Mapping[str, Any] | None) -> Row | None:
    rentals: tuple[Row, ...] = () if place is None else place["rentals"]
    if task["subject_kind"] == "rental":
        return next((one for one in rentals if one["rental_id"] == task["subject_id"]), None)
    return rentals[0] if task["unit_id"] and len(rentals) == 1 else None


def _find_incidents(store: Store, viewer: Viewer, task_id: str) -> tuple[Row, ...]:
    hidden = list_hidden(store, sees_all=False)
    return tuple(
        {**one, "category": None if one["category"] in hidden else one["category"]}
        for one in _to_rows(find_task_incidents(store, viewer, task_id))[:_MOST_INCIDENTS]
    )


def _to_rows(frame: pd.DataFrame) -> list[Row]:
    """Rows with None for what is missing."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]

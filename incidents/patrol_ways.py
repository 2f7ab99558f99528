"""
Ways of a patrol: how long from each place to each other while gates open and close, and when a place can be got at.

A leg is planned with the longest time that it takes at any hour of the shift at which there is a way at all, so
whoever sets out later or earlier than planned is in time all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import shapely

from gis.walk_links import Spot
from gis.walk_network import Gate, WalkNetwork
from gis.walk_pace import Vehicle
from gis.walk_routes import find_route
from gis.walk_search import find_starts, search_from
from incidents.duty import LOCAL
from incidents.team_routes import Matrix

LEAVE_EARLY_S = 600.0
"""Before the last open way to a place is shut, a stop there is over by so much: whoever is inside gets out."""

Window = tuple[float, float]


@dataclass(frozen=True)
class Ways:
    """
    Times between spots.

    Attributes
    ----------
    travel_s
        By vehicle, shape (n, n); infinity where no way leads at any time of the shift.
    open_s
        For each spot when a way leads there, seconds after the shift's midnight; empty for never, None for always.
    """

    travel_s: Mapping[str, Matrix]
    open_s: tuple[tuple[Window, ...] | None, ...]


@dataclass(frozen=True)
class Leg:
    """One leg as it is walked: line in the network's CRS, metres, and the gates on it, which are open then."""

    coordinates: tuple[tuple[float, float], ...]
    length_m: float
    travel_s: float
    gates: tuple[Gate, ...]
    is_verified: bool


def measure_ways(
    network: WalkNetwork,
    spots: Sequence[Spot],
    starts: Sequence[int],
    vehicles: Sequence[Vehicle],
    *,
    midnight: datetime,
    begin: datetime,
    end: datetime,
) -> Ways:
    """
    Times between all spots with each vehicle.

    Parameters
    ----------
    starts
        Numbers of the spots that routes begin at: a spot is open while a way leads to it from one of them.
    midnight, begin, end
        Aware: what seconds count from, and the shift.
    """
    moments = list_moments(network, begin, end)
    measured = [_measure(network, spots, vehicles, at) for at in moments]
    travel = {}
    for vehicle in vehicles:
        stack = np.stack([one[vehicle] for one in measured])
        known = np.where(np.isfinite(stack), stack, -np.inf).max(axis=0)
        travel[vehicle.value] = np.where(np.isfinite(known), known, np.inf)
    edges = [*((at - midnight).total_seconds() for at in moments), (end - midnight).total_seconds()]
    open_s = []
    for spot in range(len(spots)):
        is_open = [any(np.isfinite(one[v][s, spot]) for v in vehicles for s in starts) for one in measured]
        open_s.append(None if all(is_open) else _join(is_open, edges))
    return Ways(travel, tuple(open_s))


def list_moments(network: WalkNetwork, begin: datetime, end: datetime) -> list[datetime]:
    """The beginning, and each moment before the end at which a gate opens or closes."""
    times = {at for gate in network.gates for at in (gate.closes_at, gate.opens_at) if at is not None}
    days = range((end.astimezone(LOCAL).date() - begin.astimezone(LOCAL).date()).days + 1)
    first = begin.astimezone(LOCAL).date()
    changes = {datetime.combine(first + timedelta(days=n), at, LOCAL) for n in days for at in times}
    kept, before = [begin], network.find_open(begin)
    for at in sorted(at for at in changes if begin < at < end):
        now = network.find_open(at)
        if not np.array_equal(now, before):
            kept.append(at)
            before = now
    return kept


def trace_leg(network: WalkNetwork, origin: Spot, destination: Spot, vehicle: Vehicle, at: datetime) -> Leg | None:
    """The way at the moment of setting out; None where none is open then."""
    route = find_route(network, origin, destination, vehicle=vehicle, at=at)
    if route is None:
        return None
    xy = shapely.get_coordinates(route.line).round(1)
    return Leg(
        tuple((float(x), float(y)) for x, y in xy), route.length_m, route.travel_time_s, route.gates, route.is_verified
    )


def _measure(
    network: WalkNetwork, spots: Sequence[Spot], vehicles: Sequence[Vehicle], at: datetime
) -> dict[Vehicle, Matrix]:
    count, chosen = len(spots), list(vehicles)
    times = {vehicle: np.full((count, count), np.inf) for vehicle in chosen}
    everybody = [spot for _ in chosen for spot in spots]
    going = [vehicle for vehicle in chosen for _ in spots]
    for number, spot in enumerate(spots):
        search = search_from(network, spot, at=at, vehicles=tuple(chosen))
        found = find_starts(search, everybody, going).time_s.reshape(len(chosen), count)
        for row, vehicle in enumerate(chosen):
            times[vehicle][:, number] = found[row]
    for matrix in times.values():
        np.fill_diagonal(matrix, 0.0)
    return times


def _join(is_open: Sequence[bool], edges: Sequence[float]) -> tuple[Window, ...]:
    """Neighbouring open times as one window; those that end before the shift does end early, for the way out."""
    windows: list[list[float]] = []
    for known, begin_s, end_s in zip(is_open, edges[:-1], edges[1:], strict=True):
        if known and windows and windows[-1][1] == begin_s:
            windows[-1][1] = end_s
        elif known:
            windows.append([begin_s, end_s])
    last = edges[-1]
    early = ((begin_s, end_s if end_s == last else end_s - LEAVE_EARLY_S) for begin_s, end_s in windows)
    return tuple((begin_s, end_s) for begin_s, end_s in early if end_s > begin_s)

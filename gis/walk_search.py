"""
Travel times from many places to one: a single search from the destination backwards, then a look-up for each origin.

The graph has a layer of nodes for feet and one for each vehicle. Backwards one leaves the destination on foot and may
change into a vehicle at any node where it may go; so forwards a vehicle is left once and not taken again. scipy's
Dijkstra does the search. Of equal ways it keeps the first; the order of nodes is that of the ways, so an answer is the
same each time.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from gis.errors import CrsMismatchError
from gis.walk_links import Doors, Links, Spot, find_doors, find_links, take_links
from gis.walk_network import Booleans, Integers, WalkNetwork, find_gates_for
from gis.walk_pace import FOOT_M_S, LEAVE_S, Floats, Vehicle, get_stairs_s

Indexes = npt.NDArray[np.int32]

DOOR: Final = -1
"""In place of a piece: an arc through a gate."""
CHANGE: Final = -2
"""In place of a piece: out of the vehicle, on foot from here."""
_KEPT_GRAPHS: Final = 8
_lock = threading.Lock()


@dataclass(frozen=True)
class Graph:
    """
    Arcs as rows of a sparse matrix, backwards; `piece` says what each arc is, `gate` which gate it goes through. `part`
    numbers for each node of the network the part that hangs together.
    """

    layers: tuple[Vehicle, ...]
    indptr: Indexes
    heads: Indexes
    seconds: Floats
    piece: Integers
    gate: Integers
    part: Integers


@dataclass(frozen=True)
class Search:
    """
    What a search from a destination found.

    Attributes
    ----------
    time_s, before
        Seconds from each node of the graph to the destination's door, infinity beyond the limit; and the next node on
        the way, the destination itself being the last one.
    links, doors
        The destination's.
    stairs_s
        From its door to its storey.
    """

    network: WalkNetwork
    graph: Graph
    is_open: Booleans
    doors: Doors
    links: Links
    time_s: Floats
    before: Integers
    stairs_s: float
    limit_s: float


@dataclass(frozen=True)
class Starts:
    """
    How each origin sets out, shape (n,) each.

    Attributes
    ----------
    time_s
        Seconds to the destination, its stairs included; infinity where no open way leads there.
    link, layer, node
        Index in `links` of the link that it takes, the layer in which, and the node that it reaches first (-1: none,
        the destination is on the same piece).
    goal
        The destination's link, where there is no node between.
    """

    origins: Sequence[Spot]
    doors: Doors
    links: Links
    time_s: Floats
    link: Integers
    layer: Integers
    node: Integers
    goal: Integers


def search_from(
    network: WalkNetwork,
    destination: Spot,
    *,
    at: datetime | None,
    vehicles: Collection[Vehicle] = (Vehicle.FOOT,),
    limit_s: float = np.inf,
) -> Search:
    """
    Search backwards from `destination` over what is open `at` (aware); None: as if every gate stood open.

    What takes longer than `limit_s` is not looked for.
    """
    is_open = np.ones(len(network.gates), dtype=bool) if at is None else network.find_open(at)
    graph = get_graph(network, is_open, vehicles)
    doors = find_doors(network, [destination])
    is_walked = network.speed_m_s[Vehicle.FOOT] > 0
    (links,) = find_links(network, doors, part=graph.part, is_open=is_open, is_allowed=[is_walked])
    heads, seconds = _leave(network, graph, links)
    nodes = network.nodes * len(graph.layers)
    matrix = csr_array(
        (
            np.concatenate([graph.seconds, seconds]),
            np.concatenate([graph.heads, heads]),
            np.concatenate([graph.indptr, graph.indptr[-1:] + np.int32(len(heads))]),
        ),
        shape=(nodes + 1, nodes + 1),
    )
    stairs_s = get_stairs_s(destination.level)
    time_s, before = dijkstra(
        matrix, directed=True, indices=nodes, return_predecessors=True, limit=max(limit_s - stairs_s, 0.0)
    )
    return Search(network, graph, is_open, doors, links, time_s, before, stairs_s, limit_s)


def find_starts(search: Search, origins: Sequence[Spot], vehicles: Sequence[Vehicle]) -> Starts:
    """The quickest way of each origin, with its own vehicle; it may leave that where it stands and walk."""
    network = search.network
    doors = find_doors(network, origins)
    rows = []
    used = list(dict.fromkeys((Vehicle.FOOT, *vehicles)))
    all_links = []
    offset = 0
    masks = [network.speed_m_s[vehicle] > 0 for vehicle in used]
    found = find_links(network, doors, part=search.graph.part, is_open=search.is_open, is_allowed=masks)
    for vehicle, links in zip(used, found, strict=True):
        if vehicle is not Vehicle.FOOT:
            drives = np.array([one is vehicle for one in vehicles], dtype=bool)
            links = take_links(links, drives[links.spot])
        all_links.append(links)
        rows.append(_set_out(search, links, vehicle, offset))
        offset += len(links.spot)
    links = Links(*(np.concatenate([getattr(one, name) for one in all_links]) for name in Links.__dataclass_fields__))
    table = np.concatenate(rows)
    # The quickest; of equals the one on foot, then the nearest link, then the lower node: the order of the rows.
    table = table[np.lexsort([np.arange(len(table)), table["time_s"], table["spot"]])]
    spot, first = np.unique(table["spot"], return_index=True)
    best = np.zeros(len(origins), dtype=_ROW)
    best["time_s"], best["link"], best["node"], best["goal"] = np.inf, -1, -1, -1
    best[spot] = table[first]
    time_s = best["time_s"] + search.stairs_s
    time_s[time_s > search.limit_s] = np.inf
    return Starts(origins, doors, links, time_s, best["link"], best["layer"], best["node"], best["goal"])


def travel_times_s(
    network: WalkNetwork,
    destination: Spot,
    origins: gpd.GeoSeries,
    *,
    at: datetime | None,
    vehicles: Sequence[Vehicle] | None = None,
    limit_s: float = np.inf,
) -> pd.Series:
    """
    Travel time from many places to one, along ways that are open at that time.

    Gates closed `at` are walls. Stairs to the destination's storey cost 2 s a step. A place farther than 50 m from the
    network is unreachable.

    Parameters
    ----------
    network
        The community's ways, metric CRS.
    destination
        Where they go.
    origins
        Points in the same CRS, shape (n,), indexed by `responder_id`.
    at
        Aware time; decides which gates are open. None: all of them.
    vehicles
        What each goes with, shape (n,); None: all on foot.
    limit_s
        What takes longer counts as unreachable.

    Returns
    -------
    Seconds, shape (n,), index of `origins`; infinity where no open way leads there.

    Raises
    ------
    CrsMismatchError
        `origins` are in another CRS than `network`; names both.
    """
    if origins.crs is not None and origins.crs != network.crs:
        raise CrsMismatchError(
            f"Places are in {origins.crs.to_string()}, the network is in {network.crs.to_string()}. Convert them first."
        )
    ridden = [Vehicle.FOOT] * len(origins) if vehicles is None else list(vehicles)
    search = search_from(network, destination, at=at, vehicles=ridden, limit_s=limit_s)
    starts = find_starts(search, [Spot(point) for point in origins], ridden)
    return pd.Series(starts.time_s, index=origins.index, name="travel_time_s")


def get_graph(network: WalkNetwork, is_open: Booleans, vehicles: Collection[Vehicle]) -> Graph:
    """The arcs while these gates are open, for feet and these vehicles; built once and kept."""
    layers = (Vehicle.FOOT, *(one for one in Vehicle if one in vehicles and one is not Vehicle.FOOT))
    key = (is_open.tobytes(), layers)
    with _lock:
        graph = network.graphs.get(key)
    if not isinstance(graph, Graph):
        graph = _build_graph(network, is_open, layers)
        with _lock:
            while len(network.graphs) >= _KEPT_GRAPHS:
                network.graphs.pop(next(iter(network.graphs)))
            network.graphs[key] = graph
    return graph


def _build_graph(network: WalkNetwork, is_open: Booleans, layers: tuple[Vehicle, ...]) -> Graph:
    size = network.nodes
    arcs: list[tuple[Integers, Integers, Floats, Integers, Integers]] = []

    def add(
        tail: Integers, head: Integers, time_s: Floats | float, piece: Integers | int, gate: Integers | int
    ) -> None:
        spread = [np.broadcast_to(value, tail.shape) for value in (time_s, piece, gate)]
        arcs.append((tail, head, spread[0], spread[1], spread[2]))

    for layer, vehicle in enumerate(layers):
        speed = network.speed_m_s[vehicle]
        goes = np.flatnonzero(speed > 0)
        time_s = network.length_m[goes] / speed[goes]
        first, last = network.first[goes] + layer * size, network.last[goes] + layer * size
        # Backwards: who goes along a piece comes from its last node to its first.
        for tail, head, along in ((last, first, True), (first, last, False)):
            may = network.may_go(vehicle, goes, along=along)
            add(tail[may], head[may], time_s[may], goes[may], -1)
        through = find_gates_for(network, vehicle, is_open)[network.door_gate]
        before, behind = network.door_first[through] + layer * size, network.door_last[through] + layer * size
        add(before, behind, 0.0, DOOR, network.door_gate[through])
        add(behind, before, 0.0, DOOR, network.door_gate[through])
        if layer:
            change = _find_changes(network, vehicle, is_open)
            add(change, change + layer * size, LEAVE_S, CHANGE, -1)
    tail, head, time, piece, gate = (np.concatenate(column) for column in zip(*arcs, strict=True))
    order = np.lexsort([piece, time, head, tail])
    tail, head, time, piece, gate = tail[order], head[order], time[order], piece[order], gate[order]
    first_of = np.ones(len(tail), dtype=bool)  # of parallel arcs the quickest
    first_of[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    tail, head, time, piece, gate = tail[first_of], head[first_of], time[first_of], piece[first_of], gate[first_of]
    indptr = np.searchsorted(tail, np.arange(size * len(layers) + 1)).astype(np.int32)
    return Graph(layers, indptr, head.astype(np.int32), time, piece, gate, number_parts(network, is_open))


def _find_changes(network: WalkNetwork, vehicle: Vehicle, is_open: Booleans) -> Integers:
    """
    Nodes where leaving a vehicle can pay: from there one walks on where it may not go.

    Elsewhere it is quicker to ride along the same piece and to leave it at the piece's end, or at the door: every
    vehicle is faster than feet.
    """
    drives = network.speed_m_s[vehicle] > 0
    pieces = np.flatnonzero(network.speed_m_s[Vehicle.FOOT] > 0)
    walked_on = [
        ends[pieces[~(drives[pieces] & network.may_go(vehicle, pieces, along=along))]]
        for ends, along in ((network.first, True), (network.last, False))
    ]
    shut = is_open[network.door_gate] & ~find_gates_for(network, vehicle, is_open)[network.door_gate]
    ridden_to = np.concatenate([network.first[drives], network.last[drives]])
    return np.intersect1d(np.concatenate([*walked_on, network.door_first[shut], network.door_last[shut]]), ridden_to)


def number_parts(network: WalkNetwork, is_open: Booleans) -> Integers:
    """For each node the part of the ways that it hangs together with, by any vehicle, while these gates are open."""
    through = is_open[network.door_gate]
    ends = (
        np.concatenate([network.first, network.door_first[through]]),
        np.concatenate([network.last, network.door_last[through]]),
    )
    joins = coo_array((np.ones(len(ends[0])), ends), shape=(network.nodes, network.nodes))
    return np.asarray(connected_components(joins, directed=False)[1], dtype=np.int64)


def leave_by(network: WalkNetwork, graph: Graph, links: Links) -> tuple[Integers, Floats, Integers, Booleans]:
    """Arcs from the destination to the ends of the pieces its links lead to: node, seconds, link, whether its last."""
    nodes, seconds, owners, ends = [], [], [], []
    to_m = {False: links.at_m, True: network.length_m[links.piece] - links.at_m}
    for layer, vehicle in enumerate(graph.layers):
        speed = network.speed_m_s[vehicle][links.piece]
        for is_last in (False, True):
            goes = np.flatnonzero((speed > 0) & network.may_go(vehicle, links.piece, along=not is_last))
            end = (network.last if is_last else network.first)[links.piece[goes]]
            along_s = to_m[is_last][goes] / speed[goes] + (LEAVE_S if layer else 0.0)
            nodes.append(end + layer * network.nodes)
            seconds.append(links.length_m[goes] / FOOT_M_S + along_s)
            owners.append(goes)
            ends.append(np.full(len(goes), is_last))
    return np.concatenate(nodes), np.concatenate(seconds), np.concatenate(owners), np.concatenate(ends)


def _leave(network: WalkNetwork, graph: Graph, links: Links) -> tuple[Integers, Floats]:
    """`leave_by` with each node once, in its quickest way."""
    nodes, seconds, _, _ = leave_by(network, graph, links)
    order = np.lexsort([seconds, nodes])
    nodes, first = np.unique(nodes[order], return_index=True)
    return nodes.astype(np.int32), seconds[order][first]


_ROW: Final = np.dtype(
    [("spot", np.int64), ("time_s", np.float64), ("link", np.int64), ("layer", np.int64), ("node", np.int64),
     ("goal", np.int64)]
)  # fmt: skip


def _set_out(search: Search, links: Links, vehicle: Vehicle, offset: int) -> np.ndarray:
    """Ways to set out by links in one vehicle: to either end of the piece, or along it to the destination's link."""
    network, layer = search.network, search.graph.layers.index(vehicle)
    speed = network.speed_m_s[vehicle][links.piece]
    link_s = links.length_m / FOOT_M_S
    index = np.arange(len(links.spot))
    may_along, may_against = (network.may_go(vehicle, links.piece, along=along) for along in (True, False))
    rows = []
    for end, along_m, may in (
        (network.first[links.piece], links.at_m, may_against),
        (network.last[links.piece], network.length_m[links.piece] - links.at_m, may_along),
    ):
        node = end + layer * network.nodes
        time_s = (link_s + along_m / speed + search.time_s[node])[may]
        rows.append(_rows(links, index[may], time_s, layer, node[may], -1, offset))
    for goal in range(len(search.links.piece)):
        ahead_m = search.links.at_m[goal] - links.at_m
        may = np.where(ahead_m > 0, may_along, may_against) | (ahead_m == 0)  # not against a sign, be it for ten metres
        same = np.flatnonzero((links.piece == search.links.piece[goal]) & may)
        along_s = np.abs(ahead_m[same]) / speed[same]
        last_s = search.links.length_m[goal] / FOOT_M_S + (LEAVE_S if layer else 0.0)
        rows.append(_rows(links, same, link_s[same] + along_s + last_s, layer, -1, goal, offset))
    return np.concatenate(rows)


def _rows(
    links: Links, index: Integers, time_s: Floats, layer: int, node: Integers | int, goal: int, offset: int
) -> np.ndarray:
    made = np.zeros(len(index), dtype=_ROW)
    made["spot"], made["time_s"], made["link"] = links.spot[index], time_s, index + offset
    made["layer"], made["node"], made["goal"] = layer, node, goal
    return made

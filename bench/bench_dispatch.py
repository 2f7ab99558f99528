"""
Travel times of 200 responders beside networkx and igraph, and the whole ranking. Processor seconds.

Peers get the same network with the same times, in one run: a search from the incident to all nodes. Ours is measured
twice, as the bare search, and with what a dispatch needs besides: places bound to ways, three vehicles, changes between
them. All three answer the same seconds, or the run stops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from bench.city import build_city, find_city_file
from gis.walk_links import Spot
from gis.walk_network import WalkNetwork, build_walk_network
from gis.walk_pace import Vehicle
from gis.walk_search import Graph, find_starts, get_graph, search_from, travel_times_s
from incidents.ranking import Need, Responder, Way, rank_responders
from incidents.sending import SendingRules
from sample import build_community

RESPONDERS = 200
LIMIT_S = 3_600.0
NOON = datetime(2026, 11, 16, 4, tzinfo=UTC)
_VEHICLES = tuple(Vehicle)


def take_s(work: Callable[[], object], rounds: int = 5) -> float:
    """Processor seconds, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def build_sample() -> WalkNetwork:
    """The sample's network."""
    tables = build_community().tables
    land = tables["land"]
    return build_walk_network(
        tables["roads"],
        gates=tables["gates"],
        walls=tables["walls"],
        water=land[land["kind"] == "water"],
        buildings=tables["buildings"],
        entrances=tables["entrances"],
    )


def draw_places(network: WalkNetwork, count: int, *, seed: int) -> gpd.GeoSeries:
    """Places within some metres of ways."""
    rng = np.random.default_rng(seed)
    pieces = network.lines[rng.integers(len(network.lines), size=count)]
    on_way = shapely.get_coordinates(shapely.line_interpolate_point(pieces, rng.uniform(size=count), normalized=True))
    return gpd.GeoSeries(gpd.points_from_xy(*(on_way + rng.uniform(-4, 4, (count, 2))).T), crs=network.crs)


def compare(network: WalkNetwork) -> dict[str, Any]:
    """One network: ours, whole and bare, beside the peers."""
    import igraph
    import networkx

    graph = get_graph(network, np.ones(len(network.gates), dtype=bool), ())
    tails = np.repeat(np.arange(network.nodes), np.diff(graph.indptr))
    source = _find_middle(graph)
    matrix = csr_array((graph.seconds, graph.heads, graph.indptr), shape=(network.nodes, network.nodes))
    arcs = list(zip(tails.tolist(), graph.heads.tolist(), graph.seconds.tolist(), strict=True))
    theirs = networkx.DiGraph()
    theirs.add_nodes_from(range(network.nodes))
    theirs.add_weighted_edges_from(arcs, weight="s")
    other = igraph.Graph(n=network.nodes, edges=[(a, b) for a, b, _ in arcs], directed=True)
    other.es["s"] = graph.seconds

    ours = dijkstra(matrix, directed=True, indices=source)
    peer = networkx.single_source_dijkstra_path_length(theirs, source, weight="s")
    second = np.array(other.distances(source=source, weights="s")[0])
    reached = np.fromiter(peer.keys(), dtype=np.int64)
    gap = max(
        float(np.abs(ours[reached] - np.fromiter(peer.values(), dtype=np.float64)).max()),
        float(np.abs(ours[np.isfinite(ours)] - second[np.isfinite(ours)]).max()),
    )
    if gap > 1e-6 or len(reached) != int(np.isfinite(ours).sum()):
        raise AssertionError(f"The peers differ from us by {gap} s, or reach other nodes.")
    search_s = take_s(lambda: dijkstra(matrix, directed=True, indices=source))
    networkx_s = take_s(lambda: networkx.single_source_dijkstra_path_length(theirs, source, weight="s"), 1)
    igraph_s = take_s(lambda: other.distances(source=source, weights="s"), 3)
    places = draw_places(network, RESPONDERS + 1, seed=1)
    incident, origins = Spot(places.iloc[0]), places.iloc[1:]
    mixed = [_VEHICLES[number % 3] for number in range(RESPONDERS)]

    def ask(vehicles: list[Vehicle] | None, limit_s: float = np.inf) -> Callable[[], object]:
        return lambda: travel_times_s(network, incident, origins, at=NOON, vehicles=vehicles, limit_s=limit_s)

    ask(mixed)()  # the graph is kept from here on, as between two incidents
    whole_s = take_s(ask(None))
    return {
        "nodes": network.nodes, "arcs": len(arcs), "search_s": search_s, "networkx_s": networkx_s,
        "igraph_s": igraph_s, "networkx_ratio": networkx_s / search_s, "igraph_ratio": igraph_s / search_s,
        "largest_difference_s": gap, "foot_s": whole_s, "mixed_s": take_s(ask(mixed)),
        "mixed_within_hour_s": take_s(ask(mixed, LIMIT_S)),
        "networkx_over_whole": networkx_s / whole_s, "igraph_over_whole": igraph_s / whole_s,
    }  # fmt: skip


def _find_middle(graph: Graph) -> int:
    """A node of the largest part, in the middle of the row."""
    used = np.flatnonzero(graph.part == np.bincount(graph.part).argmax())
    return int(used[len(used) // 2])


def measure_ranking(network: WalkNetwork) -> dict[str, float]:
    """From 200 places to a ranking with reasons."""
    places = draw_places(network, RESPONDERS + 1, seed=2)
    mixed = [_VEHICLES[number % 3] for number in range(RESPONDERS)]
    people = [
        Responder(f"R{n:03d}", f"{n}", "officer", status="ready", status_utc=NOON, position_utc=NOON, vehicle=mixed[n])
        for n in range(RESPONDERS)
    ]
    rules, need = SendingRules.build(), Need(("violence.fight", "violence", "alarm"), "urgent")
    spots = [Spot(point) for point in places.iloc[1:]]

    def rank() -> object:
        found = search_from(network, Spot(places.iloc[0]), at=NOON, vehicles=mixed, limit_s=LIMIT_S)
        times = find_starts(found, spots, mixed).time_s
        ways = {one.responder_id: Way(float(s)) for one, s in zip(people, times, strict=True)}
        return rank_responders(people, ways, need, rules=rules, at=NOON)

    rank()
    return {"ranking_s": take_s(rank)}


def run() -> dict[str, Any]:
    """Figures for `docs/benchmarks.md`."""
    sample = build_sample()
    networks = {"sample": {**compare(sample), **measure_ranking(sample)}}
    path = find_city_file()
    if path is not None:
        city = build_city(path)
        networks["city"] = {**compare(city), **measure_ranking(city)}
    return {"networks": networks}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))

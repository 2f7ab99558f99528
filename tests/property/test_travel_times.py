"""
Travel times against brute force on small random networks, and against scipy's shortest paths on the sample.

The oracle of the small ones is written here: places, modes and gates as plain states, relaxed until nothing changes. It
shares nothing with the product but the drawn ways and the figures of pace, which are written down again.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from gis.walk_links import Spot
from gis.walk_network import WalkNetwork, build_walk_network
from gis.walk_pace import Vehicle
from gis.walk_routes import trace_route
from gis.walk_search import find_starts, search_from, travel_times_s
from sample import SampleCommunity
from tests.fixtures.walkways import CRS, at, build, gate, roads

NOON = datetime(2026, 11, 16, 4, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=12)
SIDE, STEP_M = 4, 150.0  # so far apart that no place has another way within 50 m
INF = float("inf")
# Pace, as docs/decisions/2026-11-28-travel-time.md says it.
PACE = {
    "foot": {"service": 1.4, "footpath": 1.4, "steps": 0.15, "main": 1.4},
    "ebike": {"service": 4.0, "main": 4.0},
    "car": {"service": 4.0, "main": 8.0},
}
LEAVE_S = 10.0
Corner = tuple[int, int]


@dataclass(frozen=True)
class Street:
    """
    Between two corners of the lattice; `bar` stands at its middle: a gate open by day, a wall, or nothing. `sign` is a
    one-way sign: 1 from its beginning to its end, -1 back, 0 none.
    """

    begin: Corner
    end: Corner
    kind: str
    bar: str
    sign: int = 0


@dataclass(frozen=True)
class Place:
    """On a street, so far from its beginning."""

    street: int
    share: float


@st.composite
def towns(draw: st.DrawFn) -> tuple[list[Street], list[Place]]:
    corners = list(itertools.product(range(SIDE), repeat=2))
    pairs = [(a, (a[0] + 1, a[1])) for a in corners if a[0] + 1 < SIDE]
    pairs += [(a, (a[0], a[1] + 1)) for a in corners if a[1] + 1 < SIDE]
    kept = draw(st.lists(st.sampled_from(pairs), min_size=4, max_size=len(pairs), unique=True))
    kinds = draw(
        st.lists(st.sampled_from(["service", "footpath", "steps", "main"]), min_size=len(kept), max_size=len(kept))
    )
    bars = draw(
        st.lists(st.sampled_from(["", "", "gate", "door", "wall"]), min_size=len(kept), max_size=len(kept))
    )  # a door is for pedestrians
    signs = draw(st.lists(st.sampled_from([0, 0, 1, -1]), min_size=len(kept), max_size=len(kept)))
    streets = [Street(a, b, *rest) for (a, b), *rest in zip(kept, kinds, bars, signs, strict=True)]
    shares = st.sampled_from([0.38, 0.4, 0.45, 0.55, 0.6])
    places = draw(st.lists(st.builds(Place, st.integers(0, len(streets) - 1), shares), min_size=2, max_size=6))
    return streets, places


def to_network(streets: list[Street]) -> WalkNetwork:
    lines = [(s.kind, [(x * STEP_M, y * STEP_M) for x, y in (s.begin, s.end)]) for s in streets]
    gates, walls = [], [[(-500.0, -500.0), (-500.0, -400.0)]]
    for number, street in enumerate(streets):
        (x1, y1), (x2, y2) = street.begin, street.end
        x, y = (x1 + x2) / 2 * STEP_M, (y1 + y2) / 2 * STEP_M
        if street.bar in ("gate", "door"):
            gates.append(gate(f"D{number}", x, y, kind="vehicle" if street.bar == "gate" else "pedestrian"))
        elif street.bar == "wall":
            across = (0.0, 5.0) if y1 == y2 else (5.0, 0.0)
            walls.append([(x - across[0], y - across[1]), (x + across[0], y + across[1])])
    return build(roads(*lines, one_way=[s.sign for s in streets]), gates=gates, walls=walls)


def locate(streets: list[Street], place: Place) -> shapely.Point:
    (x1, y1), (x2, y2) = streets[place.street].begin, streets[place.street].end
    return at((x1 + (x2 - x1) * place.share) * STEP_M, (y1 + (y2 - y1) * place.share) * STEP_M)


def brute_force_s(streets: list[Street], origin: Place, destination: Place, vehicle: str, *, is_day: bool) -> float:
    """Every state relaxed until nothing changes; forwards, from the origin."""
    # Points of a street: its ends, both sides of the middle, and the two places if they lie on it.
    arcs: list[tuple[object, object, str, float, int]] = []
    for number, street in enumerate(streets):
        points: list[tuple[float, object]] = [(0.0, street.begin), (0.5, (number, "before")), (0.5, (number, "behind"))]
        points += [(1.0, street.end)]
        points += [(p.share, name) for p, name in ((origin, "O"), (destination, "D")) if p.street == number]
        points.sort(key=lambda point: (point[0], point[1] == (number, "behind")))
        for (share, one), (next_share, other) in itertools.pairwise(points):
            arcs.append((one, other, street.kind, (next_share - share) * STEP_M, number))
    best = {("O", "foot"): 0.0, ("O", vehicle): 0.0}
    changed = True
    while changed:
        changed = False
        for one, other, kind, length_m, number in arcs:
            for a, b, way in ((one, other, 1), (other, one, -1)):
                for mode in ("foot", vehicle):
                    speed = PACE[mode].get(kind, 0.0)
                    if obeys(mode, kind) and streets[number].sign == -way:
                        continue
                    if speed == 0.0 or (a, mode) not in best:
                        continue
                    if {a, b} == {(number, "before"), (number, "behind")} and not passes(streets[number], mode, is_day):
                        continue
                    time_s = best[a, mode] + length_m / speed
                    if time_s < best.get((b, mode), INF) - 1e-9:
                        best[b, mode] = time_s
                        changed = True
        for (point, mode), time_s in list(best.items()):
            if mode == vehicle != "foot" and time_s + LEAVE_S < best.get((point, "foot"), INF) - 1e-9:
                best[point, "foot"] = time_s + LEAVE_S
                changed = True
    return best.get(("D", "foot"), INF)


def obeys(mode: str, kind: str) -> bool:
    """Who keeps to one-way signs: cars everywhere, e-bikes on streets, nobody on foot."""
    return mode == "car" or (mode == "ebike" and kind == "main")


def passes(street: Street, mode: str, is_day: bool) -> bool:
    if street.bar == "wall" or (street.bar in ("gate", "door") and not is_day):
        return False
    return not (street.bar == "door" and mode == "car")


@given(towns(), st.sampled_from(["foot", "ebike", "car"]), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_times_are_those_of_brute_force(town: tuple[list[Street], list[Place]], vehicle: str, is_day: bool) -> None:
    streets, places = town
    network = to_network(streets)
    destination, origins = places[0], places[1:]
    # A vehicle stands where it may be; on a footpath there is none, and its driver walks.
    search = search_from(
        network, Spot(locate(streets, destination)), at=NOON if is_day else NIGHT, vehicles=[Vehicle(vehicle)]
    )
    spots = [Spot(locate(streets, one)) for one in origins]
    starts = find_starts(search, spots, [Vehicle(vehicle)] * len(spots))
    for number, (origin, time_s) in enumerate(zip(origins, starts.time_s, strict=True)):
        assert time_s == pytest.approx(brute_force_s(streets, origin, destination, vehicle, is_day=is_day), abs=1e-6)
        route = trace_route(search, starts, number)
        assert (route is None) == (time_s == INF)
        if route is not None and vehicle == "foot" and "steps" not in {street.kind for street in streets}:
            assert route.length_m / 1.4 == pytest.approx(time_s, abs=1e-6)


@pytest.fixture(scope="module")
def network(sample_community: SampleCommunity) -> WalkNetwork:
    tables = sample_community.tables
    land = tables["land"]
    return build_walk_network(
        tables["roads"], gates=tables["gates"], walls=tables["walls"], water=land[land["kind"] == "water"],
        buildings=tables["buildings"], entrances=tables["entrances"],
    )  # fmt: skip


def test_the_sample_agrees_with_scipys_shortest_paths(sample_community: SampleCommunity, network: WalkNetwork) -> None:
    """Between ends of ways, by day: no links, no gates, all on foot; the graph is built here from the rows alone."""
    lines = sample_community.tables["roads"].geometry
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines, n)) for n in (0, -1)])
    places, index = np.unique(ends.round(2), axis=0, return_inverse=True)
    first, last = index.reshape(2, -1)
    graph = coo_array((lines.length.to_numpy() / 1.4, (first, last)), shape=(len(places), len(places)))
    # The sample has no two pieces between the same two ends, which this would add up.
    assert len({tuple(sorted(pair)) for pair in zip(first.tolist(), last.tolist(), strict=True)}) == len(lines)
    rng = np.random.default_rng(4)
    inside = [p for p in rng.permutation(len(places)) if not len(network.houses.tree.query(shapely.Point(places[p])))]
    goal, starts = inside[0], inside[1:120]
    expected = shortest_path(graph, method="D", directed=False, indices=goal)[starts]
    origins = gpd.GeoSeries(shapely.points(places[starts]), crs=network.crs)
    times = travel_times_s(network, Spot(shapely.Point(places[goal])), origins, at=NOON)
    assert np.abs(times.to_numpy() - expected).max() < 0.05  # the grid of 1 cm of the ends above


def test_two_hundred_are_reckoned_in_twenty_milliseconds(network: WalkNetwork) -> None:
    rng = np.random.default_rng(3)
    on_ways = shapely.line_interpolate_point(
        network.lines[rng.integers(len(network.lines), size=201)], 0.5, normalized=True
    )
    vehicles = [list(Vehicle)[number % 3] for number in range(200)]
    origins = gpd.GeoSeries(on_ways[1:], crs=CRS)

    def ask() -> float:
        import time

        start = time.process_time()
        travel_times_s(network, Spot(on_ways[0]), origins, at=NOON, vehicles=vehicles)
        return time.process_time() - start

    assert min(ask() for _ in range(15)) <= 0.020


def test_a_gate_that_closes_changes_the_answer_of_the_same_network(network: WalkNetwork) -> None:
    rng = np.random.default_rng(5)
    on_ways = shapely.line_interpolate_point(
        network.lines[rng.integers(len(network.lines), size=80)], 0.5, normalized=True
    )
    origins = gpd.GeoSeries(on_ways[1:], crs=CRS)
    by_day = travel_times_s(network, Spot(on_ways[0]), origins, at=NOON)
    by_night = travel_times_s(network, Spot(on_ways[0]), origins, at=NIGHT)
    assert (by_night >= by_day - 1e-9).all()
    assert (by_night > by_day + 1).any()
    assert np.isfinite(by_day).all()


def test_the_same_question_has_the_same_answer(sample_community: SampleCommunity, network: WalkNetwork) -> None:
    tables = sample_community.tables
    other = build_walk_network(tables["roads"], gates=tables["gates"], walls=tables["walls"])
    again = build_walk_network(tables["roads"], gates=tables["gates"], walls=tables["walls"])
    origins = tables["responders"].set_index("responder_id").geometry
    goal = Spot(origins.iloc[0])
    first = travel_times_s(other, goal, origins, at=NIGHT)
    assert first.equals(travel_times_s(again, goal, origins, at=NIGHT))

"""The walkable network of a store, built once for each revision of the tables that it is made of."""

from __future__ import annotations

import threading
from functools import lru_cache

from data.queries import find_buildings, find_entrances, find_gates, find_land, find_roads, find_walls
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import RecordMissingError
from gis.walk_network import WalkNetwork, build_walk_network

NETWORK_TABLES = ("roads", "gates", "walls", "land", "buildings", "entrances", "community")
_ANYBODY = Viewer(Role.WALL, name="network")
"""Ways, walls and houses hold no person: one network serves every viewer."""
_lock = threading.Lock()


def get_walk_network(store: Store) -> WalkNetwork:
    """
    The network as the store is now; a gate whose hours were changed is in it at once. Used from any thread.

    Raises
    ------
    RecordMissingError
        The store holds no roads.
    """
    with _lock:  # who comes while it is built waits for it, and does not build another
        return _build(store, store.revision(*NETWORK_TABLES))


@lru_cache(maxsize=2)
def _build(store: Store, _revision: int) -> WalkNetwork:
    roads = find_roads(store, _ANYBODY)
    if roads.empty:
        raise RecordMissingError(
            "This store holds no roads, so nobody's way can be reckoned. Import roads first, with 'shapan import'."
        )
    land = find_land(store, _ANYBODY)
    return build_walk_network(
        roads,
        gates=find_gates(store, _ANYBODY),
        walls=find_walls(store, _ANYBODY),
        water=land[land["kind"] == "water"],
        buildings=find_buildings(store, _ANYBODY),
        entrances=find_entrances(store, _ANYBODY),
    )

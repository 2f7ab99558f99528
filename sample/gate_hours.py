"""Gates at night: no part of the community may be locked in altogether, as a property firm would not dare."""

from __future__ import annotations

from datetime import time

import geopandas as gpd
import numpy as np

from gis.walk_network import build_walk_network
from gis.walk_search import number_parts

_NIGHT = time(0)
_FEWEST_NODES = 12
_CLOSES = time(22)
"""Of the community's own gates; a school's yard is locked in the evening, and stays so."""


def keep_reachable(roads: gpd.GeoDataFrame, gates: gpd.GeoDataFrame, walls: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The gates, of which as many more stay open all night as it takes to leave every larger part by one of them."""
    gates = gates.copy()
    for _ in range(len(gates)):
        network = build_walk_network(roads, gates=gates, walls=walls)
        is_open = np.array([gate.is_open(_NIGHT) for gate in network.gates], dtype=bool)
        part = number_parts(network, is_open)
        sizes = np.bincount(part)
        first, last = part[network.door_first], part[network.door_last]
        locked = (sizes >= _FEWEST_NODES) & (np.arange(len(sizes)) != sizes.argmax())
        is_own = np.array([gate.closes_at == _CLOSES for gate in network.gates], dtype=bool)[network.door_gate]
        leads_out = (first != last) & (locked[first] | locked[last]) & is_own
        found = set(network.door_gate[leads_out].tolist())
        ways_out = sorted(found, key=lambda gate: (network.gates[gate].kind != "vehicle", gate))
        if not ways_out:
            return gates
        gates.loc[gates.index[ways_out[0]], ["closes_at", "opens_at"]] = None
    return gates

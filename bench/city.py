"""
A real city's ways, repeated until they have 200,000 nodes, as one network: copies side by side, joined by streets.

The real file is not part of the project; where it is not, what needs it is left out and said to be.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from bench.replicated import REAL_DATA
from data.importing import ImportOptions, SourceFile, import_sources
from data.queries import find_roads
from data.store import Store
from data.viewer import Role, Viewer
from gis.walk_network import WalkNetwork, build_walk_network
from gis.walk_search import number_parts

NODES = 200_000
_GAP_M = 30.0


def find_city_file() -> Path | None:
    """GeoJSON of a real city's ways, None where it is not on this machine."""
    path = REAL_DATA / "real_city" / "wuhan_optics_valley_roads.geojson"
    return path if path.is_file() else None


def read_city_roads(path: Path) -> gpd.GeoDataFrame:
    """The ways as the product's own import gives them: noded, in a metric CRS; the largest part that one walks in."""
    with tempfile.TemporaryDirectory(prefix="shapan-city-") as folder, Store(Path(folder) / "city.duckdb") as store:
        import_sources(store, [SourceFile("roads.geojson", path.read_bytes())], ImportOptions())
        roads = find_roads(store, Viewer(Role.OFFICER))
    roads = roads[roads["walkable"].astype(bool)].reset_index(drop=True)
    # The file is cut from a tile: what hangs together most is the city, the rest are scraps at its edge.
    network = build_walk_network(roads)
    part = number_parts(network, np.array([], dtype=bool))[network.first]
    return roads.iloc[network.road[part == np.bincount(part).argmax()]]


def repeat_roads(roads: gpd.GeoDataFrame, *, nodes: int = NODES) -> gpd.GeoDataFrame:
    """Copies on a square lattice until there are `nodes` nodes; each is joined with its neighbours by a street."""
    ends = shapely.get_coordinates(shapely.get_point(roads.geometry.to_numpy(), [[0], [-1]]).ravel())
    one = len(np.unique(ends.round(2), axis=0))
    side = math.ceil(math.sqrt(nodes / one))
    x_min, y_min, x_max, y_max = roads.total_bounds
    east_m, north_m = x_max - x_min + _GAP_M, y_max - y_min + _GAP_M
    west_end, east_end = ends[ends[:, 0].argmin()], ends[ends[:, 0].argmax()]
    south_end, north_end = ends[ends[:, 1].argmin()], ends[ends[:, 1].argmax()]
    plain = roads[["road_id", "name", "kind", "width_m", "walkable", "oneway"]]
    parts, joints = [], []
    for row in range(side):
        for column in range(side):
            shift = np.array([column * east_m, row * north_m])
            lines = shapely.transform(roads.geometry.to_numpy(), lambda xy, by=shift: xy + by)
            parts.append(plain.assign(road_id=plain["road_id"] + f"/{row}/{column}", geom=lines))
            if column + 1 < side:
                joints.append(shapely.LineString([east_end + shift, west_end + shift + (east_m, 0.0)]))
            if row + 1 < side:
                joints.append(shapely.LineString([north_end + shift, south_end + shift + (0.0, north_m)]))
    streets = pd.DataFrame(
        {
            "road_id": [f"joint/{n}" for n in range(len(joints))],
            "name": None,
            "kind": "inner",
            "width_m": 6.0,
            "walkable": True,
            "oneway": 0,
            "geom": joints,
        }
    )
    whole = pd.concat([*parts, streets], ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geom", crs=roads.crs)


def build_city(path: Path, *, nodes: int = NODES) -> WalkNetwork:
    """The network of the repeated ways; it knows no walls and no gates."""
    return build_walk_network(repeat_roads(read_city_roads(path), nodes=nodes))

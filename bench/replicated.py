"""
20,000 real buildings: those of one real community, repeated on a lattice.

The real files are not part of the project; where they are not, what needs them is left out and said to be.
"""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get("SHAPAN_TEST_DATA") or ROOT.parent / "shared" / "data")
SIDE = 14  # 14 x 14 copies of the 101 buildings of the real community: 19,796
_METRIC = "EPSG:4548"  # CGCS2000, 3-degree zone of 117 degrees east: the real community lies at 117.2
_GAP_M = 10.0


def find_buildings_file() -> Path | None:
    """GeoJSON of a real community's buildings, None where it is not on this machine."""
    path = REAL_DATA / "real_community" / "buildings.geojson"
    return path if path.is_file() else None


def write_replicated(source: Path, folder: Path, *, side: int = SIDE) -> Path:
    """
    Write `side` x `side` copies of the buildings in `source`, shifted in metres, as GeoJSON in the source's CRS.

    Columns stay; every record has its own number in `fid` and its own way in `osm_way_id`, as a real extract would.
    """
    original = gpd.read_file(source)
    metric = original.to_crs(_METRIC)
    x_min, y_min, x_max, y_max = metric.total_bounds
    east_m, north_m = x_max - x_min + _GAP_M, y_max - y_min + _GAP_M
    copies = [
        metric.assign(geometry=metric.translate(column * east_m, row * north_m))
        for row in range(side)
        for column in range(side)
    ]
    whole = gpd.GeoDataFrame(pd.concat(copies, ignore_index=True), crs=_METRIC)
    whole["fid"] = np.arange(1, len(whole) + 1)
    whole["osm_way_id"] = (1_000_000 + whole["fid"]).astype("str")
    whole["osm_id"] = None
    path = folder / "buildings.geojson"
    whole.to_crs(original.crs).to_file(path, driver="GeoJSON")
    return path

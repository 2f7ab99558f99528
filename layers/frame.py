"""
Local metres: the frame in which the table is drawn.

Web Mercator on a sphere draws WGS 84 up to 0.4 % too long from north to south and 0.1 % too short from west to east at
33° north, more than a 1:300 table may lie. So scenes are sent in metres from one origin in the community's own metric
CRS, and the renderer places them with its METER_OFFSETS system, which is the same in all directions.
Up on the table is grid north.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from data.store import Store
from gis.errors import ShapanError


class NoCommunityError(ShapanError, LookupError):
    """The store holds no community yet: there is nothing to draw."""


@dataclass(frozen=True)
class LocalFrame:
    """
    Origin of the table.

    Attributes
    ----------
    crs
        Metric CRS of the community.
    x_m, y_m
        Origin in that CRS, metres.
    lon, lat
        The same place in WGS 84, degrees.
    point_scale
        Grid metres for one metre on the ground at the origin; divides everything that is drawn.
    """

    crs: str
    x_m: float
    y_m: float
    lon: float
    lat: float
    point_scale: float

    def to_local(self, coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """CRS coordinates, shape (n, 2), as metres east and north of the origin on the ground, to the centimetre."""
        return np.round((coordinates - (self.x_m, self.y_m)) / self.point_scale, 2)


def build_frame(store: Store) -> LocalFrame:
    """
    The frame of the community in `store`: origin in the middle of its boundary.

    Raises
    ------
    NoCommunityError
        The store is empty.
    """
    return _build_frame(store, store.revision("community"))


@lru_cache(maxsize=8)
def _build_frame(store: Store, _revision: int) -> LocalFrame:
    rows = store.read("SELECT crs, ST_AsWKB(boundary) AS boundary FROM community")
    if rows.empty or pd.isna(rows["boundary"].iloc[0]):
        raise NoCommunityError("This store holds no community yet. Import one: shapan import FOLDER --store NAME.")
    crs = str(rows["crs"].iloc[0])
    x_min, y_min, x_max, y_max = shapely.from_wkb(bytes(rows["boundary"].iloc[0])).bounds
    x_m, y_m = round((x_min + x_max) / 2), round((y_min + y_max) / 2)
    lon, lat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x_m, y_m)
    factors = pyproj.Proj(crs).get_factors(lon, lat)
    return LocalFrame(crs, x_m, y_m, float(lon), float(lat), float(factors.meridional_scale))

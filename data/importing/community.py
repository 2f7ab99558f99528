"""The one row of the community: read from the store, completed by an import, written back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
import shapely

from data.importing.incoming import Incoming
from data.store import Store
from gis.crs import WGS84, transform_xy

_ID: Final = "community"


@dataclass
class Community:
    """
    Name, place and boundary.

    Attributes
    ----------
    named
        Somebody named it: a file does not change that.
    crs
        Metric CRS, None for an empty store.
    boundary, boundary_source
        Polygon in `crs`, and `file` or `derived`.
    """

    community_id: str
    name: str
    named: bool
    crs: str | None = None
    address_prefix: str | None = None
    boundary: shapely.Geometry | None = None
    boundary_source: str = "derived"

    @property
    def centre(self) -> tuple[float, float] | None:
        """(lon, lat) of the boundary's middle, degrees."""
        if self.boundary is None or self.crs is None:
            return None
        x, y = transform_xy(shapely.get_coordinates(shapely.centroid(self.boundary)), self.crs, WGS84)[0]
        return float(x), float(y)

    @property
    def radius_km(self) -> float:
        """Half the diagonal of the boundary's box."""
        if self.boundary is None:
            return 0.0
        west, south, east, north = shapely.bounds(self.boundary)
        return float(np.hypot(east - west, north - south)) / 2000.0

    @property
    def address_start(self) -> str:
        """What standard addresses begin with."""
        return f"{self.address_prefix or ''}{self.name}"

    def to_incoming(self, now: datetime, *, changed: bool) -> Incoming:
        """Row for `community`; when something `changed`, its data are as of now."""
        frame = pd.DataFrame(
            {
                "community_id": [self.community_id],
                "name": [self.name],
                "crs": [self.crs],
                "address_prefix": pd.Series([self.address_prefix], dtype="str"),
                "boundary": np.array([self.boundary], dtype=object),
                "boundary_source": [self.boundary_source],
            }
        )
        if changed:
            frame["data_as_of"] = pd.Series([pd.Timestamp(now)], dtype="datetime64[us]")
        return Incoming("community", "community_id", frame, pd.DataFrame({"synthetic": [False]}))


def read_community(store: Store) -> Community:
    """The store's community; for an empty store a new one, called like the store."""
    rows = store.read("SELECT * EXCLUDE (boundary), ST_AsWKB(boundary) AS boundary FROM community")
    if rows.empty:
        return Community(_ID, store.path.stem, named=False)
    row = rows.iloc[0]
    wkb = row["boundary"]
    return Community(
        community_id=str(row["community_id"]),
        name=str(row["name"]),
        named=True,
        crs=str(row["crs"]),
        address_prefix=None if pd.isna(row["address_prefix"]) else str(row["address_prefix"]),
        boundary=None if wkb is None or wkb is pd.NA else shapely.from_wkb(bytes(wkb)),
        boundary_source=str(row["boundary_source"]),
    )

"""Key sites of a table that says their address only: they stand in the building that it leads to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from data.importing.getting import ColumnGetter
from data.importing.layer import Layer
from data.importing.locating import Locator
from data.importing.report import ImportReport


def place_sites(layer: Layer, locator: Locator, buildings: pd.DataFrame, report: ImportReport) -> None:
    """
    Put the records without geometry where their address leads to.

    `buildings` has building_id and `geom` of every building, in the community's CRS as the layer is by now.
    """
    size = len(layer.frame)
    geometry = layer.geometry if layer.geometry is not None else np.full(size, None, dtype=object)
    missing = shapely.is_missing(geometry)
    where = locator.locate(ColumnGetter(layer.canonical("key_site")), ~missing)
    shapes = buildings.set_index("building_id")["geom"]
    found = missing & where.building_id.notna().to_numpy(dtype=bool)
    placed = geometry.copy()
    placed[found] = shapely.point_on_surface(where.building_id[found].map(shapes).to_numpy(dtype=object))
    layer.geometry = placed
    report.add_mask(
        "derived",
        "site_by_address",
        layer.source,
        "key sites placed in their building by address",
        found,
        layer.labels(),
    )

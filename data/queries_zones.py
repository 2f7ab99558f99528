"""Beats and repeat-alarm zones with all that was said of them: for who decides about patrols, not for the wall."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from data.reading import read_rows, read_shapes
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

_RECORDS = """
SELECT z.* EXCLUDE (geom), coalesce(o.name, z.owner_account_id) AS owner,
    coalesce(b.name, z.opened_by) AS opened_by_name, ST_AsWKB(z.geom) AS geom
FROM zones z LEFT JOIN accounts o ON o.account_id = z.owner_account_id
    LEFT JOIN accounts b ON b.account_id = z.opened_by
WHERE $with_closed OR z.status = 'open'
ORDER BY z.status DESC, z.review_on, z.zone_id
"""
_MEASURES = "SELECT measure_id, zone_id, done_on, text FROM zone_measures ORDER BY done_on, measure_id"
_OWNERS = """
SELECT account_id, name, role FROM accounts
WHERE disabled_utc IS NULL AND role IN ('officer', 'commander', 'grid_worker') ORDER BY name
"""


@governed
def find_zone_records(store: Store, viewer: Viewer, *, with_closed: bool = True) -> gpd.GeoDataFrame:
    """Zones with all columns, `owner` and `opened_by_name` by their accounts' names; open ones first, by review."""
    return read_shapes(store, viewer, ("zones",), _RECORDS, {"with_closed": with_closed})


@governed
def find_zone_measures(store: Store, viewer: Viewer) -> pd.DataFrame:
    """What was done in zones, oldest first."""
    return read_rows(store, viewer, ("zone_measures",), _MEASURES)


@governed
def find_zone_owners(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Accounts that may answer for a zone, by name."""
    return read_rows(store, viewer, ("accounts",), _OWNERS)

"""Inside a building: what happened in each home, as counts. No person is in any of it."""

from __future__ import annotations

import pandas as pd

from data.masking import sees_sensitive
from data.moments import to_stored_time
from data.queries_incidents import CATEGORY_TREE
from data.reading import find_history_start, read_rows
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_UNIT_INCIDENTS = (
    CATEGORY_TREE
    + """
SELECT i.unit_id, count(*) AS total, count(*) FILTER (i.reported_utc >= $since) AS lately
FROM incidents i LEFT JOIN kinds k USING (category) JOIN units u ON u.unit_id = i.unit_id
    LEFT JOIN buildings b ON b.building_id = u.building_id
WHERE u.building_id = $building_id AND i.status NOT IN ('cancelled', 'duplicate')
    AND ($sees_all OR NOT coalesce(k.sensitive, false)) AND ($grids IS NULL OR list_contains($grids, b.grid_id))
GROUP BY i.unit_id ORDER BY i.unit_id
"""
)


@governed
def find_unit_incidents(store: Store, viewer: Viewer, building_id: str) -> pd.DataFrame:
    """
    Incidents by unit of one building: `total`, and `lately` in the 84 days before the data end.

    Who may not know a sensitive kind is not told that there was one. Units without incidents have no row.
    """
    since = find_history_start(store)
    parameters = {
        "building_id": building_id, "since": None if since is None else to_stored_time(since),
        "sees_all": sees_sensitive(viewer), "grids": find_grid_limit(viewer, "query", "find_unit_incidents"),
    }  # fmt: skip
    return read_rows(store, viewer, ("incidents", "units"), _UNIT_INCIDENTS, parameters)

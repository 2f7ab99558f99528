"""
Open incidents for the wall's table: where each is down to the home, and nothing of who called.

Of a sensitive kind a role below the officer gets its grid, its time and its urgency: `undisclosed` is true, its kind is
not told and its place is a point of the grid.
"""

from __future__ import annotations

import geopandas as gpd

from data.masking import sees_sensitive
from data.queries_incidents import CATEGORY_TREE
from data.reading import read_shapes
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_ALARMS = (
    CATEGORY_TREE
    + """, seen AS (
    SELECT i.*, coalesce(k.sensitive, false) AND NOT $sees_all AS undisclosed
    FROM incidents i LEFT JOIN kinds k USING (category)
    WHERE i.status NOT IN ('closed', 'cancelled', 'duplicate')
        AND ($grids IS NULL OR list_contains($grids, i.grid_id))
), told AS (
    SELECT incident_id, urgency, status, reported_utc, grid_id, undisclosed,
        CASE WHEN NOT undisclosed THEN category END AS category,
        CASE WHEN NOT undisclosed THEN building_id END AS building_id,
        CASE WHEN NOT undisclosed THEN unit_id END AS unit_id,
        CASE WHEN NOT undisclosed THEN geom END AS geom
    FROM seen
)
SELECT t.incident_id, t.category, t.urgency, t.status, t.reported_utc, t.building_id, t.unit_id, t.grid_id,
    g.number AS grid_number, t.undisclosed, coalesce(ua.full_text, ba.full_text) AS address,
    coalesce(f.elevation_m, (u.level - 1) * 3.0) AS floor_m, coalesce(f.height_m, 3.0) AS floor_height_m,
    ST_AsWKB(u.geom) AS home,
    ST_AsWKB(CASE WHEN t.undisclosed THEN ST_PointOnSurface(g.geom) ELSE t.geom END) AS geom
FROM told t LEFT JOIN grids g USING (grid_id)
    LEFT JOIN units u ON u.unit_id = t.unit_id LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN floors f ON f.building_id = u.building_id AND f.level = u.level
    LEFT JOIN buildings b ON b.building_id = t.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
ORDER BY t.incident_id
"""
)


@governed
def find_alarms(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """
    Every incident that is not over; points, missing where nobody knows the place.

    Returns
    -------
    Kind, urgency, status, time of the report, place (`address` is the standard address of the home or the building) and
    of a known home its outline `home` (WKB), its storey's height above ground `floor_m` and that storey's own height.
    A grid worker gets the rows of their own grids.
    """
    parameters = {
        "sees_all": sees_sensitive(viewer),
        "grids": find_grid_limit(viewer, "query", "find_alarms"),
    }
    return read_shapes(store, viewer, ("incidents",), _ALARMS, parameters)

"""
Open incidents for the wall's table: where each is down to the home, and nothing of who called.

Asked in two steps, because a bad night may leave thousands open: which may come first and how many there are
(`find_alarm_ranks`), then of the few that are shown where each is (`find_alarms`).

Of a sensitive kind a role below the officer gets its grid, its time and its urgency: `undisclosed` is true, its kind is
not told and its place is a point of the grid.
"""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import pandas as pd

from data.hidden_kinds import list_hidden
from data.masking import sees_sensitive
from data.reading import read_rows, read_shapes
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_SEEN = """
WITH seen AS (
    SELECT *, coalesce(list_contains($hidden::VARCHAR[], category), false) AS undisclosed
    FROM incidents
    WHERE status NOT IN ('closed', 'cancelled', 'duplicate')
        AND ($grids IS NULL OR list_contains($grids, grid_id))
)"""
_RANKS = (
    _SEEN
    + """, told AS (
    SELECT incident_id, urgency, status, reported_utc, CASE WHEN NOT undisclosed THEN category END AS category,
        CASE WHEN undisclosed THEN coalesce(grid_id IN (SELECT grid_id FROM grids), false) ELSE geom IS NOT NULL END
            AS is_placed
    FROM seen
)
SELECT *, count(*) OVER alike AS alike FROM told
WINDOW alike AS (PARTITION BY urgency, status, category, is_placed)
QUALIFY row_number() OVER (alike ORDER BY reported_utc, incident_id) <= $most
ORDER BY incident_id
"""
)
_ALARMS = (
    _SEEN
    + """, told AS (
    SELECT incident_id, urgency, status, reported_utc, grid_id, undisclosed,
        CASE WHEN NOT undisclosed THEN category END AS category,
        CASE WHEN NOT undisclosed THEN building_id END AS building_id,
        CASE WHEN NOT undisclosed THEN unit_id END AS unit_id,
        CASE WHEN NOT undisclosed THEN geom END AS geom
    FROM seen WHERE $only IS NULL OR incident_id IN (SELECT unnest($only::VARCHAR[]))
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
def find_alarm_ranks(store: Store, viewer: Viewer, *, most: int) -> pd.DataFrame:
    """
    Of the incidents that are not over those that may be among the first, and how many there are.

    Rows of equal urgency, status, kind and `is_placed` are alike: among them only the time of the report decides which
    comes first. Of those that are alike the `most` oldest are told, and in `alike` how many there are.
    """
    limit = _limit(store, viewer, "find_alarm_ranks")
    return read_rows(store, viewer, ("incidents",), _RANKS, {**limit, "most": most})


@governed
def find_alarms(store: Store, viewer: Viewer, *, only: Collection[str] | None = None) -> gpd.GeoDataFrame:
    """
    Every incident that is not over, or `only` those of these ids; points, missing where nobody knows the place.

    Returns
    -------
    Kind, urgency, status, time of the report, place (`address` is the standard address of the home or the building) and
    of a known home its outline `home` (WKB), its storey's height above ground `floor_m` and that storey's own height.
    A grid worker gets the rows of their own grids.
    """
    limit = _limit(store, viewer, "find_alarms")
    return read_shapes(store, viewer, ("incidents",), _ALARMS, {**limit, "only": None if only is None else list(only)})


def _limit(store: Store, viewer: Viewer, query: str) -> dict[str, object]:
    """Kinds of which this viewer does not learn the place, and the grids whose rows they get (None: all)."""
    hidden = list_hidden(store, sees_all=sees_sensitive(viewer))
    return {"hidden": hidden, "grids": find_grid_limit(viewer, "query", query)}

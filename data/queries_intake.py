"""
Incidents as they came in: what another system may read of them, and those that wait for a place.

Nothing about a caller and no words of theirs leave here but in the waiting list, whose addresses in words are masked
for whoever looks: somebody has to find the place.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import geopandas as gpd
import pandas as pd

from data.masking import sees_sensitive
from data.moments import to_stored_time
from data.queries_incidents import CATEGORY_TREE
from data.reading import read_rows, read_shapes
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

MOST_ROWS = 500

_REPORTED = (
    CATEGORY_TREE
    + """, seen AS (
    SELECT i.*, coalesce(k.sensitive, false) AND NOT $sees_all AS undisclosed,
        coalesce(ua.full_text, ba.full_text) AS address
    FROM incidents i LEFT JOIN kinds k USING (category)
        LEFT JOIN units u USING (unit_id) LEFT JOIN addresses ua ON ua.address_id = u.address_id
        LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
    WHERE ($incident_id IS NULL OR i.incident_id = $incident_id)
        AND ($since IS NULL OR i.reported_utc >= $since) AND ($until IS NULL OR i.reported_utc < $until)
        AND ($statuses IS NULL OR list_contains($statuses, i.status))
        AND ($categories IS NULL OR list_contains($categories, i.category) OR list_has_any($categories, k.ancestors))
        AND ($placed IS NULL OR (i.geom IS NOT NULL) = $placed)
        AND ($grids IS NULL OR list_contains($grids, i.grid_id))
        AND ($before IS NULL OR (i.reported_utc, i.incident_id) <
            (SELECT (b.reported_utc, b.incident_id) FROM incidents b WHERE b.incident_id = $before))
)
SELECT incident_id, CASE WHEN NOT undisclosed THEN number END AS number,
    CASE WHEN NOT undisclosed THEN category END AS category, urgency,
    CASE WHEN NOT undisclosed THEN source END AS source,
    reported_utc, occurred_from_utc, occurred_to_utc, closed_utc, status, grid_id, undisclosed,
    CASE WHEN NOT undisclosed THEN building_id END AS building_id,
    CASE WHEN NOT undisclosed THEN unit_id END AS unit_id,
    CASE WHEN NOT undisclosed THEN address END AS address,
    CASE WHEN NOT undisclosed THEN place_source END AS place_source,
    CASE WHEN NOT undisclosed THEN place_confidence END AS place_confidence,
    CASE WHEN NOT undisclosed THEN place_reason END AS place_reason,
    CASE WHEN NOT undisclosed THEN place_gap_m END AS place_gap_m,
    CASE WHEN NOT undisclosed THEN duplicate_of END AS duplicate_of,
    ST_AsWKB(CASE WHEN NOT undisclosed THEN geom END) AS geom
FROM seen
WHERE NOT undisclosed OR ($categories IS NULL AND $placed IS NULL)
ORDER BY reported_utc DESC, incident_id DESC LIMIT $rows
"""
)

_UNPLACED = """
SELECT incident_id, number, category, urgency, reported_utc, sent_by, place_reason, address_text
FROM incidents
WHERE geom IS NULL AND status NOT IN ('closed', 'cancelled', 'duplicate')
ORDER BY CASE urgency WHEN 'urgent' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END, reported_utc, incident_id
"""


@governed
def find_reported(
    store: Store,
    viewer: Viewer,
    *,
    incident_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    statuses: Collection[str] | None = None,
    categories: Collection[str] | None = None,
    is_placed: bool | None = None,
    before: str | None = None,
    limit: int = MOST_ROWS,
) -> gpd.GeoDataFrame:
    """
    Incidents with their place and how sure it is, newest first; no caller and no free text.

    Parameters
    ----------
    incident_id
        Only this one.
    since, until
        Aware times; reported at `since` or later, and before `until`.
    statuses, categories
        Any of these; a category stands for every kind below it too.
    is_placed
        True: only those with a place; False: only those without.
    before
        Id of the last row of the page before; nothing follows one that is not there.
    limit
        Rows at the most, 1 to 500.

    Returns
    -------
    Of a sensitive kind a role below the officer gets its grid and its time (`undisclosed`); the place is missing then,
    and where there is none.
    """
    return read_shapes(
        store,
        viewer,
        ("incidents",),
        _REPORTED,
        {
            "sees_all": sees_sensitive(viewer),
            "grids": find_grid_limit(viewer, "query", "find_reported"),
            "incident_id": incident_id,
            "since": None if since is None else to_stored_time(since),
            "until": None if until is None else to_stored_time(until),
            "statuses": None if statuses is None else sorted(statuses),
            "categories": None if categories is None else sorted(categories),
            "placed": is_placed,
            "before": before,
            "rows": min(max(limit, 1), MOST_ROWS),
        },
    )


_OPEN_ROWS = """
SELECT i.incident_id, i.number, i.category, i.urgency, i.status, i.reported_utc, i.grid_id, i.place_confidence,
    i.place_reason, coalesce(ua.full_text, ba.full_text) AS address
FROM incidents i LEFT JOIN units u USING (unit_id) LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
WHERE i.status NOT IN ('closed', 'cancelled', 'duplicate')
ORDER BY CASE i.urgency WHEN 'urgent' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END, i.reported_utc, i.incident_id
LIMIT $rows
"""
_CASE = """
SELECT i.incident_id, i.number, i.category, i.urgency, i.source, i.status, i.sent_by, i.reported_utc,
    i.occurred_from_utc, i.occurred_to_utc, i.closed_utc, i.building_id, i.unit_id, i.grid_id, i.place_source,
    i.place_confidence, i.place_reason, i.place_gap_m, i.said_crs, i.said_x, i.said_y, i.duplicate_of, i.disposition,
    coalesce(ua.full_text, ba.full_text) AS address, i.address_text, i.narrative, i.reporter_name, i.reporter_phone,
    i.caller_address, i.geom IS NOT NULL AS is_placed
FROM incidents i LEFT JOIN units u USING (unit_id) LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
WHERE i.incident_id = $incident_id
"""


@governed
def find_open_incidents(store: Store, viewer: Viewer, *, limit: int = MOST_ROWS) -> pd.DataFrame:
    """Incidents that are not at their end, the urgent and the oldest first, with place and how sure it is."""
    return read_rows(store, viewer, ("incidents",), _OPEN_ROWS, {"rows": limit})


@governed
def find_case(store: Store, viewer: Viewer, incident_id: str) -> pd.DataFrame:
    """One incident with all that is known of it, persons masked for the viewer; no row when there is none."""
    return read_rows(store, viewer, ("incidents",), _CASE, {"incident_id": incident_id})


@governed
def find_unplaced(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Open incidents that nobody could place, the urgent and the oldest first; `address_text` is what was said."""
    return read_rows(store, viewer, ("incidents",), _UNPLACED)

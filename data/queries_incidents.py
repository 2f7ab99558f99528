"""
Incidents and their kinds, as a viewer may see them.

Roles below the officer do not see *where* a sensitive incident was: it keeps its grid and its time, its kind is not
told and its place is a point of the grid (`undisclosed` is true). Rules that look for places ask for
`only_places=True` and never meet such a row.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import geopandas as gpd
import pandas as pd

from data.masking import sees_sensitive
from data.moments import to_stored_time
from data.reading import read_rows, read_shapes
from data.rights import find_grid_limit, governed
from data.settings_store import SENSITIVE_KINDS
from data.store import Store
from data.viewer import Viewer

# A kind is sensitive when it or any kind above it is, by its own mark or by the setting. UNION (not ALL) ends even
# where a bad import made a circle.
_DEFAULT_KINDS = "[" + ", ".join(f"'{kind}'" for kind in SENSITIVE_KINDS) + "]"
CATEGORY_TREE = f"""
WITH RECURSIVE lineage(category, ancestor) AS (
    SELECT category, category FROM incident_categories
    UNION
    SELECT l.category, c.parent FROM lineage l JOIN incident_categories c ON c.category = l.ancestor
    WHERE c.parent IS NOT NULL
), named AS (
    SELECT coalesce((SELECT from_json(value, '["VARCHAR"]') FROM settings WHERE name = 'sensitive_kinds'),
        {_DEFAULT_KINDS}) AS kinds
), kinds AS (
    SELECT l.category, bool_or(c.sensitive OR list_contains((SELECT kinds FROM named), c.category)) AS sensitive,
        list(l.ancestor) AS ancestors
    FROM lineage l JOIN incident_categories c ON c.category = l.ancestor GROUP BY l.category
)
"""

_INCIDENTS = (
    CATEGORY_TREE
    + """, middles AS (SELECT grid_id, ST_PointOnSurface(geom) AS middle FROM grids), seen AS (
    SELECT i.*, coalesce(k.sensitive, false) AND NOT $sees_all AS undisclosed,
        coalesce(ua.full_text, ba.full_text) AS address
    FROM incidents i LEFT JOIN kinds k USING (category)
        LEFT JOIN units u USING (unit_id) LEFT JOIN addresses ua ON ua.address_id = u.address_id
        LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
    WHERE ($since IS NULL OR i.reported_utc >= $since) AND ($until IS NULL OR i.reported_utc < $until)
        AND ($sources IS NULL OR list_contains($sources, i.source))
        AND ($grids IS NULL OR list_contains($grids, i.grid_id))
        AND ($building_id IS NULL OR i.building_id = $building_id)
        AND (NOT $only_places OR (i.geom IS NOT NULL AND i.status NOT IN ('cancelled', 'duplicate')))
        AND ($categories IS NULL OR list_contains($categories, i.category) OR list_has_any($categories, k.ancestors))
)
SELECT incident_id, CASE WHEN NOT undisclosed THEN number END AS number,
    CASE WHEN NOT undisclosed THEN category END AS category, urgency,
    CASE WHEN NOT undisclosed THEN source END AS source,
    reported_utc, occurred_from_utc, occurred_to_utc, closed_utc, status,
    CASE WHEN NOT undisclosed THEN building_id END AS building_id,
    CASE WHEN NOT undisclosed THEN unit_id END AS unit_id, s.grid_id,
    CASE WHEN NOT undisclosed THEN address END AS address,
    CASE WHEN reporter_key IS NOT NULL THEN dense_rank() OVER (ORDER BY reporter_key) END AS caller,
    address_text, reporter_name, reporter_phone, narrative,
    CASE WHEN NOT undisclosed THEN disposition END AS disposition, undisclosed,
    ST_AsWKB(CASE WHEN undisclosed THEN m.middle ELSE s.geom END) AS geom
FROM seen s LEFT JOIN middles m ON m.grid_id = s.grid_id
WHERE NOT undisclosed OR ($building_id IS NULL AND $categories IS NULL AND NOT $only_places AND m.grid_id IS NOT NULL)
ORDER BY reported_utc, incident_id
"""
)


@governed
def find_incidents(
    store: Store,
    viewer: Viewer,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    categories: Collection[str] | None = None,
    sources: Collection[str] | None = None,
    building_id: str | None = None,
    only_places: bool = False,
) -> gpd.GeoDataFrame:
    """
    Incidents by the time of their report, oldest first; points.

    Parameters
    ----------
    store, viewer
        Where from, and for whom.
    since, until
        Aware times; reported at `since` or later, and before `until`.
    categories
        Codes; a code stands for every kind below it too. None: all kinds.
    sources
        Of `call`, `counter`, `app`, `police_found`. None: all.
    building_id
        Only of this building.
    only_places
        Leave out rows whose place this viewer may not know, and those that are not placed, were cancelled or repeat
        another: for rules that look for places. Else the place of a row that is not placed is missing.

    Returns
    -------
    Columns of the schema, `address` (standard address), `undisclosed`, and `caller`: a number for each different caller
    within this frame (missing where unknown), to tell "5 of 7 from one caller"; it means nothing outside this frame.
    A grid worker gets the rows of their own grids.
    """
    return read_shapes(
        store,
        viewer,
        ("incidents",),
        _INCIDENTS,
        {
            "sees_all": sees_sensitive(viewer),
            "grids": find_grid_limit(viewer, "query", "find_incidents"),
            "since": None if since is None else to_stored_time(since),
            "until": None if until is None else to_stored_time(until),
            "categories": None if categories is None else sorted(categories),
            "sources": None if sources is None else sorted(sources),
            "building_id": building_id,
            "only_places": only_places,
        },
    )


# What a kind does not say itself it takes from the nearest kind above that says it; a circle ends after ten.
_INHERITED = ("urgency", "colour", "symbol", "target_dispatch_minutes", "target_minutes", "target_close_minutes")
_KINDS = (
    CATEGORY_TREE
    + """, climb(category, ancestor, up) AS (
    SELECT category, category, 0 FROM incident_categories
    UNION ALL
    SELECT l.category, c.parent, l.up + 1 FROM climb l JOIN incident_categories c ON c.category = l.ancestor
    WHERE c.parent IS NOT NULL AND l.up < 10
), said AS (
    SELECT l.category, """
    + ", ".join(f"arg_min(c.{name}, l.up) FILTER (c.{name} IS NOT NULL) AS {name}" for name in _INHERITED)
    + """
    FROM climb l JOIN incident_categories c ON c.category = l.ancestor GROUP BY l.category
)
SELECT c.category, c.parent, c.name_zh, c.name_en, k.sensitive, c.key, s.* EXCLUDE (category)
FROM incident_categories c JOIN kinds k USING (category) JOIN said s USING (category)
ORDER BY c.category"""
)


@governed
def find_categories(store: Store, viewer: Viewer) -> pd.DataFrame:
    """
    Kinds of incident with parent, names in both languages and what they bring with them.

    `sensitive` holds for a kind when any kind above it is. `urgency`, `colour`, `symbol` and the three targets in
    minutes are the nearest kind's that says them; missing where none does. `key` is a kind's own.
    """
    return read_rows(store, viewer, ("incident_categories",), _KINDS)

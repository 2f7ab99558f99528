"""
Inside a building: what is known of one home beside its register row. No person is in any of it, so that a screen that
everybody sees may show it.
"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from data.looks import log_looks
from data.masking import is_shown_persons, sees_sensitive
from data.moments import to_stored_time
from data.queries_incidents import CATEGORY_TREE
from data.reading import find_history_start, read_rows, read_shapes
from data.rights import find_grid_limit, governed
from data.site_plans import SUBJECT, WITH_PURPOSE, PurposeNeededError, get_site_kind
from data.store import Clock, Store, utc_now
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
# Homes on the same landing, and those above and below: that is whom noise, smoke and water reach.
_NEIGHBOURS = """
SELECT o.unit_id, o.room, CASE WHEN o.unit_id = u.unit_id THEN 'own' WHEN o.level = u.level THEN 'landing'
    WHEN o.level > u.level THEN 'above' ELSE 'below' END AS where_is
FROM units u JOIN units o ON o.building_id = u.building_id
    AND (o.unit_id = u.unit_id OR (coalesce(o.entrance_id, '') = coalesce(u.entrance_id, '')
        AND (o.level = u.level OR (abs(o.level - u.level) = 1 AND right(o.room, 2) = right(u.room, 2)))))
WHERE u.unit_id = $unit_id
"""
_REPORTS = (
    CATEGORY_TREE
    + f"""
, near AS ({_NEIGHBOURS})
SELECT n.where_is, n.unit_id, n.room, i.category, i.reported_utc, i.status, i.disposition, b.grid_id
FROM incidents i JOIN near n ON n.unit_id = i.unit_id LEFT JOIN kinds k USING (category)
    LEFT JOIN units u ON u.unit_id = $unit_id LEFT JOIN buildings b ON b.building_id = u.building_id
WHERE i.status NOT IN ('cancelled', 'duplicate') AND ($sees_all OR NOT coalesce(k.sensitive, false))
    AND ($grids IS NULL OR list_contains($grids, b.grid_id))
ORDER BY n.where_is <> 'own', i.reported_utc DESC, i.incident_id LIMIT $limit
"""
)
_VISITS = """
SELECT t.task_id, CASE WHEN $disputes OR t.kind <> 'dispute' THEN t.kind ELSE 'other' END AS kind, t.state, t.due_utc,
    t.submitted_utc, t.closed_utc, t.findings_count, t.mended, t.recheck_id,
    r.state AS recheck_state, r.mended AS recheck_mended, b.grid_id,
    (SELECT string_agg(f.code, ' ' ORDER BY f.code) FROM task_findings f WHERE f.task_id = t.task_id) AS codes,
    (SELECT min(f.rectify_by) FROM task_findings f WHERE f.task_id = t.task_id) AS rectify_by,
    (SELECT count(*) FROM task_photos p WHERE p.task_id = t.task_id) AS photos
FROM tasks t LEFT JOIN tasks r ON r.task_id = t.recheck_id JOIN units u ON u.unit_id = t.unit_id
    LEFT JOIN buildings b ON b.building_id = u.building_id
WHERE t.unit_id = $unit_id AND t.state <> 'cancelled' AND t.kind <> 'patrol'
    AND ($grids IS NULL OR list_contains($grids, b.grid_id))
ORDER BY coalesce(t.submitted_utc, t.due_utc) DESC, t.task_id LIMIT $limit
"""
_RENTAL = """
SELECT r.rental_id, r.colour, r.rooms_count, r.beds_count, r.tenants_count, r.registered_on, r.last_visit_on,
    r.landlord_name IS NOT NULL AS has_landlord, r.suspected_group, r.suspicion_reason, r.confirmed_utc,
    v.state, v.rule_set, v.clause, v.since_utc, v.expires_utc, b.grid_id
FROM rentals r JOIN units u ON u.unit_id = r.unit_id LEFT JOIN buildings b ON b.building_id = u.building_id
    LEFT JOIN verdicts v ON v.rental_id = r.rental_id
WHERE r.unit_id = $unit_id AND ($grids IS NULL OR list_contains($grids, b.grid_id)) ORDER BY r.rental_id
"""
_PLAN_ROOMS = """
SELECT r.building_id, r.level, r.kind, r.entrance_id, r.number, r.unit_id, ST_AsWKB(r.geom) AS geom
FROM plan_rooms r WHERE r.building_id = $building_id ORDER BY r.level, r.kind, r.place
"""


@governed
def find_site_plan(store: Store, viewer: Viewer, site_id: str, *, clock: Clock = utc_now) -> gpd.GeoDataFrame:
    """
    Parts of a site's plan, by storey; empty where it has none.

    Raises
    ------
    RecordMissingError
        There is no such site.
    PurposeNeededError
        It is a school's, and this account gave no purpose for it. With one, the look is logged.
    """
    if get_site_kind(store, site_id) in WITH_PURPOSE:
        if (SUBJECT, site_id) not in viewer.openings:
            raise PurposeNeededError(
                f"The plan of '{site_id[:60]}' is a school's: it opens for a purpose. Say what you need it for."
            )
        log_looks(store, viewer, frozenset({(SUBJECT, site_id)}), clock=clock)
    sql = """SELECT part_id, level, kind, name, source, ST_AsWKB(geom) AS geom FROM site_plan_parts
        WHERE site_id = ? ORDER BY level, part_id"""
    return store.read_geo(sql, [site_id])


@governed
def find_plan_rooms(store: Store, viewer: Viewer, building_id: str) -> gpd.GeoDataFrame:
    """Rooms and landings of a building's schematic plan (示意); `unit_id` where a unit of the register is in it."""
    return read_shapes(store, viewer, ("plan_rooms",), _PLAN_ROOMS, {"building_id": building_id})


@governed
def find_unit_reports(store: Store, viewer: Viewer, unit_id: str, *, limit: int = 10) -> pd.DataFrame:
    """
    Incidents of a home (`where_is` own) and of its neighbours (landing, above, below), its own first, then the newest.

    Who may not know a sensitive kind is not told that there was one.
    """
    parameters = {
        "unit_id": unit_id, "sees_all": sees_sensitive(viewer), "limit": limit,
        "grids": find_grid_limit(viewer, "query", "find_unit_reports"),
    }  # fmt: skip
    return read_rows(store, viewer, ("units",), _REPORTS, parameters)


@governed
def find_unit_visits(store: Store, viewer: Viewer, unit_id: str, *, limit: int = 6) -> pd.DataFrame:
    """
    Visits of a home, the newest or next first: what was found (`codes`), until when it had to be mended, and was it.

    That a visit was a mediation is told to those who may see persons at all.
    """
    parameters = {
        "unit_id": unit_id, "limit": limit, "disputes": is_shown_persons(viewer),
        "grids": find_grid_limit(viewer, "query", "find_unit_visits"),
    }  # fmt: skip
    return read_rows(store, viewer, ("units",), _VISITS, parameters)


@governed
def find_unit_rentals(store: Store, viewer: Viewer, unit_id: str) -> pd.DataFrame:
    """Rentals of a home, each with its verdict: rule set, clause, since when, until; `has_landlord`: registered."""
    grids = find_grid_limit(viewer, "query", "find_unit_rentals")
    return read_rows(store, viewer, ("units",), _RENTAL, {"unit_id": unit_id, "grids": grids})


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

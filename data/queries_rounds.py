"""What a round of visits is made of: tasks of a worker or a grid with their door and storey, and where it can begin."""

from __future__ import annotations

from datetime import datetime

import geopandas as gpd

from data.moments import to_stored_time
from data.reading import read_shapes
from data.rights import governed
from data.store import Store
from data.task_rights import OWN_TASK, build_own
from data.viewer import Viewer

_TASKS = f"""
SELECT t.task_id, t.kind, t.priority, t.state, t.due_utc, t.place_text, t.subject_kind, t.subject_id, t.building_id,
    t.unit_id, t.grid_id, t.again_utc, t.changed_utc, coalesce(t.absent_count, 0) AS absent_count, u.entrance_id,
    coalesce(u.level, s.level) AS level, s.kind AS site_kind, count(*) OVER () AS total, ST_AsWKB(t.geom) AS geom
FROM tasks t LEFT JOIN units u ON u.unit_id = t.unit_id
    LEFT JOIN key_sites s ON t.subject_kind = 'site' AND s.site_id = t.subject_id
WHERE {OWN_TASK.format(t="t")} AND t.state IN ('assigned', 'accepted', 'on_site') AND t.due_utc < $until
    AND ($grid IS NULL OR t.grid_id = $grid)
    AND ($account IS NULL OR coalesce(t.accepted_by = $account, false) OR (t.accepted_by IS NULL AND (
        (t.receiver_kind = 'account' AND t.receiver_id = $account) OR (t.receiver_kind = 'grid' AND (
            list_contains($own_grids::VARCHAR[], t.receiver_id)
            OR t.receiver_id IN (SELECT k.grid_id FROM account_grids k WHERE k.account_id = $account))))))
ORDER BY t.due_utc, t.task_id LIMIT $limit
"""
# Places where somebody was today, by what they sent from there: the last one.
_LAST = f"""
SELECT t.task_id, t.place_text, t.building_id, u.entrance_id, u.level, t.grid_id, e.at_utc, ST_AsWKB(t.geom) AS geom
FROM (
    SELECT at_utc, event_id, subject_id FROM events WHERE subject_table = 'tasks' AND at_utc >= $since
        AND kind IN ('task.arrive', 'task.submit', 'task.nobody_home') AND (detail ->> 'by') = $account
) e JOIN tasks t ON t.task_id = e.subject_id LEFT JOIN units u ON u.unit_id = t.unit_id
WHERE {OWN_TASK.format(t="t")} AND t.geom IS NOT NULL ORDER BY e.event_id DESC LIMIT 1
"""
_DUE = f"""
SELECT t.building_id, t.grid_id, count(*) AS tasks, count(*) FILTER (t.due_utc < $now) AS overdue,
    count(*) FILTER (t.due_utc >= $now AND t.due_utc < $today) AS today, b.height_m, b.base_m, ST_AsWKB(b.geom) AS geom
FROM tasks t JOIN buildings b USING (building_id)
WHERE t.state IN ('waiting', 'assigned', 'accepted', 'on_site') AND t.due_utc < $until
    AND t.kind IN ('inspection', 'verification', 'rectification') AND {OWN_TASK.format(t="t")}
GROUP BY ALL ORDER BY t.building_id
"""


@governed
def find_round_tasks(
    store: Store, viewer: Viewer, *, until: datetime, grid_id: str | None = None, account_id: str | None = None,
    limit: int = 60,
) -> gpd.GeoDataFrame:  # fmt: skip
    """
    Tasks at work that are due before `until`, the most pressing first, each with the door and storey of its home.

    `account_id` are those that it took on, and those that wait for it or a grid of its own; `grid_id` those that lie
    there. Each row says in `total` how many there are.
    """
    parameters = {
        **build_own(viewer, "find_round_tasks"), "until": to_stored_time(until), "grid": grid_id,
        "account": account_id, "limit": limit,
        "own_grids": sorted(viewer.grids or ()) if account_id == viewer.account_id else [],
    }  # fmt: skip
    return read_shapes(store, viewer, ("tasks",), _TASKS, parameters)


@governed
def find_last_place(store: Store, viewer: Viewer, *, since: datetime) -> gpd.GeoDataFrame:
    """The task at whose place the viewer's own account was last since an aware time; no row where nowhere."""
    parameters = {
        **build_own(viewer, "find_last_place"), "since": to_stored_time(since), "account": viewer.account_id,
    }  # fmt: skip
    return read_shapes(store, viewer, ("tasks",), _LAST, parameters)


@governed
def find_due_visits(
    store: Store, viewer: Viewer, *, now: datetime, today: datetime, until: datetime
) -> gpd.GeoDataFrame:
    """
    Buildings with visits due before `until`: how many, how many of them overdue, and due before the end of `today`.

    Counts of places; who has to make them is not told.
    """
    parameters = {
        **build_own(viewer, "find_due_visits"), "now": to_stored_time(now), "today": to_stored_time(today),
        "until": to_stored_time(until),
    }  # fmt: skip
    return read_shapes(store, viewer, ("tasks", "buildings"), _DUE, parameters)

"""Tasks: lists, one task with its history and evidence, and what the supervision board counts. Never a person's sum."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import geopandas as gpd
import pandas as pd

from data.hidden_kinds import list_hidden
from data.masking import sees_sensitive
from data.moments import to_stored_time
from data.reading import read_rows, read_shapes
from data.rights import find_grid_limit, governed
from data.store import Store
from data.task_rights import OWN_TASK, build_own
from data.viewer import Viewer

MOST_ROWS = 300
_LIST = f"""
WITH chosen AS (
    SELECT t.*, count(*) OVER () AS total FROM tasks t
    WHERE {OWN_TASK.format(t="t")}
        AND ($states IS NULL OR list_contains($states::VARCHAR[], t.state))
        AND ($kind IS NULL OR t.kind = $kind) AND ($grid IS NULL OR t.grid_id = $grid)
        AND ($building IS NULL OR t.building_id = $building) AND ($unit IS NULL OR t.unit_id = $unit)
        AND ($subject IS NULL OR t.subject_id = $subject)
        AND ($receiver_kind IS NULL OR coalesce(t.receiver_kind, 'none') = $receiver_kind)
        AND ($receiver_id IS NULL OR coalesce(t.receiver_id, 'none') = $receiver_id)
        AND (NOT $only_mine OR coalesce(t.accepted_by = $who, false)
            OR (t.accepted_by IS NULL AND (
                (t.receiver_kind = 'account' AND t.receiver_id = $who)
                OR (t.receiver_kind = 'grid' AND list_contains($own_grids::VARCHAR[], t.receiver_id))
                OR (t.receiver_kind = 'role' AND t.receiver_id = $role))))
        AND (NOT $only_overdue OR (t.due_utc < $now AND t.state IN ('waiting', 'assigned', 'accepted', 'on_site')))
        AND (NOT $only_sent_back OR t.sent_back_count > 0)
        AND ($level IS NULL OR (coalesce(t.escalation_level, 0) >= $level
            AND t.state IN ('waiting', 'assigned', 'accepted', 'on_site')))
        AND ($closed_since IS NULL OR t.closed_utc >= $closed_since)
    ORDER BY CASE WHEN $newest THEN -epoch(coalesce(t.closed_utc, t.changed_utc)) ELSE epoch(t.due_utc) END, t.task_id
    LIMIT $limit
)
SELECT c.task_id, c.kind, c.origin, c.origin_id, c.parent_id, c.subject_kind, c.subject_id, c.place_text,
    c.building_id, c.unit_id, c.grid_id, g.name AS grid_name, c.checklist, c.note, c.created_utc, c.state, c.priority,
    c.due_utc, c.receiver_kind, c.receiver_id, coalesce(a.name, r.name, c.receiver_id) AS receiver, c.accepted_by,
    coalesce(b.name, c.accepted_by) AS accepted_by_name, c.submitted_utc, c.changed_utc, c.closed_utc,
    c.sent_back_count, coalesce(c.escalation_level, 0) AS escalation_level, c.again_utc,
    c.mended, c.settled, c.follow_up_on, c.recheck_id, c.findings_count, c.evidence_count, c.total,
    ST_AsWKB(c.geom) AS geom
FROM chosen c LEFT JOIN grids g ON g.grid_id = c.grid_id
    LEFT JOIN accounts a ON c.receiver_kind = 'account' AND a.account_id = c.receiver_id
    LEFT JOIN grids r ON c.receiver_kind = 'grid' AND r.grid_id = c.receiver_id
    LEFT JOIN accounts b ON b.account_id = c.accepted_by
ORDER BY CASE WHEN $newest THEN -epoch(coalesce(c.closed_utc, c.changed_utc)) ELSE epoch(c.due_utc) END, c.task_id
"""
_ONE = f"""
SELECT t.*, coalesce(c.name, t.created_by) AS created_by_name, coalesce(s.name, t.submitted_by) AS submitted_by_name,
    coalesce(b.name, t.accepted_by) AS accepted_by_name, coalesce(a.name, r.name, t.receiver_id) AS receiver,
    g.name AS grid_name
FROM (SELECT * EXCLUDE (geom), ST_X(geom) AS x_m, ST_Y(geom) AS y_m FROM tasks WHERE task_id = $task_id) t
    LEFT JOIN grids g ON g.grid_id = t.grid_id
    LEFT JOIN accounts a ON t.receiver_kind = 'account' AND a.account_id = t.receiver_id
    LEFT JOIN grids r ON t.receiver_kind = 'grid' AND r.grid_id = t.receiver_id
    LEFT JOIN accounts b ON b.account_id = t.accepted_by LEFT JOIN accounts c ON c.account_id = t.created_by
    LEFT JOIN accounts s ON s.account_id = t.submitted_by
WHERE {OWN_TASK.format(t="t")}
"""
_EVENTS = f"""
SELECT e.event_id, e.at_utc, substr(e.kind, 6) AS action, coalesce(a.name, e.by) AS by, e.reason,
    e.receiver_kind, coalesce(x.name, r.name, e.receiver_id) AS receiver
FROM (
    SELECT event_id, at_utc, kind, subject_id, detail ->> 'by' AS by, detail ->> 'reason' AS reason,
        detail ->> 'receiver_kind' AS receiver_kind, detail ->> 'receiver_id' AS receiver_id
    FROM events WHERE subject_table = 'tasks' AND subject_id = $task_id AND kind LIKE 'task.%'
) e JOIN tasks t ON t.task_id = e.subject_id LEFT JOIN accounts a ON a.account_id = e.by
    LEFT JOIN accounts x ON e.receiver_kind = 'account' AND x.account_id = e.receiver_id
    LEFT JOIN grids r ON e.receiver_kind = 'grid' AND r.grid_id = e.receiver_id
WHERE {OWN_TASK.format(t="t")} ORDER BY e.event_id
"""
_OF_TASK = f"""
FROM {{table}} x JOIN tasks t ON t.task_id = x.task_id
WHERE x.task_id = $task_id AND {OWN_TASK.format(t="t")} ORDER BY {{order}}
"""
# What happened at the same home (at the building, where no home is known), linked ones first.
_INCIDENTS = f"""
SELECT i.incident_id, CASE WHEN list_contains($hidden::VARCHAR[], i.category) THEN NULL ELSE i.category END AS category,
    i.reported_utc, i.status, i.disposition, i.grid_id, coalesce(i.unit_id = t.unit_id, false) AS same_unit,
    l.incident_id IS NOT NULL AS linked
FROM tasks t JOIN incidents i ON coalesce(i.unit_id = t.unit_id, false)
        OR (t.unit_id IS NULL AND coalesce(i.building_id = t.building_id, false))
        OR i.incident_id IN (SELECT k.incident_id FROM task_incidents k WHERE k.task_id = $task_id)
    LEFT JOIN task_incidents l ON l.task_id = t.task_id AND l.incident_id = i.incident_id
WHERE t.task_id = $task_id AND {OWN_TASK.format(t="t")} AND i.status NOT IN ('cancelled', 'duplicate')
    AND (l.incident_id IS NOT NULL OR NOT list_contains($hidden::VARCHAR[], i.category))
ORDER BY linked DESC, i.reported_utc DESC LIMIT 30
"""
_AT = """
SELECT i.incident_id, i.category, i.reported_utc, i.status, i.grid_id, coalesce(i.unit_id = $unit, false) AS same_unit
FROM incidents i WHERE i.building_id = $building AND i.status NOT IN ('cancelled', 'duplicate')
    AND ($grids IS NULL OR list_contains($grids, i.grid_id)) AND NOT list_contains($hidden::VARCHAR[], i.category)
ORDER BY i.reported_utc DESC, i.incident_id LIMIT $limit
"""
# Of the same subject; of a home also what it was visited for under another name (its rental, itself).
_EARLIER = f"""
SELECT x.task_id, x.kind, x.state, x.submitted_utc, x.closed_utc, x.findings_count, x.mended, x.grid_id,
    r.state AS recheck_state, r.mended AS recheck_mended,
    (SELECT string_agg(DISTINCT f.code, ' ' ORDER BY f.code) FROM task_findings f WHERE f.task_id = x.task_id) AS codes
FROM tasks t JOIN tasks x ON x.task_id <> t.task_id AND x.submitted_utc IS NOT NULL AND x.state <> 'cancelled'
        AND ((x.subject_kind = t.subject_kind AND x.subject_id = t.subject_id)
            OR coalesce(x.unit_id = t.unit_id, false))
    LEFT JOIN tasks r ON r.task_id = x.recheck_id
WHERE t.task_id = $task_id AND {OWN_TASK.format(t="t")} ORDER BY x.submitted_utc DESC, x.task_id LIMIT $limit
"""
_BOARD = f"""
SELECT t.grid_id, t.kind, count(*) FILTER (t.closed_utc IS NULL) AS open,
    count(*) FILTER (t.state IN ('waiting', 'assigned', 'accepted', 'on_site') AND t.due_utc < $now) AS overdue,
    count(*) FILTER (t.state IN ('waiting', 'assigned', 'accepted', 'on_site') AND t.escalation_level >= 1) AS level_1,
    count(*) FILTER (t.state IN ('waiting', 'assigned', 'accepted', 'on_site') AND t.escalation_level >= 2) AS level_2,
    count(*) FILTER (t.state = 'rectifying') AS rectifying,
    count(*) FILTER (t.closed_utc IS NULL AND t.sent_back_count > 0) AS sent_back,
    count(*) FILTER (t.state = 'closed' AND t.closed_utc >= $since) AS closed,
    count(*) FILTER (t.state = 'closed' AND t.closed_utc >= $since AND t.submitted_utc <= t.due_utc) AS on_time
FROM tasks t WHERE (t.closed_utc IS NULL OR t.closed_utc >= $since) AND {OWN_TASK.format(t="t")}
GROUP BY ALL ORDER BY 1, 2
"""
# What waits for whom, by step: never how much one person got done.
_WAITING = f"""
SELECT CASE t.state WHEN 'waiting' THEN 'assign' WHEN 'submitted' THEN 'close' WHEN 'rectifying' THEN 'recheck'
        WHEN 'assigned' THEN 'accept' ELSE 'do' END AS waits_for,
    coalesce(t.receiver_kind, 'none') AS receiver_kind, coalesce(t.receiver_id, 'none') AS receiver_id,
    coalesce(a.name, r.name, t.receiver_id, '') AS receiver, count(*) AS tasks,
    count(*) FILTER (t.due_utc < $now AND t.state IN ('waiting', 'assigned', 'accepted', 'on_site')) AS overdue,
    min(t.changed_utc) AS since_utc
FROM tasks t LEFT JOIN accounts a ON t.receiver_kind = 'account' AND a.account_id = t.receiver_id
    LEFT JOIN grids r ON t.receiver_kind = 'grid' AND r.grid_id = t.receiver_id
WHERE t.closed_utc IS NULL AND {OWN_TASK.format(t="t")}
GROUP BY ALL ORDER BY since_utc, 1, 2, 3
"""
_ROUNDS = """
SELECT r.round_id, r.account_id, coalesce(a.name, r.account_id) AS name, r.opened_utc, r.ends_utc,
    (SELECT count(*) FROM visit_stops s WHERE s.round_id = r.round_id) AS stops
FROM visit_rounds r LEFT JOIN accounts a USING (account_id)
WHERE r.closed_utc IS NULL AND r.ends_utc > $now ORDER BY r.opened_utc, r.round_id
"""
_OPEN = ("waiting", "assigned", "accepted", "on_site", "submitted", "rectifying")


@governed
def find_tasks(
    store: Store,
    viewer: Viewer,
    *,
    now: datetime,
    states: Sequence[str] | None = _OPEN,
    kind: str | None = None,
    grid_id: str | None = None,
    building_id: str | None = None,
    unit_id: str | None = None,
    subject_id: str | None = None,
    receiver: tuple[str, str] | None = None,
    only_mine: bool = False,
    only_overdue: bool = False,
    only_sent_back: bool = False,
    level: int | None = None,
    closed_since: datetime | None = None,
    newest: bool = False,
    limit: int = MOST_ROWS,
) -> gpd.GeoDataFrame:
    """
    Tasks, by due time (`newest`: the last changed first), at most `limit`; each row says in `total` how many fit.

    `only_mine` are those that this viewer's account took on, or that wait for it, its grids or its role. `receiver` is
    `(kind, id)`, `("none", "none")` for those that wait for one. `level`
    are those at work that were reported as overdue so far at least.
    """
    parameters = {
        **build_own(viewer, "find_tasks"),
        "now": to_stored_time(now), "states": None if states is None else list(states), "kind": kind, "grid": grid_id,
        "building": building_id, "unit": unit_id, "subject": subject_id,
        "receiver_kind": receiver and receiver[0], "receiver_id": receiver and receiver[1], "only_mine": only_mine,
        "who": viewer.account_id, "own_grids": sorted(viewer.grids or ()), "role": viewer.role.value,
        "only_overdue": only_overdue, "only_sent_back": only_sent_back, "level": level,
        "closed_since": None if closed_since is None else to_stored_time(closed_since), "newest": newest,
        "limit": limit,
    }  # fmt: skip
    return read_shapes(store, viewer, ("tasks",), _LIST, parameters)


@governed
def find_task(store: Store, viewer: Viewer, task_id: str) -> pd.DataFrame:
    """One task with all columns, its point as x_m, y_m and accounts by name; no row where there is none."""
    return read_rows(store, viewer, ("tasks",), _ONE, {"task_id": task_id, **build_own(viewer, "find_task")})


@governed
def find_task_events(store: Store, viewer: Viewer, task_id: str) -> pd.DataFrame:
    """What was done with a task, oldest first: action, by whom, the reason, and to whom it went."""
    parameters = {"task_id": task_id, **build_own(viewer, "find_task_events")}
    return read_rows(store, viewer, ("events", "tasks"), _EVENTS, parameters)


@governed
def find_task_evidence(store: Store, viewer: Viewer, task_id: str) -> pd.DataFrame:
    """
    Evidence of a task, oldest first, with where it was taken as x_m, y_m, how many `photos` it has, and whether the
    original of its words is sealed (data/intake.py, `unseal`).
    """
    columns = """SELECT x.* EXCLUDE (geom), t.grid_id, ST_X(x.geom) AS x_m, ST_Y(x.geom) AS y_m,
        (SELECT count(*) FROM task_photos p WHERE p.evidence_id = x.evidence_id) AS photos,
        EXISTS (SELECT 1 FROM sealed_texts s WHERE s.subject_table = 'task_evidence'
            AND s.subject_id = x.evidence_id) AS is_sealed"""
    return _read_of_task(store, viewer, "find_task_evidence", "task_evidence", columns, task_id, "x.captured_utc, 1")


@governed
def find_task_photos(store: Store, viewer: Viewer, task_id: str) -> pd.DataFrame:
    """Photos of a task, oldest first; the pictures are in data/task_photos.py."""
    return _read_of_task(
        store, viewer, "find_task_photos", "task_photos", "SELECT x.*, t.grid_id", task_id, "x.captured_utc, 1"
    )


@governed
def find_task_findings(store: Store, viewer: Viewer, task_id: str) -> pd.DataFrame:
    """What a task found wrong, the earliest date first."""
    return _read_of_task(
        store, viewer, "find_task_findings", "task_findings", "SELECT x.*, t.grid_id", task_id, "x.rectify_by, 1"
    )


@governed
def find_task_sessions(store: Store, viewer: Viewer, task_id: str) -> pd.DataFrame:
    """Sessions of a dispute, oldest first."""
    return _read_of_task(
        store, viewer, "find_task_sessions", "task_sessions", "SELECT x.*, t.grid_id", task_id, "x.held_utc, 1"
    )


@governed
def find_task_incidents(store: Store, viewer: Viewer, task_id: str) -> pd.DataFrame:
    """
    Incidents that a task is about (`linked`), and others at the same address; the newest first, at most 30.

    Of a kind whose place a role below the officer does not learn, such a role is told only that the task is about one.
    """
    hidden = list_hidden(store, sees_all=sees_sensitive(viewer))
    parameters = {"task_id": task_id, "hidden": hidden, **build_own(viewer, "find_task_incidents")}
    return read_rows(store, viewer, ("incidents", "tasks"), _INCIDENTS, parameters)


@governed
def find_incidents_at(
    store: Store, viewer: Viewer, building_id: str, *, unit_id: str | None = None, limit: int = 12
) -> pd.DataFrame:
    """
    Incidents in a building, `same_unit` for those in a home of it, the newest first, without mistakes and repetitions.

    A grid worker's own grids only, and no kind whose place a role below the officer does not learn.
    """
    parameters = {
        "building": building_id, "unit": unit_id, "limit": limit,
        "hidden": list_hidden(store, sees_all=sees_sensitive(viewer)),
        "grids": find_grid_limit(viewer, "query", "find_incidents_at"),
    }  # fmt: skip
    return read_rows(store, viewer, ("incidents",), _AT, parameters)


@governed
def find_earlier_visits(store: Store, viewer: Viewer, task_id: str, *, limit: int = 5) -> pd.DataFrame:
    """Visits of the same subject or home before, the newest first: what was found (`codes`), and was it mended."""
    parameters = {"task_id": task_id, "limit": limit, **build_own(viewer, "find_earlier_visits")}
    return read_rows(store, viewer, ("tasks",), _EARLIER, parameters)


@governed
def find_task_counts(store: Store, viewer: Viewer, *, now: datetime, days: int = 30) -> pd.DataFrame:
    """
    By grid and kind: open, overdue, reported to the first and to the second level, rectifying, sent back, and closed
    in the last `days`, `on_time` of these.
    """
    since = to_stored_time(now - timedelta(days=days))
    parameters = {"now": to_stored_time(now), "since": since, **build_own(viewer, "find_task_counts")}
    return read_rows(store, viewer, ("tasks",), _BOARD, parameters)


@governed
def find_rounds(store: Store, viewer: Viewer, *, now: datetime) -> pd.DataFrame:
    """Rounds of visits that last: whose packs are outside now, and how many."""
    return read_rows(store, viewer, ("visit_rounds",), _ROUNDS, {"now": to_stored_time(now)})


@governed
def find_waiting(store: Store, viewer: Viewer, *, now: datetime) -> pd.DataFrame:
    """What waits for whom: the step that is due, by receiver, what has waited longest first."""
    parameters = {"now": to_stored_time(now), **build_own(viewer, "find_waiting")}
    return read_rows(store, viewer, ("tasks",), _WAITING, parameters)


def _read_of_task(
    store: Store, viewer: Viewer, query: str, table: str, columns: str, task_id: str, order: str
) -> pd.DataFrame:
    sql = columns + _OF_TASK.format(table=table, order=order)
    return read_rows(store, viewer, (table,), sql, {"task_id": task_id, **build_own(viewer, query)})

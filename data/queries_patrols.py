"""Patrol plans with their routes, and who was at which of their places when: call signs and places, no person."""

from __future__ import annotations

from datetime import datetime

import geopandas as gpd
import pandas as pd

from data.moments import to_stored_time
from data.reading import read_rows, read_shapes
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

_PLANS = """
SELECT p.*, coalesce(a.name, p.proposed_by) AS proposed_name, coalesce(b.name, p.approved_by) AS approved_name
FROM patrol_plans p LEFT JOIN accounts a ON a.account_id = p.proposed_by
    LEFT JOIN accounts b ON b.account_id = p.approved_by
WHERE ($plan_id IS NULL OR p.plan_id = $plan_id) AND ($since IS NULL OR p.end_utc >= $since)
ORDER BY p.begin_utc DESC, p.proposed_utc DESC
"""
_OWN = """
SELECT p.plan_id, p.state, p.begin_utc, p.end_utc, m.team_no,
    json_extract(p.found, '$.teams[' || (m.team_no - 1) || ']') AS team
FROM patrol_members m JOIN patrol_plans p USING (plan_id)
WHERE m.responder_id = $responder_id AND p.state IN ('approved', 'running') AND p.end_utc > $now
ORDER BY p.begin_utc, p.plan_id
"""
# A check-in belongs to a place of a plan when its point lies within a stop's reach (50 m), or serves the same zone.
_PRESENCES = """
SELECT presence_id, plan_id, place_id, responder_id, from_utc, to_utc, source, ST_AsWKB(geom) AS geom
FROM patrol_presences WHERE ($plan_id IS NULL OR plan_id = $plan_id)
UNION ALL
SELECT c.checkin_id, p.plan_id, s.place_id, coalesce(v.responder_id, c.volunteer_id), c.done_utc, c.done_utc,
    'check_in', ST_AsWKB(s.geom)
FROM checkins c JOIN checkin_points k USING (point_id) JOIN volunteers v USING (volunteer_id)
    JOIN patrol_plans p ON p.state IN ('running', 'done') AND c.done_utc BETWEEN p.begin_utc AND p.end_utc
    JOIN (SELECT DISTINCT plan_id, place_id, geom FROM patrol_stops) s ON s.plan_id = p.plan_id
        AND (ST_DWithin(s.geom, k.geom, 50) OR s.place_id = 'zone:' || k.zone_id)
WHERE c.state = 'counted' AND ($plan_id IS NULL OR p.plan_id = $plan_id)
ORDER BY from_utc, presence_id
"""
_REASONS = "SELECT stop_id, reason, said_utc FROM patrol_reasons WHERE plan_id = $plan_id ORDER BY stop_id"
_AWAY = """
SELECT m.team_no, m.responder_id, d.sent_utc, d.ended_utc
FROM patrol_members m JOIN patrol_plans p USING (plan_id) JOIN dispatches d USING (responder_id)
WHERE m.plan_id = $plan_id AND d.accepted_utc IS NOT NULL AND d.sent_utc < p.end_utc
    AND (d.ended_utc IS NULL OR d.ended_utc > p.begin_utc)
ORDER BY d.sent_utc
"""


@governed
def find_patrol_plans(
    store: Store, viewer: Viewer, *, plan_id: str | None = None, since: datetime | None = None
) -> pd.DataFrame:
    """Plans, the latest shift first; `since` (aware): only those that end after it. `asked` and `found` are JSON."""
    parameters = {"plan_id": plan_id, "since": None if since is None else to_stored_time(since)}
    return read_rows(store, viewer, ("patrol_plans",), _PLANS, parameters)


@governed
def find_own_patrols(store: Store, viewer: Viewer, responder_id: str, *, now: datetime) -> pd.DataFrame:
    """
    Approved and running plans of whoever the viewer's account is (`incidents.dispatches.find_own_responder`).

    `team` is JSON: the route of their own team and of no other.
    """
    return read_rows(store, viewer, ("patrol_plans",), _OWN, {"responder_id": responder_id, "now": to_stored_time(now)})


@governed
def find_patrol_presences(store: Store, viewer: Viewer, *, plan_id: str | None = None) -> gpd.GeoDataFrame:
    """
    When somebody was at a place of a plan, oldest first; `geom` is the place. Check-ins that count are among them, of a
    moment each, by the volunteer's radio where they have one.
    """
    return read_shapes(store, viewer, ("patrol_presences",), _PRESENCES, {"plan_id": plan_id})


@governed
def find_patrol_reasons(store: Store, viewer: Viewer, plan_id: str) -> pd.DataFrame:
    """Why stops of a plan were missed, as it was said."""
    return read_rows(store, viewer, ("patrol_reasons",), _REASONS, {"plan_id": plan_id})


@governed
def find_patrol_dispatches(store: Store, viewer: Viewer, plan_id: str) -> pd.DataFrame:
    """When members of a plan's teams were sent to an incident during it: times only."""
    return read_rows(store, viewer, ("dispatches",), _AWAY, {"plan_id": plan_id})

"""Volunteers, teams, check-in points and check-ins. Names come masked; nobody is put in an order by what they did."""

from __future__ import annotations

from datetime import datetime

import geopandas as gpd
import pandas as pd

from data.moments import to_stored_time
from data.reading import read_rows, read_shapes
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

_VOLUNTEERS = """
SELECT v.volunteer_id, v.number, v.call_name, v.phone_last4, v.birth_year, v.consent_on, v.team_id,
    m.name AS team_name, coalesce(m.leader_id = v.volunteer_id, false) AS leads, v.grid_id, g.name AS grid_name,
    v.responder_id, r.call_sign, v.state, v.joined_utc, v.left_utc, v.card_issue
FROM volunteers v LEFT JOIN volunteer_teams m USING (team_id) LEFT JOIN grids g ON g.grid_id = v.grid_id
    LEFT JOIN responders r ON r.responder_id = v.responder_id
WHERE ($with_left OR v.state = 'active') AND ($volunteer IS NULL OR v.volunteer_id = $volunteer)
ORDER BY v.number
"""
_TEAMS = """
SELECT m.team_id, m.name, m.code, m.leader_id, m.grid_id, g.name AS grid_name,
    (SELECT count(*) FROM volunteers v WHERE v.team_id = m.team_id AND v.state = 'active') AS members
FROM volunteer_teams m LEFT JOIN grids g USING (grid_id) WHERE m.closed_utc IS NULL ORDER BY m.name, m.team_id
"""
_POINTS = """
SELECT p.point_id, p.name, p.state, p.reason, p.zone_id, z.name AS zone_name, p.grid_id, g.name AS grid_name, p.lit,
    p.weekdays, p.hours_from, p.hours_to, p.opens_on, p.closes_on, p.radius_m, p.points, p.period_minutes, p.team_id,
    m.name AS team_name, p.photo_wanted, p.changed_utc,
    (SELECT count(*) FROM checkins c WHERE c.point_id = p.point_id AND c.state = 'counted') AS counted,
    (SELECT count(*) FROM checkins c WHERE c.point_id = p.point_id AND c.state = 'pending') AS pending,
    ST_AsWKB(p.geom) AS geom
FROM checkin_points p LEFT JOIN grids g USING (grid_id) LEFT JOIN zones z ON z.zone_id = p.zone_id
    LEFT JOIN volunteer_teams m ON m.team_id = p.team_id
WHERE ($states IS NULL OR list_contains($states::VARCHAR[], p.state))
ORDER BY CASE p.state WHEN 'suggested' THEN 0 WHEN 'open' THEN 1 ELSE 2 END, p.name, p.point_id
"""
_OPEN_POINTS = """
SELECT point_id, name, weekdays, hours_from, hours_to, opens_on, closes_on, radius_m, points, period_minutes,
    photo_wanted, ST_AsWKB(geom) AS geom
FROM checkin_points WHERE state = 'open' ORDER BY name, point_id
"""
_CHECKINS = """
SELECT c.checkin_id, c.volunteer_id, v.number, v.call_name, v.grid_id, m.name AS team_name, c.point_id,
    p.name AS point_name, p.points AS worth, p.radius_m, c.way, c.done_utc, c.received_utc, c.state, c.doubts,
    c.is_spot_check, c.distance_m, c.accuracy_m, c.points, c.entered_by, c.decided_by, c.decided_utc, c.reason,
    c.photo_id
FROM checkins c JOIN checkin_points p USING (point_id) LEFT JOIN volunteers v USING (volunteer_id)
    LEFT JOIN volunteer_teams m ON m.team_id = v.team_id
WHERE ($state IS NULL OR c.state = $state) AND ($point IS NULL OR c.point_id = $point)
    AND ($volunteer IS NULL OR c.volunteer_id = $volunteer) AND ($since IS NULL OR c.done_utc >= $since)
    AND ($until IS NULL OR c.done_utc < $until)
ORDER BY CASE WHEN $state = 'pending' THEN epoch(c.done_utc) ELSE -epoch(c.done_utc) END, c.checkin_id LIMIT $rows
"""
_THANKS = """
SELECT {key} AS id, any_value({name}) AS name, count(*) AS checkins, count(DISTINCT c.volunteer_id) AS people
FROM checkins c JOIN checkin_points p USING (point_id) LEFT JOIN volunteers v USING (volunteer_id)
    LEFT JOIN volunteer_teams m ON m.team_id = v.team_id LEFT JOIN grids g ON g.grid_id = p.grid_id
WHERE c.state = 'counted' AND c.done_utc >= $since AND c.done_utc < $until AND {key} IS NOT NULL
GROUP BY {key} ORDER BY name, id
"""
_AROUND = """
SELECT count(*) FILTER (i.reported_utc >= $since) AS lately,
    count(*) FILTER (i.reported_utc < $since) AS before
FROM incidents i JOIN checkin_points p ON p.point_id = $point
WHERE ST_DWithin(i.geom, p.geom, $radius) AND i.status NOT IN ('cancelled', 'duplicate')
    AND i.reported_utc >= $before AND i.reported_utc < $until
"""
_FILES = """
SELECT f.file_id, f.direction, s.name AS server, f.made_utc, f.taken_utc, f.taken_by, f.records, f.report
FROM checkin_files f LEFT JOIN checkin_servers s USING (server_id) ORDER BY f.taken_utc DESC, f.file_id LIMIT 30
"""
_SERVERS = """
SELECT server_id, name, address, public_key, added_utc, added_by FROM checkin_servers
WHERE ended_utc IS NULL ORDER BY name
"""


@governed
def find_volunteers(
    store: Store, viewer: Viewer, *, with_left: bool = False, volunteer_id: str | None = None
) -> pd.DataFrame:
    """Volunteers by the number of their card, names masked."""
    parameters = {"with_left": with_left, "volunteer": volunteer_id}
    return read_rows(store, viewer, ("volunteers",), _VOLUNTEERS, parameters)


@governed
def find_volunteer_teams(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Teams with their code and how many are in them."""
    return read_rows(store, viewer, ("volunteer_teams",), _TEAMS)


@governed
def find_checkin_points(store: Store, viewer: Viewer, *, states: tuple[str, ...] | None = None) -> gpd.GeoDataFrame:
    """Check-in points with the office's reason; suggested ones first."""
    parameters = {"states": None if states is None else list(states)}
    return read_shapes(store, viewer, ("checkin_points",), _POINTS, parameters)


@governed
def find_open_points(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """Open points as anybody may know them: where and when, never why."""
    return read_shapes(store, viewer, ("checkin_points",), _OPEN_POINTS)


@governed
def find_checkins(
    store: Store, viewer: Viewer, *, state: str | None = None, point_id: str | None = None,
    volunteer_id: str | None = None, since: datetime | None = None, until: datetime | None = None, limit: int = 200,
) -> pd.DataFrame:  # fmt: skip
    """Check-ins, the newest first; those that wait for a decision the oldest first. Positions are not among them."""
    parameters = {
        "state": state, "point": point_id, "volunteer": volunteer_id, "rows": limit,
        "since": None if since is None else to_stored_time(since),
        "until": None if until is None else to_stored_time(until),
    }  # fmt: skip
    return read_rows(store, viewer, ("checkins", "volunteers"), _CHECKINS, parameters)


@governed
def find_thanks(store: Store, viewer: Viewer, *, by: str, since: datetime, until: datetime) -> pd.DataFrame:
    """Counted check-ins by `team` or `grid`, by name: whom to thank, not who did most."""
    names = {"team": ("v.team_id", "m.name"), "grid": ("p.grid_id", "g.name")}[by]
    sql = _THANKS.format(key=names[0], name=names[1])
    parameters = {"since": to_stored_time(since), "until": to_stored_time(until)}
    return read_rows(store, viewer, ("checkins",), sql, parameters)


@governed
def find_point_counts(
    store: Store, viewer: Viewer, point_id: str, *, since: datetime, until: datetime, radius_m: float
) -> tuple[int, int]:
    """Incidents near a point from `since` to `until`, and in the time of the same length before."""
    parameters = {
        "point": point_id, "radius": radius_m, "since": to_stored_time(since), "until": to_stored_time(until),
        "before": to_stored_time(since - (until - since)),
    }  # fmt: skip
    row = read_rows(store, viewer, ("incidents",), _AROUND, parameters).iloc[0]
    return int(row["lately"]), int(row["before"])


@governed
def find_checkin_files(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Signed files that went out and came in, the newest first."""
    return read_rows(store, viewer, ("checkin_files",), _FILES)


@governed
def find_checkin_servers(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Servers whose files are believed."""
    return read_rows(store, viewer, ("checkin_servers",), _SERVERS)

"""
What a dispatch starts from: the scene, everybody with a radio, what may be sent to what, what happened there before.

No person's field is in any of it: people with radios go by their call signs.
"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from data.masking import sees_sensitive
from data.queries_incidents import CATEGORY_TREE
from data.reading import read_rows, read_shapes
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

SAME_PLACE_M = 30.0
"""Of incidents without a building: two this close happened at one place."""

_SCENE = (
    CATEGORY_TREE
    + """
SELECT i.incident_id, i.category, c.name_zh, c.name_en, k.sensitive, k.sensitive AND NOT $sees_all AS undisclosed,
    i.urgency, i.status, i.reported_utc, i.building_id, i.unit_id, i.grid_id, u.level, u.entrance_id,
    b.name AS building_name, b.zone, g.name AS grid_name, coalesce(ua.full_text, ba.full_text) AS address,
    (SELECT coalesce(max(address_prefix), '') || max(name) FROM community) AS address_head, ST_AsWKB(i.geom) AS geom
FROM incidents i LEFT JOIN incident_categories c USING (category) LEFT JOIN kinds k USING (category)
    LEFT JOIN units u USING (unit_id) LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
    LEFT JOIN grids g ON g.grid_id = i.grid_id
WHERE i.incident_id = $incident_id
"""
)

_FORCES = """
SELECT r.responder_id, r.call_sign, r.kind, r.organisation, r.channel, r.grid_id AS home_grid_id, r.vehicle, r.skills,
    r.status, r.status_utc, r.duty_from, r.duty_to, r.no_night_duty, r.last_sent_utc, r.last_off_utc, r.position_utc,
    r.position_source, r.position_accuracy_m,
    (SELECT min(g.grid_id) FROM grids g WHERE ST_Intersects(g.geom, r.geom)) AS grid_id, ST_AsWKB(r.geom) AS geom
FROM responders r ORDER BY r.responder_id
"""

_EARLIER = (
    CATEGORY_TREE
    + """, here AS (SELECT * FROM incidents WHERE incident_id = $incident_id)
SELECT i.incident_id, i.category, i.urgency, i.reported_utc, i.closed_utc, i.disposition, i.status,
    i.category = h.category AS is_same_kind
FROM incidents i CROSS JOIN here h LEFT JOIN kinds k ON k.category = i.category
WHERE i.incident_id <> h.incident_id AND i.reported_utc < h.reported_utc AND i.disposition IS NOT NULL
    AND i.status NOT IN ('cancelled', 'duplicate') AND ($sees_all OR NOT coalesce(k.sensitive, false))
    AND CASE WHEN h.building_id IS NOT NULL THEN i.building_id = h.building_id
        ELSE i.building_id IS NULL AND ST_DWithin(i.geom, h.geom, $same_m) END
ORDER BY is_same_kind DESC, i.reported_utc DESC, i.incident_id LIMIT $rows
"""
)


@governed
def find_scene(store: Store, viewer: Viewer, incident_id: str) -> gpd.GeoDataFrame:
    """
    Where and what one incident is, for who has to be sent: one row, none when there is no such incident.

    `level` and `entrance_id` are of its unit; `address` is the standard address, `address_head` what all of them begin
    with. `undisclosed`: this viewer may not know kind and place; both are empty.
    """
    parameters = {"incident_id": incident_id, "sees_all": sees_sensitive(viewer)}
    scene = read_shapes(store, viewer, ("incidents",), _SCENE, parameters)
    hidden = scene["undisclosed"].fillna(False).astype(bool)
    told = ["incident_id", "undisclosed", "sensitive", "urgency", "status", "reported_utc", "grid_id", "grid_name"]
    scene.loc[hidden, [name for name in scene.columns if name not in told]] = None
    return scene


@governed
def find_forces(store: Store, viewer: Viewer) -> gpd.GeoDataFrame:
    """
    Everybody with a radio by call sign, placed or not: vehicle, skills, readiness, rest, position; points.

    `grid_id` is the grid that they are in now, `home_grid_id` the one that they look after.
    """
    return read_shapes(store, viewer, ("responders",), _FORCES)


@governed
def find_sending_rules(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Rules of this place of what may be sent to what; those of the product are in incidents/sending_rules.csv."""
    sql = "SELECT category, kind, may, skill, skill_needed FROM sending_rules ORDER BY category, kind"
    return read_rows(store, viewer, ("sending_rules",), sql)


@governed
def find_earlier(store: Store, viewer: Viewer, incident_id: str, *, limit: int = 5) -> pd.DataFrame:
    """
    What happened at an incident's place before it and how it ended, those of the same kind first, then the latest.

    The place is its building; of an incident without one, 30 m around it. Sensitive ones only for who may know.
    """
    parameters = {
        "incident_id": incident_id, "sees_all": sees_sensitive(viewer), "same_m": SAME_PLACE_M, "rows": limit,
    }  # fmt: skip
    return read_rows(store, viewer, ("incidents",), _EARLIER, parameters)

"""To whom tasks can be given: grids, accounts and roles, with what waits for each and how far away they were."""

from __future__ import annotations

import pandas as pd

from data.rights import check_right
from data.store import Store
from data.viewer import Viewer

_RECEIVERS = """
WITH open AS (
    SELECT receiver_kind AS kind, receiver_id AS id, count(*) AS n FROM tasks
    WHERE state IN ('assigned', 'accepted', 'on_site') GROUP BY ALL
), people AS (
    SELECT g.grid_id, w.duty_from, w.duty_to, w.call_sign,
        CASE WHEN w.geom IS NOT NULL AND $x_m IS NOT NULL THEN ST_Distance(w.geom, ST_Point($x_m, $y_m)) END AS far,
        ST_X(w.geom) AS at_x_m, ST_Y(w.geom) AS at_y_m
    FROM grids g LEFT JOIN responders w ON w.responder_id = g.worker_responder_id
)
SELECT 'grid' AS kind, g.grid_id AS id, g.name AS name, g.grid_id AS grids, p.duty_from, p.duty_to,
    coalesce(o.n, 0)::BIGINT AS waiting, p.far AS distance_m, p.call_sign, p.at_x_m, p.at_y_m
FROM grids g LEFT JOIN people p ON p.grid_id = g.grid_id
    LEFT JOIN open o ON o.kind = 'grid' AND o.id = g.grid_id
UNION ALL
SELECT 'account', a.account_id, a.name,
    coalesce((SELECT string_agg(k.grid_id, ' ') FROM account_grids k WHERE k.account_id = a.account_id), ''),
    p.duty_from, p.duty_to, coalesce(o.n, 0)::BIGINT, p.far, p.call_sign, p.at_x_m, p.at_y_m
FROM accounts a LEFT JOIN open o ON o.kind = 'account' AND o.id = a.account_id
    LEFT JOIN people p ON p.grid_id = (SELECT min(k.grid_id) FROM account_grids k WHERE k.account_id = a.account_id)
WHERE a.disabled_utc IS NULL AND a.role IN ('grid_worker', 'officer', 'commander')
UNION ALL
SELECT 'role', r.role, r.role, '', NULL, NULL, coalesce(o.n, 0)::BIGINT, NULL, NULL, NULL, NULL
FROM (VALUES ('officer'), ('commander')) r(role) LEFT JOIN open o ON o.kind = 'role' AND o.id = r.role
"""


def find_receivers(store: Store, viewer: Viewer, *, x_m: float | None, y_m: float | None) -> pd.DataFrame:
    """
    Receivers: kind, id, name, grids (joined by spaces), duty, open tasks; metres from a point if one is given,
    straight, and where they were last as at_x_m, at_y_m in the community's CRS.
    """
    check_right(viewer, "action", "create_task")
    return store.read(_RECEIVERS, {"x_m": x_m, "y_m": y_m})

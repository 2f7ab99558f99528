"""What happened to incidents, for a replay: which state each was in from when on. Times and codes, no words."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from data.reading import read_rows
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_STEPS = """
SELECT e.subject_id AS incident_id, e.at_utc, e.detail->>'$.state' AS state
FROM events e JOIN incidents i ON i.incident_id = e.subject_id
WHERE e.subject_table = 'incidents' AND e.kind LIKE 'incident.%' AND (e.detail->>'$.state') IS NOT NULL
    AND list_contains($ids, e.subject_id) AND ($grids IS NULL OR list_contains($grids, i.grid_id))
ORDER BY e.event_id
"""


@governed
def find_incident_states(store: Store, viewer: Viewer, incident_ids: Collection[str]) -> pd.DataFrame:
    """`incident_id`, `at_utc` (aware) and `state` of every step of these incidents, in their order."""
    grids = find_grid_limit(viewer, "query", "find_incident_states")
    return read_rows(store, viewer, (), _STEPS, {"ids": sorted(incident_ids), "grids": grids})

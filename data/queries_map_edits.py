"""Gates and walls as they are drawn by hand: how much of them somebody has seen, and what was changed last."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pandas as pd

from data.reading import read_rows
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

_KNOWLEDGE = """
SELECT (SELECT count(*) FROM gates) AS gates, (SELECT count(*) FROM walls) AS walls,
    (SELECT count(verified_utc) FROM gates) AS gates_verified,
    (SELECT count(verified_utc) FROM walls) AS walls_verified,
    (SELECT count(closes_at) FROM gates) AS gates_with_hours
"""
_CHANGES = """
SELECT event_id, at_utc, kind, subject_table, subject_id, detail,
    kind <> 'map.undone' AND event_id = max(event_id) OVER (PARTITION BY subject_table, subject_id) AS can_undo
FROM events WHERE kind LIKE 'map.%' ORDER BY event_id DESC LIMIT $limit
"""
_PLAN_CHANGES = """
SELECT e.event_id, e.at_utc, e.kind, e.subject_id AS building_id, coalesce(b.zone, '') || coalesce(b.name, '') AS name,
    json_extract_string(e.detail, '$.copied_from') AS copied_from, e.kind <> 'plan.undone'
        AND e.event_id = max(e.event_id) OVER (PARTITION BY e.subject_id) AS can_undo
FROM events e LEFT JOIN buildings b ON b.building_id = e.subject_id
WHERE e.subject_table = 'building_plans' ORDER BY e.event_id DESC LIMIT $limit
"""


@dataclass(frozen=True)
class MapKnowledge:
    """
    How much is known of the gates and walls.

    Attributes
    ----------
    gates, walls
        On the map.
    gates_verified, walls_verified
        Of these, set or confirmed by hand.
    gates_with_hours
        Gates that say when they close.
    """

    gates: int
    walls: int
    gates_verified: int
    walls_verified: int
    gates_with_hours: int

    @property
    def is_verified(self) -> bool:
        """Every gate was set or confirmed by hand; without a gate nobody has looked."""
        return self.gates > 0 and self.gates == self.gates_verified


@governed
def find_map_knowledge(store: Store, viewer: Viewer) -> MapKnowledge:
    """How many gates and walls there are, and how many of them somebody has seen."""
    rows = read_rows(store, viewer, (), _KNOWLEDGE)
    return MapKnowledge(**{str(name): int(value) for name, value in rows.iloc[0].items()})


@governed
def find_map_changes(store: Store, viewer: Viewer, *, limit: int = 8) -> pd.DataFrame:
    """The last changes by hand, newest first: event_id, at_utc, kind, table, id, `name` of a gate, `can_undo`."""
    rows = read_rows(store, viewer, ("events",), _CHANGES, {"limit": limit})
    details = [json.loads(detail) for detail in rows["detail"]]
    names = [(one.get("after") or one.get("before") or {}).get("name") for one in details]
    return rows.drop(columns="detail").assign(name=pd.Series(names, index=rows.index, dtype=object))


@governed
def find_plan_changes(store: Store, viewer: Viewer, *, limit: int = 8) -> pd.DataFrame:
    """The last changes of schematic plans, newest first, with `name` of the building and whether it can be undone."""
    return read_rows(store, viewer, ("events",), _PLAN_CHANGES, {"limit": limit})

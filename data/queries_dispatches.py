"""Dispatches as a viewer may see them: call signs, never names; what the ranking knew, for who decides."""

from __future__ import annotations

import pandas as pd

from data.hidden_kinds import list_hidden
from data.masking import sees_sensitive
from data.reading import read_rows
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_DISPATCHES = """
SELECT d.* EXCLUDE (reason), CASE WHEN $with_reason THEN d.reason END AS reason, r.call_sign, r.channel,
    r.kind AS responder_kind, i.urgency, i.status, i.reported_utc, i.grid_id,
    coalesce(list_contains($hidden::VARCHAR[], i.category), false) AS undisclosed
FROM dispatches d JOIN incidents i USING (incident_id) LEFT JOIN responders r USING (responder_id)
WHERE ($incident_id IS NULL OR d.incident_id = $incident_id) AND (NOT $active OR d.ended_utc IS NULL)
    AND ($responder_id IS NULL OR d.responder_id = $responder_id)
    AND ($grids IS NULL OR list_contains($grids, i.grid_id))
ORDER BY d.sent_utc, d.dispatch_id
"""
_OWN = """
SELECT d.dispatch_id, d.incident_id, d.state, d.kind, d.way, d.sent_utc, d.accepted_utc, d.departed_utc, d.arrived_utc,
    d.level, i.urgency, i.category, i.status, i.reported_utc, i.grid_id, c.name_zh, c.name_en, r.call_sign, r.channel,
    coalesce(ua.full_text, ba.full_text) AS address, u.level AS storey, u.room, g.name AS grid_name
FROM dispatches d JOIN incidents i USING (incident_id) JOIN responders r USING (responder_id)
    LEFT JOIN incident_categories c USING (category) LEFT JOIN grids g ON g.grid_id = i.grid_id
    LEFT JOIN units u ON u.unit_id = i.unit_id LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
WHERE d.responder_id = $responder_id AND d.ended_utc IS NULL
ORDER BY d.sent_utc
"""
_DECISION = """
SELECT decision_id, incident_id, decided_utc, decided_by, by_hand, rank, advice, reason
FROM dispatch_decisions WHERE decision_id = $decision_id
"""
_SEES_REASONS = frozenset({"officer", "commander"})


@governed
def find_dispatches(
    store: Store,
    viewer: Viewer,
    *,
    incident_id: str | None = None,
    responder_id: str | None = None,
    active: bool = False,
) -> pd.DataFrame:
    """
    Dispatches, oldest first, with call sign and channel, and urgency and status of the incident.

    Parameters
    ----------
    incident_id, responder_id
        Only of these.
    active
        Only those that have not ended.

    Returns
    -------
    `undisclosed` where the viewer may not know the incident's kind and place; a reason is for officers and up; a grid
    worker gets those in their own grids.
    """
    return read_rows(
        store,
        viewer,
        ("dispatches",),
        _DISPATCHES,
        {
            "incident_id": incident_id,
            "responder_id": responder_id,
            "active": active,
            "with_reason": viewer.role.value in _SEES_REASONS,
            "hidden": list_hidden(store, sees_all=sees_sensitive(viewer)),
            "grids": find_grid_limit(viewer, "query", "find_dispatches"),
        },
    )


@governed
def find_own_dispatches(store: Store, viewer: Viewer, responder_id: str) -> pd.DataFrame:
    """
    What a responder is sent to now, with place, floor and room: who is sent has to know where.

    `responder_id` is the one that the viewer's account is (`incidents.dispatches.find_own_responder`).
    """
    return read_rows(store, viewer, ("dispatches", "incidents"), _OWN, {"responder_id": responder_id})


@governed
def find_decision(store: Store, viewer: Viewer, decision_id: str) -> pd.DataFrame:
    """What was known when somebody was sent: one row, none when there is no such decision; `advice` is JSON."""
    return read_rows(store, viewer, ("dispatch_decisions",), _DECISION, {"decision_id": decision_id})

"""
The file of a place: who looked at it, opened it, changed it or took it out in an export, when, and why.

A home is more than its own row in the log: a look at who lives in it, at its rental or at an alarm from it is a look at
the home; so is an export of its building or its grid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from data.moments import get_aware
from data.rights import check_right
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError

ACTIONS = ("look", "open_field", "change", "export", "erase")
# The place itself, what is in it, and what it lies in: (kind, id, whether only exports of it count).
_RELATED: Mapping[str, str] = {
    "unit": """
        SELECT 'unit', $id, false
        UNION SELECT 'occupant', occupant_id, false FROM occupants WHERE unit_id = $id
        UNION SELECT 'rental', rental_id, false FROM rentals WHERE unit_id = $id
        UNION SELECT 'incident', incident_id, false FROM incidents WHERE unit_id = $id
        UNION SELECT 'building', building_id, true FROM units WHERE unit_id = $id
        UNION SELECT 'grid', b.grid_id, true FROM units u JOIN buildings b USING (building_id) WHERE u.unit_id = $id
    """,
    "building": """
        SELECT 'building', $id, false
        UNION SELECT 'unit', unit_id, false FROM units WHERE building_id = $id
        UNION SELECT 'occupant', o.occupant_id, false FROM occupants o JOIN units u USING (unit_id)
            WHERE u.building_id = $id
        UNION SELECT 'rental', r.rental_id, false FROM rentals r LEFT JOIN units u USING (unit_id)
            WHERE coalesce(r.building_id, u.building_id) = $id
        UNION SELECT 'site', site_id, false FROM key_sites WHERE building_id = $id
        UNION SELECT 'incident', incident_id, false FROM incidents WHERE building_id = $id
        UNION SELECT 'grid', grid_id, true FROM buildings WHERE building_id = $id
    """,
}
_ITSELF = "SELECT $kind, $id, false"
KINDS = ("unit", "building", "site", "grid", "rental", "occupant", "responder", "incident", "account", "approval")
_ROWS = """
WITH related(kind, id, only_export) AS ({related})
SELECT DISTINCT a.seq, a.at_utc, a.actor, a.account_id, a.role, a.address, a.action, a.subject_kind, a.subject_id,
    a.reason, a.detail
FROM audit_log a JOIN related r ON a.subject_kind = r.kind AND a.subject_id = r.id
WHERE (list_contains($actions, a.action) OR $all_actions) AND (NOT r.only_export OR a.action = 'export')
ORDER BY a.seq DESC LIMIT $limit
"""
_OPENINGS = """
SELECT account_id, subject_kind, subject_id, seq, reason, detail FROM audit_log
WHERE action = 'open_field' ORDER BY seq
"""


def read_subject_file(
    store: Store, viewer: Viewer, subject_kind: str, subject_id: str, *, limit: int = 500
) -> pd.DataFrame:
    """
    Rows of the log about a place, the newest first, at most `limit`.

    Returns
    -------
    Columns of `find_audit`; `reason` of a look is that of the opening which it used, `incident_id` the incident that
    justified it where one did.

    Raises
    ------
    NotAllowedError
        The role may not read the log.
    BadRecordError
        There is no such kind of subject.
    """
    check_right(viewer, "query", "find_audit")
    if subject_kind not in KINDS:
        raise BadRecordError(f"Subject kind '{subject_kind[:40]}' is not known: expected one of {', '.join(KINDS)}.")
    parameters: dict[str, object] = {
        "id": subject_id,
        "actions": list(ACTIONS),
        "all_actions": subject_kind in {"account", "approval"},
        "limit": limit,
    }
    related = _RELATED.get(subject_kind)
    if related is None:
        related, parameters = _ITSELF, {**parameters, "kind": subject_kind}
    rows = store.read(_ROWS.format(related=related), parameters)
    rows["at_utc"] = [get_aware(value) for value in rows["at_utc"]]
    return _add_reasons(store, rows)


def _add_reasons(store: Store, rows: pd.DataFrame) -> pd.DataFrame:
    openings: dict[tuple[object, ...], list[tuple[int, Any, Any]]] = {}
    if (rows["action"] == "look").any():
        for row in store.read(_OPENINGS).itertuples():
            key = (row.account_id, row.subject_kind, row.subject_id)
            openings.setdefault(key, []).append((int(str(row.seq)), row.reason, _find_incident(row.detail)))
    reasons, incidents = [], []
    for row in rows.itertuples():
        reason, incident = row.reason, _find_incident(row.detail)
        if row.action == "look":
            before = openings.get((row.account_id, row.subject_kind, row.subject_id), [])
            _, reason, incident = next((o for o in reversed(before) if o[0] < int(str(row.seq))), (0, reason, incident))
        reasons.append(reason if isinstance(reason, str) else None)
        incidents.append(incident)
    return rows.assign(
        reason=pd.Series(reasons, index=rows.index, dtype=object),
        incident_id=pd.Series(incidents, index=rows.index, dtype=object),
    )


def _find_incident(detail: object) -> str | None:
    incident = json.loads(str(detail)).get("incident")
    return str(incident) if incident else None

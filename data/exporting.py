"""
Exports of personal or precise data: the one way by which clear fields of many people leave the store, and only with
another person's approval, which is used up in the same transaction that reads the rows and writes the log.

What is exported is named `kind:id`, e.g. `grid:g3`; ids only, never a person's field. Keyed hashes, sealed originals
and callers' names are in no export.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.approvals import Approval, ApprovalAction, get_approval, use_in
from data.audit import build_entry, record, write_audited
from data.queries import find_audit
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError

EXPORTS: tuple[ApprovalAction, ...] = ("export_personal", "export_precise")
SCOPES = ("grid", "building")
_ALL = 2**62  # rows: no limit
_PERSONAL = """
WITH homes AS (
    SELECT u.unit_id, b.grid_id, b.building_id, coalesce(a.full_text, b.name) AS address, u.name AS unit
    FROM units u JOIN buildings b USING (building_id) LEFT JOIN addresses a ON a.address_id = u.address_id
), people AS (
    SELECT h.grid_id, h.building_id, h.address, h.unit, o.kind AS person_role, o.name, o.phone, o.identity_last4,
        o.floating, o.moved_in_on, o.moved_out_on
    FROM occupants o JOIN homes h USING (unit_id)
    UNION ALL BY NAME
    SELECT h.grid_id, h.building_id, h.address, h.unit, 'owner' AS person_role, u.owner_name AS name,
        u.owner_phone AS phone
    FROM units u JOIN homes h USING (unit_id) WHERE u.owner_name IS NOT NULL OR u.owner_phone IS NOT NULL
    UNION ALL BY NAME
    SELECT b.grid_id, b.building_id, coalesce(h.address, ba.full_text, b.name) AS address, h.unit,
        'landlord' AS person_role, r.landlord_name AS name, r.landlord_phone AS phone
    FROM rentals r LEFT JOIN homes h USING (unit_id)
        JOIN buildings b ON b.building_id = coalesce(r.building_id, h.building_id)
        LEFT JOIN addresses ba ON ba.address_id = b.address_id
    WHERE r.landlord_name IS NOT NULL OR r.landlord_phone IS NOT NULL
    UNION ALL BY NAME
    SELECT b.grid_id, b.building_id, coalesce(s.address_text, ba.full_text, b.name) AS address, s.name AS unit,
        'contact' AS person_role, s.contact_name AS name, s.contact_phone AS phone
    FROM key_sites s JOIN buildings b USING (building_id) LEFT JOIN addresses ba ON ba.address_id = b.address_id
    WHERE s.contact_name IS NOT NULL OR s.contact_phone IS NOT NULL
)
SELECT address, unit, person_role, name, phone, identity_last4, floating, moved_in_on, moved_out_on FROM people
WHERE CASE $kind WHEN 'grid' THEN grid_id ELSE building_id END = $id
ORDER BY address, unit, person_role, name
"""
_PRECISE = """
SELECT i.number, i.category, i.urgency, i.source, i.status, i.reported_utc, i.closed_utc,
    coalesce(ua.full_text, ba.full_text) AS address,
    round(ST_X(ST_Transform(i.geom, c.crs, 'EPSG:4326', always_xy := true)), 7) AS longitude_deg,
    round(ST_Y(ST_Transform(i.geom, c.crs, 'EPSG:4326', always_xy := true)), 7) AS latitude_deg
FROM incidents i CROSS JOIN community c LEFT JOIN units u USING (unit_id)
    LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
WHERE CASE $kind WHEN 'grid' THEN i.grid_id ELSE i.building_id END = $id
ORDER BY i.reported_utc, i.incident_id
"""
_EXISTS = {
    "grid": "SELECT 1 FROM grids WHERE grid_id = ?",
    "building": "SELECT 1 FROM buildings WHERE building_id = ?",
}


@dataclass(frozen=True)
class Export:
    """What an approval brought: `rows` as the store holds them, clear."""

    approval: Approval
    rows: pd.DataFrame


def build_subject(store: Store, kind: str, subject_id: str) -> str:
    """
    How an export of a grid or a building is named in an approval.

    Raises
    ------
    BadRecordError
        Neither a grid nor a building.
    RecordMissingError
        There is no such place.
    """
    if kind not in SCOPES:
        raise BadRecordError(f"An export of '{kind[:40]}' cannot be asked for: expected one of {', '.join(SCOPES)}.")
    if store.read(_EXISTS[kind], [subject_id]).empty:
        raise RecordMissingError(f"There is no {kind} '{subject_id[:80]}' in this store. Choose it from the list.")
    return f"{kind}:{subject_id}"


def split_subject(subject: str) -> tuple[str, str]:
    """Kind and id of what an approval is about."""
    kind, _, subject_id = subject.partition(":")
    return kind, subject_id


def use_export(store: Store, viewer: Viewer, approval_id: str, *, clock: Clock) -> Export:
    """
    Use an approved export up; what was taken out is in the log when this returns.

    Raises
    ------
    NotAllowedError
        The role may not export this.
    RefusedError
        Not approved, not one's own, over, or used already. Nothing was read.
    BadRecordError
        The approval is not for an export.
    """
    approval = get_approval(store, approval_id)
    if approval.action not in EXPORTS:
        raise BadRecordError(f"Approval '{approval_id[:40]}' is for {approval.action}: expected an export.")
    check_right(viewer, "action", approval.action)
    kind, subject_id = split_subject(approval.subject)
    sql = _PERSONAL if approval.action == "export_personal" else _PRECISE

    def take(transaction: Transaction) -> Export:
        used = use_in(transaction, viewer, approval_id, approval.action, approval.subject, clock=clock)
        return Export(used, transaction.fetch(sql, {"kind": kind, "id": subject_id}))

    return write_audited(
        store,
        take,
        lambda export: [
            build_entry(
                viewer,
                "export",
                subject_kind=kind,
                subject_id=subject_id,
                reason=approval.reason,
                detail={"what": approval.action, "approval": approval_id, "rows": len(export.rows)},
            )
        ],
        clock=clock,
    )


def take_audit(store: Store, viewer: Viewer, form: str, *, clock: Clock, **filters: Any) -> pd.DataFrame:
    """
    All rows of the log that `filters` (as of `find_audit`) leave, for a file of the format `form`; logged.

    Raises
    ------
    NotAllowedError
        The role may not export the log.
    """
    check_right(viewer, "action", "export_audit")
    rows = find_audit(store, viewer, **filters, limit=_ALL)
    detail = {"format": form, "rows": len(rows)}
    record(store, build_entry(viewer, "export", subject_kind="audit_log", detail=detail), clock=clock)
    return rows

"""
Openings: masked fields of one subject, clear for one account for some minutes, for a reason that the log keeps.

An open incident at the place is a reason by itself; else somebody types one. The reason is masked like any free text.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data.audit import build_entry, write_audited
from data.intake import mask_at_intake
from data.moments import get_aware, to_stored_time
from data.rights import check_grid
from data.settings_store import read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError

MIN_REASON_LENGTH = 5

# Kind → grid, building and home of the subject.
_PLACES: Mapping[str, str] = {
    "building": "SELECT grid_id, building_id, NULL AS unit_id FROM buildings WHERE building_id = $id",
    "unit": "SELECT b.grid_id, u.building_id, u.unit_id FROM units u LEFT JOIN buildings b USING (building_id) "
    "WHERE u.unit_id = $id",
    "rental": "SELECT b.grid_id, b.building_id, r.unit_id FROM rentals r LEFT JOIN units u USING (unit_id) "
    "LEFT JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id) WHERE r.rental_id = $id",
    "occupant": "SELECT b.grid_id, b.building_id, u.unit_id FROM occupants o LEFT JOIN units u USING (unit_id) "
    "LEFT JOIN buildings b USING (building_id) WHERE o.occupant_id = $id",
    "site": "SELECT coalesce(b.grid_id, (SELECT min(g.grid_id) FROM grids g WHERE ST_Intersects(g.geom, s.geom))) "
    "AS grid_id, s.building_id, NULL AS unit_id FROM key_sites s LEFT JOIN buildings b USING (building_id) "
    "WHERE s.site_id = $id",
    "site_plan": "SELECT coalesce(b.grid_id, (SELECT min(g.grid_id) FROM grids g "
    "WHERE ST_Intersects(g.geom, s.geom))) AS grid_id, s.building_id, NULL AS unit_id FROM key_sites s "
    "LEFT JOIN buildings b USING (building_id) WHERE s.site_id = $id",
    "responder": "SELECT grid_id, NULL AS building_id, NULL AS unit_id FROM responders WHERE responder_id = $id",
    "volunteer": "SELECT grid_id, NULL AS building_id, NULL AS unit_id FROM volunteers WHERE volunteer_id = $id",
    "task": "SELECT grid_id, building_id, unit_id FROM tasks WHERE task_id = $id",
    "incident": "SELECT grid_id, NULL AS building_id, NULL AS unit_id FROM incidents WHERE incident_id = $id",
}
KINDS = tuple(_PLACES)
_OPEN_INCIDENT = """
SELECT incident_id FROM incidents
WHERE status <> 'closed' AND closed_utc IS NULL
    AND CASE WHEN $kind = 'incident' THEN incident_id = $id
        WHEN $unit_id IS NOT NULL THEN unit_id = $unit_id
        ELSE building_id = $building_id AND unit_id IS NULL END
ORDER BY reported_utc DESC, incident_id LIMIT 1
"""


@dataclass(frozen=True)
class Opening:
    """One subject open to one account; `basis` is `incident`, `visit` or `reason`; times are aware."""

    opening_id: str
    account_id: str
    subject_kind: str
    subject_id: str
    basis: str
    incident_id: str | None
    reason: str | None
    opened_utc: datetime
    ends_utc: datetime

    def apply(self, viewer: Viewer) -> Viewer:
        """The viewer with this subject open too."""
        return replace(viewer, openings=viewer.openings | {(self.subject_kind, self.subject_id)})


def open_fields(
    store: Store, viewer: Viewer, subject_kind: str, subject_id: str, *, reason: str | None = None, clock: Clock
) -> Opening:
    """
    Open the masked fields of one subject to the viewer's account for the setting's minutes; logged with the reason.

    Raises
    ------
    NotAllowedError
        The role may not, the subject is not in an own grid, or nobody is signed in.
    RecordMissingError
        There is no such subject.
    BadRecordError
        No open incident is there and no reason of at least five characters was given.
    """
    if subject_kind not in _PLACES:
        raise BadRecordError(f"Subject kind '{subject_kind[:40]}' is not known: expected one of {', '.join(KINDS)}.")
    rows = store.read(_PLACES[subject_kind], {"id": subject_id})
    # The right is checked before it is told whether there is such a row: ids cannot be tried out.
    grid_id = None if rows.empty else rows["grid_id"].iloc[0]
    check_grid(viewer, "action", "open_field", grid_id, what=f"{subject_kind} '{subject_id[:80]}'")
    if viewer.account_id is None:
        raise NotAllowedError("Nobody is signed in: masked fields open to an account only, because the log names it.")
    if rows.empty:
        raise RecordMissingError(f"There is no {subject_kind} '{subject_id[:80]}' in this store. Look it up again.")
    place = {name: _to_text(rows[name].iloc[0]) for name in ("building_id", "unit_id")}
    incident_id = _find_incident(store, subject_kind, subject_id, place)
    typed = mask_at_intake(store, " ".join((reason or "").split())[:500])
    if incident_id is None and len(typed) < MIN_REASON_LENGTH:
        raise BadRecordError(
            f"The reason has {len(typed)} characters, expected at least {MIN_REASON_LENGTH}: say what you need it for."
        )
    now = clock()
    opening = Opening(
        opening_id=f"o-{secrets.token_hex(6)}",
        account_id=viewer.account_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        basis="reason" if incident_id is None else "incident",
        incident_id=incident_id,
        reason=typed or None,
        opened_utc=now,
        ends_utc=now + timedelta(minutes=read_settings(store).opening_minutes),
    )
    entry = build_entry(
        viewer,
        "open_field",
        subject_kind=subject_kind,
        subject_id=subject_id,
        reason=opening.reason,
        detail={"opening": opening.opening_id, "basis": opening.basis, "incident": incident_id},
    )
    write_audited(store, lambda transaction: _put(transaction, opening), lambda _: [entry], clock=clock)
    return opening


def _put(transaction: Transaction, opening: Opening) -> None:
    values = {**vars(opening)}
    values |= {name: to_stored_time(values[name]) for name in ("opened_utc", "ends_utc")}
    transaction.execute(
        "openings",
        f"INSERT INTO openings ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        list(values.values()),
    )


def _find_incident(store: Store, kind: str, subject_id: str, place: Mapping[str, str | None]) -> str | None:
    """
    The open incident that justifies looking at a place by itself.

    Until incidents are dispatched to somebody, an open incident at the very home (or at the building, where no home is
    known) is everybody's own who may open fields there; only this function changes when dispatches are kept.
    """
    rows = store.read(_OPEN_INCIDENT, {"kind": kind, "id": subject_id, **place})
    return None if rows.empty else str(rows["incident_id"].iloc[0])


def find_openings(store: Store, account_id: str, *, clock: Clock) -> frozenset[tuple[str, str]]:
    """
    `(kind, id)` of what is open to an account now: for `Viewer.openings`.

    One whose beginning lies in the future was opened before the clock was set back: it is over.
    """
    now = to_stored_time(clock())
    rows = store.read(
        "SELECT DISTINCT subject_kind, subject_id FROM openings "
        "WHERE account_id = ? AND opened_utc <= ? AND ends_utc > ?",
        [account_id, now, now],
    )
    return frozenset(zip(map(str, rows["subject_kind"]), map(str, rows["subject_id"]), strict=True))


def get_opening_end(store: Store, account_id: str, subject_kind: str, subject_id: str) -> datetime:
    """When the newest opening of a subject ends (aware); `RecordMissingError` when there was none."""
    rows = store.read(
        "SELECT max(ends_utc) AS at FROM openings WHERE account_id = ? AND subject_kind = ? AND subject_id = ?",
        [account_id, subject_kind, subject_id],
    )
    if rows["at"].isna().all():
        raise RecordMissingError(f"{subject_kind} '{subject_id[:80]}' was never opened by this account.")
    return get_aware(rows["at"].iloc[0])


def _to_text(value: object) -> str | None:
    return value if isinstance(value, str) else None

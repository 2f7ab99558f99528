"""
The shift book (交接班): what is broken, and how one shift hands over to the next.

Who hands over signs what is open at that moment; it is frozen then, with its hash. Another account takes over by
signing the same. Each change is an event.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from data.audit import build_entry, write_audited
from data.incident_writes import Event, append_events, insert_rows
from data.intake import mask_at_intake
from data.moments import to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError, RefusedError

_LEAST: Final = 2
_MOST: Final = 1000


class DefectKind(StrEnum):
    """What can be broken."""

    GATE = "gate"
    LIGHT = "light"
    DOOR = "door"
    CAMERA = "camera"
    ROAD = "road"
    OTHER = "other"


def report_defect(
    store: Store, viewer: Viewer, kind: DefectKind, place: str, note: str, *, gate_id: str | None = None, clock: Clock
) -> str:
    """
    Write down what is broken; returns its id.

    Raises
    ------
    BadRecordError, NotAllowedError
        Place or note is missing; the viewer's role does not keep the shift book.
    """
    defect_id = f"f-{secrets.token_hex(6)}"
    row = {
        "defect_id": defect_id,
        "kind": kind.value,
        "gate_id": gate_id,
        "place": _mask(store, place, "place"),
        "note": _mask(store, note, "note"),
    }

    def work(transaction: Transaction, by: str, at: datetime) -> dict[str, object]:
        insert_rows(transaction, "defects", [{**row, "reported_utc": to_stored_time(at), "reported_by": by}])
        return {name: value for name, value in row.items() if name != "defect_id"}

    _write(store, viewer, "defects", "defect.reported", defect_id, work, clock)
    return defect_id


def mend_defect(store: Store, viewer: Viewer, defect_id: str, note: str, *, clock: Clock) -> None:
    """Write down that it was mended, and how; `RefusedError` when it was before, `RecordMissingError` without one."""
    text = _mask(store, note, "note")

    def work(transaction: Transaction, by: str, at: datetime) -> dict[str, object]:
        rows = transaction.fetch("SELECT mended_utc FROM defects WHERE defect_id = ?", [defect_id])
        if rows.empty:
            raise RecordMissingError(f"There is no defect '{defect_id[:40]}'. Look at the list again.")
        if rows["mended_utc"].notna().iloc[0]:
            raise RefusedError(f"Defect '{defect_id}' was mended already. Report it anew if it is broken again.")
        transaction.execute(
            "defects",
            "UPDATE defects SET mended_utc = ?, mended_by = ?, mended_note = ? WHERE defect_id = ?",
            [to_stored_time(at), by, text, defect_id],
        )
        return {"note": text}

    _write(store, viewer, "defects", "defect.mended", defect_id, work, clock)


def hand_over_shift(store: Store, viewer: Viewer, content: Mapping[str, Any], remarks: str, *, clock: Clock) -> str:
    """
    Sign what is open, for the next shift; returns its id.

    Raises
    ------
    RefusedError
        The last handover still waits for its second signature.
    NotAllowedError
        The viewer has no account, or its role does not keep the shift book.
    """
    handover_id = f"h-{secrets.token_hex(6)}"
    text = mask_at_intake(store, " ".join(remarks.split())[:_MOST])
    body = json.dumps(content, ensure_ascii=False, sort_keys=True)
    digest = build_digest(body, text)

    def work(transaction: Transaction, by: str, at: datetime) -> dict[str, object]:
        waiting = transaction.fetch("SELECT handover_id FROM handovers WHERE taken_utc IS NULL")["handover_id"]
        if len(waiting):
            raise RefusedError(f"Handover '{waiting.iloc[0]}' waits for whoever takes over: sign that one first.")
        row = {
            "handover_id": handover_id, "content": body, "content_sha256": digest, "remarks": text,
            "given_account_id": viewer.account_id, "given_by": by, "given_utc": to_stored_time(at),
        }  # fmt: skip
        insert_rows(transaction, "handovers", [row])
        return {"content_sha256": digest}

    _write(store, viewer, "handovers", "handover.given", handover_id, work, clock)
    return handover_id


def take_over_shift(store: Store, viewer: Viewer, handover_id: str, *, clock: Clock) -> None:
    """
    Sign what the shift before signed.

    Raises
    ------
    RefusedError
        The same account would sign twice; or it was taken over already; or it is not what was signed.
    RecordMissingError
        There is no such handover.
    """

    def work(transaction: Transaction, by: str, at: datetime) -> dict[str, object]:
        rows = transaction.fetch("SELECT * FROM handovers WHERE handover_id = ?", [handover_id])
        if rows.empty:
            raise RecordMissingError(f"There is no handover '{handover_id[:40]}'. Look at the list again.")
        row = rows.iloc[0]
        if row["given_account_id"] == viewer.account_id:
            raise RefusedError("Both signatures would be of one account. The one who takes over signs in and signs.")
        if isinstance(row["taken_by"], str):
            raise RefusedError(f"Handover '{handover_id}' was taken over by {row['taken_by']} already.")
        if build_digest(str(row["content"]), str(row["remarks"])) != row["content_sha256"]:
            raise RefusedError(f"Handover '{handover_id}' is not as it was signed. Hand over anew.")
        transaction.execute(
            "handovers",
            "UPDATE handovers SET taken_account_id = ?, taken_by = ?, taken_utc = ? WHERE handover_id = ?",
            [viewer.account_id, by, to_stored_time(at), handover_id],
        )
        return {"content_sha256": str(row["content_sha256"])}

    _write(store, viewer, "handovers", "handover.taken", handover_id, work, clock)


def build_digest(content: str, remarks: str) -> str:
    """SHA-256 of what both sign, hexadecimal."""
    return hashlib.sha256(f"{content}\x1f{remarks}".encode()).hexdigest()


def _mask(store: Store, text: str, what: str) -> str:
    plain = " ".join(text.split())[:_MOST]
    if len(plain) < _LEAST:
        raise BadRecordError(f"The {what} has {len(plain)} characters, expected at least {_LEAST}. Say more.")
    return mask_at_intake(store, plain)


def _write(
    store: Store, viewer: Viewer, table: str, what: str, row_id: str,
    work: Callable[[Transaction, str, datetime], dict[str, object]], clock: Clock,
) -> None:  # fmt: skip
    check_right(viewer, "action", "keep_shift_book")
    by = viewer.name or viewer.role.value

    def both(transaction: Transaction) -> None:
        at = clock()
        detail = work(transaction, by, at)
        append_events(transaction, [(row_id, Event(what, at, {"by": by, **detail}))], table=table)

    entry = build_entry(viewer, "change", subject_kind=what.partition(".")[0], subject_id=row_id, detail={"what": what})
    write_audited(store, both, lambda _: [entry], clock=clock)

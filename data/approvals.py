"""
What needs two persons: one asks with a reason, another decides, and the approval is used once within its hours.

For exports of personal or of precise data, and for the erasure of a person. The database refuses a row that was decided
by whoever asked; both must be accounts, so a shared screen cannot take part.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast, get_args

import pandas as pd

from data.audit import build_entry, write_audited
from data.intake import mask_at_intake
from data.moments import get_aware, to_aware, to_stored_time
from data.rights import check_right
from data.settings_store import read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError

ApprovalAction = Literal["export_personal", "export_precise", "erase_person"]
ACTIONS: tuple[ApprovalAction, ...] = get_args(ApprovalAction)
MIN_REASON_LENGTH = 5


@dataclass(frozen=True)
class Approval:
    """One request and what became of it; times are aware. `approved` is None while it waits."""

    approval_id: str
    action: ApprovalAction
    subject: str
    reason: str
    asked_by: str
    asked_utc: datetime
    decided_by: str | None
    decided_utc: datetime | None
    approved: bool | None
    ends_utc: datetime | None
    used_utc: datetime | None


def ask(store: Store, viewer: Viewer, action: ApprovalAction, subject: str, reason: str, *, clock: Clock) -> Approval:
    """
    Ask that another person approve `action` on `subject` (ids or a keyed hash, never a person's field).

    Raises
    ------
    NotAllowedError
        The role may not do it at all, or nobody is signed in.
    BadRecordError
        The action needs no approval, or the reason is too short.
    """
    if action not in ACTIONS:
        raise BadRecordError(f"Action '{str(action)[:40]}' needs no approval: expected one of {', '.join(ACTIONS)}.")
    check_right(viewer, "action", action)
    asked_by = _get_account(viewer)
    typed = mask_at_intake(store, " ".join(reason.split())[:500])
    if len(typed) < MIN_REASON_LENGTH:
        raise BadRecordError(f"The reason has {len(typed)} characters, expected at least {MIN_REASON_LENGTH}.")
    approval_id, now = f"p-{secrets.token_hex(6)}", to_stored_time(clock())
    entry = build_entry(
        viewer,
        "approve",
        subject_kind="approval",
        subject_id=approval_id,
        reason=typed,
        detail={"step": "ask", "action": action, "subject": subject},
    )

    def put(transaction: Transaction) -> None:
        transaction.execute(
            "approvals",
            "INSERT INTO approvals (approval_id, action, subject, reason, asked_by, asked_utc) VALUES (?,?,?,?,?,?)",
            [approval_id, action, subject, typed, asked_by, now],
        )

    write_audited(store, put, lambda _: [entry], clock=clock)
    return get_approval(store, approval_id)


def decide(store: Store, viewer: Viewer, approval_id: str, *, approved: bool, clock: Clock) -> Approval:
    """
    Say yes or no to what another person asked.

    Raises
    ------
    NotAllowedError
        The role may not decide, or this is who asked.
    RefusedError
        It was decided already.
    """
    check_right(viewer, "action", "decide")
    decided_by = _get_account(viewer)
    now, hours = clock(), timedelta(hours=read_settings(store).approval_hours)

    def put(transaction: Transaction) -> None:
        row = _fetch(transaction, approval_id)
        if row.asked_by == decided_by:
            raise NotAllowedError("Nobody approves what they asked for themselves. Ask another person to decide.")
        if row.approved is not None:
            raise RefusedError(f"Request '{approval_id}' was decided already. Ask anew if it is still needed.")
        transaction.execute(
            "approvals",
            "UPDATE approvals SET decided_by = ?, decided_utc = ?, approved = ?, ends_utc = ? WHERE approval_id = ?",
            [decided_by, to_stored_time(now), approved, to_stored_time(now + hours), approval_id],
        )

    detail = {"step": "yes" if approved else "no"}
    entry = build_entry(viewer, "approve", subject_kind="approval", subject_id=approval_id, detail=detail)
    write_audited(store, put, lambda _: [entry], clock=clock)
    return get_approval(store, approval_id)


def use_in(
    transaction: Transaction, viewer: Viewer, approval_id: str, action: ApprovalAction, subject: str, *, clock: Clock
) -> Approval:
    """
    Use an approval up, in the transaction that does what was approved; the caller's own log entry names it.

    Raises
    ------
    RefusedError
        It is for something else or of another account, was refused or not decided yet, is over, or was used.
    """
    row, now = _fetch(transaction, approval_id), clock()
    if (row.action, row.subject) != (action, subject) or row.asked_by != viewer.account_id:
        problem = "is for something else, or was asked for by another account"
    elif row.approved is None:
        problem = "waits for a second person"
    elif not row.approved:
        problem = "was refused"
    elif row.used_utc is not None:
        problem = "was used already"
    # A decision in the future: the clock was set back since, and nobody can tell how old it is.
    elif row.ends_utc is None or row.decided_utc is None or not row.decided_utc <= now < row.ends_utc:
        problem = "is over"
    else:
        transaction.execute(
            "approvals",
            "UPDATE approvals SET used_utc = ? WHERE approval_id = ?",
            [to_stored_time(now), approval_id],
        )
        return row
    raise RefusedError(f"Approval '{approval_id}' {problem}. Nothing was done; ask anew and let another person decide.")


def get_approval(store: Store, approval_id: str) -> Approval:
    """One request; `RecordMissingError` when there is none."""
    rows = store.read("SELECT * FROM approvals WHERE approval_id = ?", [approval_id])
    return _to_approval(rows, approval_id)


def list_approvals(store: Store) -> tuple[Approval, ...]:
    """All requests, the newest first."""
    rows = store.read("SELECT * FROM approvals ORDER BY asked_utc DESC, approval_id")
    return tuple(_to_approval(rows.iloc[[index]], "") for index in range(len(rows)))


def _fetch(transaction: Transaction, approval_id: str) -> Approval:
    return _to_approval(transaction.fetch("SELECT * FROM approvals WHERE approval_id = ?", [approval_id]), approval_id)


def _get_account(viewer: Viewer) -> str:
    if viewer.account_id is None:
        raise NotAllowedError("Nobody is signed in: an approval needs two accounts. Sign in first.")
    return viewer.account_id


def _to_approval(rows: pd.DataFrame, approval_id: str) -> Approval:
    if rows.empty:
        raise RecordMissingError(
            f"There is no request for approval '{approval_id[:40]}'. Look at the list of requests."
        )
    row = {str(name): None if pd.isna(value) else value for name, value in rows.astype(object).iloc[0].items()}
    return Approval(
        approval_id=str(row["approval_id"]),
        action=cast("ApprovalAction", row["action"]),
        subject=str(row["subject"]),
        reason=str(row["reason"]),
        asked_by=str(row["asked_by"]),
        asked_utc=get_aware(row["asked_utc"]),
        decided_by=row["decided_by"],
        decided_utc=to_aware(row["decided_utc"]),
        approved=None if row["approved"] is None else bool(row["approved"]),
        ends_utc=to_aware(row["ends_utc"]),
        used_utc=to_aware(row["used_utc"]),
    )

"""
Sending people to incidents, and what follows: answers, arrival, standing down, handing over.

Each call is one transaction: the dispatch with its event, the step of the incident that follows from it, the status of
the responder, the message for the office's other system, and the line in the log. Asked twice, it is done once.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from data.audit import Entry, build_entry, write_audited
from data.dispatch_writes import (
    get_call_sign,
    get_incident_id,
    put_decision,
    read_dispatch_rows,
)
from data.intake import mask_at_intake
from data.rights import Right, check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import NotAllowedError
from incidents.dispatch_records import to_dispatch
from incidents.dispatch_steps import advance, do_act, pick, put_act, put_sent, read_all, read_case
from incidents.dispatching import (
    ANSWERS,
    Act,
    Dispatch,
    DispatchAction,
    DispatchRefusedError,
    DispatchState,
    Kind,
    Way,
    check_reason,
    check_sendable,
    take_act,
)

_MOST_REASON = 500
_DIVERTED = "diverted to another incident"


@dataclass(frozen=True)
class Sent:
    """What became of sending somebody: the dispatch, and whether it is new or was there already."""

    dispatch: Dispatch
    is_new: bool


@dataclass(frozen=True)
class Decision:
    """
    What was known when somebody was chosen.

    Attributes
    ----------
    advice
        The ranking as it was shown, as JSON knows it: ids, codes and figures; None when there was none.
    rank
        Place of the chosen one in it, from 1; None when it left them out.
    by_hand
        Chosen by hand, against or without the ranking.
    """

    advice: Mapping[str, object] | None = None
    rank: int | None = None
    by_hand: bool = True


BY_HAND = Decision()


def send(
    store: Store,
    viewer: Viewer,
    incident_id: str,
    responder_id: str,
    *,
    way: Way = Way.VOICE,
    decision: Decision = BY_HAND,
    reason: str | None = None,
    seen: Collection[str] | None = None,
    divert: bool = False,
    clock: Clock,
) -> Sent:
    """
    Send a responder to an incident.

    Parameters
    ----------
    way
        How they are told.
    decision
        What was known; stored with it.
    reason
        Needed when somebody is on it already: a reinforcement says why.
    seen
        Active dispatches of the incident that the dispatcher had before them: somebody else's newer one is told first.
        None looks for nothing.
    divert
        Take them off another incident.

    Raises
    ------
    DispatchRefusedError
        The incident has no place or is over; the responder is on another one; another dispatcher was quicker; or the
        reason is missing. `code` says which.
    RecordMissingError, NotAllowedError
        There is no such incident or responder; the viewer's role does not dispatch.
    """
    check_right(viewer, "action", "dispatch")
    by, why = _name(viewer), _mask(store, reason)

    def work(transaction: Transaction) -> Sent:
        at = clock()
        check_sendable(read_case(transaction, incident_id)[1])
        there = read_all(transaction, incident_id)
        active = [one for one in there if one.is_active]
        mine = next((one for one in active if one.responder_id == responder_id), None)
        if mine is not None:
            return Sent(mine, is_new=False)
        call_sign = get_call_sign(transaction, responder_id)
        _check_seen(transaction, active, seen)
        if active:
            check_reason(why, "A reinforcement")
        _take_off_others(transaction, responder_id, call_sign, at, by, divert=divert)
        kind = Kind.REINFORCEMENT if active else Kind.FIRST
        decision_id = _put_decision(transaction, incident_id, decision, by, why, at)
        sent = Dispatch(
            f"p-{secrets.token_hex(8)}", incident_id, responder_id, kind, way, DispatchState.SENT, at, by, decision_id
        )  # fmt: skip
        put_sent(transaction, sent)
        advance(transaction, incident_id, [*there, sent], at, by)
        return Sent(sent, is_new=True)

    return write_audited(
        store, work, lambda done: [_describe(viewer, done.dispatch, "send", why)] if done.is_new else [], clock=clock
    )


def answer(
    store: Store,
    viewer: Viewer,
    dispatch_id: str,
    action: DispatchAction,
    *,
    way: Way = Way.VOICE,
    reason: str | None = None,
    own_only: bool = False,
    clock: Clock,
) -> Dispatch:
    """
    Write down what a responder said or did, or stand them down: `accept`, `decline`, `depart`, `arrive`, `stand_down`.

    A dispatcher writes down what was said by voice; a responder with an account answers for themselves alone, and so
    does everybody with `own_only`.

    Raises
    ------
    DispatchRefusedError
        It is not possible now, or standing down needs a reason; the sentence names what is possible.
    RecordMissingError, NotAllowedError
        There is no such dispatch; or it is another's.
    """
    right = check_right(viewer, "action", "answer_dispatch")
    if action not in (*ANSWERS, DispatchAction.STAND_DOWN):
        raise DispatchRefusedError("not_now", f"'{action}' is no answer: expected one of {', '.join(ANSWERS)}.")
    is_own = own_only or right is Right.OWN
    own = find_own_responder(store, viewer) if is_own else None
    by, why = _name(viewer), _mask(store, reason)
    changed = False

    def work(transaction: Transaction) -> Dispatch:
        nonlocal changed
        at = clock()
        incident_id = get_incident_id(transaction, dispatch_id)
        there = read_all(transaction, incident_id)
        before = pick(there, dispatch_id)
        if is_own and (before.responder_id != own or action not in ANSWERS):
            raise NotAllowedError(f"Dispatch '{dispatch_id[:40]}' is another's. Answer your own only.")
        after = do_act(transaction, before, Act(action, at, by, way if action in ANSWERS else None, why))
        changed = after is not before
        if changed:
            advance(transaction, incident_id, [after if one is before else one for one in there], at, by)
        return after

    return write_audited(
        store, work, lambda done: [_describe(viewer, done, action.value, why)] if changed else [], clock=clock
    )


def hand_over(
    store: Store,
    viewer: Viewer,
    dispatch_id: str,
    responder_id: str,
    *,
    reason: str,
    way: Way = Way.VOICE,
    decision: Decision = BY_HAND,
    divert: bool = False,
    clock: Clock,
) -> Sent:
    """
    Send another responder instead, and take the first one off, in one step; raises as `send`.

    One who is there already by a dispatch of their own takes over without a new one.
    """
    check_right(viewer, "action", "dispatch")
    by, why = _name(viewer), _mask(store, reason)

    def work(transaction: Transaction) -> Sent:
        at = clock()
        incident_id = get_incident_id(transaction, dispatch_id)
        there = read_all(transaction, incident_id)
        before = pick(there, dispatch_id)
        mine = next((one for one in there if one.is_active and one.responder_id == responder_id), None)
        if before is mine:
            raise DispatchRefusedError("same", "Nobody hands over to themselves. Choose another responder.")
        if mine is not None and before.state is DispatchState.HANDED_OVER:
            return Sent(mine, is_new=False)
        check_sendable(read_case(transaction, incident_id)[1])
        call_sign = get_call_sign(transaction, responder_id)
        after = take_act(before, act := Act(DispatchAction.HAND_OVER, at, by, None, why))
        if mine is None:
            _take_off_others(transaction, responder_id, call_sign, at, by, divert=divert)
        put_act(transaction, after, act)
        new = mine
        if new is None:
            decision_id = _put_decision(transaction, incident_id, decision, by, why, at)
            new = Dispatch(
                f"p-{secrets.token_hex(8)}", incident_id, responder_id, Kind.HAND_OVER, way, DispatchState.SENT, at, by,
                decision_id, dispatch_id,
            )  # fmt: skip
            put_sent(transaction, new)
        rest = [after if one is before else one for one in there]
        advance(transaction, incident_id, [*rest, new], at, by)
        return Sent(new, is_new=mine is None)

    return write_audited(
        store, work, lambda done: [_describe(viewer, done.dispatch, "hand_over", why)], clock=clock
    )  # fmt: skip


def link_account(
    store: Store, viewer: Viewer | None, account_id: str, responder_id: str | None, *, clock: Clock
) -> None:
    """
    Say which responder an account is; None: none. `viewer` None is a visitor of the demonstration.

    Raises
    ------
    RecordMissingError, NotAllowedError
        There is no such responder; the viewer does not manage accounts.
    """
    if viewer is not None:
        check_right(viewer, "action", "manage_accounts")

    def work(transaction: Transaction) -> None:
        if responder_id is not None:
            get_call_sign(transaction, responder_id)
        transaction.execute(
            "account_responders", "DELETE FROM account_responders WHERE account_id = ?", [account_id]
        )  # fmt: skip
        if responder_id is not None:
            sql = "INSERT INTO account_responders (account_id, responder_id) VALUES (?, ?)"
            transaction.execute("account_responders", sql, [account_id, responder_id])

    detail = {"step": "responder", "responder": responder_id}
    entry = build_entry(viewer, "account", subject_kind="account", subject_id=account_id, detail=detail)
    write_audited(store, work, lambda _: [entry], clock=clock)


def find_own_responder(store: Store, viewer: Viewer) -> str | None:
    """Which responder the viewer's account is: as it was set, else the worker of the one grid that is theirs."""
    rows = store.read("SELECT responder_id FROM account_responders WHERE account_id = ?", [viewer.account_id])
    if rows.empty and len(viewer.grids or ()) == 1:
        sql = "SELECT worker_responder_id AS responder_id FROM grids WHERE grid_id = ?"
        rows = store.read(f"{sql} AND worker_responder_id IS NOT NULL", [next(iter(viewer.grids or ()))])
    return None if rows.empty else str(rows["responder_id"].iloc[0])


def _check_seen(transaction: Transaction, active: Sequence[Dispatch], seen: Collection[str] | None) -> None:
    unseen = [one for one in active if seen is not None and one.dispatch_id not in seen]
    if unseen:
        call_signs = ", ".join(get_call_sign(transaction, one.responder_id) for one in unseen)
        raise DispatchRefusedError(
            "meanwhile",
            f"{call_signs} was sent there by {unseen[0].sent_by} a moment ago. Look at the list, then send again if "
            "one more is needed.",
        )


def _take_off_others(
    transaction: Transaction, responder_id: str, call_sign: str, at: datetime, by: str, *, divert: bool
) -> None:
    """Nobody is in two places: from another incident they are taken off on purpose, or not sent."""
    for row in read_dispatch_rows(transaction, responder_id=responder_id):
        other = to_dispatch(row)
        if not divert:
            raise DispatchRefusedError(
                "busy",
                f"{call_sign} is on incident '{other.incident_id}' ({other.state}). Choose another, or divert them.",
            )
        after = do_act(transaction, other, Act(DispatchAction.STAND_DOWN, at, by, None, _DIVERTED))
        there = [
            after if one.dispatch_id == other.dispatch_id else one for one in read_all(transaction, other.incident_id)
        ]
        advance(transaction, other.incident_id, there, at, by)


def _put_decision(
    transaction: Transaction, incident_id: str, decision: Decision, by: str, why: str | None, at: datetime
) -> str:
    return put_decision(
        transaction, incident_id, advice=decision.advice, by_hand=decision.by_hand, rank=decision.rank, by=by,
        reason=why, at_utc=at,
    )  # fmt: skip


def _name(viewer: Viewer) -> str:
    return viewer.name or viewer.role.value


def _mask(store: Store, reason: str | None) -> str | None:
    text = " ".join((reason or "").split())[:_MOST_REASON]
    return mask_at_intake(store, text) if text else None


def _describe(viewer: Viewer, dispatch: Dispatch, what: str, why: str | None) -> Entry:
    return build_entry(
        viewer, "change", subject_kind="dispatch", subject_id=dispatch.dispatch_id, reason=why,
        detail={"what": what, "incident": dispatch.incident_id, "responder": dispatch.responder_id},
    )  # fmt: skip

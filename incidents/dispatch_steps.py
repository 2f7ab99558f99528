"""Dispatches inside a transaction: what was decided is written with its event, its message and the incident's steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from data.dispatch_writes import put_dispatch, queue_message, read_dispatch_rows
from data.incident_changes import Change, Stored, put_change, read_inside
from data.incident_writes import append_events
from data.store import Transaction
from gis.errors import RecordMissingError
from incidents.dispatch_records import PREFIX, to_act_event, to_dispatch, to_row, to_sent_event
from incidents.dispatching import ENDED_WITH_INCIDENT, Act, Dispatch, DispatchAction, align, take_act
from incidents.duty import Status
from incidents.forces import is_busy, put_status
from incidents.life_cycle import ENDED, Case, rebuild, take_step
from incidents.steps import list_events, list_steps, to_event

# What a dispatch says of the responder. Being asked, saying no and not answering say nothing: they cost nothing.
_LEADS_TO = {
    DispatchAction.ACCEPT: Status.ON_THE_WAY,
    DispatchAction.DEPART: Status.ON_THE_WAY,
    DispatchAction.ARRIVE: Status.ON_SCENE,
    DispatchAction.STAND_DOWN: Status.READY,
    DispatchAction.HAND_OVER: Status.READY,
}


def read_all(transaction: Transaction, incident_id: str) -> list[Dispatch]:
    """All dispatches of an incident, oldest first."""
    return [to_dispatch(row) for row in read_dispatch_rows(transaction, incident_id=incident_id)]


def pick(there: Sequence[Dispatch], dispatch_id: str) -> Dispatch:
    """The one with that id; `RecordMissingError` when there is none."""
    found = next((one for one in there if one.dispatch_id == dispatch_id), None)
    if found is None:
        raise RecordMissingError(f"There is no dispatch '{dispatch_id[:40]}'. Look at the list again.")
    return found


def read_case(transaction: Transaction, incident_id: str) -> tuple[Stored, Case]:
    """The incident as it is stored, and what its steps lead to."""
    stored = read_inside(transaction, incident_id)
    return stored, rebuild(incident_id, list_steps(stored))


def put_sent(transaction: Transaction, sent: Dispatch) -> None:
    """Write a dispatch that begins."""
    put_dispatch(transaction, to_row(sent), is_new=True)
    append_events(transaction, [(sent.dispatch_id, to_sent_event(sent))], table="dispatches")
    queue_message(transaction, PREFIX + DispatchAction.SEND, to_row(sent), at_utc=sent.sent_utc)


def do_act(transaction: Transaction, before: Dispatch, act: Act) -> Dispatch:
    """Take one act and write it, if it changes anything; returns the dispatch after it."""
    after = take_act(before, act)
    if after is not before:
        put_act(transaction, after, act)
    return after


def put_act(transaction: Transaction, after: Dispatch, act: Act) -> None:
    """Write what an act led to."""
    put_dispatch(transaction, to_row(after), is_new=False)
    append_events(transaction, [(after.dispatch_id, to_act_event(act, after))], table="dispatches")
    queue_message(transaction, PREFIX + act.action, to_row(after), at_utc=act.at_utc)
    status = _LEADS_TO.get(act.action)
    # Who never set out does not come free again: off duty they stay off duty.
    if status is not None and (status is not Status.READY or is_busy(transaction, after.responder_id)):
        put_status(transaction, after.responder_id, status, at_utc=act.at_utc, by=act.by, source="dispatch")


def advance(transaction: Transaction, incident_id: str, dispatches: Sequence[Dispatch], at: datetime, by: str) -> None:
    """The steps of the incident that follow from its dispatches."""
    stored, case = read_case(transaction, incident_id)
    new = align(case, [one.state for one in dispatches], at_utc=at, by=by)
    if not new:
        return
    events = () if stored.events else list_events(incident_id, list_steps(stored))
    for step in new:
        case = take_step(case, step)
        events = (*events, to_event(step, case))
    put_change(transaction, incident_id, Change(case.state.value, events))


def release(transaction: Transaction, incident_id: str, change: Change, *, at_utc: datetime, by: str) -> None:
    """Stand everybody down who is still on an incident that has just ended."""
    if change.status not in ENDED:
        return
    for one in read_all(transaction, incident_id):
        if one.is_active:
            do_act(transaction, one, Act(DispatchAction.STAND_DOWN, at_utc, by, None, ENDED_WITH_INCIDENT))

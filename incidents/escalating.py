"""
What the clock does about dispatches that nobody answers: dispatchers are told, then the commander, then it is given up.

Given to a scheduler that looks each second (server/dispatch_jobs.py). As long as nobody waits for an answer a look
costs nothing: what is due next is reckoned once for each revision of the dispatches and the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from data.audit import SERVER, Entry, write_audited
from data.dispatch_writes import get_incident_id, to_plain
from data.settings_store import StoreSettings, read_settings
from data.store import Clock, Store, Transaction
from incidents.dispatch_records import to_dispatch
from incidents.dispatch_steps import advance, do_act, pick, read_all
from incidents.dispatching import Act, Dispatch, DispatchState, Limits, find_due

_WAITING = """
SELECT d.*, i.urgency FROM dispatches d JOIN incidents i USING (incident_id)
WHERE d.ended_utc IS NULL AND d.state = 'sent' ORDER BY d.sent_utc, d.dispatch_id
"""


def build_limits(settings: StoreSettings) -> Limits:
    """The limits that the store's settings say."""
    return Limits(
        {
            "urgent": timedelta(seconds=settings.answer_urgent_s),
            "normal": timedelta(seconds=settings.answer_normal_s),
            "not_police": timedelta(seconds=settings.answer_not_police_s),
        },
        timedelta(minutes=settings.expire_minutes),
    )


class Escalation:
    """Looks after the dispatches of one open store that wait for an answer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: tuple[int, list[tuple[Dispatch, str]], Limits] | None = None

    def run(self) -> tuple[Dispatch, ...]:
        """Do what is due at this moment; returns the dispatches that it changed."""
        revision = self._store.revision("dispatches", "incidents", "settings")
        if self._known is None or self._known[0] != revision:
            rows = [to_plain(row) for row in self._store.read(_WAITING).to_dict("records")]
            waiting = [(urgency, row) for row in rows for urgency in (str(row.pop("urgency")),)]
            limits = build_limits(read_settings(self._store))
            self._known = (revision, [(to_dispatch(row), urgency) for urgency, row in waiting], limits)
        now = self._clock()
        _, waiting_now, limits = self._known
        acts = {
            dispatch.dispatch_id: act
            for dispatch, urgency in waiting_now
            if (act := find_due(dispatch, urgency, limits, now)) is not None
        }
        return act_by_clock(self._store, acts, clock=self._clock) if acts else ()


def act_by_clock(store: Store, acts: Mapping[str, Act], *, clock: Clock) -> tuple[Dispatch, ...]:
    """Escalate or give up dispatches by id, each only if it is still as it was thought to be; returns what changed."""

    def work(transaction: Transaction) -> tuple[Dispatch, ...]:
        done = []
        for dispatch_id, act in acts.items():
            incident_id = get_incident_id(transaction, dispatch_id)
            there = read_all(transaction, incident_id)
            before = pick(there, dispatch_id)
            if before.state is not DispatchState.SENT:
                continue  # answered in the meantime
            after = do_act(transaction, before, act)
            if after is not before:
                advance(
                    transaction, incident_id, [after if one is before else one for one in there], act.at_utc, SERVER
                )
                done.append(after)
        return tuple(done)

    def describe(done: Sequence[Dispatch]) -> list[Entry]:
        return [
            Entry("change", SERVER, subject_kind="dispatch", subject_id=one.dispatch_id,
                  detail={"what": acts[one.dispatch_id].action.value, "level": one.level})
            for one in done
        ]  # fmt: skip

    return write_audited(store, work, describe, clock=clock)

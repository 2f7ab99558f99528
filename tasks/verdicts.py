"""Verdicts on group rentals through the store: reckoned by the server, decided by persons, over when nobody does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import pandas as pd

from data.audit import SERVER, Entry, build_entry
from data.incident_writes import Event
from data.intake import mask_at_intake
from data.rights import check_grid
from data.rule_tables import read_rule_table
from data.store import Clock, Store
from data.verdicts import FetchVerdicts, VerdictWrite, read_rental_facts, read_verdict_events, write_verdicts
from data.viewer import Viewer
from gis.errors import RecordMissingError, RefusedError
from tasks.group_rentals import (
    BY_SERVER,
    RentalFacts,
    Suspicion,
    Verdict,
    VerdictAction,
    VerdictState,
    VerdictStep,
    find_suspicion,
    parse_clauses,
    rebuild_verdict,
    take_verdict_step,
)
from tasks.receiving import get_actor

_PREFIX = "verdict."
_SAID = ("reason", "rule_set", "clause", "figures")
_SUSPECTS = frozenset({VerdictState.SUSPECTED, VerdictState.CONFIRMED, VerdictState.DISPUTED})


def to_verdict_event(step: VerdictStep) -> Event:
    """A step as it is stored."""
    said = {"by": step.by, **{name: getattr(step, name) for name in _SAID if getattr(step, name) is not None}}
    return Event(_PREFIX + step.action.value, step.at_utc, said)


def to_verdict_step(event: Event) -> VerdictStep:
    """The step that an event was made from."""
    known: dict[str, Any] = {name: event.detail[name] for name in ("by", *_SAID) if name in event.detail}
    return VerdictStep(VerdictAction(event.kind.removeprefix(_PREFIX)), event.at_utc, **known)


def find_verdict(store: Store, rental_id: str) -> Verdict | None:
    """Where the verdict on a rental stands, by its events; None where there never was a suspicion."""
    return rebuild_verdict(rental_id, map(to_verdict_step, read_verdict_events(store, rental_id).get(rental_id, ())))


def reckon_verdicts(store: Store, *, clock: Clock) -> dict[str, int]:
    """
    The nightly reckoning: new suspicions, those that the figures clear, those that nobody confirmed in time.

    What a person dismissed stays dismissed as long as the figures are the same; what a person confirmed or disputed is
    left alone. Repeated, it does nothing.
    """
    facts = read_rental_facts(store)
    clauses = parse_clauses(read_rule_table(store, "group_rentals"))
    found = {row["rental_id"]: find_suspicion(_to_facts(row), clauses) for row in facts.to_dict("records")}
    now = clock()
    counts: dict[str, int] = {}

    def decide(fetch: FetchVerdicts) -> Sequence[VerdictWrite]:
        events = fetch(None)
        writes = []
        for rental_id, suspicion in found.items():
            verdict = rebuild_verdict(rental_id, map(to_verdict_step, events.get(rental_id, ())))
            step = _choose_step(verdict, suspicion, now)
            if step is not None:
                counts[step.action.value] = counts.get(step.action.value, 0) + 1
                writes.append(_to_write(take_verdict_step(rental_id, verdict, step), step, suspicion))
        return writes

    def describe(writes: Sequence[VerdictWrite]) -> list[Entry]:
        return [Entry("change", SERVER, subject_kind="rental", detail={"what": "verdicts", **counts})] if writes else []

    write_verdicts(store, decide, describe, clock=clock)
    return counts


def decide_verdict(
    store: Store, viewer: Viewer, rental_id: str, action: VerdictAction, reason: str, *, clock: Clock
) -> Verdict:
    """
    Confirm, dismiss or dispute, with a reason.

    Raises
    ------
    NotAllowedError
        Confirming and dismissing is for officers; disputing for whoever may work in that grid.
    RefusedError
        The step may not follow, or there is no reason.
    """
    if action in BY_SERVER:
        raise RefusedError(f"{action} is reckoned from figures: nobody does it by hand.")
    rows = read_rental_facts(store, [rental_id])
    grid_id = None if rows.empty else rows["grid_id"].iloc[0]
    right = "dispute_verdict" if action is VerdictAction.DISPUTE else "decide_verdict"
    check_grid(viewer, "action", right, grid_id, what=f"Rental '{rental_id[:40]}'")
    if rows.empty:
        raise RecordMissingError(f"There is no rental '{rental_id[:40]}'. Look it up again.")
    masked = mask_at_intake(store, " ".join(reason.split())[:400])
    result: list[Verdict] = []

    def decide(fetch: FetchVerdicts) -> Sequence[VerdictWrite]:
        events = fetch(rental_id).get(rental_id, ())
        step = VerdictStep(action, clock(), get_actor(viewer), masked)
        verdict = take_verdict_step(rental_id, rebuild_verdict(rental_id, map(to_verdict_step, events)), step)
        result.append(verdict)
        return [_to_write(verdict, step, None)]

    def describe(_: Sequence[VerdictWrite]) -> list[Entry]:
        detail = {"what": f"verdict.{action.value}"}
        return [
            build_entry(viewer, "change", subject_kind="rental", subject_id=rental_id, reason=masked, detail=detail)
        ]

    write_verdicts(store, decide, describe, clock=clock)
    return result[-1]


def _choose_step(verdict: Verdict | None, suspicion: Suspicion | None, at: datetime) -> VerdictStep | None:
    state = None if verdict is None else verdict.state
    if state is VerdictState.SUSPECTED and verdict is not None and verdict.expires_utc is not None:
        if verdict.expires_utc <= at:
            return VerdictStep(VerdictAction.EXPIRE, at, SERVER)
        if suspicion is None:
            return VerdictStep(VerdictAction.CLEAR, at, SERVER, reason="figures")
    if suspicion is None or state in (VerdictState.CONFIRMED, VerdictState.DISPUTED):
        return None
    clause = suspicion.clause
    said = (clause.rule_set, clause.clause, dict(suspicion.figures))
    is_cleared = state is VerdictState.DISMISSED and verdict is not None and verdict.decided_by is None
    if verdict is not None and not is_cleared and said == (verdict.rule_set, verdict.clause, dict(verdict.figures)):
        return None  # nothing new: neither what stands nor what a person dismissed, nor what ran out
    return VerdictStep(VerdictAction.SUSPECT, at, SERVER, None, *said)


def _to_write(verdict: Verdict, step: VerdictStep, suspicion: Suspicion | None) -> VerdictWrite:
    row = {**asdict(verdict), "state": verdict.state.value, "figures": dict(verdict.figures)}
    why = None if suspicion is None else suspicion.describe()
    return VerdictWrite(row, verdict.state in _SUSPECTS, why, to_verdict_event(step))


def _to_facts(row: Mapping[Any, Any]) -> RentalFacts:
    names = (one.name for one in fields(RentalFacts))
    plain: dict[str, Any] = {name: None if pd.isna(row[name]) else row[name] for name in names}
    return RentalFacts(**plain)

"""
Suspected group rentals (疑似群租): reckoned by a city's rule set, a suspicion until a person confirms it.

    suspected → confirmed | dismissed | disputed | expired (nobody confirmed it in time)
    confirmed → disputed → confirmed | dismissed;   dismissed, expired → suspected (when the figures say so again)

A rule set counts a kind of area. The register holds built area; where a rule counts living area, which is smaller, the
clause holds for certain when even the built area is too small, and else nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from data.rule_tables import parse_rows
from gis.errors import BadRecordError, RefusedError
from tasks.life_cycle import MIN_REASON_LENGTH

EXPIRES_AFTER = timedelta(days=30)
MEASURES = ("people_per_room", "area_per_person", "unit_level")
AREA_BASES = ("built", "usable", "living")


class VerdictState(StrEnum):
    """Where the verdict on a rental stands."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    DISMISSED = "dismissed"
    EXPIRED = "expired"


class VerdictAction(StrEnum):
    """What becomes of it; `SUSPECT`, `CLEAR` and `EXPIRE` are the server's, the others a person's, with a reason."""

    SUSPECT = "suspect"
    CLEAR = "clear"
    EXPIRE = "expire"
    CONFIRM = "confirm"
    DISPUTE = "dispute"
    DISMISS = "dismiss"


BY_SERVER = frozenset({VerdictAction.SUSPECT, VerdictAction.CLEAR, VerdictAction.EXPIRE})
_S = VerdictState
_MOVES: Mapping[VerdictAction, Mapping[VerdictState, VerdictState]] = MappingProxyType(
    {
        # A suspicion that stands is reckoned anew, but its end stays where it was: it cannot be renewed for ever.
        VerdictAction.SUSPECT: {_S.SUSPECTED: _S.SUSPECTED, _S.EXPIRED: _S.SUSPECTED, _S.DISMISSED: _S.SUSPECTED},
        VerdictAction.CLEAR: {_S.SUSPECTED: _S.DISMISSED},
        VerdictAction.EXPIRE: {_S.SUSPECTED: _S.EXPIRED},
        VerdictAction.CONFIRM: {_S.SUSPECTED: _S.CONFIRMED, _S.DISPUTED: _S.CONFIRMED},
        VerdictAction.DISPUTE: {_S.SUSPECTED: _S.DISPUTED, _S.CONFIRMED: _S.DISPUTED},
        VerdictAction.DISMISS: {_S.SUSPECTED: _S.DISMISSED, _S.DISPUTED: _S.DISMISSED, _S.CONFIRMED: _S.DISMISSED},
    }
)


@dataclass(frozen=True)
class Clause:
    """One clause of a rule set; `with_people` is the smallest number of tenants for it, `comment` its text."""

    rule_set: str
    city: str
    dated: str
    clause: str
    measure: str
    op: str
    threshold: float
    with_people: int | None
    area_basis: str
    in_force: bool
    comment: str


@dataclass(frozen=True)
class RentalFacts:
    """What the register says of a rental; None where it says nothing. `area_m2` is built area."""

    rental_id: str
    tenants_count: int | None
    rooms_count: int | None
    area_m2: float | None
    level: int | None


@dataclass(frozen=True)
class Suspicion:
    """Why a rental is suspected: clause and the figures that it was reckoned from."""

    clause: Clause
    figures: Mapping[str, float]

    def describe(self) -> str:
        """One line in Chinese, as `rentals.suspicion_reason` keeps it: the set, the figures, the limit. No person."""
        one, said = self.clause, self.figures
        name = f"{one.city}{one.dated}"
        if one.measure == "area_per_person":
            return (
                f"{name}：{said['area_m2']:.0f}㎡住{said['tenants']:.0f}人（人均{said['value']:.1f}㎡，"
                f"不足{one.threshold:g}㎡）"
            )
        if one.measure == "people_per_room":
            return (
                f"{name}：{said['rooms']:.0f}间住{said['tenants']:.0f}人（每间{said['value']:.1f}人，"
                f"超过{one.threshold:g}人）"
            )
        return f"{name}：出租{said['value']:.0f}层（地下室或车库）"


@dataclass(frozen=True)
class Verdict:
    """Where the verdict on a rental stands; times are aware."""

    rental_id: str
    state: VerdictState
    rule_set: str
    clause: str
    figures: Mapping[str, float]
    since_utc: datetime
    expires_utc: datetime | None
    decided_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class VerdictStep:
    """One step; `suspicion` with `SUSPECT`, `reason` (masked) with what a person does."""

    action: VerdictAction
    at_utc: datetime
    by: str
    reason: str | None = None
    rule_set: str | None = None
    clause: str | None = None
    figures: Mapping[str, float] | None = None


def parse_clauses(text: str) -> tuple[Clause, ...]:
    """Clauses of a table; `BadRecordError` names the row and what was expected. One set at the most is in force."""
    clauses = []
    for number, row in enumerate(parse_rows("group_rentals", text), start=2):
        where = f"Rule table 'group_rentals', row {number}"
        allowed = {"measure": MEASURES, "op": ("gt", "lt"), "area_basis": AREA_BASES, "in_force": ("yes", "no")}
        for column, values in allowed.items():
            if row[column] not in values:
                raise BadRecordError(f"{where}: {column} is '{row[column][:40]}', expected one of {', '.join(values)}.")
        try:
            threshold = float(row["threshold"])
            people = int(row["with_people"]) if row["with_people"] else None
        except ValueError:
            raise BadRecordError(
                f"{where}: threshold '{row['threshold'][:20]}' or with_people '{row['with_people'][:20]}' is no number."
            ) from None
        said = (row["rule_set"], row["city"], row["dated"], row["clause"], row["measure"], row["op"])
        basis, is_on = row["area_basis"], row["in_force"] == "yes"
        clauses.append(Clause(*said, threshold, people, basis, is_on, row["comment"]))
    in_force = sorted({one.rule_set for one in clauses if one.in_force})
    if len(in_force) > 1:
        raise BadRecordError(f"Rule table 'group_rentals': {', '.join(in_force)} are in force, expected one at most.")
    return tuple(clauses)


def find_suspicion(facts: RentalFacts, clauses: Iterable[Clause]) -> Suspicion | None:
    """The first clause in force that a rental meets for certain, None where none is met or figures are missing."""
    for clause in clauses:
        if not clause.in_force:
            continue
        if clause.with_people is not None and (facts.tenants_count or 0) < clause.with_people:
            continue
        figures = _measure(facts, clause)
        if figures is None:
            continue
        value = figures["value"]
        if value > clause.threshold if clause.op == "gt" else value < clause.threshold:
            return Suspicion(clause, figures)
    return None


def _measure(facts: RentalFacts, clause: Clause) -> dict[str, float] | None:
    if clause.measure == "unit_level":
        return None if facts.level is None else {"value": float(facts.level)}
    if not facts.tenants_count:
        return None
    if clause.measure == "people_per_room":
        if not facts.rooms_count:
            return None
        rooms = facts.rooms_count
        return {"tenants": facts.tenants_count, "rooms": rooms, "value": facts.tenants_count / rooms}
    if not facts.area_m2 or (clause.op == "gt" and clause.area_basis != "built"):
        return None
    return {"tenants": facts.tenants_count, "area_m2": facts.area_m2, "value": facts.area_m2 / facts.tenants_count}


def find_verdict_actions(verdict: Verdict | None) -> tuple[VerdictAction, ...]:
    """What a person may do with a verdict now."""
    if verdict is None:
        return ()
    return tuple(a for a in VerdictAction if a not in BY_SERVER and verdict.state in _MOVES[a])


def take_verdict_step(rental_id: str, verdict: Verdict | None, step: VerdictStep) -> Verdict:
    """
    The verdict after a step.

    Raises
    ------
    RefusedError
        The step may not follow (the sentence names those that may), or a person gave no reason.
    """
    if verdict is None and step.action is VerdictAction.SUSPECT:
        target = VerdictState.SUSPECTED
    else:
        found = None if verdict is None else _MOVES[step.action].get(verdict.state)
        if found is None:
            state = "not suspected" if verdict is None else verdict.state.value
            allowed = ", ".join(find_verdict_actions(verdict)) or "nothing"
            raise RefusedError(f"Rental '{rental_id}' is {state}: {step.action} is not possible. Allowed: {allowed}.")
        target = found
    if step.action not in BY_SERVER and len((step.reason or "").strip()) < MIN_REASON_LENGTH:
        raise RefusedError(
            f"Rental '{rental_id}': {step.action} needs a reason of at least {MIN_REASON_LENGTH} characters."
        )
    if step.action is VerdictAction.SUSPECT:
        stands = verdict is not None and verdict.state is VerdictState.SUSPECTED
        return Verdict(
            rental_id, target, step.rule_set or "", step.clause or "", step.figures or {},
            verdict.since_utc if verdict is not None and stands else step.at_utc,
            verdict.expires_utc if verdict is not None and stands else step.at_utc + EXPIRES_AFTER,
        )  # fmt: skip
    assert verdict is not None  # noqa: S101 - only a suspicion begins
    by = verdict.decided_by if step.action in BY_SERVER else step.by
    return replace(
        verdict,
        state=target,
        since_utc=step.at_utc,
        expires_utc=None,
        decided_by=by,
        reason=step.reason or verdict.reason,
    )


def rebuild_verdict(rental_id: str, steps: Iterable[VerdictStep]) -> Verdict | None:
    """The verdict after all its steps in order."""
    verdict: Verdict | None = None
    for step in steps:
        verdict = take_verdict_step(rental_id, verdict, step)
    return verdict

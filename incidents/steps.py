"""Steps of an incident as rows of the events, there and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from data.incident_changes import Stored
from data.incident_writes import Event
from incidents.life_cycle import Action, Case, Step, adopt, rebuild

PREFIX = "incident."
CORRECT = f"{PREFIX}correct"


def to_event(step: Step, case: Case) -> Event:
    """A step as it is kept, with the state that it led to."""
    detail: dict[str, object] = {"by": step.by, "state": case.state.value}
    if step.reason is not None:
        detail["reason"] = step.reason
    if step.duplicate_of is not None:
        detail["duplicate_of"] = step.duplicate_of
    return Event(PREFIX + step.action.value, step.at_utc, detail)


def to_correction(values: Mapping[str, object], by: str, reason: str, at_utc: datetime) -> Event:
    """Corrected facts (kind, urgency) as they are kept: no step of the life cycle."""
    return Event(CORRECT, at_utc, {"by": by, "reason": reason, **values})


def to_step(kind: str, at_utc: datetime, detail: Mapping[str, object]) -> Step:
    """A row of the events as a step; `ValueError` for a kind that is none."""
    reason, other = detail.get("reason"), detail.get("duplicate_of")
    return Step(
        Action(kind.removeprefix(PREFIX)),
        at_utc,
        str(detail["by"]),
        None if reason is None else str(reason),
        None if other is None else str(other),
    )


def list_steps(stored: Stored) -> tuple[Step, ...]:
    """Steps of an incident; of one that came without any, those that its row tells."""
    if stored.events:
        return tuple(
            to_step(event.kind, event.at_utc, event.detail) for event in stored.events if event.kind != CORRECT
        )
    return adopt(
        stored.status, has_place=stored.has_place, reported_utc=stored.reported_utc, closed_utc=stored.closed_utc
    )


def list_events(incident_id: str, steps: Iterable[Step]) -> tuple[Event, ...]:
    """All steps of one incident as they are kept."""
    done: list[Step] = []
    events = []
    for step in steps:
        done.append(step)
        events.append(to_event(step, rebuild(incident_id, done)))
    return tuple(events)

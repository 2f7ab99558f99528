"""Steps of a task as events and back: ids, codes, dates and masked reasons, so that a person can be erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from data.incident_writes import Event
from data.moments import to_stored_time
from tasks.life_cycle import Action, Finding, Kind, Priority, Receiver, Step, Task

_PREFIX = "task."
_TIMES = ("due_utc", "captured_utc", "again_utc")
_PLAIN = ("by", "reason", "evidence_id", "action_id", "mended", "session_id", "settled", "other_id", "level")


def to_event(step: Step) -> Event:
    """A step as it is stored; what it does not say is left out."""
    detail: dict[str, object] = {name: getattr(step, name) for name in _PLAIN}
    detail |= {name: at.isoformat() for name in _TIMES if (at := getattr(step, name)) is not None}
    if step.kind is not None:
        detail["kind"] = step.kind.value
    if step.priority is not None:
        detail["priority"] = step.priority.value
    if step.receiver is not None:
        detail |= {"receiver_kind": step.receiver.kind, "receiver_id": step.receiver.id}
    if step.follow_up_on is not None:
        detail["follow_up_on"] = step.follow_up_on.isoformat()
    if step.findings:
        detail["findings"] = [[one.finding_id, one.code, one.rectify_by.isoformat()] for one in step.findings]
    if step.incidents:
        detail["incidents"] = list(step.incidents)
    plain = {name: value for name, value in detail.items() if value is not None}
    return Event(_PREFIX + step.action.value, step.at_utc, plain)


def to_step(event: Event) -> Step:
    """The step that an event was made from."""
    said: Mapping[str, Any] = event.detail
    plain: dict[str, Any] = {"by": "", **{name: said[name] for name in _PLAIN if name in said}}
    plain |= {name: datetime.fromisoformat(said[name]) for name in _TIMES if name in said}
    receiver = Receiver(said["receiver_kind"], said["receiver_id"]) if "receiver_id" in said else None
    return Step(
        Action(event.kind.removeprefix(_PREFIX)),
        event.at_utc,
        **plain,
        kind=Kind(said["kind"]) if "kind" in said else None,
        priority=Priority(said["priority"]) if "priority" in said else None,
        receiver=receiver,
        follow_up_on=date.fromisoformat(said["follow_up_on"]) if "follow_up_on" in said else None,
        incidents=tuple(said.get("incidents", ())),
        findings=tuple(Finding(one, code, date.fromisoformat(day)) for one, code, day in said.get("findings", ())),
    )


def to_columns(task: Task) -> dict[str, object]:
    """The columns of `tasks` that a task's steps decide: what a rebuilt row is held against."""
    skipped = {"task_id", "kind", "receiver", "findings", "evidence", "sessions", "incidents", "action_ids"}
    row: dict[str, object] = {one.name: getattr(task, one.name) for one in fields(Task) if one.name not in skipped}
    row |= {name: to_stored_time(at) for name, at in row.items() if isinstance(at, datetime)}
    return row | {
        "state": task.state.value,
        "priority": task.priority.value,
        "receiver_kind": task.receiver and task.receiver.kind,
        "receiver_id": task.receiver and task.receiver.id,
        "findings_count": len(task.findings),
        "evidence_count": len(task.evidence),
    }

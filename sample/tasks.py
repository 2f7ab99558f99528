"""Tasks of the last month: visits that were closed, and what is open now in every state, by the real rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from data.moments import to_stored_time
from data.task_places import TaskPlace, shorten
from sample.dwellings import Registers, Row, grid_id
from sample.place import ADDRESS_PREFIX, AS_OF, COMMUNITY, SHANGHAI
from tasks.life_cycle import Action, Finding, Kind, Origin, Priority, Receiver, Step, begin, take_step
from tasks.orders import NewTask, build_task, build_task_id
from tasks.steps import to_columns, to_event

CLOSED = 150
DAYS = 30
_OFFICER, _DEMO, _DEMO_GRID = "demo-officer", "demo-grid_worker", 7
"""Who a visitor of the demo is, and the grid that they look after as a grid worker (server/door.py)"""
_RULES = {"green": "rental-green", "yellow": "rental-yellow", "orange": "rental-orange", "red": "rental-red"}
# How far each open task has come, and by how many hours it is due before (or after) the sample's now.
_OPEN: Sequence[tuple[str, float]] = (
    *(("assigned", hours) for hours in (-20, 5, 20, 21, 30, 44, 45, 66, 68, 69, 70, 71)),
    *(("accepted", hours) for hours in (-3, 4, 20, 22, 44, 46)),
    *(("on_site", hours) for hours in (2, 3)),
    *(("submitted", hours) for hours in (-10, 4, 8, 22)),
    *(("sent_back", hours) for hours in (-6, 20)),
    *(("rectifying", hours) for hours in (-40, -30, -20)),
    *(("waiting", hours) for hours in (12, 40)),
)
_SEEN = (
    "与登记一致",
    "住户在家，核对无误",
    "新增一人，已提醒登记",
    "门锁换新，其他正常",
    "灭火器在有效期内",
    "通道畅通",
)
_WRONG = (("wiring", "阳台私拉电线充电"), ("exit", "楼道堆放杂物"), ("gas", "热水器未装排烟管"))
_DISPUTES = (
    ("upstairs downstairs", "楼上漏水，两家各说各话", None),
    ("landlord tenant", "押金退还谈拢", True),
    ("neighbour neighbour", "夜间噪声，约定十点后安静", True),
)


@dataclass
class _Written:
    """Rows as they grow."""

    tasks: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    evidence: list[Row] = field(default_factory=list)
    findings: list[Row] = field(default_factory=list)
    sessions: list[Row] = field(default_factory=list)


def build_tasks(registers: Registers, rentals: list[Row], rng: np.random.Generator) -> dict[str, list[Row]]:
    """Rows of tasks, events, task_evidence, task_findings and task_sessions; the same for the same generator."""
    written = _Written()
    buildings = {row["building_id"]: row for row in registers.buildings}
    order = [rentals[int(i)] for i in rng.permutation(len(rentals))]
    for number, rental in enumerate(order[:CLOSED]):
        _add_closed(written, rental, buildings[rental["building_id"]], number, rng)
    for (state, due_hours), rental in zip(_OPEN, order[CLOSED:], strict=False):
        _add_open(written, rental, buildings[rental["building_id"]], state, due_hours, rng)
    rest = order[CLOSED + len(_OPEN) :]
    for (parties, text, settled), rental in zip(_DISPUTES, rest, strict=False):
        _add_dispute(written, rental, buildings[rental["building_id"]], parties, text, settled)
    written.events.sort(key=lambda row: (row["at_utc"], row["subject_id"]))
    for event_id, row in enumerate(written.events, start=1):
        row["event_id"] = event_id
    return {
        "tasks": written.tasks, "events": written.events, "task_evidence": written.evidence,
        "task_findings": written.findings, "task_sessions": written.sessions,
    }  # fmt: skip


def _find_worker(building: Row) -> str:
    """Account of whoever looks after a building's grid."""
    return _DEMO if building["grid_id"] == grid_id(_DEMO_GRID) else f"worker-{building['grid_id']}"


def _add_closed(written: _Written, rental: Row, building: Row, number: int, rng: np.random.Generator) -> None:
    worker = _find_worker(building)
    days_ago = 1 + number * (DAYS - 2) // CLOSED
    day = AS_OF.astimezone(SHANGHAI).date() - timedelta(days=days_ago + 1)
    made = _at(day, 4, 30)
    visited = _at(day, 9 + int(rng.integers(0, 8)), int(rng.integers(0, 60)))
    due = _at(day, 18) if rng.random() < 0.9 else visited - timedelta(hours=2)
    steps = [
        Step(Action.ACCEPT, visited - timedelta(minutes=40), worker),
        Step(Action.ARRIVE, visited - timedelta(minutes=12), worker),
        Step(Action.SUBMIT, visited, worker, evidence_id=f"se-{rental['rental_id']}", captured_utc=visited),
        Step(Action.CLOSE, visited + timedelta(hours=int(rng.integers(1, 20))), _OFFICER),
    ]
    _write(written, _visit(rental, due), building, steps, made, str(rng.choice(_SEEN)), rental=rental)


def _add_open(
    written: _Written, rental: Row, building: Row, state: str, due_hours: float, rng: np.random.Generator
) -> None:
    worker = _find_worker(building)
    due = AS_OF + timedelta(hours=due_hours)
    made = due - timedelta(hours=72)
    start = made + timedelta(hours=8)
    one = f"se-{rental['rental_id']}"
    accept, arrive = Step(Action.ACCEPT, start, worker), Step(Action.ARRIVE, start + timedelta(hours=1), worker)
    at = start + timedelta(hours=2)
    submit = Step(Action.SUBMIT, at, worker, evidence_id=one, captured_utc=at)
    back = Step(Action.SEND_BACK, at + timedelta(hours=1), _OFFICER, reason="照片里看不清门牌，请补")
    steps = {
        "assigned": [], "accepted": [accept], "on_site": [accept, arrive], "submitted": [accept, arrive, submit],
        "sent_back": [accept, arrive, submit, back], "rectifying": [], "waiting": [],
    }[state]  # fmt: skip
    new = _visit(rental, due)
    if state == "waiting":
        steps = [Step(Action.REFUSE, start, worker, reason="今天轮休，请改派")]
    if state == "rectifying":
        code, words = _WRONG[int(rng.integers(0, len(_WRONG)))]
        by = AS_OF.astimezone(SHANGHAI).date() + timedelta(days=int(rng.integers(1, 6)))
        finding = Finding(f"{one}-0", code, by)
        task_id = build_task_id(new.key)
        steps = [
            accept,
            arrive,
            Step(Action.SUBMIT, at, worker, evidence_id=one, captured_utc=at, findings=(finding,)),
        ]
        written.findings.append({
            "finding_id": finding.finding_id, "task_id": task_id, "evidence_id": one, "code": code, "rectify_by": by,
            "narrative": words,
        })  # fmt: skip
        check = NewTask(
            Kind.RECTIFICATION, "rental", _at(by, 18), rental["rental_id"], origin=Origin.RULE, origin_id=new.origin_id,
            receiver=Receiver("grid", building["grid_id"]), checklist="rental", key=f"sample {task_id}-r",
        )  # fmt: skip
        child = _write(written, check, building, [], at + timedelta(hours=1), "", rental=rental, parent_id=task_id)
        steps.append(Step(Action.DEMAND, at + timedelta(hours=1), _OFFICER, other_id=child))
    _write(written, new, building, steps, made, str(rng.choice(_SEEN)), rental=rental)


def _add_dispute(written: _Written, rental: Row, building: Row, parties: str, text: str, settled: bool | None) -> None:
    made = AS_OF - timedelta(days=4)
    held = made + timedelta(days=1)
    session = f"ss-{rental['rental_id']}"
    follow = (AS_OF + timedelta(days=14)).date() if settled else None
    new = NewTask(
        Kind.DISPUTE, "rental", AS_OF + timedelta(days=3), rental["rental_id"], receiver=Receiver("role", "officer"),
        key=f"sample dispute {rental['rental_id']}",
    )  # fmt: skip
    steps = [
        Step(Action.ACCEPT, made + timedelta(hours=2), _OFFICER),
        Step(Action.HOLD_SESSION, held, _OFFICER, session_id=session, settled=settled, follow_up_on=follow),
    ]
    task_id = _write(written, new, building, steps, made, "", rental=rental)
    written.sessions.append({
        "session_id": session, "task_id": task_id, "held_utc": to_stored_time(held), "held_by": _OFFICER,
        "parties": parties, "settled": settled, "follow_up_on": follow, "narrative": text,
        "agreement": text if settled else None,
    })  # fmt: skip


def _visit(rental: Row, due: datetime) -> NewTask:
    urgent = rental["colour"] == "red"
    return NewTask(
        Kind.INSPECTION, "rental", due, rental["rental_id"], origin=Origin.RULE, origin_id=_RULES[rental["colour"]],
        priority=Priority.URGENT if urgent else Priority.NORMAL, checklist="rental",
        key=f"sample {rental['rental_id']}",
    )  # fmt: skip


def _write(
    written: _Written, new: NewTask, building: Row, steps: list[Step], made: datetime, seen: str, *,
    rental: Row | None = None, parent_id: str | None = None,
) -> str:  # fmt: skip
    """One task with its events and the evidence of its submissions; returns its id."""
    receiver = new.receiver or Receiver("grid", building["grid_id"])
    middle = building["geom"].centroid
    text = shorten((rental or {}).get("address_text") or building["name"], ADDRESS_PREFIX + COMMUNITY)
    place = TaskPlace(text, building["building_id"], (rental or {}).get("unit_id"), building["grid_id"], 0.0, 0.0)
    task_id, row, first = build_task(
        replace(new, receiver=receiver), place, by="server" if new.origin is Origin.RULE else _OFFICER, now=made,
        note="", parent_id=parent_id,
    )  # fmt: skip
    task = begin(task_id, first)
    for step in steps:
        task = take_step(task, step)
        if step.evidence_id is not None:
            written.evidence.append({
                "evidence_id": step.evidence_id, "task_id": task_id, "action_id": None, "sent_by": step.by,
                "captured_utc": to_stored_time(step.at_utc), "received_utc": to_stored_time(step.at_utc),
                "place_source": "subject", "accuracy_m": None, "answers": json.dumps({}), "narrative": seen,
                "kept_why": None,
            })  # fmt: skip
    written.tasks.append({**row, **to_columns(task), "geom": middle})
    written.events += [_to_row(task_id, step) for step in (first, *steps)]
    return task_id


def _to_row(task_id: str, step: Step) -> dict[str, Any]:
    event = to_event(step)
    return {
        "event_id": 0, "at_utc": to_stored_time(event.at_utc), "kind": event.kind, "subject_table": "tasks",
        "subject_id": task_id, "detail": json.dumps(dict(event.detail), ensure_ascii=False, sort_keys=True),
    }  # fmt: skip


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI).astimezone(UTC)

"""
Making tasks and taking their steps: the one way in for pages, phones, rules and jobs.

The rules are those of `life_cycle`; who may is in the rights table and in who the receiver is. Everything is
idempotent: a task with the same `key` is made once, a step with the same `action_id` is taken once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from data.audit import SERVER, Entry, build_entry
from data.freshness import REGISTERS, Check
from data.intake import SEALED, mask_at_intake
from data.rights import check_grid
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from data.task_places import TaskPlace, find_grid_at, get_task_place
from data.task_rights import check_task
from data.task_writes import Fetch, StoredTask, TaskChange, change_tasks, check_incidents, find_existing, list_links
from data.viewer import Viewer
from gis.errors import BadRecordError, RefusedError
from tasks.life_cycle import Action, Kind, Origin, Receiver, State, Step, Task, is_repeat, rebuild, take_step
from tasks.orders import (
    Done,
    NewTask,
    Order,
    build_links,
    build_recheck_key,
    build_rows,
    build_step,
    build_task,
    check_order,
    mask,
    mask_texts,
)
from tasks.receiving import check_actor, check_receiver, find_right, get_actor
from tasks.steps import to_columns, to_event, to_step

LOCAL = ZoneInfo("Asia/Shanghai")
_RECHECK_HOUR = time(18)
_VISITS = (Kind.INSPECTION, Kind.VERIFICATION, Kind.RECTIFICATION)


def create_task(store: Store, viewer: Viewer | None, new: NewTask, *, clock: Clock) -> str:
    """
    Make a task; returns its id. `viewer` None is the server, for rules.

    Raises
    ------
    NotAllowedError
        The role may not, or the place is in another's grid.
    RecordMissingError
        There is no such subject, or no such receiver.
    BadRecordError
        A value that cannot be.
    """
    place = find_place(store, new)
    if viewer is not None:
        check_grid(viewer, "action", "create_task", place.grid_id, what=f"This {new.subject_kind}")
    check_receiver(store, new.receiver)
    now = clock()
    task_id, row, step = build_task(new, place, by=get_actor(viewer), now=now, note=mask(store, new.note))

    def decide(transaction: Transaction, _: Fetch) -> TaskChange:
        if find_existing(transaction, "tasks", "task_id", [task_id]):
            return TaskChange()
        check_incidents(transaction, new.incidents)
        links = build_links(task_id, new.incidents)
        return TaskChange(((task_id, to_event(step)),), new=[row], rows={"task_incidents": links} if links else {})

    detail = {"what": "create", "kind": new.kind.value, "origin": new.origin.value}
    change_tasks(store, decide, lambda _: [_entry(viewer, task_id, None, detail)], clock=clock)
    return task_id


def find_place(store: Store, new: NewTask) -> TaskPlace:
    """Where a task is to be done."""
    if new.subject_kind != "place":
        if new.subject_id is None:
            raise BadRecordError(f"A task about a {new.subject_kind[:40]} needs its id. Choose it on the page.")
        return get_task_place(store, new.subject_kind, new.subject_id)
    text = " ".join(new.place_text.split())[:120]
    if not text:
        raise BadRecordError("A task about a place needs its name in words. Say where it is.")
    known = new.x_m is not None and new.y_m is not None
    grid_id = find_grid_at(store, float(new.x_m or 0), float(new.y_m or 0)) if known else None
    return TaskPlace(mask_at_intake(store, text), None, None, grid_id, new.x_m, new.y_m)


def act(store: Store, viewer: Viewer, task_id: str, order: Order, *, clock: Clock) -> Done:
    """
    Take one step of a task. Evidence is kept whatever becomes of the step.

    Raises
    ------
    NotAllowedError
        The role may not, or the task is in another's grid; nothing was kept.
    RefusedError
        The step may not follow, or the task is with another receiver, and it brought no evidence; or an incident that
        a dispute is to be linked to happened elsewhere.
    BadRecordError, RecordMissingError
        A value that cannot be; no such task or receiver.
    """
    check_order(order)
    check_receiver(store, order.receiver)
    texts = mask_texts(store, order)
    key = get_key(store, SEALED) if order.evidence else b""
    result: list[Done] = []

    def decide(transaction: Transaction, fetch: Fetch) -> TaskChange:
        stored = fetch(task_id)
        right = find_right(order.action)
        check_task(viewer, "action", right, stored.row, task_id)
        task, now = rebuild(task_id, map(to_step, stored.events)), clock()
        number, by = len(stored.events), get_actor(viewer)
        if order.action is Action.LINK:
            check_incidents(transaction, order.incidents, building_id=stored.row["building_id"] or "")
        step = build_step(task, order, texts, by=by, number=number, created=stored.row["created_utc"], now=now)
        if is_repeat(task, step) or (step.evidence_id and step.evidence_id in task.evidence):
            result.append(Done(task, is_repeat=True))
            return TaskChange()
        refused = None
        try:
            check_actor(viewer, task, order.action)
            after = take_step(task, step)
        except RefusedError as error:
            if order.evidence is None:
                raise
            refused, step = str(error), replace(step, action=Action.KEEP)
            step = replace(step, findings=(), mended=None, again_utc=None)
            after = take_step(task, step)
        rows = build_rows(task, step, order, texts, key, is_late=refused is not None, clock=clock)
        change = TaskChange(((task_id, to_event(step)),), {task_id: to_columns(after)}, rows=rows)
        done = Done(after, refused=refused)
        if refused is None:
            change, done = _follow(change, done, stored, step, order, fetch)
            change = _ask_after(change, done.task, stored, step, transaction)
        result.append(done)
        return change

    def describe(change: TaskChange) -> list[Entry]:
        detail = {"what": order.action.value, "steps": len(change.events), "state": result[-1].task.state.value}
        return [_entry(viewer, task_id, texts["reason"] or None, detail)]

    change_tasks(store, decide, describe, clock=clock)
    return result[-1]


def _follow(
    change: TaskChange, done: Done, stored: StoredTask, step: Step, order: Order, fetch: Fetch
) -> tuple[TaskChange, Done]:
    """What a step does to the other task of a pair: findings and the task that checks them again."""
    task, row = done.task, stored.row
    if step.action is Action.CLOSE:
        change = replace(change, visits=_list_visits(task, row))
    if step.action is Action.DEMAND and step.other_id is not None:
        child_id, child, first = _build_recheck(task, stored, step, order)
        return (
            replace(change, events=(*change.events, (child_id, to_event(first))), new=[child]),
            replace(done, recheck_id=child_id),
        )
    other_id = row["parent_id"] if task.kind is Kind.RECTIFICATION else task.recheck_id
    if other_id is None or task.is_open:
        return change, done
    other = rebuild(other_id, map(to_step, fetch(other_id).events))
    action = None
    if task.kind is Kind.RECTIFICATION and other.state is State.RECTIFYING and other.recheck_id == task.task_id:
        action = Action.RECHECK if task.state is State.CLOSED else Action.DROP_RECHECK
    elif task.kind is not Kind.RECTIFICATION and task.state is State.CANCELLED and other.is_open:
        action = Action.CANCEL
    if action is None:
        return change, done
    told = Step(action, step.at_utc, step.by, reason=step.reason, other_id=task.task_id)
    after = take_step(other, told)
    return (
        replace(
            change,
            events=(*change.events, (other_id, to_event(told))),
            updates={**change.updates, other_id: to_columns(after)},
        ),
        done,
    )


def _ask_after(change: TaskChange, task: Task, stored: StoredTask, step: Step, transaction: Transaction) -> TaskChange:
    """A session of a mediation that names a day to ask again makes a task of it, about the same incidents."""
    if step.action is not Action.HOLD_SESSION or step.follow_up_on is None:
        return change
    row = stored.row
    day = datetime.combine(step.follow_up_on, _RECHECK_HOUR, LOCAL).astimezone(UTC)
    receiver = Receiver("account", task.accepted_by) if task.accepted_by else task.receiver
    new = NewTask(
        Kind.VERIFICATION, row["subject_kind"], max(day, step.at_utc + timedelta(hours=1)), row["subject_id"],
        origin=Origin(row["origin"]), origin_id=row["origin_id"], priority=task.priority, receiver=receiver,
        checklist="after_incident", key=f"follow-up {task.task_id} {step.session_id}",
        incidents=tuple(one["incident_id"] for one in list_links(transaction, task.task_id)),
    )  # fmt: skip
    place = TaskPlace(*(row[name] for name in ("place_text", "building_id", "unit_id", "grid_id", "x_m", "y_m")))
    child_id, child, first = build_task(new, place, by=step.by, now=step.at_utc, note="", parent_id=task.task_id)
    links = build_links(child_id, new.incidents)
    return replace(
        change, events=(*change.events, (child_id, to_event(first))), new=[*change.new, child],
        rows={**change.rows, **({"task_incidents": links} if links else {})},
    )  # fmt: skip


def _list_visits(task: Task, row: Mapping[str, Any]) -> tuple[Check, ...]:
    """What closing a visit accepts as seen at the door, by who did it."""
    if task.kind not in _VISITS or row["subject_kind"] not in REGISTERS or task.submitted_utc is None:
        return ()
    return (
        Check(
            row["subject_kind"], row["subject_id"], task.submitted_utc, "door", task.submitted_by, None, task.task_id
        ),
    )


def _build_recheck(task: Task, stored: StoredTask, step: Step, order: Order) -> tuple[str, dict[str, object], Step]:
    """The task that checks again: same subject, due on the last of the dates, with who did the visit."""
    row = stored.row
    last = max(one.rectify_by for one in task.findings)
    due = order.due_utc or datetime.combine(last, _RECHECK_HOUR, LOCAL).astimezone(UTC)
    receiver = order.receiver or (Receiver("account", task.accepted_by) if task.accepted_by else task.receiver)
    new = NewTask(
        Kind.RECTIFICATION, row["subject_kind"], max(due, step.at_utc + timedelta(hours=1)), row["subject_id"],
        origin=Origin(row["origin"]), origin_id=row["origin_id"], priority=task.priority, receiver=receiver,
        checklist=row["checklist"], key=build_recheck_key(task, len(stored.events)),
    )  # fmt: skip
    place = TaskPlace(*(row[name] for name in ("place_text", "building_id", "unit_id", "grid_id", "x_m", "y_m")))
    return build_task(new, place, by=step.by, now=step.at_utc, note="", parent_id=task.task_id)


def _entry(viewer: Viewer | None, task_id: str, reason: str | None, detail: Mapping[str, object]) -> Entry:
    if viewer is None:
        return Entry("change", SERVER, subject_kind="task", subject_id=task_id, detail=detail)
    return build_entry(viewer, "change", subject_kind="task", subject_id=task_id, reason=reason, detail=detail)

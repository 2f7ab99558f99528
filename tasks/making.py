"""What the server does by itself: tasks that rules ask for, reminders, and word of what is overdue. Safe to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd

from data.audit import SERVER, Entry, build_entry, write_audited
from data.incident_writes import append_events
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.task_due import (
    VisitFacts,
    find_pending,
    find_unreported,
    mark_reported,
    mark_told,
    read_visit_facts,
)
from data.task_places import TaskPlace, find_task_places
from data.task_writes import TaskChange, apply_change, find_existing
from data.viewer import Viewer
from tasks.doing import LOCAL
from tasks.due import DueVisit, Subject, find_due
from tasks.escalating import read_levels
from tasks.life_cycle import Action, Origin, Receiver, Step
from tasks.orders import NewTask, build_links, build_task
from tasks.receiving import get_actor
from tasks.rules import read_visit_rules
from tasks.steps import to_event

AHEAD_DAYS = 3
"""So many days before its date a visit is on the list: an office plans the week, not the year."""
DUE_HOUR = time(18)
REMIND_BEFORE = timedelta(hours=24)
_KEPT_DAYS = 800


def make_due_tasks(
    store: Store, *, clock: Clock, viewer: Viewer | None = None, ahead_days: int = AHEAD_DAYS
) -> list[str]:
    """
    Make tasks of the visits that rules ask for until `ahead_days` from today; returns the new ids.

    `viewer` is who asked for it, whose right is checked; None is the nightly job. Repeated, it makes nothing twice.
    """
    if viewer is not None:
        check_right(viewer, "action", "direct_task")
    now = clock()
    visits = list_due(store, now=now, ahead_days=ahead_days)
    places = {
        kind: find_task_places(store, kind, [one.subject.id for one in visits if one.subject.kind == kind])
        for kind in sorted({one.subject.kind for one in visits})
    }
    built = [
        _build(visit, places[visit.subject.kind][visit.subject.id], by=get_actor(viewer), now=now)
        for visit in visits
        if visit.subject.id in places[visit.subject.kind]
    ]

    def work(transaction: Transaction) -> list[str]:
        there = find_existing(transaction, "tasks", "task_id", [task_id for task_id, _, _ in built])
        fresh = [one for one in built if one[0] not in there]
        links = [link for task_id, _, step in fresh for link in build_links(task_id, step.incidents)]
        rows = [row for _, row, _ in fresh]
        change = TaskChange(
            tuple((task_id, to_event(step)) for task_id, _, step in fresh), new=rows,
            rows={"task_incidents": links} if links else {},
        )  # fmt: skip
        apply_change(transaction, change)
        return [task_id for task_id, _, _ in fresh]

    def describe(made: Sequence[str]) -> list[Entry]:
        detail = {"what": "rules", "tasks": len(made)}
        if not made:
            return []
        return [
            Entry("change", SERVER, subject_kind="task", detail=detail)
            if viewer is None
            else build_entry(viewer, "change", subject_kind="task", detail=detail)
        ]

    return write_audited(store, work, describe, clock=clock)


def list_due(store: Store, *, now: datetime, ahead_days: int = AHEAD_DAYS) -> list[DueVisit]:
    """Visits that rules ask for and that have no task yet, the most pressing first."""
    rules = read_visit_rules(store)
    longest = max((rule.cycle_days for rule in rules if rule.about == "after_incident"), default=0)
    facts = read_visit_facts(
        store,
        incidents_since=now - timedelta(days=2 * max(longest, 1)),  # older ones were before the rule
        ended_since=now - timedelta(days=_KEPT_DAYS),
        now=now,
    )
    waiting = frozenset(facts.waiting.itertuples(index=False, name=None))
    ended = {(kind, one, rule): _to_day(day) for kind, one, rule, day in facts.ended.itertuples(index=False, name=None)}
    known = {key: day for key, day in ended.items() if day is not None}
    today = now.astimezone(LOCAL).date()
    return find_due(list_subjects(facts), rules, today=today, ahead_days=ahead_days, waiting=waiting, ended=known)


def list_subjects(facts: VisitFacts) -> list[Subject]:
    """Everything that a rule may ask about."""
    found = []
    for row in facts.rentals.to_dict("records"):
        marks = {"rental_colour": row["colour"]} if isinstance(row["colour"], str) else {}
        if row["suspected"]:
            marks["suspected_group"] = "yes"
        found.append(Subject("rental", row["id"], marks, _to_day(row["since"])))
    for row in facts.sites.to_dict("records"):
        found.append(Subject("site", row["id"], {"site_kind": row["kind"]}, _to_day(row["since"])))
    for row in facts.incidents.to_dict("records"):
        marks = {"after_incident": row["category"]}
        found.append(Subject(row["kind"], row["id"], marks, _to_day(row["since"]), row["incident_id"]))
    return found


def remind_and_escalate(store: Store, *, clock: Clock) -> tuple[int, int]:
    """
    Remind of what is due within a day, and report what is overdue to each level of the table of escalation, each once;
    returns how many of both.
    """
    now, levels = clock(), read_levels(store)

    def work(transaction: Transaction) -> tuple[int, int]:
        late: dict[str, int] = {}
        for priority, found in levels.items():
            for level in found:
                limit = now - level.after
                for one in find_unreported(transaction, priority.value, level.number, limit):
                    late[one] = level.number
        for number in sorted(set(late.values())):
            reported = [one for one, level in late.items() if level == number]
            mark_reported(transaction, reported, number, now)
            _tell(transaction, Step(Action.ESCALATE, now, SERVER, level=number), reported)
        # What is overdue when it is first seen needs no reminder beside the report.
        soon = [one for one in find_pending(transaction, "reminded_utc", now + REMIND_BEFORE) if one not in late]
        mark_told(transaction, "reminded_utc", soon, now)
        _tell(transaction, Step(Action.REMIND, now, SERVER), soon)
        return len(soon), len(late)

    return store.write(work)


def _tell(transaction: Transaction, step: Step, task_ids: list[str]) -> None:
    if task_ids:
        append_events(transaction, [(one, to_event(step)) for one in task_ids], table="tasks")


def _build(visit: DueVisit, place: TaskPlace, *, by: str, now: datetime) -> tuple[str, dict[str, Any], Step]:
    rule, subject = visit.rule, visit.subject
    receiver = Receiver("grid", place.grid_id) if place.grid_id else Receiver("role", "officer")
    due = datetime.combine(visit.due_on, DUE_HOUR, LOCAL).astimezone(UTC)
    new = NewTask(
        rule.kind, subject.kind, due if due > now else due + timedelta(days=1), subject.id, origin=Origin.RULE,
        origin_id=rule.rule_id, priority=rule.priority, receiver=receiver, checklist=rule.checklist or None,
        key=visit.key, incidents=(subject.origin_id,) if subject.origin_id else (),
    )  # fmt: skip
    return build_task(new, place, by=by, now=now, note="")


def _to_day(value: Any) -> date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()

"""Work on tasks and points at its time: by night what rules ask for, by day reminders, what is overdue or lapses."""

from __future__ import annotations

from datetime import time, timedelta

from data.store import Clock, Store
from server.jobs import Job
from server.operations import is_synthetic
from tasks.gifts import lapse_reservations
from tasks.making import make_due_tasks, remind_and_escalate
from tasks.points import expire_points
from tasks.verdicts import reckon_verdicts

_NIGHT = time(4, 30)  # after the backup, before the first shift
_EVERY = timedelta(minutes=10)
_HOURLY = timedelta(hours=1)


def build_task_jobs(store: Store, clock: Clock) -> list[Job]:
    """The jobs. The sample is left alone, whose time stands still: all of it would be due after a week."""

    def at_night() -> None:
        if not is_synthetic(store):
            reckon_verdicts(store, clock=clock)
            make_due_tasks(store, clock=clock)

    def by_day() -> None:
        if not is_synthetic(store):
            remind_and_escalate(store, clock=clock)

    def points_by_day() -> None:
        lapse_reservations(store, clock=clock)
        expire_points(store, clock=clock)

    # A night that was missed is made up for at the start: repeated, it makes nothing twice.
    return [
        Job("due tasks", at_night, at=lambda: _NIGHT, is_due_at_start=lambda: True),
        Job("task reminders", by_day, every=_EVERY, is_due_at_start=lambda: True),
        Job("points", points_by_day, every=_HOURLY, is_due_at_start=lambda: True),
    ]

"""Patrols at their time: they begin and end with their shift, and who is at a place of theirs is noted meanwhile."""

from __future__ import annotations

from datetime import timedelta

from data.store import Clock, Store
from incidents.patrol_following import follow_patrols
from server.jobs import Job, Scheduler

LOOK_S = 5.0
_EVERY = timedelta(seconds=LOOK_S * 0.9)


def build_patrol_schedulers(store: Store, clock: Clock, *, look_s: float = LOOK_S) -> tuple[Scheduler, ...]:
    """A thread of its own: a position is noted while it is the last one, and a backup takes longer than a stop."""
    job = Job("patrols", lambda: follow_patrols(store, clock=clock), every=_EVERY, is_due_at_start=lambda: True)
    return (Scheduler([job], clock, look_s=look_s),)

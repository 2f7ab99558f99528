"""
Work of dispatch that cannot wait for the other jobs: escalation by the second, and the webhook.

Each has a thread of its own. A backup takes minutes and a receiver that does not answer takes seconds: neither may hold
up the second in which somebody has to be told that nobody answers.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from data.drills import is_drill
from data.store import Clock, Store
from incidents.escalating import Escalation
from server.jobs import Job, Scheduler
from server.webhook import WebhookSender

LOOK_S = 1.0
# A period a little under the look: a look that comes a moment early is not a look that is left out.
_EVERY = timedelta(seconds=LOOK_S * 0.9)


def build_dispatch_schedulers(
    store: Store, clock: Clock, *, webhook_ca: Path | None = None, look_s: float = LOOK_S
) -> tuple[Scheduler, ...]:
    """Schedulers to be started and stopped with the server; a drill tells no other system anything."""
    jobs = [Job("escalation", Escalation(store, clock).run, every=_EVERY)]
    if not is_drill(store):
        jobs.append(Job("webhook", WebhookSender(store, clock, webhook_ca).run, every=_EVERY))
    return tuple(Scheduler([job], clock, look_s=look_s) for job in jobs)

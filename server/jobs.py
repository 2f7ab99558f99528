"""
Work at its time, while the server runs: one thread, one job after another.

A job that fails says so in the log and comes again at its next time. `stop` waits for the job that runs: a thread that
is still inside the database when the process ends would crash it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from gis.errors import ShapanError

ZONE = ZoneInfo("Asia/Shanghai")
# How often the clock is looked at: so late a job may come, and so soon a clock that was set is noticed.
LOOK_S = 20.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """
    One piece of work.

    Attributes
    ----------
    name
        For the log.
    work
        What to do; it may take long.
    at
        Gives the time of the day, in Asia/Shanghai, as it is set at that moment; or None with `every`.
    every
        With this time between two beginnings.
    is_due_at_start
        Asked once, when the scheduler starts: true runs it at once, e.g. because the night was missed.
    """

    name: str
    work: Callable[[], object]
    at: Callable[[], time] | None = None
    every: timedelta | None = None
    is_due_at_start: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        if (self.at is None) == (self.every is None):
            raise ValueError(f"Job '{self.name}': expected either a time of the day or a period.")

    def find_next(self, now: datetime) -> datetime:
        """The next time strictly after `now`."""
        if self.every is not None:
            return now + self.every
        assert self.at is not None  # noqa: S101 - the other is not
        local, at = now.astimezone(ZONE), self.at()
        today = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
        return today if today > local else today + timedelta(days=1)


class Scheduler:
    """Runs jobs from `start()` to `stop()`; `clock` gives aware times and may be set back or forth."""

    def __init__(self, jobs: Sequence[Job], clock: Callable[[], datetime], *, look_s: float = LOOK_S) -> None:
        self._jobs = tuple(jobs)
        self._clock = clock
        self._look_s = look_s
        self._due: dict[str, datetime] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin; a second time it is an error."""
        self._thread.start()

    def stop(self) -> None:
        """End after the job that runs, if one does; returns when the thread is gone. A second time it does nothing."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def run_due(self) -> list[str]:
        """Run what is due at this moment, in the order of the jobs; returns names. The thread calls it all the time."""
        ran = []
        for job in self._jobs:
            now = self._clock()
            following = job.find_next(now)
            # Set back, a clock must not put a job off: its time is never farther away than a new reckoning says.
            due = self._due[job.name] = min(self._due.get(job.name, following), following)
            if due <= now and not self._stopped.is_set():
                self._run_job(job)
                ran.append(job.name)
                self._due[job.name] = job.find_next(self._clock())
        return ran

    def _run(self) -> None:
        for job in self._jobs:
            if not self._stopped.is_set() and _is_due_at_start(job):
                self._run_job(job)
        while not self._stopped.wait(self._look_s):
            self.run_due()

    def _run_job(self, job: Job) -> None:
        try:
            job.work()
        except ShapanError as error:
            _log.error("Job '%s' failed and comes again at its next time: %s", job.name, error)
        except Exception:  # noqa: BLE001 - one failing job must not end the others
            _log.exception("Job '%s' failed and comes again at its next time.", job.name)


def _is_due_at_start(job: Job) -> bool:
    try:
        return job.is_due_at_start()
    except Exception:  # noqa: BLE001 - as above
        _log.exception("Job '%s': whether it is due could not be told.", job.name)
        return False

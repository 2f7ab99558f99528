"""
The writer: one thread that runs all writes, one after another, and shares a commit among those that allow it.

DuckDB has no savepoints: when one member of a shared transaction fails, the others cannot be kept. So the whole group
is rolled back and its members run again, each alone. That runs a function twice, which only its author can allow.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gis.errors import RefusedError, StoreClosedError

T = TypeVar("T")
Work = Callable[[Any], Any]
# A commit costs one fsync whatever it holds; a group of 64 has made that small, and bounds what one failure repeats.
_GROUP_LIMIT = 64


@dataclass(frozen=True)
class _Job:
    work: Work
    repeatable: bool
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """
    Runs `commit(works)`, which gives the result of each work after one commit, or raises when nothing was committed.

    `name` is the store's, for sentences. `on_write` is told, on the caller's thread, the seconds that each write took.
    """

    def __init__(self, commit: Callable[[Sequence[Work]], Sequence[Any]], *, name: str) -> None:
        self._commit = commit
        self._name = name
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self.on_write: Callable[[float], None] = lambda _: None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[Any], T], *, repeatable: bool) -> T:
        """Result of `work` after its commit; raises what it raised after the rollback."""
        self.check_not_inside("write")
        job = _Job(work, repeatable)
        started = time.perf_counter()
        with self._changed:
            if self._closing:
                raise StoreClosedError(
                    f"Store '{self._name}' is closed: nothing was written. Open it again, then repeat the write."
                )
            self._waiting.append(job)
            self._changed.notify()
        try:
            result: T = job.future.result()
            return result
        finally:
            self.on_write(time.perf_counter() - started)

    def check_not_inside(self, action: str) -> None:
        """Raise when called from a write or a listener: it would wait for itself for ever."""
        if threading.current_thread() is self._thread:
            raise RefusedError(
                f"Store '{self._name}': {action} was called from inside a write or a listener, which would wait for "
                "itself. Use the transaction that the write was given, or hand the call to another thread."
            )

    def close(self) -> None:
        """Take no more, finish what waits, end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._take():
            self._write_group(group)

    def _take(self) -> list[_Job]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return []
            group = [self._waiting.popleft()]
            while group[0].repeatable and self._waiting and self._waiting[0].repeatable and len(group) < _GROUP_LIMIT:
                group.append(self._waiting.popleft())
            return group

    def _write_group(self, group: list[_Job]) -> None:
        try:
            results = self._commit([job.work for job in group])
        except BaseException as error:  # noqa: BLE001 - handed to the caller, the writer lives on
            if len(group) > 1:
                for job in group:
                    self._write_group([job])
            else:
                group[0].future.set_exception(error)
        else:
            for job, result in zip(group, results, strict=True):
                job.future.set_result(result)

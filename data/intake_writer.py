"""Writing incidents that come in from many threads: those that wait share a transaction."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from data.incident_writes import Answer, IntakeRequest, write_requests
from data.store import Clock, Store

# While several send at once, the next transaction waits so long for those that are being read: a commit takes 12 ms
# for one incident and 20 ms for forty. Who sends alone is never waited for.
_GATHER_S = 0.006
_BUSY_S = 0.1


class IntakeWriter:
    """
    Writes requests of many threads: whoever comes first writes for all that wait by then, the others find it done.

    A request that fails takes nobody with it: what failed together is written again one by one.
    """

    MOST_REQUESTS = 64

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._shared_s = -_BUSY_S  # when the last transaction of several requests ended, of the monotonic clock

    def write(self, request: IntakeRequest) -> Answer:
        """The answer, after its commit; raises as `write_requests`, and `BadRecordError` for a key that was used."""
        mine = _Waiting(request)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            while mine.result is None:
                if time.monotonic() - self._shared_s < _BUSY_S:
                    time.sleep(_GATHER_S)
                with self._lock:
                    batch, self._waiting = (
                        self._waiting[: self.MOST_REQUESTS],
                        self._waiting[self.MOST_REQUESTS :],
                    )
                self._write(batch)
                if len(batch) > 1:
                    self._shared_s = time.monotonic()
        if isinstance(mine.result, Answer):
            return mine.result
        raise mine.result or RuntimeError("The request was not written.")

    def _write(self, batch: list[_Waiting]) -> None:
        try:
            results = write_requests(self._store, [one.request for one in batch], clock=self._clock)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
            if len(batch) > 1:
                for one in batch:
                    self._write([one])
            else:
                batch[0].result = error
        else:
            for one, result in zip(batch, results, strict=True):
                one.result = result


@dataclass
class _Waiting:
    request: IntakeRequest
    result: Answer | BaseException | None = None

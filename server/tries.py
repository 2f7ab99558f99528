"""How often one address tries: each try costs a slow hash, a row of the log, or a question to the office's provider."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

_TRIES, _TRIES_S = 20, 60.0  # sign-ins a minute from one address: a whole office behind one router still gets in


@dataclass(frozen=True)
class Tries:
    """Those of the last minute, by address."""

    _by_address: dict[str, deque[float]] = field(default_factory=dict)

    def is_too_often(self, address: str) -> bool:
        """Note a try; whether it comes faster than people do."""
        now = time.monotonic()
        for known in [a for a, tries in self._by_address.items() if now - tries[-1] > _TRIES_S]:
            del self._by_address[known]
        tries = self._by_address.setdefault(address, deque(maxlen=_TRIES))
        is_full = len(tries) == _TRIES and now - tries[0] < _TRIES_S
        if not is_full:
            tries.append(now)
        return is_full

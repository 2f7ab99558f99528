"""How long the ways of a round take, where that depends on the time: gates open and close. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gis.errors import BadRecordError

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

Steady = tuple[list[list[float]], list[list[float]]]
"""Seconds from each place to each other, as rows by where one comes from, and as rows by where one goes."""

_CLOSE_S = 1e-9


class Travel:
    """
    Seconds from each place to each other, by when one leaves.

    Parameters
    ----------
    periods
        `(from, seconds)`: from when on, seconds after midnight, ascending, and the seconds from each place to each
        other from then on, shape (n, n), infinity where no open way leads. The first holds before its time as well.
    """

    def __init__(self, periods: Sequence[tuple[float, Matrix]]) -> None:
        if not periods or any(late <= early for (early, _), (late, _) in pairwise(periods)):
            raise BadRecordError(
                "A round: times of the ways are missing or not in order, expected one table at least, ascending."
            )
        self.periods = tuple(periods)
        self._from_s = [start for start, _ in periods]
        self._rows: list[list[list[float]]] = [matrix.tolist() for _, matrix in periods]
        self.steady: Steady | None = (self._rows[0], periods[0][1].T.tolist()) if len(periods) == 1 else None

    def arrive(self, origin: int, place: int, leave_s: float) -> tuple[float, float]:
        """
        When one is there at the earliest, leaving not before `leave_s`, and how long one walks for it.

        Where a shut gate is the reason, one waits for it and then walks. A way that a gate would cut off on the way is
        not taken.
        """
        rows, starts = self._rows, self._from_s
        if len(rows) == 1:
            way_s = rows[0][origin][place]
            return leave_s + way_s, way_s
        best = (math.inf, math.inf)
        for number, table in enumerate(rows):
            ends_s = starts[number + 1] if number + 1 < len(rows) else math.inf
            if ends_s <= leave_s:
                continue
            sets_out_s = leave_s if number == 0 else max(leave_s, starts[number])
            way_s = table[origin][place]
            arrival_s = sets_out_s + way_s
            if arrival_s < best[0] and self._holds(origin, place, way_s, number, arrival_s):
                best = (arrival_s, way_s)
        return best

    def get_way_s(self, origin: int, place: int, at_s: float) -> float:
        """Seconds of the way as it is open at a time."""
        number = max(sum(start <= at_s for start in self._from_s) - 1, 0)
        return self._rows[number][origin][place]

    def is_reachable(self, origin: int, place: int, from_s: float, to_s: float) -> bool:
        """Whether an open way leads there at any time between the two."""
        return self.arrive(origin, place, from_s)[0] <= to_s

    def _holds(self, origin: int, place: int, way_s: float, number: int, arrival_s: float) -> bool:
        """Whether a way is still open to its end, where it ends in a later period."""
        later = range(number + 1, len(self._rows))
        return all(self._from_s[n] >= arrival_s or self._rows[n][origin][place] <= way_s + _CLOSE_S for n in later)

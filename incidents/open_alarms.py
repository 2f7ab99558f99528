"""
Open incidents as the wall tells them: how loud each is, by when somebody should be there, and which comes first.

Loud is what nobody has accepted yet; once somebody accepted it, it calms down; what is handled waits for its papers and
is no alarm any more. First comes what is urgent, then what has least time left until its target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import IntEnum
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from incidents.life_cycle import State, find_state

MOST_DRAWN = 200
"""Alarms drawn on the table at the most; the rest are counted (issue 5, part 3)."""
URGENCIES = ("urgent", "normal", "not_police")
# Minutes from the report until somebody is there, where the kind itself names none (incident_categories.target_minutes)
# and where it is not told: what a place promises is its own affair, these are only a beginning.
TARGET_MINUTES: Mapping[str, float] = MappingProxyType({"urgent": 5.0, "normal": 15.0, "not_police": 60.0})


class Loudness(IntEnum):
    """How an open incident is shown."""

    LOUD = 0
    CALM = 1
    DONE = 2


_LOUDNESS: Mapping[State, Loudness] = MappingProxyType(
    {
        State.ACCEPTED: Loudness.CALM,
        State.ON_SCENE: Loudness.CALM,
        State.HANDLED: Loudness.DONE,
    }
)
_ARRIVED = frozenset({State.ON_SCENE, State.HANDLED})


def find_loudness(status: str) -> Loudness:
    """How loud an incident of this status is."""
    return _LOUDNESS.get(find_state(status), Loudness.LOUD)


def rank_open(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Open incidents in the order in which somebody has to look after them.

    Parameters
    ----------
    rows
        `incident_id`, `urgency`, `status`, `reported_utc` (aware), and `target_minutes`, None where the kind is not
        told or names none. In plain records: mostly a handful is open, for which a frame takes five times as long.

    Returns
    -------
    The rows with `loudness` and `due_utc`, by when somebody should be there; None once somebody is. What is handled
    comes last, before it the urgent first, and of equal urgency what is due first; who has arrived has no time left to
    run out and comes after those who have not.
    """
    ranked = []
    for row in rows:
        state = find_state(row["status"])
        urgency, at, minutes = row["urgency"], row["reported_utc"], row["target_minutes"]
        if minutes is None:
            minutes = TARGET_MINUTES.get(urgency, TARGET_MINUTES["not_police"])
        has_arrived = state in _ARRIVED
        due = None if has_arrived else at + timedelta(minutes=minutes)
        rank = URGENCIES.index(urgency) if urgency in URGENCIES else len(URGENCIES)
        key = (state is State.HANDLED, rank, has_arrived, due or at, at, row["incident_id"])
        ranked.append((key, {**row, "loudness": _LOUDNESS.get(state, Loudness.LOUD), "due_utc": due}))
    return [row for _, row in sorted(ranked, key=itemgetter(0))]

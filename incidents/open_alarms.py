"""
Open incidents as the wall tells them: how loud each is, by when somebody should be there, and which comes first.

Loud is what nobody has accepted yet; once somebody accepted it, it calms down; what is handled waits for its papers and
is no alarm any more. First comes what is urgent, then what has least time left until its target.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum
from types import MappingProxyType

import numpy as np
import pandas as pd

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


def rank_open(rows: pd.DataFrame) -> pd.DataFrame:
    """
    Open incidents in the order in which somebody has to look after them.

    Parameters
    ----------
    rows
        `incident_id`, `urgency`, `status`, `reported_utc` (aware), and `target_minutes`, missing where the kind is not
        told or names none.

    Returns
    -------
    The rows with `loudness` and `due_utc`, by when somebody should be there; missing once somebody is. What is handled
    comes last, before it the urgent first, and of equal urgency what is due first; who has arrived has no time left to
    run out and comes after those who have not.
    """
    # In plain lists: mostly a handful is open, for which a frame's own means take five times as long.
    states = {status: find_state(str(status)) for status in set(rows["status"])}
    reported = rows["reported_utc"].tolist()
    columns = (rows[name].tolist() for name in ("status", "urgency", "target_minutes", "incident_id"))
    ranks = {urgency: rank for rank, urgency in enumerate(URGENCIES)}
    due, keys = [], []
    for at, status, urgency, own, incident_id in zip(reported, *columns, strict=True):
        state = states[status]
        minutes = TARGET_MINUTES.get(urgency, TARGET_MINUTES["not_police"]) if pd.isna(own) else own
        until = at + timedelta(minutes=minutes)
        has_arrived = state in _ARRIVED
        due.append(pd.NaT if has_arrived else until)
        rank = ranks.get(urgency, len(URGENCIES))
        keys.append((state is State.HANDLED, rank, has_arrived, at if has_arrived else until, at, incident_id))
    loudness = [int(_LOUDNESS.get(states[status], Loudness.LOUD)) for status in rows["status"]]
    due_utc = pd.Series(due, rows.index, dtype=rows["reported_utc"].dtype)
    ranked = rows.assign(loudness=np.array(loudness, dtype=np.int64), due_utc=due_utc)
    return ranked.iloc[sorted(range(len(keys)), key=keys.__getitem__)].reset_index(drop=True)

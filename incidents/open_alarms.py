"""
Open incidents as the wall tells them: how loud each is, by when somebody should be there, and which comes first.

Loud is what nobody has accepted yet; once somebody accepted it, it calms down; what is handled waits for its papers and
is no alarm any more. First comes what is urgent, then what has least time left until its target.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

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
    states = {status: find_state(str(status)) for status in rows["status"].unique()}
    minutes = rows["target_minutes"].astype("float64").fillna(rows["urgency"].map(TARGET_MINUTES).astype("float64"))
    due = rows["reported_utc"] + pd.to_timedelta(minutes.fillna(TARGET_MINUTES["not_police"]) * 60.0, unit="s")
    ranks = {urgency: rank for rank, urgency in enumerate(URGENCIES)}
    arrived = rows["status"].isin([status for status, state in states.items() if state in _ARRIVED])
    loudness = {status: int(_LOUDNESS.get(state, Loudness.LOUD)) for status, state in states.items()}
    ranked = rows.assign(
        loudness=rows["status"].map(loudness).astype("int64"),
        due_utc=due.mask(arrived),
        is_done=rows["status"].isin([status for status, state in states.items() if state is State.HANDLED]),
        urgency_rank=rows["urgency"].map(ranks).fillna(len(URGENCIES)),
        has_arrived=arrived,
    )
    order = ["is_done", "urgency_rank", "has_arrived", "due_utc", "reported_utc", "incident_id"]
    ranked = ranked.sort_values(order, kind="stable", na_position="last")
    return ranked.drop(columns=["is_done", "urgency_rank", "has_arrived"]).reset_index(drop=True)

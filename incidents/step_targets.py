"""Times of an incident's steps against the targets of its kind: from the report to sending, arrival and the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from incidents.life_cycle import Case, State

TARGETS: Mapping[State, str] = {
    State.DISPATCHED: "target_dispatch_minutes",
    State.ON_SCENE: "target_minutes",
    State.HANDLED: "target_close_minutes",
}
"""Which column of a kind says by when a state is to be reached, in minutes from the report."""


@dataclass(frozen=True)
class StepTime:
    """
    When a state was entered, or when one that is still to come is due.

    Attributes
    ----------
    at_utc
        When it was entered; None while it is to come.
    since_report
        From the report to there, or to now.
    target
        What is wanted; None where the kind says nothing.
    """

    state: State
    at_utc: datetime | None
    since_report: timedelta
    target: timedelta | None

    @property
    def is_in_time(self) -> bool:
        return self.target is None or self.since_report <= self.target


def list_step_times(case: Case, kind: Mapping[str, Any] | None, *, now: datetime) -> list[StepTime]:
    """
    Each state that was entered, in order, then those with a target that are still to come.

    A target counts against the first time that its state was reached: sending somebody again is no late sending.
    """
    reported = case.entered[0][1]
    times, reached = [], set[State]()
    for state, at in case.entered:
        target = None if state in reached else find_target(state, kind)
        reached.add(state)
        times.append(StepTime(state, at, max(at - reported, timedelta(0)), target))
    # Who has handled it without sending anybody need not send anybody any more.
    last = max((place for place, state in enumerate(TARGETS) if state in reached), default=-1)
    for place, state in enumerate(TARGETS):
        target = find_target(state, kind)
        if case.is_open and place > last and target is not None:
            times.append(StepTime(state, None, max(now - reported, timedelta(0)), target))
    return times


def find_target(state: State, kind: Mapping[str, Any] | None) -> timedelta | None:
    """What a kind wants of a state; None where it says nothing."""
    column = TARGETS.get(state)
    minutes = None if kind is None or column is None else kind[column]
    return None if minutes is None or pd.isna(minutes) else timedelta(minutes=float(minutes))

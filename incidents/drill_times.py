"""
The report of a drill: how long each alarm took from coming in to each step, against the targets of its kind.

Of places and times. Who was sent is not in it: a drill shows where the ways are long and the calls late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

from incidents.life_cycle import State
from incidents.step_targets import find_target

STEPS: Final = (State.PLACED, State.DISPATCHED, State.ACCEPTED, State.ON_SCENE, State.HANDLED)
"""What is measured, each from the moment at which the alarm came in."""


@dataclass(frozen=True)
class AlarmTimes:
    """
    One alarm that has come in.

    Attributes
    ----------
    late_s
        Seconds between the scenario's time and its coming in: the server was not running.
    seconds, targets_s
        By step: seconds from coming in to the first time that it was reached, None where it was not; and what the kind
        wants, None where it says nothing.
    """

    alarm_no: int
    incident_id: str
    category: str
    urgency: str
    address: str | None
    status: str
    expectation: str | None
    late_s: float
    seconds: Mapping[str, float | None]
    targets_s: Mapping[str, float | None]


@dataclass(frozen=True)
class StepFigures:
    """One step over all alarms; `wanted` have a target, `in_time` of them reached it in time."""

    step: str
    reached: int
    not_reached: int
    median_s: float | None
    worst_s: float | None
    wanted: int
    in_time: int


@dataclass(frozen=True)
class DrillTimes:
    """The report; `to_come` alarms have not come in yet."""

    alarms: Sequence[AlarmTimes]
    steps: Sequence[StepFigures]
    to_come: int

    def to_dict(self) -> dict[str, object]:
        """As JSON knows it."""
        return asdict(self)


def measure_drill(
    alarms: Sequence[Mapping[str, Any]],
    entered: Iterable[tuple[str, str, datetime]],
    kinds: Mapping[str, Mapping[str, Any]],
    *,
    started: datetime | None,
    n_alarms: int,
) -> DrillTimes:
    """
    Measure a drill.

    Parameters
    ----------
    alarms
        Rows of `find_drill_alarms`: those that have come in.
    entered
        Incident, state that a step led to, and when; in the order of the steps.
    kinds
        By code, with the targets in minutes.
    started
        When the drill began.
    n_alarms
        Of the whole scenario.
    """
    first: dict[str, dict[str, datetime]] = {}
    for incident_id, state, at in entered:
        first.setdefault(incident_id, {}).setdefault(state, at)
    rows = [_measure(row, first.get(str(row["incident_id"]), {}), kinds, started) for row in alarms]
    return DrillTimes(rows, [_summarise(step.value, rows) for step in STEPS], n_alarms - len(rows))


def _measure(
    row: Mapping[str, Any],
    first: Mapping[str, datetime],
    kinds: Mapping[str, Mapping[str, Any]],
    started: datetime | None,
) -> AlarmTimes:
    came = first.get(State.RECEIVED.value, row["reported_utc"])
    targets = {step: find_target(step, kinds.get(str(row["category"]))) for step in STEPS}
    late_s = 0.0 if started is None else (came - started).total_seconds() - float(row["after_s"])
    return AlarmTimes(
        int(row["alarm_no"]),
        str(row["incident_id"]),
        str(row["category"]),
        str(row["urgency"]),
        row["address"],
        str(row["status"]),
        row["expectation"],
        round(max(late_s, 0.0), 1),
        {step.value: _since(came, first.get(step.value)) for step in STEPS},
        {step.value: None if target is None else target.total_seconds() for step, target in targets.items()},
    )


def _since(came: datetime, at: datetime | None) -> float | None:
    return None if at is None else round(max((at - came).total_seconds(), 0.0), 1)


def _summarise(step: str, rows: Sequence[AlarmTimes]) -> StepFigures:
    reached = [seconds for row in rows if (seconds := row.seconds[step]) is not None]
    wanted = [(row.seconds[step], target) for row in rows if (target := row.targets_s[step]) is not None]
    return StepFigures(
        step,
        len(reached),
        len(rows) - len(reached),
        round(median(reached), 1) if reached else None,
        max(reached, default=None),
        len(wanted),
        sum(seconds is not None and seconds <= target for seconds, target in wanted),
    )

"""
A drill runs: alarms of the scenario come in at their times, by the same way as any other incident.

The start is kept in the store. A server that was stopped meanwhile takes in at once, when it is back, what is overdue;
each alarm comes in once, under an id that was given when the drill was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from data.drills import SOURCE
from data.incident_places import Said
from data.incident_writes import Answer, Event, IntakeRequest, append_events
from data.moments import get_aware, to_stored_time
from data.store import Clock, Store, Transaction
from incidents.drill_scenario import ScenarioAlarm
from incidents.taking_in import Report, TakingIn, build_incident_id

_WAITING = """
SELECT alarm_no, after_s, address, said_x, said_y, said_crs, category, urgency, said FROM drill_alarms
WHERE after_s <= ? AND incident_id NOT IN (SELECT incident_id FROM incidents) ORDER BY alarm_no
"""
_NO_BODY = "0" * 64


class DrillRun:
    """Takes in what is due; asked again and again by one thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._taking_in = TakingIn(store, clock)
        self._started: datetime | None = None

    def run(self) -> list[str]:
        """Take in the alarms whose time has come; returns their incidents' ids. The first time begins the drill."""
        if self._started is None:
            self._started = _find_start(self._store, self._clock)
        if self._started is None:
            return []
        now = self._clock()
        waiting = self._store.read(_WAITING, [(now - self._started).total_seconds()])
        return [
            self._take_in(row, now) for row in waiting.astype(object).where(waiting.notna(), None).to_dict("records")
        ]

    def _take_in(self, row: Mapping[Any, Any], now: datetime) -> str:
        where = Said(row["said_x"], row["said_y"], row["said_crs"], row["address"])
        report = Report(
            now, now, now, row["category"], row["urgency"], SOURCE, where, build_number(row["alarm_no"]), row["said"]
        )
        incident, _ = self._taking_in.build(report, sent_by=SOURCE)
        self._taking_in.writer.write(IntakeRequest(None, _NO_BODY, (incident,), lambda _: Answer(201, "")))
        return incident.incident_id


def build_number(alarm_no: int) -> str:
    """Number under which an alarm of a drill is shown: nobody takes it for one of the alarm system."""
    return f"DRILL-{int(alarm_no)}"


def build_rows(alarms: Sequence[ScenarioAlarm]) -> list[dict[str, object]]:
    """Rows of drill_alarms."""
    return [
        {
            "alarm_no": number,
            "incident_id": build_incident_id(SOURCE, build_number(number)),
            "after_s": alarm.after_s,
            "address": alarm.where.address,
            "said_x": alarm.where.x,
            "said_y": alarm.where.y,
            "said_crs": alarm.where.crs,
            "category": alarm.category,
            "urgency": alarm.urgency,
            "said": alarm.said,
            "expectation": alarm.expectation,
        }
        for number, alarm in enumerate(alarms, start=1)
    ]


def find_end(started: datetime, last_after_s: float) -> datetime:
    """When the last alarm comes."""
    return started + timedelta(seconds=last_after_s)


def _find_start(store: Store, clock: Clock) -> datetime | None:
    """When the drill began; it begins now when it has not; None where there is no drill."""

    def begin(transaction: Transaction) -> datetime | None:
        rows = transaction.fetch("SELECT drill_id, started_utc FROM drills")
        if rows.empty:
            return None
        if rows["started_utc"].notna().iloc[0]:
            return get_aware(rows["started_utc"].iloc[0])
        at = clock()
        transaction.execute("drills", "UPDATE drills SET started_utc = ?", [to_stored_time(at)])
        append_events(transaction, [(str(rows["drill_id"].iloc[0]), Event("drill.started", at, {}))], table="drills")
        return at

    return store.write(begin)

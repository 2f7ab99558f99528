"""The report of the drill of an open store: reads what is there and measures it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from data.queries import find_categories, find_drill, find_drill_alarms, find_incident_states
from data.store import Store
from data.viewer import Viewer
from gis.errors import RecordMissingError
from incidents.drill_times import DrillTimes, measure_drill


@dataclass(frozen=True)
class DrillReport:
    """Scenario, start (aware; None before the first serving), seconds to the last alarm, and the times."""

    scenario: str
    copied_from: str
    started_utc: datetime | None
    last_after_s: float
    times: DrillTimes

    def to_dict(self) -> dict[str, object]:
        """As JSON knows it."""
        return {
            "drill": True,
            "scenario": self.scenario,
            "copied_from": self.copied_from,
            "started_utc": None if self.started_utc is None else self.started_utc.isoformat(),
            "last_after_s": self.last_after_s,
            **self.times.to_dict(),
        }


def report_drill(store: Store, viewer: Viewer) -> DrillReport:
    """
    Measure the drill as far as it has come.

    Raises
    ------
    RecordMissingError
        This store is no drill store.
    """
    drills = find_drill(store, viewer)
    if drills.empty:
        name = store.path.stem
        raise RecordMissingError(
            f"Store '{name}' holds no drill. Make one with: shapan drill SCENARIO --store {name}; then ask for its "
            f"report with --store {name}-drill"
        )
    drill = _to_rows(drills)[0]
    alarms = _to_rows(find_drill_alarms(store, viewer))
    states = find_incident_states(store, viewer, [str(row["incident_id"]) for row in alarms])
    entered = ((str(row["incident_id"]), str(row["state"]), row["at_utc"].to_pydatetime()) for row in _to_rows(states))
    kinds = {str(row["category"]): row for row in _to_rows(find_categories(store, viewer))}
    started = None if drill["started_utc"] is None else drill["started_utc"].to_pydatetime()
    times = measure_drill(alarms, entered, kinds, started=started, n_alarms=int(drill["alarms"]))
    return DrillReport(str(drill["scenario"]), str(drill["copied_from"]), started, float(drill["last_after_s"]), times)


def _to_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object)
    return [{str(name): value for name, value in row.items()}
            for row in plain.where(plain.notna(), None).to_dict("records")]  # fmt: skip

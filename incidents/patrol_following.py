"""
Who of a running patrol is at one of its places: kept while they are there, nothing of where else they are.

Fed by the last positions that are known (`incidents/forces.py` keeps one each and no track). A member who is heard of
at none of the plan's places leaves only the times at which they were heard, so that "was not there" and "nobody knows"
can be told apart.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd

from data.incident_writes import insert_rows
from data.moments import to_stored_time
from data.patrols import end_plan, find_due, start_plan
from data.store import Clock, Store, Transaction
from gis.errors import RefusedError

NEAR_M: Final = 50.0
"""As the reach of a stop (`incidents/patrol_rates.py`); a position's own accuracy, up to as much again, is added."""
STAYS: Final = timedelta(minutes=5)
"""Heard again at the same place within it: they were there all the time."""
_PLANS = "SELECT plan_id, state, begin_utc, end_utc FROM patrol_plans WHERE state IN ('approved', 'running')"
_HEARD = """
SELECT m.plan_id, m.responder_id, r.position_utc AS at_utc,
    least(coalesce(r.position_accuracy_m, 0), $near) AS off_m,
    s.place_id, ST_Distance(s.geom, r.geom) AS away_m, ST_X(s.geom) AS x_m, ST_Y(s.geom) AS y_m
FROM patrol_members m JOIN patrol_plans p USING (plan_id) JOIN responders r USING (responder_id)
    JOIN (SELECT DISTINCT plan_id, place_id, geom FROM patrol_stops) s USING (plan_id)
WHERE p.state = 'running' AND r.geom IS NOT NULL AND r.position_utc BETWEEN p.begin_utc AND p.end_utc
ORDER BY m.plan_id, m.responder_id, away_m, s.place_id
"""
_LAST = """
SELECT plan_id, responder_id, presence_id, place_id, from_utc, to_utc FROM patrol_presences
WHERE source = 'position' AND responder_id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY plan_id, responder_id ORDER BY to_utc DESC, from_utc DESC) = 1
"""


@dataclass(frozen=True)
class Heard:
    """One member's last position: at which place of the plan, None for none of them."""

    plan_id: str
    responder_id: str
    at_utc: datetime
    place_id: str | None
    xy: tuple[float, float] | None


def follow_patrols(store: Store, *, clock: Clock) -> int:
    """Start plans whose shift has begun, note who is where, end those that are over; how many presences were noted."""
    rows = [
        {**row, **{name: pd.Timestamp(row[name], tz="UTC").to_pydatetime() for name in ("begin_utc", "end_utc")}}
        for row in store.read(_PLANS).to_dict("records")
    ]
    if not rows:
        return 0
    begun, over = find_due(rows, clock())
    for plan_id in begun:
        _try(start_plan, store, plan_id, clock)
    noted = note_presences(store)
    for plan_id in over:
        _try(end_plan, store, plan_id, clock)
    return noted


def note_presences(store: Store) -> int:
    """Make the presences of running plans longer, or begin them; how many rows were written."""

    def work(transaction: Transaction) -> int:
        heard = _read_heard(transaction)
        last = {
            (str(row["plan_id"]), str(row["responder_id"])): row
            for row in transaction.fetch(_LAST).to_dict("records")
        }  # fmt: skip
        new: list[dict[str, object]] = []
        count = 0
        for one in heard:
            before = last.get((one.plan_id, one.responder_id))
            if before is not None and one.at_utc <= before["to_utc"].to_pydatetime():
                continue
            count += 1
            if before is not None and _goes_on(before, one):
                sql = "UPDATE patrol_presences SET to_utc = ? WHERE presence_id = ?"
                transaction.execute("patrol_presences", sql, [one.at_utc, str(before["presence_id"])])
            else:
                new.append(_to_row(one))
        insert_rows(transaction, "patrol_presences", new)
        return count

    if store.read("SELECT 1 FROM patrol_plans WHERE state = 'running' LIMIT 1").empty:
        return 0
    return store.write(work, repeatable=True)


def put_presences(store: Store, plan_id: str, presences: Sequence[Mapping[str, Any]]) -> None:
    """
    Presences that come from elsewhere (check-ins, what somebody said), aware times: `place_id`, `responder_id`,
    `from_utc`, `to_utc`, `source`; the same one twice is there once. The place is one of the plan's.
    """

    def work(transaction: Transaction) -> None:
        points = transaction.fetch(
            "SELECT DISTINCT place_id, ST_X(geom) AS x_m, ST_Y(geom) AS y_m FROM patrol_stops WHERE plan_id = ?",
            [plan_id],
        ).set_index("place_id")
        known = {
            tuple(row)
            for row in transaction.rows(
                "SELECT place_id, responder_id, from_utc, source FROM patrol_presences WHERE plan_id = ?", [plan_id]
            )
        }
        rows: list[dict[str, object]] = []
        for one in presences:
            begin, end = to_stored_time(one["from_utc"]), to_stored_time(one["to_utc"])
            if (one["place_id"], one["responder_id"], begin, one["source"]) in known:
                continue
            point = points.loc[one["place_id"]]
            rows.append(
                {
                    "presence_id": f"pp-{secrets.token_hex(8)}", "plan_id": plan_id, "place_id": one["place_id"],
                    "responder_id": one["responder_id"], "from_utc": begin, "to_utc": end, "source": one["source"],
                    "geom": (float(point["x_m"]), float(point["y_m"])),
                }
            )  # fmt: skip
        insert_rows(transaction, "patrol_presences", rows)

    store.write(work)


def _try(work: Any, store: Store, plan_id: str, clock: Clock) -> None:
    try:
        work(store, None, plan_id, clock=clock)
    except RefusedError:  # somebody started, ended or dropped it in the same moment
        return


def _read_heard(transaction: Transaction) -> list[Heard]:
    rows = transaction.fetch(_HEARD, {"near": NEAR_M})
    nearest = rows.drop_duplicates(["plan_id", "responder_id"])
    return [
        Heard(
            str(row["plan_id"]), str(row["responder_id"]), row["at_utc"].to_pydatetime(),
            *((str(row["place_id"]), (float(row["x_m"]), float(row["y_m"]))) if is_near else (None, None)),
        )
        for row in nearest.to_dict("records")
        for is_near in [row["away_m"] <= NEAR_M + row["off_m"]]
    ]  # fmt: skip


def _goes_on(before: Mapping[Any, Any], one: Heard) -> bool:
    place = None if pd.isna(before["place_id"]) else str(before["place_id"])
    return place == one.place_id and one.at_utc - before["to_utc"].to_pydatetime() <= STAYS


def _to_row(one: Heard) -> dict[str, object]:
    return {
        "presence_id": f"pp-{secrets.token_hex(8)}", "plan_id": one.plan_id, "place_id": one.place_id,
        "responder_id": one.responder_id, "from_utc": one.at_utc, "to_utc": one.at_utc, "source": "position",
        "geom": one.xy,
    }  # fmt: skip

"""What rules of visits are asked about: rentals, key sites, recent incidents, and tasks that wait or have ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from data.moments import to_stored_time
from data.store import Store, Transaction

_RENTALS = """
SELECT r.rental_id AS id, r.colour, (r.suspected_group OR coalesce(v.state IN ('suspected', 'disputed'), false))
        AND coalesce(v.state NOT IN ('dismissed', 'expired'), true) AS suspected,
    coalesce(r.last_visit_on, r.registered_on) AS since
FROM rentals r LEFT JOIN verdicts v USING (rental_id) ORDER BY id
"""
_SITES = "SELECT site_id AS id, kind, last_visit_on AS since FROM key_sites ORDER BY id"
_INCIDENTS = """
SELECT incident_id, category, CASE WHEN unit_id IS NULL THEN 'building' ELSE 'unit' END AS kind,
    coalesce(unit_id, building_id) AS id, (reported_utc + INTERVAL 8 HOUR)::DATE AS since
FROM incidents
WHERE reported_utc >= $since AND reported_utc < $until AND building_id IS NOT NULL
    AND status NOT IN ('cancelled', 'duplicate')
ORDER BY reported_utc, incident_id
"""
_WAITING = """
SELECT DISTINCT subject_kind, subject_id, kind FROM tasks
WHERE closed_utc IS NULL AND origin = 'rule' AND subject_id IS NOT NULL
"""
_ENDED = """
SELECT subject_kind, subject_id, origin_id, max((closed_utc + INTERVAL 8 HOUR)::DATE) AS day FROM tasks
WHERE closed_utc >= $since AND origin = 'rule' AND subject_id IS NOT NULL AND parent_id IS NULL
GROUP BY ALL
"""
_PENDING = """
SELECT task_id FROM tasks WHERE state IN ('waiting', 'assigned', 'accepted', 'on_site') AND {column} IS NULL
    AND due_utc < $limit ORDER BY due_utc, task_id LIMIT 2000
"""
_UNREPORTED = """
SELECT task_id FROM tasks WHERE state IN ('waiting', 'assigned', 'accepted', 'on_site') AND priority = $priority
    AND due_utc <= $limit AND coalesce(escalation_level, 0) < $level ORDER BY due_utc, task_id LIMIT 2000
"""


@dataclass(frozen=True)
class VisitFacts:
    """Frames that rules are applied to; dates are those of Shanghai."""

    rentals: pd.DataFrame
    sites: pd.DataFrame
    incidents: pd.DataFrame
    waiting: pd.DataFrame
    ended: pd.DataFrame


def read_visit_facts(store: Store, *, incidents_since: datetime, ended_since: datetime, now: datetime) -> VisitFacts:
    """What is registered, what happened since `incidents_since`, and what tasks there are."""
    return VisitFacts(
        store.read(_RENTALS),
        store.read(_SITES),
        store.read(_INCIDENTS, {"since": to_stored_time(incidents_since), "until": to_stored_time(now)}),
        store.read(_WAITING),
        store.read(_ENDED, {"since": to_stored_time(ended_since)}),
    )


def find_pending(transaction: Transaction, column: str, limit: datetime) -> list[str]:
    """Tasks at work that are due before `limit` and of which `column` (a time of telling) is not set yet."""
    rows = transaction.fetch(_PENDING.format(column=column), {"limit": to_stored_time(limit)})
    return [str(one) for one in rows["task_id"]]


def find_unreported(transaction: Transaction, priority: str, level: int, limit: datetime) -> list[str]:
    """Overdue tasks of a priority that were due at `limit` at the latest and not yet reported to `level`."""
    rows = transaction.fetch(_UNREPORTED, {"limit": to_stored_time(limit), "priority": priority, "level": level})
    return [str(one) for one in rows["task_id"]]


def mark_reported(transaction: Transaction, task_ids: list[str], level: int, at: datetime) -> None:
    """Write down to which level these tasks were reported."""
    if task_ids:
        transaction.execute(
            "tasks",
            "UPDATE tasks SET escalated_utc = $at, changed_utc = $at, escalation_level = $level "
            "WHERE list_contains($ids::VARCHAR[], task_id)",
            {"at": to_stored_time(at), "ids": task_ids, "level": level},
        )


def mark_told(transaction: Transaction, column: str, task_ids: list[str], at: datetime) -> None:
    """Write down that these tasks were told of."""
    if not task_ids:
        return
    transaction.execute(
        "tasks",
        f"UPDATE tasks SET {column} = $at, changed_utc = $at WHERE list_contains($ids::VARCHAR[], task_id)",
        {"at": to_stored_time(at), "ids": task_ids},
    )

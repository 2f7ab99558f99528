"""Verdicts on group rentals in the store: row, register and event commit together; what a step means is in tasks/."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.audit import Entry, write_audited
from data.incident_writes import Event, append_events
from data.moments import get_aware, to_stored_time
from data.store import Clock, Store, Transaction

FetchVerdicts = Callable[[str | None], dict[str, list[Event]]]
"""Events by rental, of one rental or of all."""
_FACTS = """
SELECT r.rental_id, r.tenants_count, r.rooms_count, coalesce(r.area_m2, u.area_m2) AS area_m2, u.level, b.grid_id
FROM rentals r LEFT JOIN units u USING (unit_id)
    LEFT JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id)
WHERE $ids IS NULL OR list_contains($ids::VARCHAR[], r.rental_id) ORDER BY r.rental_id
"""
_EVENTS = """
SELECT subject_id, kind, at_utc, detail FROM events
WHERE subject_table = 'rentals' AND kind LIKE 'verdict.%' AND ($id IS NULL OR subject_id = $id) ORDER BY event_id
"""
_PUT = """
INSERT OR REPLACE INTO verdicts
    (rental_id, state, rule_set, clause, figures, since_utc, expires_utc, decided_by, reason)
VALUES ($rental_id, $state, $rule_set, $clause, $figures, $since_utc, $expires_utc, $decided_by, $reason)
"""
_REGISTER = """
UPDATE rentals SET suspected_group = $suspected, suspicion_reason = coalesce($why, suspicion_reason),
    confirmed_utc = $confirmed_utc WHERE rental_id = $rental_id
"""


@dataclass(frozen=True)
class VerdictWrite:
    """What is written of one rental: columns of its verdict (times aware), what the register says, and the event."""

    row: Mapping[str, Any]
    suspected: bool
    why: str | None
    event: Event


def read_rental_facts(store: Store, ids: Sequence[str] | None = None) -> pd.DataFrame:
    """What verdicts are reckoned from: people, rooms, built area, storey; and the grid."""
    return store.read(_FACTS, {"ids": None if ids is None else list(ids)})


def read_verdict_events(store: Store, rental_id: str | None = None) -> dict[str, list[Event]]:
    """Events of verdicts by rental, in order."""
    return _group(store.read(_EVENTS, {"id": rental_id}))


def read_verdict_rows(store: Store) -> pd.DataFrame:
    """All verdicts."""
    return store.read("SELECT * FROM verdicts ORDER BY rental_id")


def write_verdicts(
    store: Store,
    decide: Callable[[FetchVerdicts], Sequence[VerdictWrite]],
    describe: Callable[[Sequence[VerdictWrite]], Sequence[Entry]],
    *,
    clock: Clock,
) -> Sequence[VerdictWrite]:
    """Write what `decide` says of the events as they are inside the transaction, all or nothing."""

    def work(transaction: Transaction) -> Sequence[VerdictWrite]:
        writes = decide(lambda rental_id: _group(transaction.fetch(_EVENTS, {"id": rental_id})))
        for one in writes:
            row = dict(one.row)
            for name in ("since_utc", "expires_utc"):
                row[name] = None if row[name] is None else to_stored_time(row[name])
            row["figures"] = json.dumps(row["figures"], sort_keys=True)
            transaction.execute("verdicts", _PUT, row)
            confirmed = row["since_utc"] if row["state"] == "confirmed" else None
            transaction.execute(
                "rentals",
                _REGISTER,
                {
                    "suspected": one.suspected, "why": one.why, "confirmed_utc": confirmed,
                    "rental_id": row["rental_id"],
                },
            )  # fmt: skip
        append_events(transaction, [(str(one.row["rental_id"]), one.event) for one in writes], table="rentals")
        return writes

    return write_audited(store, work, describe, clock=clock)


def _group(rows: pd.DataFrame) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for one, kind, at, detail in rows.itertuples(index=False, name=None):
        found.setdefault(str(one), []).append(Event(str(kind), get_aware(at), dict(json.loads(detail))))
    return found

"""
Retention: how long each kind of data is kept (settings of the store), what is over now, and letting it go.

The log of looks and changes is never shortened: it would have to be trusted without its beginning, and it is small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.audit import SERVER, Entry, build_entry, write_audited
from data.moments import to_stored_time
from data.rights import check_right
from data.settings_store import StoreSettings, read_settings
from data.store import Clock, Store, Transaction
from data.task_photos import sweep_photos
from data.viewer import Viewer

PATROL_PERSONS_FOR = timedelta(days=30)
"""Whose minutes at a patrol's place they were is forgotten after it; the minutes stay, for before and after."""
VISIT_REPEATS_WITHIN = timedelta(days=60)
"""A phone that lay in a drawer for so long may still send what it kept; later its ids are known all the same."""
_ENDED = "task_id IN (SELECT task_id FROM tasks WHERE closed_utc < $before)"
REPEATS_WITHIN = timedelta(days=7)
"""A system that repeats a request later than this is answered as if it were new; its source number still is not."""


@dataclass(frozen=True)
class Rule:
    """
    One kind of data: which rows of `table` are over (`where`, `$before` is the limit), and what is done to them.

    `change` is the SET of an update; None: the rows go. `keep` is how long it may be kept under given settings.
    """

    name: str
    table: str
    where: str
    change: str | None
    keep: Callable[[StoreSettings], timedelta]


RULES: tuple[Rule, ...] = (
    Rule(
        "positions",
        "responders",
        "kind <> 'volunteer' AND geom IS NOT NULL AND position_utc < $before",
        "geom = NULL, position_utc = NULL, position_source = NULL, position_accuracy_m = NULL",
        lambda settings: timedelta(hours=settings.retention_position_hours),
    ),
    Rule(
        "volunteer_positions",
        "responders",
        "kind = 'volunteer' AND geom IS NOT NULL AND position_utc < $before",
        "geom = NULL, position_utc = NULL, position_source = NULL, position_accuracy_m = NULL",
        lambda settings: timedelta(hours=settings.retention_volunteer_position_hours),
    ),
    Rule(
        "callers",
        "incidents",
        "reported_utc < $before AND coalesce(reporter_name, reporter_phone, caller_address, caller_place) IS NOT NULL",
        "reporter_name = NULL, reporter_phone = NULL, caller_address = NULL, caller_place = NULL",
        lambda settings: timedelta(days=settings.retention_caller_days),
    ),
    Rule(
        "sealed_texts",
        "sealed_texts",
        "sealed_utc < $before",
        None,
        lambda settings: timedelta(days=settings.retention_caller_days),
    ),
    Rule(
        "webhook",
        "webhook_outbox",
        "next_utc IS NULL AND queued_utc < $before",
        None,
        lambda settings: timedelta(days=settings.retention_session_days),
    ),
    Rule(
        "checkin_records",
        "checkins",
        "record IS NOT NULL AND received_utc < $before",
        "record = NULL, photo_id = NULL",
        lambda settings: timedelta(days=settings.retention_checkin_days),
    ),
    Rule("photos", "task_photos", _ENDED, None, lambda settings: timedelta(days=settings.retention_photo_days)),
    Rule(
        "evidence",
        "task_evidence",
        f"{_ENDED} AND (narrative IS NOT NULL OR place_source = 'device')",
        "narrative = NULL, geom = NULL, accuracy_m = NULL, place_source = 'none'",
        lambda settings: timedelta(days=settings.retention_evidence_days),
    ),
    Rule(
        "findings",
        "task_findings",
        f"{_ENDED} AND narrative IS NOT NULL",
        "narrative = NULL",
        lambda settings: timedelta(days=settings.retention_evidence_days),
    ),
    Rule(
        "mediations",
        "task_sessions",
        f"{_ENDED} AND coalesce(narrative, agreement) IS NOT NULL",
        "narrative = NULL, agreement = NULL",
        lambda settings: timedelta(days=settings.retention_evidence_days),
    ),
    Rule(
        "visit_stops",
        "visit_stops",
        "round_id IN (SELECT round_id FROM visit_rounds WHERE ends_utc < $before)",
        None,
        lambda settings: timedelta(days=settings.retention_session_days),
    ),
    Rule(
        "visit_rounds",
        "visit_rounds",
        "ends_utc < $before",
        None,
        lambda settings: timedelta(days=settings.retention_session_days),
    ),
    Rule("visit_answers", "visit_answers", "answered_utc < $before", None, lambda _: VISIT_REPEATS_WITHIN),
    Rule("intake_answers", "intake_answers", "answered_utc < $before", None, lambda _: REPEATS_WITHIN),
    Rule(
        "moved_out",
        "occupants",
        "moved_out_on < $before::DATE",
        None,
        lambda settings: timedelta(days=settings.retention_moved_out_days),
    ),
    Rule(
        "sessions",
        "sessions",
        "ended_utc < $before",
        None,
        lambda settings: timedelta(days=settings.retention_session_days),
    ),
    Rule(
        "patrol_presences",
        "patrol_presences",
        "responder_id IS NOT NULL AND to_utc < $before",
        "responder_id = NULL",
        lambda _: PATROL_PERSONS_FOR,
    ),
    Rule(
        "openings",
        "openings",
        "ends_utc < $before",
        None,
        lambda settings: timedelta(days=settings.retention_opening_days),
    ),
)


def plan_retention(store: Store, now: datetime) -> dict[str, int]:
    """How many rows each rule would let go at `now` (aware), rules without any included: the dry run."""
    settings = read_settings(store)
    counts = {}
    for rule in RULES:
        rows = store.read(f"SELECT count(*) AS n FROM {rule.table} WHERE {rule.where}", _limit(rule, settings, now))
        counts[rule.name] = int(rows["n"].iloc[0])
    return counts


def apply_retention(store: Store, *, viewer: Viewer | None = None, clock: Clock) -> dict[str, int]:
    """
    Let go what is over; returns how many rows of each rule, and the log says so in the same transaction.

    `viewer` is who asked for it, whose right is checked; None is the server's daily job. Where nothing is over nothing
    is written: a log full of empty days would hide the others. The job leaves the invented sample alone, whose time
    stands still: its people with radios would all be gone after a night. A photo's file goes after its row; those that
    a stop in between left behind go at the next time.
    """
    if viewer is not None:
        check_right(viewer, "action", "retention")
    now, settings = clock(), read_settings(store)
    sweep_photos(store, now=now)
    if viewer is None and bool(store.read("SELECT count(*) AS n FROM community WHERE synthetic")["n"].iloc[0]):
        return dict.fromkeys((rule.name for rule in RULES), 0)
    if not any(plan_retention(store, now).values()):
        return dict.fromkeys((rule.name for rule in RULES), 0)

    def work(transaction: Transaction) -> dict[str, int]:
        return {rule.name: _apply(transaction, rule, _limit(rule, settings, now)) for rule in RULES}

    def describe(gone: Mapping[str, int]) -> list[Entry]:
        detail = {name: count for name, count in gone.items() if count}
        if viewer is None:
            return [Entry("retention", SERVER, detail=detail)]
        return [build_entry(viewer, "retention", detail=detail)]

    gone = write_audited(store, work, describe, clock=clock)
    if gone["photos"] or gone["checkin_records"]:
        sweep_photos(store, now=now)
    return gone


def _apply(transaction: Transaction, rule: Rule, limit: Mapping[str, object]) -> int:
    sql = f"SELECT count(*) AS n FROM {rule.table} WHERE {rule.where}"
    count = int(transaction.fetch(sql, limit)["n"].iloc[0])
    if count and rule.change is None:
        transaction.execute(rule.table, f"DELETE FROM {rule.table} WHERE {rule.where}", limit)
    elif count:
        transaction.execute(rule.table, f"UPDATE {rule.table} SET {rule.change} WHERE {rule.where}", limit)
    return count


def _limit(rule: Rule, settings: StoreSettings, now: datetime) -> dict[str, object]:
    return {"before": to_stored_time(now - rule.keep(settings))}

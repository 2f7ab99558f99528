"""Looks: who read clear fields of persons, in the log."""

from __future__ import annotations

from datetime import timedelta

from data.audit import build_entry, record
from data.moments import to_stored_time
from data.store import Clock, Store
from data.viewer import Viewer

LOOK_EVERY = timedelta(minutes=1)


def log_looks(store: Store, viewer: Viewer, subjects: frozenset[tuple[str, str]], *, clock: Clock) -> None:
    """Write down that clear fields of `subjects` were read: once a minute for each account and subject."""
    since = to_stored_time(clock() - LOOK_EVERY)
    rows = store.read(
        "SELECT DISTINCT subject_kind, subject_id FROM audit_log "
        "WHERE action = 'look' AND account_id = ? AND at_utc > ? AND at_utc <= ?",
        [viewer.account_id, since, to_stored_time(clock())],
    )
    known = set(zip(rows["subject_kind"], rows["subject_id"], strict=True))
    entries = [
        build_entry(viewer, "look", subject_kind=kind, subject_id=subject_id)
        for kind, subject_id in sorted(subjects - known)
    ]
    if entries:
        record(store, *entries, clock=clock)

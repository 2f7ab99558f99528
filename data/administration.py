"""
What the administrator's pages do beyond accounts themselves: sessions, keys of other systems, settings, backups.

Each checks the right and writes down who did it, in the transaction that does it where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.api_keys import DEFAULT_RATE_PER_MINUTE, put_key, put_revocation
from data.audit import build_entry, record, write_audited
from data.backup import Backup, make_backup
from data.keys import find_key
from data.moments import get_aware, to_stored_time
from data.rights import check_right
from data.settings import Settings
from data.settings_store import StoreSettings, put_setting, read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Role, Viewer
from gis.errors import RecordMissingError

_SESSIONS = """
SELECT s.session_id, a.account_id, a.name, a.role, s.address, s.started_utc, s.last_seen_utc, s.ends_utc
FROM sessions s JOIN accounts a USING (account_id)
WHERE s.ended_utc IS NULL AND a.disabled_utc IS NULL AND s.ends_utc > $now
    AND (a.role = $wall OR s.last_seen_utc > $awake_since)
ORDER BY s.started_utc DESC, s.session_id
"""
# `last_seen_utc` is written back once a minute: it may be so much older than what the server knows.
_WRITTEN_BACK_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class LiveSession:
    """A sign-in that lasts; times are aware, `last_seen_utc` may be a minute old."""

    session_id: str
    account_id: str
    name: str
    role: Role
    address: str | None
    started_utc: datetime
    last_seen_utc: datetime
    ends_utc: datetime


def list_sessions(store: Store, viewer: Viewer, *, clock: Clock) -> tuple[LiveSession, ...]:
    """Sign-ins that last, the newest first; `NotAllowedError` for roles that do not manage accounts."""
    check_right(viewer, "action", "manage_accounts")
    now = clock()
    awake = now - timedelta(minutes=read_settings(store).idle_minutes) - _WRITTEN_BACK_EVERY
    parameters = {"now": to_stored_time(now), "awake_since": to_stored_time(awake), "wall": Role.WALL.value}
    return tuple(
        LiveSession(
            session_id=str(row["session_id"]),
            account_id=str(row["account_id"]),
            name=str(row["name"]),
            role=Role(row["role"]),
            address=row["address"] if isinstance(row["address"], str) else None,
            started_utc=get_aware(row["started_utc"]),
            last_seen_utc=get_aware(row["last_seen_utc"]),
            ends_utc=get_aware(row["ends_utc"]),
        )
        for row in store.read(_SESSIONS, parameters).to_dict("records")
    )


def revoke_session(store: Store, viewer: Viewer, session_id: str, *, clock: Clock) -> None:
    """
    End somebody's session: the server notices it at the commit and closes what it holds open.

    Raises
    ------
    NotAllowedError
        The role does not manage accounts.
    RecordMissingError
        It has ended already.
    """
    check_right(viewer, "action", "manage_accounts")

    def end(transaction: Transaction) -> str:
        rows = transaction.fetch(
            "SELECT account_id FROM sessions WHERE session_id = ? AND ended_utc IS NULL", [session_id]
        )
        if rows.empty:
            raise RecordMissingError(f"Session '{session_id[:40]}' has ended already. Nothing was changed.")
        transaction.execute(
            "sessions",
            "UPDATE sessions SET ended_utc = ?, ended_why = 'revoked' WHERE session_id = ?",
            [to_stored_time(clock()), session_id],
        )
        return str(rows["account_id"].iloc[0])

    write_audited(
        store,
        end,
        lambda account_id: [
            build_entry(
                viewer,
                "account",
                subject_kind="session",
                subject_id=session_id,
                detail={"step": "revoke", "account": account_id},
            )
        ],
        clock=clock,
    )


def create_key(
    store: Store,
    viewer: Viewer,
    name: str,
    scopes: Collection[str],
    *,
    rate_per_minute: int = DEFAULT_RATE_PER_MINUTE,
    clock: Clock,
) -> str:
    """
    A key for another system; returns it, and nobody can find it out later.

    Raises
    ------
    NotAllowedError
        The role does not manage keys.
    BadRecordError
        Name, scope or rate cannot be used.
    """
    check_right(viewer, "action", "manage_keys")
    by = viewer.name or viewer.role.value

    def make(transaction: Transaction) -> tuple[str, str]:
        return put_key(transaction, name, scopes, rate_per_minute=rate_per_minute, created_by=by, clock=clock)

    detail = {"step": "create", "scopes": sorted(scopes), "rate_per_minute": rate_per_minute}
    return write_audited(
        store,
        make,
        lambda made: [build_entry(viewer, "key", subject_kind="key", subject_id=made[0], detail=detail)],
        clock=clock,
    )[1]


def revoke_key(store: Store, viewer: Viewer, key_id: str, *, clock: Clock) -> None:
    """Refuse a key from now on; raises `NotAllowedError`, and `RecordMissingError` when there is none."""
    check_right(viewer, "action", "manage_keys")
    entry = build_entry(viewer, "key", subject_kind="key", subject_id=key_id, detail={"step": "revoke"})
    write_audited(
        store, lambda transaction: put_revocation(transaction, key_id, clock=clock), lambda _: [entry], clock=clock
    )


def change_settings(store: Store, viewer: Viewer, values: Mapping[str, object], *, clock: Clock) -> tuple[str, ...]:
    """
    Store the settings that differ from those in force, all or none; returns their names.

    Raises
    ------
    NotAllowedError
        The role does not manage settings.
    BadRecordError
        A value is not allowed.
    """
    check_right(viewer, "action", "manage_settings")
    before = read_settings(store)
    changed = {name: value for name, value in values.items() if _get(before, name) != value}
    if not changed:
        return ()
    by = viewer.name or viewer.role.value

    def put(transaction: Transaction) -> None:
        for name, value in changed.items():
            put_setting(transaction, name, value, changed_by=by, clock=clock)

    entries = [
        build_entry(
            viewer,
            "change",
            subject_kind="setting",
            subject_id=name,
            detail={"from": _get(before, name), "to": value},
        )
        for name, value in changed.items()
    ]
    write_audited(store, put, lambda _: entries, clock=clock)
    return tuple(changed)


def _get(settings: StoreSettings, name: str) -> object:
    """The value in force as a page gives it back: lists, not tuples."""
    value: object = getattr(settings, name, None)
    return sorted(value) if isinstance(value, tuple) else value


def back_up(
    store: Store, viewer: Viewer, settings: Settings, *, clock: Clock, progress: Callable[[float, str], None]
) -> Backup:
    """
    Back the open store up into the settings' folder, as the nightly job does, and keep as many as the store's settings
    say.

    Raises
    ------
    NotAllowedError
        The role does not make backups.
    StoreWriteError, StoreKeyError
        No room or no rights, or the key cannot be read. Older backups are as they were.
    """
    check_right(viewer, "action", "backup")
    keep = read_settings(store).backup_keep
    backup = make_backup(
        store, settings.backup_folder, clock=clock, key=find_key(settings), keep=keep, progress=progress
    )
    detail = {"file": backup.path.name, "encrypted": backup.is_encrypted}
    record(store, build_entry(viewer, "backup", detail=detail), clock=clock)
    return backup

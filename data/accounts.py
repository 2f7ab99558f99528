"""
Accounts: who may sign in, with which role and grids, and the sign-in itself.

Five failures close an account for a minute, each further one for twice as long, up to an hour. Whoever tries is told
one thing for every reason, after the same time: which names exist, which are closed and which are disabled is in the
log only. A closed account refuses the right password too.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from data.audit import Entry, build_entry, record, write_audited
from data.moments import get_aware, to_aware, to_stored_time
from data.passwords import check_password, hash_password, is_password, make_password, needs_new_hash
from data.store import Clock, Store, Transaction
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError

FREE_FAILURES = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_ACCOUNTS = """
SELECT a.*, (SELECT list(g.grid_id ORDER BY g.grid_id) FROM account_grids g WHERE g.account_id = a.account_id) AS grids
FROM accounts a
"""


@dataclass(frozen=True)
class Account:
    """One account as the file holds it, without its password; times are aware."""

    account_id: str
    name: str
    display_name: str | None
    role: Role
    grids: frozenset[str] | None
    must_change: bool
    created_utc: datetime
    last_sign_in_utc: datetime | None
    locked_until_utc: datetime | None
    disabled_utc: datetime | None

    def to_viewer(self, openings: frozenset[tuple[str, str]] = frozenset()) -> Viewer:
        """Who this account is as a reader."""
        return Viewer(self.role, self.grids, self.account_id, self.name, openings)


class Refusal(StrEnum):
    """Why a sign-in was refused: for the log. Whoever tried is told one sentence for all of them."""

    UNKNOWN_NAME = "unknown_name"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a reason
    LOCKED = "locked"
    DISABLED = "disabled"


def check_account_name(name: str) -> str:
    """`name` in lower case when it can be one, else `BadRecordError`."""
    plain = name.strip().lower()
    if not _NAME.fullmatch(plain):
        raise BadRecordError(
            f"Account name '{name[:40]}' cannot be used: expected 2 to 40 letters a to z, digits, '.', '_' or '-', "
            "e.g. officer07."
        )
    return plain


def add_account(
    store: Store,
    name: str,
    role: Role,
    *,
    password: str,
    grids: Collection[str] = (),
    display_name: str | None = None,
    by: Viewer | None = None,
    clock: Clock,
) -> Account:
    """
    A new account, whose password has to be changed at the first sign-in; logged as done `by` (None: the command line).

    Raises
    ------
    BadRecordError
        Name or password cannot be used, or there is no such grid.
    RefusedError
        The name is taken; or grids were given for a role that has none, or none for a grid worker.
    """
    plain = check_account_name(name)
    hashed = hash_password(check_password(password, name=plain))
    now = to_stored_time(clock())
    account_id = f"a-{secrets.token_hex(6)}"

    def add(transaction: Transaction) -> None:
        if not transaction.fetch("SELECT 1 FROM accounts WHERE name = ?", [plain]).empty:
            raise RefusedError(f"There is an account '{plain}' already. Choose another name, or use: shapan user reset")
        transaction.execute(
            "accounts",
            "INSERT INTO accounts (account_id, name, display_name, role, password_hash, must_change, failures_count, "
            "created_utc, changed_utc) VALUES (?, ?, ?, ?, ?, true, 0, ?, ?)",
            [account_id, plain, display_name, role.value, hashed, now, now],
        )
        _put_grids(transaction, account_id, role, grids)

    detail = {"step": "add", "role": role.value, "grids": sorted(grids)}
    entry = build_entry(by, "account", subject_kind="account", subject_id=account_id, detail=detail)
    write_audited(store, add, lambda _: [entry], clock=clock)
    return get_account(store, plain)


def _put_grids(transaction: Transaction, account_id: str, role: Role, grids: Collection[str]) -> None:
    if (role is Role.GRID_WORKER) != bool(grids):
        raise RefusedError(
            "A grid worker needs grids, and no other role has any. Name them for a grid worker: --grid g3 --grid g4"
        )
    known = set(transaction.fetch("SELECT grid_id FROM grids")["grid_id"])
    if unknown := sorted(set(grids) - known):
        raise BadRecordError(f"There is no grid {', '.join(unknown)}: expected some of {', '.join(sorted(known))}.")
    transaction.execute("account_grids", "DELETE FROM account_grids WHERE account_id = ?", [account_id])
    for grid in sorted(set(grids)):
        transaction.execute("account_grids", "INSERT INTO account_grids VALUES (?, ?)", [account_id, grid])


def find_account(store: Store, name: str) -> Account | None:
    """The account of that name, or None."""
    return _first(store.read(_ACCOUNTS + "WHERE a.name = ?", [name.strip().lower()]))


def find_account_by_id(store: Store, account_id: str) -> Account | None:
    """The account with that id, or None."""
    return _first(store.read(_ACCOUNTS + "WHERE a.account_id = ?", [account_id]))


def find_account_by_subject(store: Store, issuer: str, subject: str) -> Account | None:
    """The account that is bound to a subject of the office's own sign-in (OIDC), or None."""
    return _first(store.read(_ACCOUNTS + "WHERE a.oidc_issuer = ? AND a.oidc_subject = ?", [issuer, subject]))


def get_account(store: Store, name: str) -> Account:
    """As `find_account`; raises `RecordMissingError`."""
    account = find_account(store, name)
    if account is None:
        raise RecordMissingError(f"There is no account '{name[:40]}'. See all of them with: shapan user list")
    return account


def list_accounts(store: Store) -> tuple[Account, ...]:
    """All accounts by name, disabled ones too."""
    return tuple(_to_account(row) for row in store.read(_ACCOUNTS + "ORDER BY a.name").to_dict("records"))


def is_administered(store: Store) -> bool:
    """Whether an administrator can sign in: a real place is not served before."""
    sql = "SELECT count(*) AS n FROM accounts WHERE role = 'admin' AND disabled_utc IS NULL"
    return bool(store.read(sql)["n"].iloc[0])


def sign_in(store: Store, name: str, password: str, *, clock: Clock, address: str | None = None) -> Account | Refusal:
    """
    The account when name and password are right and it is open, else the reason for the log.

    Failures are counted in the same transaction that decides, so that many tries at once get no more than one by one.
    """
    plain = name.strip().lower()[:40]
    row = store.read("SELECT account_id, password_hash FROM accounts WHERE name = ?", [plain])
    stored = None if row.empty or pd.isna(row["password_hash"].iloc[0]) else str(row["password_hash"].iloc[0])
    is_right = is_password(stored, password)
    if row.empty:
        # What was typed is not kept: a password typed into the wrong field would stay in the log for ever.
        entry = Entry("sign_in_refused", "unknown", address=address, detail={"why": Refusal.UNKNOWN_NAME.value})
        record(store, entry, clock=clock)
        return Refusal.UNKNOWN_NAME
    account_id = str(row["account_id"].iloc[0])
    now = clock()

    def decide(transaction: Transaction) -> Refusal | None:
        state = transaction.fetch("SELECT * FROM accounts WHERE account_id = ?", [account_id]).iloc[0]
        if not pd.isna(state["disabled_utc"]):
            return Refusal.DISABLED
        locked_until = to_aware(state["locked_until_utc"])
        # A lock is never longer than its longest, even when the clock was set back since.
        if locked_until is not None and now < locked_until <= now + LONGEST_LOCK:
            return Refusal.LOCKED
        # Somebody changed it since it was compared: what was right then proves nothing now.
        if is_right and state["password_hash"] == stored:
            fresh = hash_password(password) if stored and needs_new_hash(stored) else stored
            transaction.execute(
                "accounts",
                "UPDATE accounts SET failures_count = 0, locked_until_utc = NULL, last_sign_in_utc = ?, "
                "password_hash = ? WHERE account_id = ?",
                [to_stored_time(now), fresh, account_id],
            )
            return None
        failures = int(state["failures_count"]) + 1
        transaction.execute(
            "accounts",
            "UPDATE accounts SET failures_count = ?, locked_until_utc = ? WHERE account_id = ?",
            [failures, _find_lock_end(failures, now), account_id],
        )
        return Refusal.WRONG_PASSWORD

    def describe(refusal: Refusal | None) -> list[Entry]:
        action = "sign_in" if refusal is None else "sign_in_refused"
        detail = {} if refusal is None else {"why": refusal.value}
        return [Entry(action, plain, account_id, address=address, detail=detail)]

    return write_audited(store, decide, describe, clock=clock) or get_account(store, plain)


def _find_lock_end(failures: int, now: datetime) -> datetime | None:
    if failures < FREE_FAILURES:
        return None
    doublings = min(failures - FREE_FAILURES, 10)  # 2 ** 10 minutes are past the longest already
    return to_stored_time(now + min(FIRST_LOCK * 2**doublings, LONGEST_LOCK))


def change_password(
    store: Store, account_id: str, old: str, new: str, *, clock: Clock, address: str | None = None
) -> Account:
    """
    Set one's own password; all sessions of the account end.

    Raises
    ------
    NotAllowedError
        `old` is not the password.
    BadRecordError
        `new` cannot be one, or is the old one.
    """
    rows = store.read("SELECT name, password_hash FROM accounts WHERE account_id = ?", [account_id])
    stored = None if rows.empty else rows["password_hash"].iloc[0]
    if not is_password(None if stored is None or pd.isna(stored) else str(stored), old):
        raise NotAllowedError("The old password is not right. Nothing was changed.")
    name = str(rows["name"].iloc[0])
    if old == new:
        raise BadRecordError("The new password is the old one. Choose another.")
    detail = {"step": "password"}
    entry = Entry("account", name, account_id, None, address, "account", account_id, detail=detail)
    _put_password(store, name, check_password(new, name=name), entry, must_change=False, clock=clock)
    return get_account(store, name)


def reset_password(
    store: Store, name: str, *, password: str | None = None, by: Viewer | None = None, clock: Clock
) -> str:
    """A new first password, made up when none is given; returns it. A closed account opens, its sessions end."""
    account = get_account(store, name)
    chosen = check_password(password, name=account.name) if password is not None else make_password()
    detail = {"step": "reset"}
    entry = build_entry(by, "account", subject_kind="account", subject_id=account.account_id, detail=detail)
    _put_password(store, account.name, chosen, entry, must_change=True, clock=clock)
    return chosen


def _put_password(store: Store, name: str, password: str, entry: Entry, *, must_change: bool, clock: Clock) -> None:
    hashed, now = hash_password(password), to_stored_time(clock())

    def put(transaction: Transaction) -> None:
        transaction.execute(
            "accounts",
            "UPDATE accounts SET password_hash = ?, must_change = ?, failures_count = 0, locked_until_utc = NULL, "
            "changed_utc = ? WHERE name = ?",
            [hashed, must_change, now, name],
        )
        end_sessions(transaction, name, "password", now)

    write_audited(store, put, lambda _: [entry], clock=clock)


def disable_account(store: Store, name: str, *, by: Viewer | None = None, clock: Clock) -> Account:
    """
    Nobody signs in with it any more; its sessions end now.

    Raises
    ------
    RefusedError
        It is the last administrator of the store.
    """
    account, now = get_account(store, name), to_stored_time(clock())

    def disable(transaction: Transaction) -> None:
        _check_another_admin(transaction, account)
        transaction.execute(
            "accounts",
            "UPDATE accounts SET disabled_utc = coalesce(disabled_utc, ?) WHERE name = ?",
            [now, account.name],
        )
        end_sessions(transaction, account.name, "disabled", now)

    detail = {"step": "disable"}
    entry = build_entry(by, "account", subject_kind="account", subject_id=account.account_id, detail=detail)
    write_audited(store, disable, lambda _: [entry], clock=clock)
    return get_account(store, account.name)


def change_role(
    store: Store, name: str, role: Role, *, grids: Collection[str] = (), by: Viewer | None = None, clock: Clock
) -> Account:
    """
    Another role, or other grids of a grid worker. Its sessions end: what was open was open to the old role.

    Raises
    ------
    BadRecordError
        There is no such grid.
    RefusedError
        It is the last administrator; or grids were given for a role that has none, or none for a grid worker.
    """
    account, now = get_account(store, name), to_stored_time(clock())

    def change(transaction: Transaction) -> None:
        if role is not Role.ADMIN:
            _check_another_admin(transaction, account)
        transaction.execute(
            "accounts", "UPDATE accounts SET role = ?, changed_utc = ? WHERE name = ?", [role.value, now, account.name]
        )
        _put_grids(transaction, account.account_id, role, grids)
        end_sessions(transaction, account.name, "role", now)

    detail = {"step": "role", "role": role.value, "grids": sorted(grids)}
    entry = build_entry(by, "account", subject_kind="account", subject_id=account.account_id, detail=detail)
    write_audited(store, change, lambda _: [entry], clock=clock)
    return get_account(store, account.name)


def _check_another_admin(transaction: Transaction, account: Account) -> None:
    others = transaction.fetch(
        "SELECT 1 FROM accounts WHERE role = 'admin' AND disabled_utc IS NULL AND name <> ?", [account.name]
    )
    if account.role is Role.ADMIN and others.empty:
        raise RefusedError(
            f"'{account.name}' is the last administrator. Add another first: shapan user add NAME --role admin"
        )


def end_sessions(transaction: Transaction, name: str, why: str, now: datetime) -> None:
    """End what lasts of an account's sessions, in the transaction that gives the reason."""
    transaction.execute(
        "sessions",
        "UPDATE sessions SET ended_utc = ?, ended_why = ? WHERE ended_utc IS NULL "
        "AND account_id = (SELECT account_id FROM accounts WHERE name = ?)",
        [now, why, name],
    )


def _first(rows: pd.DataFrame) -> Account | None:
    return None if rows.empty else _to_account(rows.to_dict("records")[0])


def _to_account(row: Mapping[Any, Any]) -> Account:
    role = Role(row["role"])
    grids = frozenset(map(str, row["grids"])) if isinstance(row["grids"], list | np.ndarray) else frozenset()
    return Account(
        account_id=row["account_id"],
        name=row["name"],
        display_name=None if pd.isna(row["display_name"]) else row["display_name"],
        role=role,
        grids=grids if role is Role.GRID_WORKER else None,
        must_change=bool(row["must_change"]),
        created_utc=get_aware(row["created_utc"]),
        last_sign_in_utc=to_aware(row["last_sign_in_utc"]),
        locked_until_utc=to_aware(row["locked_until_utc"]),
        disabled_utc=to_aware(row["disabled_utc"]),
    )

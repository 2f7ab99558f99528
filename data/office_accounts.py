"""
Accounts that sign in at the office's own provider (OIDC, 单位统一身份认证) instead of with a password here.

An administrator makes the account, with its role and grids, and then allows it; nothing that the provider says gives
anybody a role. The first sign-in whose name there (`preferred_username`) is the account's name binds its subject
(`sub`), and from then on only the subject counts: a name there can be given to somebody else, a subject never is
(OpenID Connect Core 1.0, 5.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from data.accounts import Account, end_sessions, get_account
from data.audit import Entry, build_entry, write_audited
from data.moments import to_stored_time
from data.store import Clock, Store, Transaction
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, RefusedError

MAX_SUBJECT = 255
"""Characters of a subject, OpenID Connect Core 1.0, 2."""


class OfficeRefusal(StrEnum):
    """Why somebody whom the provider knows was refused here: for the log. They are told one sentence for all."""

    UNKNOWN_NAME = "unknown_name"
    NOT_ALLOWED = "office_not_allowed"
    OTHER_SUBJECT = "office_other_subject"
    DISABLED = "disabled"


@dataclass(frozen=True)
class OfficePerson:
    """Who the provider says it is; nothing else of its answer is read."""

    issuer: str
    subject: str
    name: str | None


def allow_office_sign_in(
    store: Store, name: str, issuer: str, *, subject: str | None = None, by: Viewer | None = None, clock: Clock
) -> Account:
    """
    Let an account sign in at `issuer`, and no longer with its password, which is taken away; its sessions end.

    Parameters
    ----------
    subject
        Of the person there, where the administrator knows it; None: the first sign-in with the account's name binds it.
        Asked for again, a binding is replaced: that is how a duty's account goes to another person.

    Raises
    ------
    BadRecordError
        `issuer` or `subject` cannot be one.
    RefusedError
        The subject has another account, or nobody who administers could sign in with a password any more.
    """
    account, now = get_account(store, name), to_stored_time(clock())
    if not issuer.startswith(("https://", "http://")):
        raise BadRecordError(
            f"'{issuer[:80]}' is not an issuer: expected the address of the office's provider as in "
            "SHAPAN_OIDC_ISSUER, e.g. https://id.example/realms/office."
        )
    if subject is not None and not 0 < len(subject) <= MAX_SUBJECT:
        raise BadRecordError(f"A subject has 1 to {MAX_SUBJECT} characters, this one has {len(subject)}.")

    def allow(transaction: Transaction) -> None:
        _check_password_remains(transaction, account)
        if subject is not None:
            _check_free(transaction, issuer, subject, account.account_id)
        transaction.execute(
            "accounts",
            "UPDATE accounts SET oidc_issuer = ?, oidc_subject = ?, password_hash = NULL, must_change = false, "
            "failures_count = 0, locked_until_utc = NULL, changed_utc = ? WHERE account_id = ?",
            [issuer, subject, now, account.account_id],
        )
        end_sessions(transaction, account.name, "password", now)

    detail = {"step": "office_on", "is_bound": subject is not None}
    entry = build_entry(by, "account", subject_kind="account", subject_id=account.account_id, detail=detail)
    write_audited(store, allow, lambda _: [entry], clock=clock)
    return get_account(store, account.name)


def end_office_sign_in(store: Store, name: str, *, by: Viewer | None = None, clock: Clock) -> Account:
    """The account no longer signs in at the provider; its sessions end. It has no password until one is reset."""
    account, now = get_account(store, name), to_stored_time(clock())

    def end(transaction: Transaction) -> None:
        transaction.execute(
            "accounts",
            "UPDATE accounts SET oidc_issuer = NULL, oidc_subject = NULL, changed_utc = ? WHERE account_id = ?",
            [now, account.account_id],
        )
        end_sessions(transaction, account.name, "revoked", now)

    detail = {"step": "office_off"}
    entry = build_entry(by, "account", subject_kind="account", subject_id=account.account_id, detail=detail)
    write_audited(store, end, lambda _: [entry], clock=clock)
    return get_account(store, account.name)


def sign_in_from_office(
    store: Store, person: OfficePerson, *, clock: Clock, address: str | None = None
) -> Account | OfficeRefusal:
    """
    The account of whom the provider vouches for, else the reason for the log.

    Failed passwords close no account for the office's sign-in: nobody can guess there, and who guesses here must not be
    able to keep others out.
    """
    now = to_stored_time(clock())

    def decide(transaction: Transaction) -> tuple[OfficeRefusal | None, pd.Series | None, bool]:
        found = _find_row(transaction, person)
        if found is None:
            return OfficeRefusal.UNKNOWN_NAME, None, False
        refusal = _judge(found, person)
        if refusal is not None:
            return refusal, found, False
        is_first = bool(pd.isna(found["oidc_subject"]))
        transaction.execute(
            "accounts",
            "UPDATE accounts SET oidc_subject = ?, last_sign_in_utc = ? WHERE account_id = ?",
            [person.subject, now, found["account_id"]],
        )
        return None, found, is_first

    def describe(result: tuple[OfficeRefusal | None, pd.Series | None, bool]) -> list[Entry]:
        refusal, row, is_first = result
        # A name of the provider that is no account's name may be a person's own: it stays out of the log.
        actor, account_id = ("unknown", None) if row is None else (str(row["name"]), str(row["account_id"]))
        if refusal is not None:
            detail: dict[str, object] = {"why": refusal.value, "how": "office"}
            return [Entry("sign_in_refused", actor, account_id, address=address, detail=detail)]
        entry = Entry("sign_in", actor, account_id, address=address, detail={"how": "office"})
        bound = Entry(
            "account", actor, account_id, address=address, subject_kind="account", subject_id=account_id,
            detail={"step": "office_bound"},
        )  # fmt: skip
        return [bound, entry] if is_first else [entry]

    refusal, row, _ = write_audited(store, decide, describe, clock=clock)
    if row is None or refusal is not None:
        return refusal or OfficeRefusal.UNKNOWN_NAME
    return get_account(store, str(row["name"]))


def _find_row(transaction: Transaction, person: OfficePerson) -> pd.Series | None:
    """The account that the subject is bound to, else the one of that name; letters as they are, no folding of case."""
    rows = transaction.fetch(
        "SELECT * FROM accounts WHERE oidc_issuer = ? AND oidc_subject = ?", [person.issuer, person.subject]
    )
    if rows.empty and person.name:
        rows = transaction.fetch("SELECT * FROM accounts WHERE name = ?", [person.name])
    return None if rows.empty else rows.iloc[0]


def _judge(row: pd.Series, person: OfficePerson) -> OfficeRefusal | None:
    if not pd.isna(row["disabled_utc"]):
        return OfficeRefusal.DISABLED
    if pd.isna(row["oidc_issuer"]) or row["oidc_issuer"] != person.issuer:
        return OfficeRefusal.NOT_ALLOWED
    if not pd.isna(row["oidc_subject"]) and row["oidc_subject"] != person.subject:
        return OfficeRefusal.OTHER_SUBJECT
    return None


def _check_password_remains(transaction: Transaction, account: Account) -> None:
    """When the provider does not answer, somebody who administers must still get in."""
    others = transaction.fetch(
        "SELECT 1 FROM accounts WHERE role = 'admin' AND disabled_utc IS NULL AND password_hash IS NOT NULL "
        "AND account_id <> ?",
        [account.account_id],
    )
    if account.role is Role.ADMIN and others.empty:
        raise RefusedError(
            f"'{account.name}' is the last administrator with a password: when the office's provider does not answer, "
            "nobody could sign in any more. Add another first: shapan user add NAME --role admin"
        )


def _check_free(transaction: Transaction, issuer: str, subject: str, account_id: str) -> None:
    rows = transaction.fetch(
        "SELECT name FROM accounts WHERE oidc_issuer = ? AND oidc_subject = ? AND account_id <> ?",
        [issuer, subject, account_id],
    )
    if not rows.empty:
        raise RefusedError(
            f"That subject signs in as '{rows['name'].iloc[0]}' already, and one person has one account. End it there "
            f"first: shapan user office {rows['name'].iloc[0]} --off"
        )

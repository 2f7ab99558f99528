"""
Writing the book of points and gifts: an entry, its lines, its event and the line in the log commit together. What an
entry may do is not known here (tasks/ledger.py): whoever books asks for balances inside the transaction and decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from data.incident_writes import Event, append_events, insert_rows
from data.store import Transaction

_BALANCES = """
SELECT book_account, unit, sum(amount) AS amount FROM ledger_postings
WHERE list_contains(?::VARCHAR[], book_account) GROUP BY ALL
"""


def read_balances(transaction: Transaction, accounts: Collection[str]) -> dict[tuple[str, str], int]:
    """What accounts hold, by account and unit."""
    rows = transaction.rows(_BALANCES, [sorted(accounts)])
    return {(str(account), str(unit)): int(amount) for account, unit, amount in rows}


def find_entry(transaction: Transaction, entry_id: str) -> tuple[str, str | None, str | None] | None:
    """Kind, volunteer and what it is about of an entry that is booked; None when there is none."""
    rows = transaction.rows("SELECT kind, volunteer_id, ref_id FROM ledger_entries WHERE entry_id = ?", [entry_id])
    return (str(rows[0][0]), rows[0][1], rows[0][2]) if rows else None


def put_entry(
    transaction: Transaction,
    row: Mapping[str, object],
    lines: Sequence[tuple[str, str, int, int]],
    *,
    at: datetime,
) -> None:
    """
    Write an entry (columns of `ledger_entries` but its number) and its lines `(account, unit, amount, balance)`.

    Its event holds all of both, so that the book can be built again from the events.
    """
    number = int(transaction.rows("SELECT coalesce(max(entry_no), 0) + 1 FROM ledger_entries")[0][0])
    insert_rows(transaction, "ledger_entries", [{**row, "entry_no": number}])
    insert_rows(transaction, "ledger_postings", build_line_rows(str(row["entry_id"]), lines))
    event = build_entry_event(row, lines, at=at)
    append_events(transaction, [(str(row["entry_id"]), event)], table="ledger_entries")


def build_line_rows(entry_id: str, lines: Sequence[tuple[str, str, int, int]]) -> list[dict[str, object]]:
    """Rows of `ledger_postings` for the lines of an entry."""
    return [
        {
            "entry_id": entry_id, "line_no": n, "book_account": account, "unit": unit, "amount": amount,
            "balance": balance,
        }
        for n, (account, unit, amount, balance) in enumerate(lines, start=1)
    ]  # fmt: skip


def build_entry_event(
    row: Mapping[str, object], lines: Sequence[tuple[str, str, int, int]], *, at: datetime
) -> Event:  # fmt: skip
    """The event that tells an entry whole."""
    detail = {
        **{name: str(value) for name, value in row.items() if value is not None and name not in ("entry_id", "at_utc")},
        "lines": [list(line) for line in lines],
    }
    return Event(f"points.{row['kind']}", at, detail)

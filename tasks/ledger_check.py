"""
Looking the whole book through: every entry adds up, every balance is the sum of the lines before it, nothing is
missing, nothing was booked that the rules forbid, and the events tell the same book.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import Any, Final

from data.audit import build_entry, record
from data.rights import check_right
from data.store import Clock, Store
from data.viewer import Viewer
from tasks.ledger import is_guarded

_LINES: Final = """
SELECT e.entry_no, e.entry_id, p.book_account, p.unit, p.amount, p.balance
FROM ledger_entries e LEFT JOIN ledger_postings p USING (entry_id) ORDER BY e.entry_no, p.line_no
"""
_EVENTS: Final = """
SELECT subject_id, detail FROM events WHERE subject_table = 'ledger_entries' ORDER BY event_id
"""
_STRAY: Final = "SELECT count(*) FROM ledger_postings WHERE entry_id NOT IN (SELECT entry_id FROM ledger_entries)"


@dataclass(frozen=True)
class LedgerReport:
    """
    What was found: how many entries, what all volunteers hold together, and the first thing that is wrong.

    `problem` is a code: missing, unbalanced, balance, below_zero, events, stray, reserved; empty when it is whole.
    """

    entries: int
    points_held: int
    problem: str = ""
    entry_id: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem

    def to_dict(self) -> dict[str, object]:
        """As JSON knows it."""
        return {"is_whole": self.is_whole, **asdict(self)}


def verify_ledger(store: Store, viewer: Viewer | None, *, clock: Clock) -> LedgerReport:
    """Look the book through; who asked is logged. `viewer` None is the command line."""
    if viewer is not None:
        check_right(viewer, "action", "export_ledger")
    report = check_book(store)
    detail = {"what": "verify", "rows": report.entries, "whole": report.is_whole}
    record(store, build_entry(viewer, "look", subject_kind="points", detail=detail), clock=clock)
    return report


def check_book(store: Store) -> LedgerReport:
    """Look the book through."""
    entries: dict[str, list[list[Any]]] = {}
    balances: dict[tuple[str, str], int] = defaultdict(int)
    problem: tuple[str, str | None] = ("", None)
    numbers: dict[str, int] = {}
    for number, entry_id, account, unit, amount, balance in store.rows(_LINES):
        entries.setdefault(entry_id, [])
        numbers.setdefault(entry_id, number)
        if account is None:
            problem = problem if problem[0] else ("unbalanced", entry_id)
            continue
        entries[entry_id].append([account, unit, amount, balance])
    for expected, (entry_id, lines) in enumerate(entries.items(), start=1):
        if problem[0]:
            break
        problem = _check_entry(expected, numbers[entry_id], entry_id, lines, balances)
    held = sum(amount for (account, _), amount in balances.items() if account.startswith("volunteer:"))
    if not problem[0]:
        problem = _check_rest(store, entries, balances)
    return LedgerReport(len(entries), held, *problem)


def _check_entry(
    expected: int, number: int, entry_id: str, lines: list[list[Any]], balances: dict[tuple[str, str], int]
) -> tuple[str, str | None]:
    if number != expected:
        return "missing", entry_id
    sums: Counter[str] = Counter()
    for account, unit, amount, _ in lines:
        sums[unit] += amount
        balances[account, unit] += amount
    if any(sums.values()):
        return "unbalanced", entry_id
    for account, unit, _, balance in lines:
        if balances[account, unit] != balance:
            return "balance", entry_id
        if balance < 0 and is_guarded(account):
            return "below_zero", entry_id
    return "", None


def _check_rest(
    store: Store, entries: dict[str, list[list[Any]]], balances: dict[tuple[str, str], int]
) -> tuple[str, str | None]:
    told = {str(entry_id): json.loads(detail)["lines"] for entry_id, detail in store.rows(_EVENTS)}
    if told != entries:
        return "events", next((one for one in (*entries, *told) if told.get(one) != entries.get(one)), None)
    if int(store.rows(_STRAY)[0][0]):
        return "stray", None
    waiting = dict(store.rows("SELECT gift_id, count(*) FROM redemptions WHERE state = 'reserved' GROUP BY gift_id"))
    for (account, unit), pieces in balances.items():
        if account.endswith(":reserved") and waiting.get(unit.removeprefix("gift:"), 0) != pieces:
            return "reserved", unit
    return "", None

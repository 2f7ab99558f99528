"""
Booking: how an entry of the book of points and gifts (`ledger`) gets into the store, and what pages and jobs that book
have in common. What an entry may do is asked inside its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from data.audit import SERVER, build_entry, write_audited
from data.audit import Entry as LogEntry
from data.intake import mask_at_intake
from data.ledger_writes import find_entry, put_entry, read_balances
from data.moments import to_stored_time
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from data.zone_hours import SHANGHAI
from gis.errors import BadRecordError, RecordMissingError, RefusedError
from tasks.ledger import POINTS, Entry, EntryKind, Holding, Key, of_volunteer, sum_holding, take_entry

T = TypeVar("T")
_LEAST_REASON: Final = 4
_LINES = """
SELECT e.kind, e.counted_on, p.amount FROM ledger_postings p JOIN ledger_entries e USING (entry_id)
WHERE p.book_account = ? AND p.unit = 'points' ORDER BY e.entry_no
"""


def book(transaction: Transaction, entry: Entry) -> bool:
    """
    Book an entry inside a transaction; False when it is booked already.

    Raises
    ------
    LedgerRefusedError, BadRecordError
        The book forbids it; or its key was used for something else.
    """
    known = find_entry(transaction, entry.entry_id)
    if known is not None:
        if known != (entry.kind.value, entry.volunteer_id, entry.ref_id):
            raise BadRecordError(f"Key '{entry.entry_id[:80]}' was used for another entry. Use a new key.")
        return False
    balances = read_balances(transaction, {line.account for line in entry.postings})
    row, lines = to_rows(entry, take_entry(balances, entry))
    put_entry(transaction, row, lines, at=entry.at_utc)
    return True


def to_rows(entry: Entry, after: Mapping[Key, int]) -> tuple[dict[str, object], list[tuple[str, str, int, int]]]:
    """Columns of an entry but its number, and its lines `(account, unit, amount, balance)`; `after` are balances."""
    row: dict[str, object] = {
        "entry_id": entry.entry_id, "kind": entry.kind.value, "at_utc": to_stored_time(entry.at_utc),
        "counted_on": entry.counted_on, "volunteer_id": entry.volunteer_id, "ref_id": entry.ref_id,
        "reason": entry.reason, "booked_by": entry.by,
    }  # fmt: skip
    return row, [(one.account, one.unit, one.amount, after[one.account, one.unit]) for one in entry.postings]


def read_holding(transaction: Transaction, volunteer_id: str) -> Holding:
    """What a volunteer holds, inside a transaction."""
    rows = transaction.rows(_LINES, [of_volunteer(volunteer_id)])
    return sum_holding((EntryKind(kind), day, int(amount)) for kind, day, amount in rows)


def read_points(transaction: Transaction, volunteer_id: str) -> int:
    account = of_volunteer(volunteer_id)
    return read_balances(transaction, [account]).get((account, POINTS), 0)


def to_day(moment: datetime) -> date:
    """The date in Shanghai of an aware time."""
    return moment.astimezone(SHANGHAI).date()


def check_member(transaction: Transaction, volunteer_id: str) -> None:
    rows = transaction.rows("SELECT state FROM volunteers WHERE volunteer_id = ?", [volunteer_id])
    if not rows:
        raise RecordMissingError(f"There is no volunteer '{volunteer_id[:40]}'. Read the card again.")
    if rows[0][0] != "active":
        raise RefusedError(f"Volunteer '{volunteer_id}' has left: no points are given or spent any more.")


def mask_reason(store: Store, reason: str) -> str:
    plain = " ".join(reason.split())[:200]
    if len(plain) < _LEAST_REASON:
        raise BadRecordError(f"The reason has {len(plain)} characters, expected at least {_LEAST_REASON}. Say more.")
    return mask_at_intake(store, plain)


def get_booker(viewer: Viewer) -> str:
    return viewer.account_id or viewer.role.value


def log_many(what: str, number: int) -> Sequence[LogEntry]:
    return [LogEntry("change", SERVER, subject_kind="points", detail={"what": what, "n": number})] if number else ()


def write_booked(
    store: Store, viewer: Viewer, kind: str, subject_id: str | None, detail: Mapping[str, object],
    work: Callable[[Transaction], T], clock: Clock, *, reason: str | None = None,
) -> T:  # fmt: skip
    entry = build_entry(viewer, "change", subject_kind=kind, subject_id=subject_id, reason=reason, detail=detail)
    return write_audited(store, work, lambda _: [entry], clock=clock)

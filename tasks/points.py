"""
Points of volunteers: mended by hand, taken back when they are too old or somebody leaves. Earning them is in
`checkins`, spending in `gifts`. Everything is idempotent.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from data.audit import SERVER, write_audited
from data.rights import check_right
from data.settings_store import read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from tasks.booking import (
    book,
    check_member,
    get_booker,
    log_many,
    mask_reason,
    read_holding,
    read_points,
    to_day,
    write_booked,
)
from tasks.gifts import REDEMPTION, end_reservation
from tasks.ledger import build_correct, build_expire, find_overdue

_MAYBE_OVERDUE: Final = """
SELECT e.volunteer_id FROM ledger_postings p JOIN ledger_entries e USING (entry_id)
WHERE p.unit = 'points' AND p.book_account = 'volunteer:' || e.volunteer_id
GROUP BY ALL HAVING sum(p.amount) > 0
    AND coalesce(sum(p.amount) FILTER (p.amount > 0 AND e.kind <> 'give_back' AND e.counted_on < ?), 0)
        > coalesce(-sum(p.amount) FILTER (p.amount < 0 OR e.kind = 'give_back'), 0)
ORDER BY e.volunteer_id
"""
"""Who may hold points that are over, in one question: on most nights nobody. What is over says `find_overdue`."""


def correct(
    store: Store, viewer: Viewer, volunteer_id: str, points: int, reason: str, *, key: str, clock: Clock
) -> int:  # fmt: skip
    """
    Give or take points by hand, for a reason; returns the balance. The same `key` is booked once.

    Raises
    ------
    LedgerRefusedError
        More would be taken than is there.
    """
    check_right(viewer, "action", "correct_points")
    text = mask_reason(store, reason)

    def work(transaction: Transaction) -> int:
        check_member(transaction, volunteer_id)
        now = clock()
        entry = build_correct(key, volunteer_id, points, at=now, on=to_day(now), by=get_booker(viewer), reason=text)
        book(transaction, entry)
        return read_points(transaction, volunteer_id)

    detail = {"what": "correct", "points": points}
    return write_booked(store, viewer, "volunteer", volunteer_id, detail, work, clock, reason=text)


def expire_points(store: Store, *, clock: Clock) -> int:
    """Take back points that are older than the setting's months; returns how many points. For the server's job."""
    months = read_settings(store).points_keep_months

    def work(transaction: Transaction) -> int:
        now = clock()
        before, total = _months_before(to_day(now), months), 0
        for (volunteer_id,) in transaction.rows(_MAYBE_OVERDUE, [before]):
            holding = read_holding(transaction, volunteer_id)
            points = find_overdue(holding, before)
            if points:
                book(
                    transaction,
                    build_expire(volunteer_id, points, number=holding.lines, at=now, on=to_day(now), by=SERVER),
                )
                total += points
        return total

    return write_audited(store, work, lambda n: log_many("expire", n), clock=clock)


def close_account(transaction: Transaction, volunteer_id: str, *, by: str, at: datetime) -> int:
    """Whoever leaves: open reservations go back, what is left lapses; inside a transaction; returns the points."""
    open_ones = transaction.fetch(REDEMPTION.format("volunteer_id = ? AND state = 'reserved'"), [volunteer_id])
    for row in open_ones.to_dict("records"):
        end_reservation(transaction, row, "cancelled", by, at)
    holding = read_holding(transaction, volunteer_id)
    if holding.balance:
        entry = build_expire(volunteer_id, holding.balance, number=holding.lines, at=at, on=to_day(at), by=by)
        book(transaction, entry)
    return holding.balance


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, 28))

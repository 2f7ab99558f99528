"""The rules of the book of points and gifts, by hand: what may be booked, what is over, what counts in a month."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gis.errors import BadRecordError
from tasks.ledger import (
    POINTS,
    Entry,
    EntryKind,
    Holding,
    LedgerRefusedError,
    Posting,
    build_correct,
    build_earn,
    build_expire,
    build_give_back,
    build_hand_out,
    build_spend,
    build_stock,
    cap_points,
    find_overdue,
    sum_holding,
    take_entry,
)

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY = date(2026, 11, 23)
BOOKED: dict[str, Any] = {"at": AT, "on": DAY, "by": "o1"}
EARNED: dict[str, Any] = {"at": AT, "counted_on": DAY, "by": "o1"}


class Book:
    """Balances after the entries so far."""

    def __init__(self) -> None:
        self.balances: dict[tuple[str, str], int] = {}

    def put(self, entry: Entry) -> None:
        self.balances.update(take_entry(self.balances, entry))

    def refuses(self, entry: Entry) -> str:
        before = dict(self.balances)
        with pytest.raises(LedgerRefusedError) as refused:
            self.put(entry)
        assert self.balances == before
        return refused.value.code

    def hold(self, account: str, unit: str = POINTS) -> int:
        return self.balances.get((account, unit), 0)


def test_nothing_that_is_held_falls_below_zero() -> None:
    book = Book()
    assert book.refuses(build_spend("d1", "v", "g", 4, **BOOKED)) == "points"
    book.put(build_earn("v", "c1", 6, **EARNED))
    assert book.refuses(build_spend("d1", "v", "g", 4, **BOOKED)) == "stock"  # points suffice, no piece is there
    book.put(build_stock("first", "g", 1, reason="采购入库", **BOOKED))
    assert book.refuses(build_stock("away", "g", -2, reason="盘点", **BOOKED)) == "stock"
    assert book.refuses(build_correct("k", "v", -7, reason="多记了", **BOOKED)) == "points"
    assert book.refuses(build_expire("v", 7, number=1, **BOOKED)) == "points"
    book.put(build_spend("d1", "v", "g", 4, **BOOKED))
    book.put(build_earn("w", "c2", 4, **EARNED))
    assert book.refuses(build_spend("d2", "w", "g", 4, **BOOKED)) == "stock"  # the last piece is another's
    assert (book.hold("volunteer:v"), book.hold("gifts"), book.hold("office")) == (2, 4, -10)


def test_a_reserved_piece_is_handed_out_or_given_back_once() -> None:
    book = Book()
    book.put(build_earn("v", "c1", 8, **EARNED))
    book.put(build_stock("first", "g", 2, reason="采购入库", **BOOKED))
    book.put(build_spend("d1", "v", "g", 4, **BOOKED))
    book.put(build_hand_out("d1", "v", "g", **BOOKED))
    assert book.refuses(build_hand_out("d1", "v", "g", **BOOKED)) == "state"
    assert book.refuses(build_give_back("d1", "v", "g", 4, **BOOKED)) == "state"
    places = {place: book.hold(f"gift:g:{place}", "gift:g") for place in ("stock", "reserved", "handed_out", "outside")}
    assert places == {"stock": 1, "reserved": 0, "handed_out": 1, "outside": -2}


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (Posting("office", POINTS, 0), Posting("volunteer:v", POINTS, 0)),
        (Posting("office", POINTS, -2), Posting("volunteer:v", POINTS, 3)),
        # As much of one unit as of another is not the same.
        (Posting("office", POINTS, -1), Posting("gift:g:stock", "gift:g", 1)),
    ],
)
def test_an_entry_that_does_not_add_up_is_none(lines: tuple[Posting, ...]) -> None:
    with pytest.raises(BadRecordError):
        take_entry({}, Entry("e", EntryKind.EARN, AT, DAY, lines, "o1", "v"))


@pytest.mark.parametrize(
    ("lines", "overdue"),
    [
        ([(EntryKind.EARN, 1, 6)], 6),
        ([(EntryKind.EARN, 20, 6)], 0),
        ([(EntryKind.EARN, 15, 6)], 0),  # of the day itself: not before it
        # What was spent was the oldest: nothing of it is left to expire, in whatever order it was booked.
        ([(EntryKind.EARN, 1, 6), (EntryKind.SPEND, 2, -6)], 0),
        ([(EntryKind.EARN, 1, 6), (EntryKind.EARN, 20, 5), (EntryKind.SPEND, 21, -6)], 0),
        ([(EntryKind.EARN, 1, 6), (EntryKind.EARN, 20, 5), (EntryKind.SPEND, 21, -8)], 0),
        ([(EntryKind.EARN, 20, 5), (EntryKind.SPEND, 21, -2), (EntryKind.EARN, 1, 6)], 4),
        ([(EntryKind.EARN, 1, 6), (EntryKind.CORRECT, 20, -1)], 5),
        # Given back, they are as old as they were.
        ([(EntryKind.EARN, 1, 6), (EntryKind.SPEND, 2, -6), (EntryKind.GIVE_BACK, 20, 6)], 6),
        # What expired once does not expire again.
        ([(EntryKind.EARN, 1, 6), (EntryKind.EXPIRE, 16, -6), (EntryKind.EARN, 20, 3)], 0),
        ([], 0),
    ],
)
def test_the_oldest_points_are_used_first_and_what_is_left_of_them_expires(
    lines: list[tuple[EntryKind, int, int]], overdue: int
) -> None:
    holding = sum_holding((kind, date(2026, 11, day), amount) for kind, day, amount in lines)
    assert find_overdue(holding, date(2026, 11, 15)) == overdue
    assert find_overdue(Holding(balance=2, lots={date(2026, 11, 1): 9}, used=0), date(2026, 11, 15)) == 2


@pytest.mark.parametrize(("points", "earned", "counts"), [(3, 0, 3), (3, 17, 3), (3, 18, 2), (3, 20, 0), (3, 25, 0)])
def test_a_month_has_room_up_to_its_cap(points: int, earned: int, counts: int) -> None:
    assert cap_points(points, earned=earned, cap=20) == counts

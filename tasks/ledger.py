"""
The book of points and gifts (积分账), pure: what an entry is, what it may do, and what is over.

Double entry: the lines of an entry add up to nothing in each unit, so that points and gifts come from somewhere and go
somewhere. Points are one unit, pieces of each gift another. An entry has a key of its own (`entry_id`); the same key is
booked once, whoever sends it how often. What a volunteer holds, what is in stock and what is reserved never falls
below zero.

    earn        office → volunteer                       spend       volunteer → gifts, and stock → reserved
    expire      volunteer → lapsed                       give_back   the way back of spend
    correct     office → volunteer, or back              hand_out    reserved → handed out
    stock       outside → stock, or back
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from gis.errors import BadRecordError, RefusedError

POINTS: Final = "points"
OFFICE: Final = "office"
GIFTS: Final = "gifts"
LAPSED: Final = "lapsed"
_FREE: Final = (OFFICE,)
"""Accounts that may be below zero: what the office gave out is what all others hold."""

Key = tuple[str, str]
"""Account and unit."""


class EntryKind(StrEnum):
    """What an entry is about."""

    EARN = "earn"
    SPEND = "spend"
    GIVE_BACK = "give_back"
    HAND_OUT = "hand_out"
    EXPIRE = "expire"
    CORRECT = "correct"
    STOCK = "stock"


class LedgerRefusedError(RefusedError):
    """The book forbids it; `code` says why, for the words of a page."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Posting:
    """One line: `amount` points or pieces come into `account`; what goes out is negative."""

    account: str
    unit: str
    amount: int


@dataclass(frozen=True)
class Entry:
    """
    One entry.

    Attributes
    ----------
    entry_id
        What makes it one of its kind.
    at_utc, counted_on
        When it is booked (aware), and the date in Shanghai that it counts for.
    volunteer_id, ref_id
        Whose points; check-in, reservation or gift that it is about.
    """

    entry_id: str
    kind: EntryKind
    at_utc: datetime
    counted_on: date
    postings: tuple[Posting, ...]
    by: str
    volunteer_id: str | None = None
    ref_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Holding:
    """What a volunteer's lines add up to; the parts are for what is over."""

    balance: int = 0
    lots: Mapping[date, int] = field(default_factory=dict)
    """Points that came in by the date that they count for"""
    used: int = 0
    """Points that went out, without what was given back"""
    lines: int = 0


def of_volunteer(volunteer_id: str) -> str:
    """Account of a volunteer's points."""
    return f"volunteer:{volunteer_id}"


def of_gift(gift_id: str, place: str = "") -> str:
    """Unit of a gift, or its account: `stock`, `reserved`, `handed_out` or `outside`."""
    return f"gift:{gift_id}:{place}" if place else f"gift:{gift_id}"


def is_guarded(account: str) -> bool:
    """Whether an account never falls below zero."""
    return account not in _FREE and not account.endswith(":outside")


def take_entry(balances: Mapping[Key, int], entry: Entry) -> dict[Key, int]:
    """
    Balances of the accounts that an entry touches, after it.

    Raises
    ------
    BadRecordError
        The entry is none: no lines, a line without amount, lines that do not add up.
    LedgerRefusedError
        An account would fall below zero; nothing is to be booked.
    """
    sums: dict[str, int] = defaultdict(int)
    after: dict[Key, int] = {}
    for line in entry.postings:
        if not isinstance(line.amount, int) or line.amount == 0:
            raise BadRecordError(f"Entry '{entry.entry_id}' has a line of {line.amount}, expected a whole number.")
        key = (line.account, line.unit)
        sums[line.unit] += line.amount
        after[key] = after.get(key, balances.get(key, 0)) + line.amount
    if not after or any(sums.values()):
        raise BadRecordError(f"Entry '{entry.entry_id}' does not add up: {dict(sums)}, expected nothing in each unit.")
    for (account, unit), amount in after.items():
        if amount < 0 and is_guarded(account):
            had = balances.get((account, unit), 0)
            code = "stock" if account.endswith(":stock") else "points" if unit == POINTS else "state"
            raise LedgerRefusedError(
                code, f"Account '{account}' holds {had} and {had - amount} were asked for. Take at most what is there."
            )
    return after


def build_earn(
    volunteer_id: str, checkin_id: str, points: int, *, at: datetime, counted_on: date, by: str
) -> Entry:  # fmt: skip
    """Points for a check-in."""
    lines = (Posting(OFFICE, POINTS, -points), Posting(of_volunteer(volunteer_id), POINTS, points))
    return Entry(f"earn:{checkin_id}", EntryKind.EARN, at, counted_on, lines, by, volunteer_id, checkin_id)


def build_spend(
    redemption_id: str, volunteer_id: str, gift_id: str, points: int, *, at: datetime, on: date, by: str
) -> Entry:  # fmt: skip
    """A gift is reserved: its points are spent, and a piece is laid aside."""
    lines = _build_reserving(volunteer_id, gift_id, points, 1)
    return Entry(f"spend:{redemption_id}", EntryKind.SPEND, at, on, lines, by, volunteer_id, redemption_id)


def build_give_back(
    redemption_id: str, volunteer_id: str, gift_id: str, points: int, *, at: datetime, on: date, by: str
) -> Entry:  # fmt: skip
    """A reservation is over without a gift: points and piece go back."""
    lines = _build_reserving(volunteer_id, gift_id, points, -1)
    return Entry(f"give_back:{redemption_id}", EntryKind.GIVE_BACK, at, on, lines, by, volunteer_id, redemption_id)


def build_hand_out(
    redemption_id: str, volunteer_id: str, gift_id: str, *, at: datetime, on: date, by: str
) -> Entry:  # fmt: skip
    """A reserved piece is handed out."""
    unit = of_gift(gift_id)
    lines = (Posting(of_gift(gift_id, "reserved"), unit, -1), Posting(of_gift(gift_id, "handed_out"), unit, 1))
    return Entry(f"hand_out:{redemption_id}", EntryKind.HAND_OUT, at, on, lines, by, volunteer_id, redemption_id)


def build_expire(volunteer_id: str, points: int, *, number: int, at: datetime, on: date, by: str) -> Entry:
    """Points that are too old; `number` is how many lines the volunteer has had so far."""
    lines = (Posting(of_volunteer(volunteer_id), POINTS, -points), Posting(LAPSED, POINTS, points))
    return Entry(f"expire:{volunteer_id}:{number}", EntryKind.EXPIRE, at, on, lines, by, volunteer_id)


def build_correct(
    key: str, volunteer_id: str, points: int, *, at: datetime, on: date, by: str, reason: str, ref_id: str | None = None
) -> Entry:
    """Points given or taken by hand, for a reason."""
    lines = (Posting(OFFICE, POINTS, -points), Posting(of_volunteer(volunteer_id), POINTS, points))
    return Entry(f"correct:{key}", EntryKind.CORRECT, at, on, lines, by, volunteer_id, ref_id, reason)


def build_stock(key: str, gift_id: str, pieces: int, *, at: datetime, on: date, by: str, reason: str) -> Entry:
    """Pieces that came in, or went (broken, given away)."""
    unit = of_gift(gift_id)
    lines = (Posting(of_gift(gift_id, "outside"), unit, -pieces), Posting(of_gift(gift_id, "stock"), unit, pieces))
    return Entry(f"stock:{key}", EntryKind.STOCK, at, on, lines, by, None, gift_id, reason)


def cap_points(points: int, *, earned: int, cap: int) -> int:
    """What of `points` still counts in a month in which `earned` were earned, 0 when the cap is reached."""
    return max(0, min(points, cap - earned))


def sum_holding(lines: Iterable[tuple[EntryKind, date, int]]) -> Holding:
    """What a volunteer's own lines, `(kind, counted on, amount)`, add up to."""
    lots: dict[date, int] = defaultdict(int)
    balance = used = number = 0
    for kind, counted_on, amount in lines:
        number += 1
        balance += amount
        if kind is EntryKind.GIVE_BACK or amount < 0:
            used -= amount
        else:
            lots[counted_on] += amount
    return Holding(balance, dict(lots), used, number)


def find_overdue(holding: Holding, before: date) -> int:
    """
    Points of a volunteer that count for days before `before` and were not used: what expires.

    The oldest are used first, whatever the order in which entries came; points that were given back keep their day.
    """
    old = sum(amount for day, amount in holding.lots.items() if day < before)
    return max(0, min(holding.balance, old - holding.used))


def _build_reserving(volunteer_id: str, gift_id: str, points: int, pieces: int) -> tuple[Posting, ...]:
    unit = of_gift(gift_id)
    return (
        Posting(of_volunteer(volunteer_id), POINTS, -points * pieces),
        Posting(GIFTS, POINTS, points * pieces),
        Posting(of_gift(gift_id, "stock"), unit, -pieces),
        Posting(of_gift(gift_id, "reserved"), unit, pieces),
    )

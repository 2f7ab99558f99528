"""
Gifts: their stock, reserved for points, handed out against a code. The rules are those of `ledger`.

Writes come one after another, and what an entry may do is asked inside its transaction: of two counters that ask for
the last gift at the same moment one gets it, and the other hears why not.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from data.audit import SERVER, write_audited
from data.incident_writes import insert_rows
from data.intake import mask_at_intake
from data.ledger_writes import read_balances
from data.moments import get_aware, to_stored_time
from data.rights import check_right
from data.settings_store import read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError, RefusedError
from tasks.booking import book, check_member, get_booker, log_many, mask_reason, to_day, write_booked
from tasks.ledger import LedgerRefusedError, build_give_back, build_hand_out, build_spend, build_stock

_CODE_DIGITS: Final = 6
REDEMPTION = "SELECT * FROM redemptions WHERE {} ORDER BY reserved_utc DESC"


@dataclass(frozen=True)
class Redemption:
    """A gift that was asked for; times are aware, `is_repeat` when the same was asked before."""

    redemption_id: str
    volunteer_id: str
    gift_id: str
    points: int
    code: str
    state: str
    lapses_utc: datetime
    is_repeat: bool = False


def reserve(store: Store, viewer: Viewer, volunteer_id: str, gift_id: str, *, key: str, clock: Clock) -> Redemption:
    """
    Reserve a gift for points. The same `key` asked again gives the same reservation.

    Raises
    ------
    LedgerRefusedError
        `stock`: the last piece is gone; `points`: they do not suffice.
    RecordMissingError, RefusedError
        There is no such volunteer or gift; it is not offered any more, or the volunteer has left.
    """
    check_right(viewer, "action", "redeem_gift")
    days = read_settings(store).reservation_days
    redemption_id = f"d-{hashlib.sha256(f'{volunteer_id}|{key}'.encode()).hexdigest()[:12]}"

    def work(transaction: Transaction) -> Redemption:
        known = transaction.fetch(REDEMPTION.format("redemption_id = ?"), [redemption_id])
        if not known.empty:
            return to_redemption(known.to_dict("records")[0], is_repeat=True)
        check_member(transaction, volunteer_id)
        gift = transaction.rows("SELECT points, state FROM gifts WHERE gift_id = ?", [gift_id])
        if not gift:
            raise RecordMissingError(f"There is no gift '{gift_id[:40]}'. Choose it from the list.")
        if gift[0][1] != "offered":
            raise RefusedError(f"Gift '{gift_id}' is not offered any more. Choose another.")
        now, points = clock(), int(gift[0][0])
        book(
            transaction,
            build_spend(redemption_id, volunteer_id, gift_id, points, at=now, on=to_day(now), by=get_booker(viewer)),
        )
        row: dict[str, Any] = {
            "redemption_id": redemption_id, "volunteer_id": volunteer_id, "gift_id": gift_id, "points": points,
            "code": _draw_code(transaction), "state": "reserved", "reserved_utc": to_stored_time(now),
            "reserved_by": get_booker(viewer), "lapses_utc": to_stored_time(now + timedelta(days=days)),
        }  # fmt: skip
        insert_rows(transaction, "redemptions", [row])
        return to_redemption(row)

    return write_booked(store, viewer, "redemption", redemption_id, {"what": "reserve", "gift": gift_id}, work, clock)


def hand_out(store: Store, viewer: Viewer, code: str, *, clock: Clock) -> Redemption:
    """
    Hand a reserved gift out against its code.

    Raises
    ------
    RecordMissingError
        No open reservation has this code: handed out already, given back, or never made.
    """
    check_right(viewer, "action", "redeem_gift")
    digits = "".join(one for one in code if one.isdigit())[:_CODE_DIGITS]

    def work(transaction: Transaction) -> Redemption:
        found = transaction.fetch(REDEMPTION.format("code = ? AND state = 'reserved'"), [digits])
        if found.empty:
            raise RecordMissingError(
                f"No reservation waits for code '{digits}'. It was handed out or given back, or the code is mistyped."
            )
        return end_reservation(transaction, found.to_dict("records")[0], "handed_out", get_booker(viewer), clock())

    return write_booked(store, viewer, "redemption", None, {"what": "hand_out"}, work, clock)


def cancel(store: Store, viewer: Viewer, redemption_id: str, *, clock: Clock) -> Redemption:
    """Give an open reservation back: points and piece return; `RefusedError` when it is over already."""
    check_right(viewer, "action", "redeem_gift")

    def work(transaction: Transaction) -> Redemption:
        found = transaction.fetch(REDEMPTION.format("redemption_id = ?"), [redemption_id])
        if found.empty:
            raise RecordMissingError(f"There is no reservation '{redemption_id[:40]}'. Look at the list again.")
        row = found.to_dict("records")[0]
        if row["state"] == "cancelled":
            return to_redemption(row, is_repeat=True)
        if row["state"] != "reserved":
            raise LedgerRefusedError("state", f"Reservation '{redemption_id}' is {row['state']}: nothing to give back.")
        return end_reservation(transaction, row, "cancelled", get_booker(viewer), clock())

    return write_booked(store, viewer, "redemption", redemption_id, {"what": "cancel"}, work, clock)


def lapse_reservations(store: Store, *, clock: Clock) -> int:
    """Give back what was not fetched in time; returns how many. For the server's job."""

    def work(transaction: Transaction) -> int:
        now = clock()
        over = transaction.fetch(REDEMPTION.format("state = 'reserved' AND lapses_utc <= ?"), [to_stored_time(now)])
        for row in over.to_dict("records"):
            end_reservation(transaction, row, "lapsed", SERVER, now)
        return len(over)

    return write_audited(store, work, lambda n: log_many("lapse", n), clock=clock)


def offer_gift(store: Store, viewer: Viewer, name: str, points: int, *, clock: Clock) -> str:
    """Offer a gift for so many points; returns its id. Its stock comes with `change_stock`."""
    check_right(viewer, "action", "manage_gifts")
    text = mask_at_intake(store, " ".join(name.split())[:60])
    if not text or not 1 <= points <= 100_000:
        raise BadRecordError(f"A gift needs a name and 1 to 100000 points, not '{text}' and {points}. Say both.")
    gift_id = f"g-{secrets.token_hex(4)}"

    def work(transaction: Transaction) -> str:
        row = {"gift_id": gift_id, "name": text, "points": points, "state": "offered",
               "made_utc": to_stored_time(clock())}  # fmt: skip
        insert_rows(transaction, "gifts", [row])
        return gift_id

    return write_booked(store, viewer, "gift", gift_id, {"what": "offer", "points": points}, work, clock)


def withdraw_gift(store: Store, viewer: Viewer, gift_id: str, *, clock: Clock) -> None:
    """Offer a gift no more; what is reserved is still handed out."""
    check_right(viewer, "action", "manage_gifts")

    def work(transaction: Transaction) -> None:
        transaction.execute("gifts", "UPDATE gifts SET state = 'withdrawn' WHERE gift_id = ?", [gift_id])

    write_booked(store, viewer, "gift", gift_id, {"what": "withdraw"}, work, clock)


def change_stock(
    store: Store, viewer: Viewer, gift_id: str, pieces: int, reason: str, *, key: str, clock: Clock
) -> int:  # fmt: skip
    """Take pieces into the stock, or out of it (negative), for a reason; returns the stock."""
    check_right(viewer, "action", "manage_gifts")
    text = mask_reason(store, reason)

    def work(transaction: Transaction) -> int:
        if not transaction.rows("SELECT 1 FROM gifts WHERE gift_id = ?", [gift_id]):
            raise RecordMissingError(f"There is no gift '{gift_id[:40]}'. Choose it from the list.")
        now = clock()
        book(transaction, build_stock(key, gift_id, pieces, at=now, on=to_day(now), by=get_booker(viewer), reason=text))
        account = f"gift:{gift_id}:stock"
        return read_balances(transaction, [account]).get((account, f"gift:{gift_id}"), 0)

    return write_booked(store, viewer, "gift", gift_id, {"what": "stock", "pieces": pieces}, work, clock, reason=text)


def to_redemption(row: Mapping[Any, Any], *, is_repeat: bool = False) -> Redemption:
    """A row of the store as a reservation."""
    return Redemption(
        str(row["redemption_id"]), str(row["volunteer_id"]), str(row["gift_id"]), int(row["points"]),
        str(row["code"]), str(row["state"]), get_aware(row["lapses_utc"]), is_repeat,
    )  # fmt: skip


def end_reservation(transaction: Transaction, row: Mapping[Any, Any], state: str, by: str, at: datetime) -> Redemption:
    redemption = to_redemption(row)
    ids = (redemption.redemption_id, redemption.volunteer_id, redemption.gift_id)
    if state == "handed_out":
        entry = build_hand_out(*ids, at=at, on=to_day(at), by=by)
    else:
        entry = build_give_back(*ids, int(redemption.points), at=at, on=to_day(at), by=by)
    book(transaction, entry)
    transaction.execute(
        "redemptions",
        "UPDATE redemptions SET state = ?, ended_utc = ?, ended_by = ? WHERE redemption_id = ?",
        [state, to_stored_time(at), by, redemption.redemption_id],
    )
    return to_redemption({**row, "state": state})


def _draw_code(transaction: Transaction) -> str:
    """Six random digits that no other open reservation has."""
    taken = {code for (code,) in transaction.rows("SELECT code FROM redemptions WHERE state = 'reserved'")}
    while True:
        code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"
        if code not in taken:
            return code

"""
Cards of volunteers: a number that is said over the radio and typed, and in the QR code a secret that nobody can guess.

The secret is derived from the store's own, so that there is no list of them: a lost card is worth nothing once the next
is printed. With it the phone signs each check-in (tasks/records.py).
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from data.incident_writes import Event, append_events
from data.rights import check_right
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import RecordMissingError, RefusedError
from tasks.booking import write_booked

CARDS: Final = "volunteer cards"
"""Purpose of the key that secrets of cards are derived from."""
_SECRET_CHARACTERS: Final = 16
_CARD: Final = re.compile(r"(\d{7})[.\-]([A-Z2-7]{16})")


@dataclass(frozen=True)
class Card:
    """What a card says: number, and the secret in its QR code that makes it a card of ours."""

    number: str
    secret: str

    @property
    def code(self) -> str:
        """As it stands in the QR code."""
        return f"{self.number}.{self.secret}"


def renew_card(store: Store, viewer: Viewer, volunteer_id: str, *, clock: Clock) -> Card:
    """A new card for a lost one, which is worth nothing from now on."""
    check_right(viewer, "action", "manage_volunteers")

    def work(transaction: Transaction) -> None:
        get_active(transaction, volunteer_id)
        transaction.execute(
            "volunteers", "UPDATE volunteers SET card_issue = card_issue + 1 WHERE volunteer_id = ?", [volunteer_id]
        )
        append_events(transaction, [(volunteer_id, Event("volunteer.card", clock(), {}))], table="volunteers")

    write_booked(store, viewer, "volunteer", volunteer_id, {"what": "card"}, work, clock)
    return get_card(store, viewer, volunteer_id)


def get_card(store: Store, viewer: Viewer, volunteer_id: str) -> Card:
    """The card that is good now; `RecordMissingError` for somebody who is not there or has left."""
    check_right(viewer, "action", "manage_volunteers")
    rows = store.rows(
        "SELECT number, card_issue FROM volunteers WHERE volunteer_id = ? AND state = 'active'", [volunteer_id]
    )
    if not rows:
        raise RecordMissingError(f"There is no active volunteer '{volunteer_id[:40]}'. Choose them from the list.")
    return Card(str(rows[0][0]), build_secret(store, str(rows[0][0]), int(rows[0][1])))


def build_secret(store: Store, number: str, issue: int) -> str:
    """The secret of a card, 80 bits in base32: derived, so that no list of them exists anywhere."""
    digest = hmac.new(get_key(store, CARDS), f"{number}:{issue}".encode(), "sha256").digest()
    return base64.b32encode(digest[:10]).decode()[:_SECRET_CHARACTERS]


def find_card_holder(store: Store, text: str, *, with_secret: bool) -> str | None:
    """
    Id of the active volunteer whose card was read, None when it is none of ours.

    Parameters
    ----------
    text
        What a scanner typed, in any case, an address around it included; without secret also the number alone.
    with_secret
        Whether the number alone does not suffice: where nobody looks at who holds the card.
    """
    card = read_card(text)
    if card is None:
        digits = re.sub(r"\D", "", text)
        if with_secret or not is_number(digits):
            return None
        card = Card(digits, "")
    rows = store.rows(
        "SELECT volunteer_id, card_issue FROM volunteers WHERE number = ? AND state = 'active'", [card.number]
    )
    if not rows:
        return None
    if card.secret and not hmac.compare_digest(card.secret, build_secret(store, card.number, int(rows[0][1]))):
        return None
    return str(rows[0][0])


def read_card(text: str) -> Card | None:
    """Number and secret in what a scanner typed, None where there are none."""
    match = _CARD.search(text.upper())
    return Card(match[1], match[2]) if match and is_number(match[1]) else None


def is_number(digits: str) -> bool:
    """Whether seven digits are a card's number: the last one checks the others (Luhn, ISO/IEC 7812-1 annex B)."""
    return len(digits) == 7 and digits.isascii() and digits.isdigit() and _luhn(digits[:6]) == digits[6]


def get_active(transaction: Transaction, volunteer_id: str) -> Mapping[str, Any]:
    rows = transaction.rows("SELECT state, team_id FROM volunteers WHERE volunteer_id = ?", [volunteer_id])
    if not rows:
        raise RecordMissingError(f"There is no volunteer '{volunteer_id[:40]}'. Choose them from the list.")
    if rows[0][0] != "active":
        raise RefusedError(f"Volunteer '{volunteer_id}' has left already. Take them in anew if they come back.")
    return {"team_id": rows[0][1]}


def draw_number(transaction: Transaction) -> str:
    taken = {number for (number,) in transaction.rows("SELECT number FROM volunteers")}
    while True:
        number = to_number(secrets.randbelow(900_000) + 100_000)
        if number not in taken:
            return number


def to_number(head: int) -> str:
    """The number of a card: six digits and the one that checks them."""
    return f"{head:06d}" + _luhn(f"{head:06d}")


def _luhn(head: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(head)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)

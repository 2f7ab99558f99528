"""
Where the office's other system may be told of dispatches: an address of this machine or of a private network, written
as a number.

A name is refused, but for `localhost`: whoever answers for names could make one mean a host outside, between the check
and the call. The address is checked when it is set and again before each call.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from data.moments import get_aware, to_stored_time
from data.store import Store
from gis.errors import BadRecordError

WEBHOOK: Final = "webhook"
"""Purpose of the key that messages are signed with (data/secret_files.py)."""

# RFC 1918, loopback and RFC 4193: not what Python calls private, which includes ranges for documentation and tests.
_ALLOWED: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
_EXPECTED = (
    "expected http:// or https:// and an address of a private network as a number, e.g. http://10.0.3.7:9000/hook"
)
_LONGEST = 300


class WebhookAddressError(BadRecordError):
    """The address is not of this machine or of a private network."""


@dataclass(frozen=True)
class Message:
    """One message that is to be taken next."""

    message_id: str
    body: str
    attempts: int
    queued_utc: datetime
    next_utc: datetime


def find_next_message(store: Store) -> Message | None:
    """The oldest message that waits: they go in order, or an arrival would be heard of before the call."""
    rows = store.read(
        "SELECT message_id, body, attempts, queued_utc, next_utc FROM webhook_outbox WHERE next_utc IS NOT NULL "
        "ORDER BY message_id LIMIT 1"
    )
    if rows.empty:
        return None
    row = rows.iloc[0]
    queued, due = get_aware(row["queued_utc"]), get_aware(row["next_utc"])
    return Message(str(row["message_id"]), str(row["body"]), int(row["attempts"]), queued, due)


def note_delivery(
    store: Store, message_id: str, *, now: datetime, problem: str | None, retry_in: timedelta | None
) -> None:
    """Write down how one try went: taken (`problem` is None), to be tried again, or given up (no `retry_in`)."""
    values = [
        problem,
        None if retry_in is None else to_stored_time(now + retry_in),
        to_stored_time(now) if problem is None else None,
        message_id,
    ]
    sql = (
        "UPDATE webhook_outbox SET attempts = attempts + 1, problem = ?, next_utc = ?, delivered_utc = ? "
        "WHERE message_id = ?"
    )
    store.write(lambda transaction: transaction.execute("webhook_outbox", sql, values))


@dataclass(frozen=True)
class Waiting:
    """Messages that wait to be taken, and those that were given up."""

    waiting: int
    given_up: int


def count_waiting(store: Store) -> Waiting:
    """How many messages the other system has not taken."""
    row = store.read(
        "SELECT count(*) FILTER (next_utc IS NOT NULL) AS waiting, "
        "count(*) FILTER (next_utc IS NULL AND delivered_utc IS NULL) AS given_up FROM webhook_outbox"
    ).iloc[0]
    return Waiting(int(row["waiting"]), int(row["given_up"]))


def check_webhook_url(url: str) -> str:
    """
    `url` as it is called.

    Raises
    ------
    WebhookAddressError
        It is not of this machine or of a private network, or carries a name, a password or a fragment.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
        host = parts.hostname or ""
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise _refuse(text) from None
    is_inside = any(address in network for network in _ALLOWED if network.version == address.version)
    is_plain = parts.scheme in ("http", "https") and not (parts.username or parts.password or parts.fragment)
    is_clean = text.isascii() and text.isprintable() and not any(one in text for one in " \\")
    if not (is_inside and is_plain and is_clean) or port == 0 or len(text) > _LONGEST:
        raise _refuse(text)
    return text


def _refuse(text: str) -> WebhookAddressError:
    return WebhookAddressError(f"The webhook's address is '{text[:80]}', {_EXPECTED}.")

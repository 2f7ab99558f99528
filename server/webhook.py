"""
Telling the office's other system of dispatches: what waits in the outbox is posted, in its order, until it was taken.

The address is checked before each call (data/webhooks.py), no redirect is followed and no proxy of the environment is
used: a request leaves for that one host or not at all. A message that was posted but not yet noted when the process was
killed is posted once more: the receiver knows it by its id. Each is signed:

    X-Shapan-Signature: t=UNIX SECONDS,v1=HMAC-SHA256(key, "UNIX SECONDS.BODY") in hexadecimal
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import ssl
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from data.secret_files import get_key
from data.settings_store import read_settings
from data.store import Clock, Store
from data.webhooks import WEBHOOK, Message, WebhookAddressError, check_webhook_url, find_next_message, note_delivery

TIMEOUT_S = 5.0
MOST_AT_ONCE = 20
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
USELESS_AFTER = timedelta(hours=24)
"""A message that nobody could be told for a day is no news any more."""
REFUSALS_ALLOWED = 5
_AGAIN = frozenset({408, 425, 429})
_log = logging.getLogger(__name__)


class WebhookSender:
    """Posts what waits in the outbox of one open store; `ca_file` (PEM) is trusted beside the system's authorities."""

    def __init__(self, store: Store, clock: Clock, ca_file: Path | None = None) -> None:
        self._store = store
        self._clock = clock
        self._ca_file = ca_file
        self._trust: ssl.SSLContext | None = None

    def run(self) -> int:
        """Post what is due, stopping at the first that is not taken; returns how many were."""
        url = read_settings(self._store).webhook_url
        message = find_next_message(self._store) if url else None
        if message is None:
            return 0
        taken = 0
        # What the machine's environment says of proxies would send it to another host.
        with httpx.Client(
            timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, verify=self._get_trust()
        ) as client:
            while message is not None and message.next_utc <= self._clock() and taken < MOST_AT_ONCE:
                problem = self._post(client, url, message)
                now = self._clock()
                retry_in = None if problem is None else find_wait(message, problem, now)
                note_delivery(self._store, message.message_id, now=now, problem=problem, retry_in=retry_in)
                if problem is not None:
                    _log.warning("A message of a dispatch was not taken: %s, try %d.", problem, message.attempts + 1)
                    break
                taken += 1
                message = find_next_message(self._store)
        return taken

    def _post(self, client: httpx.Client, url: str, message: Message) -> str | None:
        """None when it was taken, else a code of what went wrong."""
        body = message.body.encode()
        seconds = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Shapan-Message": message.message_id,
            "X-Shapan-Signature": f"t={seconds},v1={sign(get_key(self._store, WEBHOOK), seconds, body)}",
        }
        try:
            # Asked for by number: nobody who answers for names decides where it goes.
            address = check_webhook_url(url).replace("//localhost", "//127.0.0.1", 1)
            with client.stream("POST", address, content=body, headers=headers) as answer:
                return None if answer.is_success else f"status_{answer.status_code}"
        except WebhookAddressError:
            return "address_refused"
        except httpx.TimeoutException:
            return "too_slow"
        except httpx.HTTPError as error:
            return "certificate_refused" if _is_distrust(error) else "unreachable"

    def _get_trust(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = ssl.create_default_context()
            if self._ca_file is not None:
                self._trust.load_verify_locations(self._ca_file)
        return self._trust


def _is_distrust(error: BaseException | None) -> bool:
    """Whether what went wrong began with a certificate that nobody here vouches for."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def sign(key: bytes, seconds: str, body: bytes) -> str:
    """Signature of a body that is sent at `seconds` (Unix time), hexadecimal."""
    return hmac.new(key, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


def find_wait(message: Message, problem: str, now: datetime) -> timedelta | None:
    """How long until the next try: twice as long each time; None when it is given up."""
    tries = message.attempts + 1
    code = int(problem.removeprefix("status_")) if problem.startswith("status_") else 0
    is_refused = 300 <= code < 500 and code not in _AGAIN
    if now - message.queued_utc >= USELESS_AFTER or (is_refused and tries >= REFUSALS_ALLOWED):
        return None
    return min(FIRST_WAIT * (1 << min(tries - 1, 20)), LONGEST_WAIT)

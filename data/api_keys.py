"""
Keys of other systems: `spk_<id>_<secret>`, shown once. Only the SHA-256 of the secret is stored: 256 random bits cannot
be guessed, so a slow hash would slow down nobody but us.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import pandas as pd

from data.moments import get_aware, to_aware, to_stored_time
from data.store import Clock, Store, Transaction
from gis.errors import BadRecordError, RecordMissingError

SCOPES = frozenset(
    {"incidents:write", "incidents:read", "positions:write", "visits:write", "tasks:read", "metrics:read"}
)
DEFAULT_RATE_PER_MINUTE = 120
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_KEY = re.compile(r"spk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class ApiKey:
    """One key without its secret; times are aware."""

    key_id: str
    name: str
    scopes: frozenset[str]
    rate_per_minute: int
    created_by: str
    created_utc: datetime
    last_used_utc: datetime | None
    revoked_utc: datetime | None


class KeyRefusal(StrEnum):
    """Why a key does not open: `UNKNOWN` and `REVOKED` are told alike, `TOO_MANY` says to wait."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    SCOPE = "scope"
    TOO_MANY = "too_many"


def put_key(
    transaction: Transaction,
    name: str,
    scopes: Collection[str],
    *,
    rate_per_minute: int = DEFAULT_RATE_PER_MINUTE,
    created_by: str,
    clock: Clock,
) -> tuple[str, str]:
    """
    Make a key; returns its id, and the key itself, which nobody can find out later.

    Raises
    ------
    BadRecordError
        Name, scope or rate cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise BadRecordError(f"Key name '{name[:40]}' cannot be used: expected e.g. alarm-system, 2 to 40 characters.")
    if not scopes or set(scopes) - SCOPES:
        wrong = ", ".join(sorted(set(scopes) - SCOPES)) or "none"
        raise BadRecordError(f"Scope {wrong} is not known: expected some of {', '.join(sorted(SCOPES))}.")
    if not 1 <= rate_per_minute <= 6000:
        raise BadRecordError(f"Rate {rate_per_minute} a minute cannot be used: expected 1 to 6000.")
    text, key_id, secret = " ".join(sorted(set(scopes))), secrets.token_hex(6), secrets.token_urlsafe(32)
    transaction.execute(
        "api_keys",
        "INSERT INTO api_keys (key_id, name, scopes, secret_sha256, rate_per_minute, created_by, created_utc) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [key_id, name, text, _digest(secret), rate_per_minute, created_by, to_stored_time(clock())],
    )
    return key_id, f"spk_{key_id}_{secret}"


def put_revocation(transaction: Transaction, key_id: str, *, clock: Clock) -> None:
    """Revoke a key by its id; `RecordMissingError` when there is none. A second time it does nothing."""
    if transaction.fetch("SELECT 1 FROM api_keys WHERE key_id = ?", [key_id]).empty:
        raise RecordMissingError(f"There is no key '{key_id[:40]}'. See all of them with: shapan key list")
    transaction.execute(
        "api_keys",
        "UPDATE api_keys SET revoked_utc = coalesce(revoked_utc, ?) WHERE key_id = ?",
        [to_stored_time(clock()), key_id],
    )


def list_keys(store: Store) -> tuple[ApiKey, ...]:
    """All keys by name, revoked ones too."""
    rows = store.read("SELECT * FROM api_keys ORDER BY name, created_utc")
    return tuple(_to_key(row) for _, row in rows.iterrows())


class KeyRing:
    """
    Checks keys of one open store, and how often each is used: as many requests at once as it may make in a minute, then
    one whenever its share of a minute has passed. Used from any thread; a revoked key is refused from the next request.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, datetime]] = {}  # key → tokens left, and when they were counted
        self._used: dict[str, datetime] = {}
        self._revision = -1
        self._keys: dict[str, tuple[ApiKey, str]] = {}

    def check(self, text: str, scope: str) -> ApiKey | KeyRefusal:
        """The key of a request that needs `scope`, or why it is refused."""
        match = _KEY.fullmatch(text)
        with self._lock:
            self._reread()
            key, digest = self._keys.get(match[1] if match else "", (None, _NO_DIGEST))
            is_right = hmac.compare_digest(_digest(match[2] if match else ""), digest)
            if key is None or not is_right:
                return KeyRefusal.UNKNOWN
            if key.revoked_utc is not None:
                return KeyRefusal.REVOKED
            now = self._clock()
            if not self._take_token(key, now):
                return KeyRefusal.TOO_MANY
            if scope not in key.scopes:
                return KeyRefusal.SCOPE
            self._used[key.key_id] = now
            return key

    def sweep(self) -> None:
        """Write back when keys were last used: once a minute."""
        with self._lock:
            used, self._used = self._used, {}
        if not used:
            return

        def write(transaction: Transaction) -> None:
            for key_id, moment in used.items():
                transaction.execute(
                    "api_keys",
                    "UPDATE api_keys SET last_used_utc = ? WHERE key_id = ?",
                    [to_stored_time(moment), key_id],
                )

        self._store.write(write, repeatable=True)

    def _reread(self) -> None:
        revision = self._store.revision("api_keys")
        if revision != self._revision:
            rows = self._store.read("SELECT * FROM api_keys")
            self._keys = {row["key_id"]: (_to_key(row), str(row["secret_sha256"])) for _, row in rows.iterrows()}
            self._revision = revision

    def _take_token(self, key: ApiKey, now: datetime) -> bool:
        full = float(key.rate_per_minute)
        left, counted = self._buckets.get(key.key_id, (full, now))
        passed = max((now - counted) / timedelta(minutes=1), 0.0)  # a clock that went back brings no tokens
        left = min(full, left + passed * full)
        # Counted anew at `now` also when it went back: else nothing would come in until the old time is reached again.
        self._buckets[key.key_id] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0


def _to_key(row: pd.Series) -> ApiKey:
    return ApiKey(
        key_id=str(row["key_id"]),
        name=str(row["name"]),
        scopes=frozenset(str(row["scopes"]).split()),
        rate_per_minute=int(row["rate_per_minute"]),
        created_by=str(row["created_by"]),
        created_utc=get_aware(row["created_utc"]),
        last_used_utc=to_aware(row["last_used_utc"]),
        revoked_utc=to_aware(row["revoked_utc"]),
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

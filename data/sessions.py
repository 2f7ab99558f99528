"""
Sessions: sign-ins that last. The browser holds a random token, the file its hash, this object what lasts now.

`find` looks into memory only, so that the guard may ask it for every request; `sweep`, called each minute, writes back
what was seen and what ended. Whoever else ends a session (the command line disables an account) does it in the file: a
commit there is noticed at once. The clock may be set back by a minute; by more, every session ends, because nobody can
tell any more how long it has been unused (docs/decisions/2026-11-23-access.md).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data.accounts import Account, find_account_by_id
from data.audit import Entry, write_audited
from data.moments import get_aware, to_stored_time
from data.settings_store import read_settings
from data.store import Clock, Store, Transaction
from data.viewer import Role, Viewer

CLOCK_TOLERANCE = timedelta(minutes=1)
_LIVE = "SELECT session_id, token_sha256, account_id, address, started_utc, last_seen_utc, ends_utc FROM sessions"
_INSERT = """INSERT INTO sessions (session_id, token_sha256, account_id, address, started_utc, last_seen_utc, ends_utc)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_OVER = """SELECT session_id, ended_why FROM sessions
    WHERE ended_utc IS NOT NULL AND list_contains(?::VARCHAR[], session_id)"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """One sign-in that lasts; times are aware. `why` is None while it lasts, else how it ended."""

    session_id: str
    account: Account
    address: str | None
    started_utc: datetime
    last_seen_utc: datetime
    ends_utc: datetime
    why: str | None = None

    @property
    def must_change(self) -> bool:
        """The password has to be changed before anything else."""
        return self.account.must_change

    def to_viewer(self, openings: frozenset[tuple[str, str]] = frozenset()) -> Viewer:
        """Who this session is as a reader."""
        return self.account.to_viewer(openings)


EndListener = Callable[[Session], None]


class Sessions:
    """
    All sessions of one open store; used from any thread.

    A listener of `on_end` is called once for each session that ends, on whatever thread noticed it (the store's writer
    among them): it must be quick, and may not write to the store.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.RLock()
        self._live: dict[str, Session] = {}  # by the token's hash
        self._ended: list[Session] = []  # noticed here, not yet written
        self._written: dict[str, datetime] = {}  # last_seen_utc as the file has it
        self._listeners: list[EndListener] = []
        self._settings = read_settings(store)
        self._load()
        self._latest = max([s.last_seen_utc for s in self._live.values()], default=clock())
        self._unsubscribe = store.subscribe(self._notice)

    def close(self) -> None:
        """Write what was seen, then hear no more of the store."""
        self.sweep()
        self._unsubscribe()

    def on_end(self, listener: EndListener) -> None:
        """Call `listener` with each session that ends, `why` filled."""
        with self._lock:
            self._listeners = [*self._listeners, listener]

    def start(self, account: Account, *, address: str | None = None) -> str:
        """A new session; returns the token for the cookie, which is not kept anywhere else."""
        token, session_id = secrets.token_urlsafe(32), f"s-{secrets.token_hex(8)}"
        long = (
            timedelta(days=self._settings.wall_days)
            if account.role is Role.WALL
            else timedelta(hours=self._settings.session_hours)
        )
        digest = _digest(token)
        with self._lock:
            now, ended = self._look_at_clock()
            # In memory before the file: whoever disables the account in between finds it here and ends it.
            self._live[digest] = Session(session_id, account, address, now, now, now + long)
            self._written[session_id] = now
        self._tell(ended)
        moment = to_stored_time(now)
        values = [session_id, digest, account.account_id, address, moment, moment, to_stored_time(now + long)]
        try:
            self._store.write(lambda transaction: transaction.execute("sessions", _INSERT, values), repeatable=True)
        except BaseException:
            with self._lock:
                self._live.pop(digest, None)
            raise
        return token

    def find(self, token: str | None, *, is_use: bool = True) -> Session | None:
        """
        The session of a cookie's token when it lasts, else None.

        `is_use`: a person did something, which keeps it awake; what a page asks by itself does not.
        """
        if not token:
            return None
        digest = _digest(token)
        with self._lock:
            now, ended = self._look_at_clock()
            session = self._live.get(digest)
            if session is not None:
                why = self._find_end(session, now)
                if why is None and is_use:
                    session = replace(session, last_seen_utc=max(now, session.last_seen_utc))
                    self._live[digest] = session
                elif why is not None:
                    ended.append(self._take_out(digest, why))
                    session = None
        self._tell(ended)
        return session

    def list_live(self) -> tuple[Session, ...]:
        """Sessions that last, the newest first."""
        with self._lock:
            return tuple(sorted(self._live.values(), key=lambda s: s.started_utc, reverse=True))

    def end(self, token: str | None, why: str = "sign_out") -> Session | None:
        """End the session of a token; returns it, None when it had ended before."""
        with self._lock:
            digest = _digest(token or "")
            ended = [self._take_out(digest, why)] if digest in self._live else []
        self._tell(ended)
        self._write_back()
        return ended[0] if ended else None

    def end_all(self, account_id: str, why: str = "revoked") -> int:
        """End every session of an account; returns how many."""
        with self._lock:
            mine = [digest for digest, session in self._live.items() if session.account.account_id == account_id]
            ended = [self._take_out(digest, why) for digest in mine]
        self._tell(ended)
        self._write_back()
        return len(ended)

    def sweep(self) -> int:
        """End what is over and write back what was seen: once a minute. Returns how many ended."""
        with self._lock:
            now, ended = self._look_at_clock()
            over = {digest: why for digest, s in self._live.items() if (why := self._find_end(s, now)) is not None}
            ended += [self._take_out(digest, why) for digest, why in over.items()]
        self._tell(ended)
        self._write_back()
        return len(ended)

    def _look_at_clock(self) -> tuple[datetime, list[Session]]:
        """The time, and the sessions that ended because it went back by more than the tolerance."""
        now = self._clock()
        ended = []
        if now < self._latest - CLOCK_TOLERANCE:
            _log.warning("The clock went back: all %d sessions end.", len(self._live))
            ended = [self._take_out(digest, "clock") for digest in list(self._live)]
            self._latest = now
        self._latest = max(self._latest, now)
        return self._latest, ended

    def _find_end(self, session: Session, now: datetime) -> str | None:
        """Why a session is over at `now`, None while it lasts."""
        if session.started_utc > now + CLOCK_TOLERANCE or session.last_seen_utc > now + CLOCK_TOLERANCE:
            return "clock"
        if now >= session.ends_utc:
            return "absolute"
        idle = timedelta(minutes=self._settings.idle_minutes)
        return "idle" if session.account.role is not Role.WALL and now - session.last_seen_utc >= idle else None

    def _take_out(self, digest: str, why: str) -> Session:
        ended = replace(self._live.pop(digest), why=why)
        self._written.pop(ended.session_id, None)
        self._ended.append(ended)
        return ended

    def _tell(self, ended: list[Session]) -> None:
        for session in ended:
            for listener in self._listeners:
                try:
                    listener(session)
                except Exception:  # noqa: BLE001 - the session has ended: the others must hear it too
                    _log.exception("A listener failed when session %s ended.", session.session_id)

    def _write_back(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, []
            seen = {
                s.session_id: s.last_seen_utc
                for s in self._live.values()
                if s.last_seen_utc > self._written.get(s.session_id, s.started_utc)
            }
            at = self._latest
        if not ended and not seen:
            return

        def write(transaction: Transaction) -> None:
            for session in ended:
                transaction.execute(
                    "sessions",
                    "UPDATE sessions SET ended_utc = ?, ended_why = ?, last_seen_utc = ? "
                    "WHERE session_id = ? AND ended_utc IS NULL",
                    [to_stored_time(at), session.why, to_stored_time(session.last_seen_utc), session.session_id],
                )
            for session_id, moment in seen.items():
                transaction.execute(
                    "sessions",
                    "UPDATE sessions SET last_seen_utc = ? WHERE session_id = ? AND ended_utc IS NULL",
                    [to_stored_time(moment), session_id],
                )

        entries = [_describe_end(session) for session in ended]
        try:
            if entries:
                write_audited(self._store, write, lambda _: entries, clock=self._clock)
            else:
                self._store.write(write, repeatable=True)
        except BaseException:
            with self._lock:
                self._ended = [*ended, *self._ended]
            raise
        with self._lock:
            self._written.update(seen)

    def _load(self) -> None:
        rows = self._store.read(_LIVE + " WHERE ended_utc IS NULL")
        for row in rows.to_dict("records"):
            account = find_account_by_id(self._store, str(row["account_id"]))
            if account is None or account.disabled_utc is not None:
                continue
            session = Session(
                session_id=str(row["session_id"]),
                account=account,
                address=row["address"] if isinstance(row["address"], str) else None,
                started_utc=get_aware(row["started_utc"]),
                last_seen_utc=get_aware(row["last_seen_utc"]),
                ends_utc=get_aware(row["ends_utc"]),
            )
            self._live[str(row["token_sha256"])] = session
            self._written[session.session_id] = session.last_seen_utc

    def _notice(self, changed: Mapping[str, int]) -> None:
        """Somebody wrote: what ended in the file ends here, what changed of an account counts from now."""
        if "settings" in changed:
            self._settings = read_settings(self._store)
        if not {"sessions", "accounts", "account_grids"} & changed.keys():
            return
        with self._lock:
            ids = [session.session_id for session in self._live.values()]
        rows = self._store.read(_OVER, [ids])
        over = dict(zip(rows["session_id"], rows["ended_why"], strict=True))
        with self._lock:
            gone = {digest: over[s.session_id] for digest, s in self._live.items() if s.session_id in over}
            ended = [self._take_out(digest, str(why)) for digest, why in gone.items()]
            if {"accounts", "account_grids"} & changed.keys():
                ended += self._reread_accounts()
        self._tell(ended)

    def _reread_accounts(self) -> list[Session]:
        ended = []
        for digest, session in list(self._live.items()):
            account = find_account_by_id(self._store, session.account.account_id)
            if account is None or account.disabled_utc is not None:
                ended.append(self._take_out(digest, "disabled"))
            elif (account.role, account.grids) != (session.account.role, session.account.grids):
                ended.append(self._take_out(digest, "role"))
            else:
                self._live[digest] = replace(session, account=account)
        return ended


def _describe_end(session: Session) -> Entry:
    action = "sign_out" if session.why == "sign_out" else "session_ended"
    account, detail = session.account, {"why": session.why}
    role = account.role.value
    return Entry(
        action, account.name, account.account_id, role, session.address, "session", session.session_id, detail=detail
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

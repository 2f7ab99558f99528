"""
Surfaces that follow one another: a wall, the second screen beside it, a desk and a tablet, paired by a code.

The wall asks for a code of six digits; whoever reads it on the wall has two minutes to type it into one other device,
then it is used up. From then on a selection that is made on one is heard by all of its group. What goes over the wire
are kinds and ids, never a row: each device fetches what it shows by itself, with its own rights, so pairing raises
nobody's. A place in a group belongs to the session that took it and ends with it. All of it is in memory: after a
restart of the server devices are paired anew (docs/decisions/2026-11-28-surfaces.md).
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from data.store import Clock
from gis.errors import RecordMissingError, RefusedError
from server.pairing_stream import PairStream
from server.pairing_topics import RETAINED, check_message

CODE_LASTS = timedelta(minutes=2)
IDLE = timedelta(hours=8)  # a shift: whoever comes next pairs anew
AWAY = timedelta(hours=2)  # a tablet that sleeps through lunch comes back, one that was carried off does not
MOST_MEMBERS, MOST_GROUPS = 12, 16
_WRONG_EACH, _WRONG_ALL, _WRONG_WITHIN = 5, 20, timedelta(minutes=2)
_REMEMBERED = 500


class Surface(StrEnum):
    """What a device is in its group."""

    WALL = "wall"
    SECOND = "second"
    DESK = "desk"
    TABLET = "tablet"


class Why(StrEnum):
    """Why a device is not paired any more."""

    LEFT = "left"
    WALL_LEFT = "wall_left"
    IDLE = "idle"
    AWAY = "away"
    SESSION = "session"
    RESTARTED = "restarted"


class CodeRefusedError(RefusedError):
    """The code is wrong, over or used; which of them is not told."""


class TooOftenError(RefusedError):
    """Codes are tried faster than people read them."""


@dataclass(frozen=True)
class Holder:
    """Who asks: the session that the door found (None in a demo) and the address of the connection."""

    session_id: str | None
    address: str


@dataclass(eq=False)
class Member:
    """One device in a group."""

    surface: Surface
    session_id: str | None
    group: Group
    seen: datetime
    name: str
    """Tells devices of a group apart; opens nothing"""
    streams: set[PairStream] = field(default_factory=set)


@dataclass(eq=False)
class Group:
    """A wall and what follows it: its members by the hash of their tokens, and what was said last of each topic."""

    used: datetime
    members: dict[str, Member] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    number: int = 0

    def count(self) -> dict[str, int]:
        """Devices that listen now, by what they are."""
        here = [member.surface for member in self.members.values() if member.streams]
        return {surface.value: here.count(surface) for surface in Surface}


def make_six_digits() -> str:
    """What a person reads across a room and types: six digits that nobody can foresee."""
    return f"{secrets.randbelow(10**6):06d}"


class Pairing:
    """Groups of one process; used from any thread."""

    def __init__(self, clock: Clock, *, make_code: Callable[[], str] = make_six_digits) -> None:
        self._clock = clock
        self._make_code = make_code
        self._lock = threading.RLock()
        self._members: dict[str, Member] = {}
        self._codes: dict[str, tuple[Group, datetime]] = {}
        self._gone: OrderedDict[str, Why] = OrderedDict()
        self._wrong: deque[tuple[datetime, frozenset[str]]] = deque(maxlen=_WRONG_ALL)

    def show_code(self, token: str | None, holder: Holder) -> tuple[str, str, timedelta]:
        """
        A new code for the wall of `token`, or for a wall that has no group yet: (code, token, how long it lasts).

        Raises
        ------
        RefusedError
            There are as many groups, or as many devices in this one, as an office can have.
        """
        with self._lock:
            self.sweep()
            member = self._find(token, holder)
            if member is None or member.surface is not Surface.WALL:
                if len({id(one.group) for one in self._members.values()}) >= MOST_GROUPS:
                    raise RefusedError(f"There are {MOST_GROUPS} walls already. Unpair one that is not used any more.")
                token, member = self._add(Surface.WALL, holder, Group(self._clock()))
            if len(member.group.members) >= MOST_MEMBERS:
                raise RefusedError(f"{MOST_MEMBERS} devices follow this wall already. Unpair those that are not used.")
            self._codes = {code: one for code, one in self._codes.items() if one[0] is not member.group}
            code = self._make_code()
            while code in self._codes:
                code = self._make_code()
            self._codes[code] = (member.group, self._clock() + CODE_LASTS)
            return code, str(token), CODE_LASTS

    def join(self, code: str, surface: Surface, holder: Holder) -> str:
        """
        Take the code's place in its wall's group; returns the token.

        Raises
        ------
        TooOftenError
            Too many wrong codes came from this address or this session, or from all together.
        CodeRefusedError
            The code is wrong, over or used.
        """
        with self._lock:
            now = self._clock()
            self.sweep()
            if self._is_too_often(_name(holder), now):
                raise TooOftenError("Codes were tried too often. Wait two minutes, then let the wall show a new one.")
            found = self._codes.pop(code, None) if surface is not Surface.WALL else None
            if found is None:
                self._wrong.append((now, _name(holder)))
                if self._is_too_often(frozenset(), now):
                    self._codes.clear()  # somebody guesses: what is shown now is worth nothing any more
                raise CodeRefusedError("The code is wrong, over or used. Let the wall show a new one, and type it in.")
            return self._add(surface, holder, found[0])[0]

    def find(self, token: str | None, holder: Holder) -> Member | Why | None:
        """The device of a token; why it is none any more; None for a device that has never been paired."""
        with self._lock:
            self.sweep()
            member = self._find(token, holder)
            if member is not None or not token:
                return member
            digest = _digest(token)
            return Why.SESSION if digest in self._members else self._gone.get(digest, Why.RESTARTED)

    def say(self, token: str | None, holder: Holder, topic: str, value: Any) -> int:
        """
        Tell the others of the group; returns the number of what was said.

        Raises
        ------
        RecordMissingError
            The device is not paired (any more).
        BadRecordError
            There is no such topic, or it says something else.
        RefusedError
            This kind of device does not say that.
        """
        with self._lock:
            self.sweep()
            member = self._find(token, holder)
            if member is None:
                raise RecordMissingError("This device is not paired any more. Let the wall show a code, and pair it.")
            value = check_message(member.surface.value, topic, value)
            group = member.group
            group.number += 1
            group.used = member.seen = self._clock()
            message = {"n": group.number, "value": value, "by": member.surface.value, "who": member.name}
            if topic in RETAINED:
                group.said[topic] = message
            for other in group.members.values():
                for stream in other.streams:
                    stream.tell(topic, message)
            return group.number

    def leave(self, token: str | None, holder: Holder) -> None:
        """The device goes; where it is the wall, all of them."""
        with self._lock:
            member = self._find(token, holder)
            if member is not None:
                self._drop(_digest(str(token)), Why.LEFT)

    def listen(self, token: str | None, holder: Holder) -> PairStream | None:
        """A new stream for a paired device, None for another; `stop_listening` ends it."""
        with self._lock:
            member = self._find(token, holder)
            if member is None:
                return None
            hello = {"me": member.name, "said": dict(member.group.said)}
            stream = PairStream(hello)
            member.streams.add(stream)
            stream.on_close = lambda: self._stop_listening(member, stream)
            self._tell_members(member.group)
            return stream

    def _stop_listening(self, member: Member, stream: PairStream) -> None:
        with self._lock:
            member.streams.discard(stream)
            member.seen = self._clock()
            self._tell_members(member.group)

    def end_session(self, session_id: str) -> None:
        """A session ended: its places end with it. Called on any thread, quick."""
        with self._lock:
            for digest in [d for d, member in self._members.items() if member.session_id == session_id]:
                self._drop(digest, Why.SESSION)

    def sweep(self) -> None:
        """End what is over: codes, groups that nobody used for a shift, devices that have been away."""
        with self._lock:
            now = self._clock()
            self._codes = {code: one for code, one in self._codes.items() if now < one[1]}
            for digest, member in list(self._members.items()):
                if now - member.group.used >= IDLE:
                    self._drop(digest, Why.IDLE)
                elif not member.streams and now - member.seen >= AWAY:
                    self._drop(digest, Why.AWAY)

    def close(self) -> None:
        """End every stream, so that the server can stop; called on any thread or in a signal handler."""
        for member in list(self._members.values()):
            for stream in list(member.streams):
                stream.stop()

    def _is_too_often(self, names: frozenset[str], now: datetime) -> bool:
        wrong = [who for at, who in self._wrong if now - at < _WRONG_WITHIN]
        return len(wrong) >= _WRONG_ALL or any(sum(name in who for who in wrong) >= _WRONG_EACH for name in names)

    def _find(self, token: str | None, holder: Holder) -> Member | None:
        member = self._members.get(_digest(token)) if token else None
        return member if member is not None and member.session_id == holder.session_id else None

    def _add(self, surface: Surface, holder: Holder, group: Group) -> tuple[str, Member]:
        token = secrets.token_urlsafe(32)
        member = Member(surface, holder.session_id, group, self._clock(), secrets.token_hex(4))
        self._members[_digest(token)] = group.members[_digest(token)] = member
        group.used = self._clock()
        return token, member

    def _drop(self, digest: str, why: Why) -> None:
        """Take a device out; with its last wall a group ends."""
        member = self._members.pop(digest, None)
        if member is None:
            return
        group = member.group
        del group.members[digest]
        self._gone[digest] = why
        while len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)
        for stream in list(member.streams):
            stream.end(why.value)
        if all(other.surface is not Surface.WALL for other in group.members.values()):
            self._codes = {code: one for code, one in self._codes.items() if one[0] is not group}
            for other in list(group.members):
                self._drop(other, why if why is Why.IDLE else Why.WALL_LEFT)
        self._tell_members(group)

    def _tell_members(self, group: Group) -> None:
        counts = group.count()
        for member in group.members.values():
            for stream in member.streams:
                stream.tell_members(counts)


def _name(holder: Holder) -> frozenset[str]:
    return frozenset({holder.address, *([f"session {holder.session_id}"] if holder.session_id else ())})


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

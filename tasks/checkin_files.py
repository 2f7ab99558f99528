"""
What goes between the office and check-in servers outside the police network: points out, check-ins in.

A server is told where points are and when, never why, and nothing about volunteers. What comes back was signed twice:
each record by the card, the file by the server. Whatever is wrong is counted in the report; nothing is lost silently.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from data.incident_writes import Event, append_events, insert_rows
from data.looks import log_looks
from data.moments import to_stored_time
from data.queries_checkins import find_open_points
from data.rights import check_right
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from data.task_photos import keep_picture, make_plain, read_picture
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError, RefusedError
from tasks.booking import get_booker, write_booked
from tasks.cards import build_secret
from tasks.checkin_rules import Way
from tasks.checkins import Arrival, take_arrivals
from tasks.records import Record, read_record
from tasks.signed_files import FileKind, build_file, read_file, to_public

_POINTS_LAST: Final = timedelta(days=35)
_AT_ONCE: Final = 25
"""Records in a transaction, some 20 ms each: other writers, an alarm among them, wait for one such at most."""


def get_office_key(store: Store) -> Ed25519PrivateKey:
    """What the office signs with, derived from the store's secret."""
    return Ed25519PrivateKey.from_private_bytes(get_key(store, "check-in office"))


def get_office_public(store: Store, viewer: Viewer) -> str:
    """What a check-in server has to believe, hexadecimal."""
    check_right(viewer, "action", "exchange_checkins")
    return to_public(get_office_key(store))


def add_server(
    store: Store, viewer: Viewer, name: str, public_key: str, *, address: str = "", clock: Clock
) -> str:  # fmt: skip
    """Believe a check-in server from now on; returns its id. `BadRecordError` for what is no key, or no address."""
    check_right(viewer, "action", "exchange_checkins")
    key, called = public_key.strip().lower(), " ".join(name.split())[:40]
    if len(key) != 64 or not set(key) <= set("0123456789abcdef") or not called:
        raise BadRecordError("A check-in server needs a name and its key, 64 hexadecimal digits, as it prints it.")
    where = address.strip().rstrip("/")
    if where and not re.fullmatch(r"https://[A-Za-z0-9.\-]+(:\d{1,5})?", where):
        raise BadRecordError(
            f"'{where[:60]}' is no address of a check-in server, expected e.g. https://daka.example.cn"
        )
    server_id = f"s-{hashlib.sha256(bytes.fromhex(key)).hexdigest()[:12]}"

    def work(transaction: Transaction) -> str:
        now = clock()
        if not transaction.rows("SELECT 1 FROM checkin_servers WHERE server_id = ?", [server_id]):
            row = {"server_id": server_id, "name": called, "public_key": key, "address": where or None,
                   "added_utc": to_stored_time(now), "added_by": get_booker(viewer)}  # fmt: skip
            insert_rows(transaction, "checkin_servers", [row])
            append_events(transaction, [(server_id, Event("server.added", now, {}))], table="checkin_servers")
        return server_id

    return write_booked(store, viewer, "checkin_server", server_id, {"what": "add"}, work, clock)


def write_points_file(store: Store, viewer: Viewer, *, clock: Clock) -> bytes:
    """Open points for check-in servers, signed, with up to where each server's check-ins have arrived here."""
    check_right(viewer, "action", "exchange_checkins")
    shapes = find_open_points(store, viewer)
    places = shapes.to_crs("EPSG:4326").geometry
    points = [
        {**{str(name): _to_plain(value) for name, value in row.items()}, "lon": round(at.x, 7), "lat": round(at.y, 7)}
        for row, at in zip(shapes.drop(columns="geom").to_dict("records"), places, strict=True)
    ]
    arrived = store.rows(
        "SELECT s.public_key, max((f.report ->> 'last_seq')::BIGINT) FROM checkin_files f "
        "JOIN checkin_servers s USING (server_id) WHERE f.direction = 'in' GROUP BY ALL"
    )
    body = {"points": points, "arrived": {key: int(seq) for key, seq in arrived if seq is not None}}
    now = clock()
    file_id, content = build_file(FileKind.POINTS, body, get_office_key(store), now=now, lasts=_POINTS_LAST)
    _note(store, viewer, file_id, "out", None, now, {"points": len(points)}, len(points), clock)
    return content


def take_checkins_file(store: Store, viewer: Viewer, content: bytes, *, clock: Clock) -> dict[str, int]:
    """
    Take in a file of a check-in server; returns what was found, by code: how many.

    `records`, `new`, `counted`, `pending`, `repeats` (were here already), `unreadable`, `unknown` (card or point),
    `altered` (the id of another check-in), and each doubt by its code, `bad_signature` for forged ones.

    Raises
    ------
    BadFileError, RefusedError
        The file is not as it was signed, by nobody known, over, or was taken before.
    """
    check_right(viewer, "action", "exchange_checkins")
    servers = dict(store.rows("SELECT public_key, server_id FROM checkin_servers WHERE ended_utc IS NULL"))
    now = clock()
    file = read_file(content, FileKind.CHECKINS, trusted=servers.keys(), now=now)
    if store.rows("SELECT 1 FROM checkin_files WHERE file_id = ?", [file.file_id]):
        raise RefusedError(f"File {file.file_id[:40]} was taken in already. Have a new one written.")
    found: Counter[str] = Counter()
    items = file.body.get("records")
    rows = [one for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []
    found["records"] = len(rows)
    arrivals = sorted(_read(store, rows, str(servers[file.signer]), found, now), key=lambda one: one.record.at)
    for start in range(0, len(arrivals), _AT_ONCE):
        _take_some(store, viewer, arrivals[start : start + _AT_ONCE], file.file_id, found, clock)
    report: dict[str, int] = dict(found)
    last = max((int(one.get("seq", 0)) for one in rows), default=0)
    _note(store, viewer, file.file_id, "in", str(servers[file.signer]), file.made, {**report, "last_seq": last},
          len(rows), clock)  # fmt: skip
    return report


def _take_some(
    store: Store, viewer: Viewer, arrivals: Sequence[Arrival], file_id: str, found: Counter[str], clock: Clock
) -> None:
    for arrival, taken in zip(
        arrivals, take_arrivals(store, viewer, arrivals, file_id=file_id, clock=clock), strict=True
    ):
        if taken is None:
            found["unknown"] += 1
        elif taken.is_repeat:
            known = store.rows("SELECT record_sha256 FROM checkins WHERE checkin_id = ?", [taken.checkin_id])
            found["repeats" if known[0][0] == arrival.record.sha256 else "altered"] += 1
        else:
            found["new"] += 1
            found[taken.state] += 1
            found.update(taken.doubts)


def _read(
    store: Store, rows: Sequence[Mapping[str, Any]], server_id: str, found: Counter[str], now: datetime
) -> list[Arrival]:
    people = {
        str(number): (str(volunteer_id), build_secret(store, str(number), int(issue)))
        for volunteer_id, number, issue in store.rows(
            "SELECT volunteer_id, number, card_issue FROM volunteers WHERE state = 'active'"
        )
    }
    arrivals = []
    for row in rows:
        try:
            record = read_record(row.get("record"))
            received = min(datetime.fromisoformat(str(row["received"])).astimezone(UTC), now)
        except (BadRecordError, ValueError, KeyError):
            found["unreadable"] += 1
            continue
        if record.card not in people:
            found["unknown"] += 1
            continue
        volunteer_id, secret = people[record.card]
        signed = record.is_signed_by(secret) and _has_its_photo(record, row)
        photo_id = _keep_photo(store, record, row) if signed else None
        arrivals.append(Arrival(volunteer_id, record, Way.PHONE, received, server_id, signed, photo_id))
    return arrivals


def _has_its_photo(record: Record, row: Mapping[str, Any]) -> bool:
    """Whether the photo that was signed for is the one that came, or neither is there."""
    data = row.get("photo")
    if record.photo_sha256 is None:
        return data is None
    return isinstance(data, str) and hashlib.sha256(data.encode()).hexdigest() == record.photo_sha256


def _keep_photo(store: Store, record: Record, row: Mapping[str, Any]) -> str | None:
    """Keep the photo of a signed record, freed of all but its pixels; None without one, or where it is no picture."""
    if record.photo_sha256 is None:
        return None
    try:
        picture, _ = make_plain(base64.b64decode(str(row["photo"]), validate=True))
    except ValueError:  # no base64, or BadRecordError: no picture
        return None
    photo_id = hashlib.sha256(f"checkin|{record.record_id}|{record.photo_sha256}".encode()).hexdigest()[:32]
    keep_picture(store, photo_id, picture)
    return photo_id


def get_checkin_photo(store: Store, viewer: Viewer, checkin_id: str, *, clock: Clock) -> bytes:
    """
    The photo that came with a check-in, for who decides it; the look is logged.

    Raises
    ------
    RecordMissingError, BadFileError
        It has none; or its file is gone.
    """
    check_right(viewer, "action", "decide_checkin")
    rows = store.rows("SELECT photo_id FROM checkins WHERE checkin_id = ? AND photo_id IS NOT NULL", [checkin_id])
    if not rows:
        raise RecordMissingError(f"Check-in '{checkin_id[:40]}' has no photo. Decide by what else is known.")
    log_looks(store, viewer, frozenset({("checkin", checkin_id)}), clock=clock)
    return read_picture(store, str(rows[0][0]))


def _note(
    store: Store, viewer: Viewer, file_id: str, direction: str, server_id: str | None, made: datetime,
    report: Mapping[str, int], records: int, clock: Clock,
) -> None:  # fmt: skip
    def work(transaction: Transaction) -> None:
        now = clock()
        row = {
            "file_id": file_id, "direction": direction, "server_id": server_id, "made_utc": to_stored_time(made),
            "taken_utc": to_stored_time(now), "taken_by": get_booker(viewer), "records": records,
            "report": json.dumps(dict(report), sort_keys=True),
        }  # fmt: skip
        insert_rows(transaction, "checkin_files", [row])
        event = Event(f"checkin.file_{direction}", now, dict(report))
        append_events(transaction, [(file_id, event)], table="checkin_files")

    write_booked(store, viewer, "checkin_file", file_id, {"what": direction, "n": records}, work, clock)


def _to_plain(value: Any) -> Any:
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, datetime):
        return value.date().isoformat()
    item = getattr(value, "item", None)
    return item() if callable(item) else value

"""
Rows of dispatches inside a transaction. What an act means is not known here: who changes a dispatch decides with the
rules (incidents/dispatching.py) and hands the row over as it is to be.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from data.incident_writes import insert_rows
from data.moments import get_aware, to_stored_time
from data.queries_incidents import CATEGORY_TREE
from data.store import Transaction
from gis.errors import RecordMissingError

COLUMNS = (
    *("dispatch_id", "incident_id", "responder_id", "decision_id", "kind", "way", "state", "sent_utc", "sent_by"),
    *("from_dispatch_id", "answered_way", "accepted_utc", "departed_utc", "arrived_utc", "ended_utc", "reason"),
    *("level", "escalated_utc"),
)
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM dispatches"
_ACTIVE = "ended_utc IS NULL"
_MESSAGE = (
    CATEGORY_TREE
    + """SELECT i.incident_id, i.urgency, i.status, i.grid_id, coalesce(k.sensitive, false) AS sensitive, i.category,
    i.number, coalesce(ua.full_text, ba.full_text) AS address, ST_X(i.geom) AS x_m, ST_Y(i.geom) AS y_m,
    (SELECT crs FROM community) AS crs, r.call_sign, r.channel
FROM incidents i LEFT JOIN kinds k USING (category)
    LEFT JOIN units u USING (unit_id) LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
    LEFT JOIN responders r ON r.responder_id = ?
WHERE i.incident_id = ?"""
)
# Of a sensitive kind other systems learn grid and time, as they do by the interface.
_SENSITIVE = ("category", "number", "address", "x_m", "y_m")


def read_dispatch_rows(
    transaction: Transaction, *, incident_id: str | None = None, responder_id: str | None = None
) -> list[dict[str, Any]]:
    """All dispatches of an incident, oldest first; or the active ones of a responder. Times are aware."""
    if incident_id is not None:
        rows = transaction.fetch(f"{_SELECT} WHERE incident_id = ? ORDER BY sent_utc, dispatch_id", [incident_id])
    else:
        rows = transaction.fetch(f"{_SELECT} WHERE responder_id = ? AND {_ACTIVE} ORDER BY sent_utc", [responder_id])
    return [to_plain(row) for row in rows.to_dict("records")]


def get_incident_id(transaction: Transaction, dispatch_id: str) -> str:
    """The incident of a dispatch; `RecordMissingError` when there is no such dispatch."""
    rows = transaction.fetch("SELECT incident_id FROM dispatches WHERE dispatch_id = ?", [dispatch_id])
    if rows.empty:
        raise RecordMissingError(f"There is no dispatch '{dispatch_id[:40]}'. Look at the list again.")
    return str(rows["incident_id"].iloc[0])


def get_call_sign(transaction: Transaction, responder_id: str) -> str:
    """The only name ever said of a responder; `RecordMissingError` when there is none with that id."""
    rows = transaction.fetch("SELECT call_sign FROM responders WHERE responder_id = ?", [responder_id])
    if rows.empty:
        raise RecordMissingError(f"There is no responder '{responder_id[:40]}'. Choose one from the list.")
    return str(rows["call_sign"].iloc[0])


def put_dispatch(transaction: Transaction, row: Mapping[str, Any], *, is_new: bool) -> None:
    """Write one dispatch as it is to be; times of `row` are aware."""
    stored = {name: to_stored_time(value) if isinstance(value, datetime) else value for name, value in row.items()}
    if is_new:
        insert_rows(transaction, "dispatches", [stored])
        return
    dispatch_id = stored.pop("dispatch_id")
    names = ", ".join(f"{name} = ?" for name in stored)
    sql = f"UPDATE dispatches SET {names} WHERE dispatch_id = ?"
    transaction.execute("dispatches", sql, [*stored.values(), dispatch_id])


def put_decision(
    transaction: Transaction, incident_id: str, *, advice: Mapping[str, object] | None, by_hand: bool,
    rank: int | None, by: str, reason: str | None, at_utc: datetime,
) -> str:  # fmt: skip
    """Write what was known when somebody was sent; returns its id."""
    decision_id = f"d-{secrets.token_hex(8)}"
    row = {
        "decision_id": decision_id,
        "incident_id": incident_id,
        "decided_utc": to_stored_time(at_utc),
        "decided_by": by,
        "by_hand": by_hand,
        "rank": rank,
        "advice": None if advice is None else json.dumps(advice, ensure_ascii=False, sort_keys=True),
        "reason": reason,
    }
    insert_rows(transaction, "dispatch_decisions", [row])
    return decision_id


def queue_message(transaction: Transaction, what: str, row: Mapping[str, Any], *, at_utc: datetime) -> None:
    """Keep a message about a dispatch for the office's other system, if there is one to tell; of a drill, never."""
    sql = """SELECT value FROM settings WHERE name = 'webhook_url'
        AND NOT (SELECT coalesce(bool_or(drill), false) FROM community)"""
    setting = transaction.fetch(sql)["value"]
    if setting.empty or not json.loads(setting.iloc[0]):
        return
    found = transaction.fetch(_MESSAGE, [row["responder_id"], row["incident_id"]])
    about = to_plain(found.to_dict("records")[0])
    sensitive = bool(about.pop("sensitive"))
    # By the event that it tells of: messages go in the order of their ids, whatever an update does to their rows.
    number = int(transaction.fetch("SELECT coalesce(max(event_id), 0) AS n FROM events")["n"].iloc[0])
    message_id = f"w-{number:012d}-{secrets.token_hex(6)}"
    body = {
        "message_id": message_id,
        "event": what,
        "at": at_utc.isoformat(),
        "dispatch": {
            **{name: row[name] for name in ("dispatch_id", "responder_id", "kind", "way", "state", "level")},
            "call_sign": about.pop("call_sign"),
            "channel": about.pop("channel"),
        },
        "incident": {
            **{name: None if sensitive and name in _SENSITIVE else value for name, value in about.items()},
            "undisclosed": sensitive,
        },
    }
    kept = {
        "message_id": message_id,
        "queued_utc": to_stored_time(at_utc),
        "body": json.dumps(body, ensure_ascii=False, sort_keys=True),
        "attempts": 0,
        "next_utc": to_stored_time(at_utc),
    }
    insert_rows(transaction, "webhook_outbox", [kept])


def to_plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of a frame as plain values: None for what is missing, aware times in columns that end in `_utc`."""
    plain: dict[str, Any] = {}
    for name, value in row.items():
        if pd.isna(value):
            plain[str(name)] = None
        elif str(name).endswith("_utc"):
            plain[str(name)] = get_aware(value)
        else:
            plain[str(name)] = value.item() if hasattr(value, "item") else value
    return plain

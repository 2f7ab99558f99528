"""
The list of people with radios from a table (CSV or .xlsx): by call sign, with no name and no telephone.

Columns about persons are not read at all; sending needs call sign, channel, hours and what somebody may do. A list that
comes in again changes what differs; who is not in it stays. Nothing is written while a row cannot be used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

import pandas as pd

from data.audit import build_entry, write_audited
from data.importing.values import hash_ids
from data.incident_writes import Event, append_events
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError
from gis.walk_pace import Vehicle
from incidents.sheets import Problem, find_columns, read_sheet

MOST_ROWS: Final = 2_000
# Our column → headers, as `normalise_header` leaves them.
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "call_sign": ("呼号", "代号", "电台呼号", "callsign"),
    "kind": ("类别", "人员类别", "身份", "岗位", "kind", "type"),
    "organisation": ("单位", "所属单位", "organisation", "organization"),
    "channel": ("频道", "电台频道", "信道", "channel"),
    "vehicle": ("交通工具", "车辆", "出行方式", "vehicle"),
    "skills": ("技能", "特长", "skills", "skill"),
    "duty_from": ("上岗时间", "上岗", "值班开始", "dutyfrom"),
    "duty_to": ("下岗时间", "下岗", "值班结束", "dutyto"),
    "no_night_duty": ("夜间不派", "不上夜班", "免夜班", "nonightduty"),
}
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": {
        "officer": "民警|警员|警察|officer",
        "auxiliary": "辅警|协警|auxiliary",
        "grid_worker": "网格员|网格|grid_?worker",
        "property_guard": "物业|物业人员|property_?guard|property",
        "estate_guard": "保安|小区保安|estate_?guard|estate",
        "venue_guard": "场所|场所人员|商户|venue_?guard|venue",
        "unit_guard": "内保|单位内保|单位保安|unit_?guard|unit",
        "volunteer": "志愿者|志愿|平安志愿者|volunteer",
    },
    "vehicle": {
        Vehicle.FOOT: "步行|徒步|foot|on foot",
        Vehicle.EBIKE: "电动车|电动自行车|e-?bike",
        Vehicle.CAR: "汽车|警车|机动车|car",
    },
    "skills": {
        "first_aid": "急救|first_?aid",
        "mediation": "调解|mediation",
        "negotiation": "谈判|negotiation",
        "firefighting": "灭火|消防|firefighting",
        "traffic": "交通|交通疏导|traffic",
        "animals": "犬只|犬只处置|animals",
    },
    "no_night_duty": {"true": "是|y|yes|true|1", "false": "否|n|no|false|0"},
}
_TIME: Final = re.compile(r"(\d{1,2})[:：](\d{2})(?::\d{2})?")


@dataclass(frozen=True)
class Roster:
    """
    A list as it was read.

    Attributes
    ----------
    rows
        One dict for each person, our columns; a column that the file lacks is not in it.
    problems
        All of them, in the order of the file; with any, nothing can be written.
    not_read
        Headers that mean nothing here, or are about persons.
    """

    rows: tuple[Mapping[str, Any], ...]
    problems: tuple[Problem, ...]
    not_read: tuple[str, ...]


@dataclass(frozen=True)
class RosterDone:
    """How many rows came new, were changed, and were there already."""

    new: int
    changed: int
    same: int


def read_roster(name: str, content: bytes) -> Roster:
    """
    The list in a file.

    Raises
    ------
    BadFileError
        It cannot be read, is too large, or has no column for call signs or kinds.
    """
    table = read_sheet(name, content, most_rows=MOST_ROWS)
    places, not_read = find_columns(name, table[0], HEADERS, ("call_sign", "kind"))
    rows: list[Mapping[str, Any]] = []
    problems: list[Problem] = []
    signs: set[str] = set()
    for number, cells in enumerate(table[1:], start=2):
        if not any(cells):
            continue
        row: dict[str, Any] = {}
        for column, place in places.items():
            text = cells[place].strip() if place < len(cells) else ""
            value, code = _read_cell(column, text)
            if code is not None:
                problems.append(Problem(number, column, code))
            row[column] = value
        if row["call_sign"] in signs:
            problems.append(Problem(number, "call_sign", "twice"))
        signs.add(row["call_sign"])
        if (row.get("duty_from") is None) != (row.get("duty_to") is None):
            problems.append(Problem(number, "duty_from", "one_end"))
        rows.append(row)
    return Roster(tuple(rows), tuple(problems), tuple(not_read))


def write_roster(store: Store, viewer: Viewer, roster: Roster, *, clock: Clock) -> RosterDone:
    """
    Write a list: by call sign, who is new comes in, who differs is changed, all in one transaction.

    Raises
    ------
    NotAllowedError
        The viewer's role may not.
    BadRecordError
        A row cannot be used, or the store has a call sign twice; nothing was written.
    """
    check_right(viewer, "action", "manage_forces")
    if roster.problems:
        raise BadRecordError(
            f"{len(roster.problems)} cells cannot be used; nothing was written. Correct the list first."
        )

    def work(transaction: Transaction) -> RosterDone:
        stored = transaction.fetch(f"SELECT responder_id, {', '.join(HEADERS)} FROM responders")
        there = stored.astype(object).where(stored.notna(), None).set_index("call_sign", drop=False)
        new = changed = 0
        for row in roster.rows:
            sign = row["call_sign"]
            known = there[there.index == sign]
            if len(known) > 1:
                raise BadRecordError(f"Call sign '{sign}' is there {len(known)} times, so nobody knows who is meant.")
            if known.empty:
                _insert(transaction, row)
                new += 1
            elif any(_plain(known.iloc[0][column]) != value for column, value in row.items()):
                _update(transaction, str(known.iloc[0]["responder_id"]), row)
                changed += 1
        done = RosterDone(new, changed, len(roster.rows) - new - changed)
        if new or changed:
            detail = {"new": new, "changed": changed, "by": viewer.name or viewer.role.value}
            append_events(transaction, [("roster", Event("responder.roster", clock(), detail))], table="responders")
        return done

    def describe(done: RosterDone) -> list[Any]:
        detail = {"new": done.new, "changed": done.changed, "same": done.same}
        return [build_entry(viewer, "import", subject_kind="responder", detail=detail)]

    return write_audited(store, work, describe, clock=clock)


def _insert(transaction: Transaction, row: Mapping[str, Any]) -> None:
    values = {"responder_id": hash_ids("r-", [row["call_sign"]]), "full_time": row["kind"] != "volunteer", **row}
    values = {name: value for name, value in values.items() if value is not None}  # the schema's defaults
    sql = f"INSERT INTO responders ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
    transaction.execute("responders", sql, list(values.values()))


def _update(transaction: Transaction, responder_id: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(f"{name} = ?" for name in row)
    sql = f"UPDATE responders SET {names} WHERE responder_id = ?"
    transaction.execute("responders", sql, [*row.values(), responder_id])


def _plain(value: Any) -> Any:
    return None if value is None or (not isinstance(value, str | time) and pd.isna(value)) else value


def _read_cell(column: str, text: str) -> tuple[Any, str | None]:
    """The value of a cell, and what is wrong with it."""
    if column in ("call_sign", "kind") and not text:
        return None, "missing"
    if column in ("call_sign", "organisation", "channel"):
        return (text[:40] or None), ("too_long" if len(text) > 40 else None)
    if column == "skills":
        words = [_find_word("skills", word) for word in re.split(r"[\s,，、;；]+", text) if word]
        return " ".join(dict.fromkeys(word for word in words if word)), "unknown_word" if None in words else None
    if column in ("duty_from", "duty_to"):
        found = _TIME.fullmatch(text)
        if not text:
            return None, None
        if found is None or int(found[1]) > 23 or int(found[2]) > 59:
            return None, "bad_time"
        return time(int(found[1]), int(found[2])), None
    default = {"vehicle": Vehicle.FOOT.value, "no_night_duty": "false"}.get(column)
    word = _find_word(column, text) if text else default
    return (word == "true" if column == "no_night_duty" else word), "unknown_word" if word is None else None


def _find_word(column: str, text: str) -> str | None:
    lowered = text.strip().lower()
    return next((str(code) for code, words in _WORDS[column].items() if re.fullmatch(words, lowered)), None)

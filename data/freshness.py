"""
Freshness of the registers: when, by whom and how each field was last found true; and differences that wait for a yes.

Nothing that was seen at a door overwrites a register: it becomes a proposal, old → new. Who accepts is another person
than who saw it, and when the register has changed meanwhile the proposal is outdated instead of winning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from data.audit import build_entry, write_audited
from data.incident_writes import Event, append_events, insert_rows
from data.intake import mask_at_intake
from data.moments import to_stored_time
from data.rights import check_grid, check_right
from data.store import Clock, Store, Transaction
from data.task_places import get_task_place
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError

# Kind of subject → its table, key, and the fields that a visit sees: counts, codes and figures, never a person's field.
REGISTERS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "building": ("buildings", "building_id", ("use", "floors_above", "floors_below")),
    "unit": ("units", "unit_id", ("use", "residents_count", "floating_count", "area_m2")),
    "rental": ("rentals", "rental_id", ("colour", "rooms_count", "beds_count", "tenants_count")),
    "site": ("key_sites", "site_id", ("kind", "level")),
}
WHAT: Final = ("moved_in", "moved_out", "use_changed", "walls_added", "corrected")
_CODES: Final = {
    ("rental", "colour"): ("green", "yellow", "orange", "red"),
    ("unit", "use"): ("dwelling", "shop", "office", "storage", "other"),
}
_HAS_TIME: Final = frozenset({"building", "unit", "rental"})  # registers with a column verified_utc
_PUT = """
INSERT INTO register_checks (subject_kind, subject_id, field, verified_utc, how, account_id, role, source_id)
VALUES ($kind, $id, $field, $at, $how, $account, $role, $source)
ON CONFLICT DO UPDATE SET verified_utc = excluded.verified_utc, how = excluded.how, account_id = excluded.account_id,
    role = excluded.role, source_id = excluded.source_id WHERE excluded.verified_utc >= register_checks.verified_utc
"""


@dataclass(frozen=True)
class Check:
    """That somebody found fields of a subject true; `at_utc` is aware."""

    subject_kind: str
    subject_id: str
    at_utc: datetime
    how: str
    account_id: str | None
    role: str | None
    source_id: str | None
    fields: tuple[str, ...] = ()
    """Without any: all that a visit sees"""


@dataclass(frozen=True)
class Difference:
    """
    Something that is not as the register says.

    `proposal_id` is the sender's and stays the same when it is sent again; `note` is masked before it is stored.
    """

    proposal_id: str
    subject_kind: str
    subject_id: str
    what: str
    field: str
    new_value: str
    seen_utc: datetime
    note: str = ""
    task_id: str | None = None


def put_check(transaction: Transaction, check: Check) -> None:
    """Write down that fields were verified; an older check never replaces a newer one."""
    table, key, fields = REGISTERS[check.subject_kind]
    at = to_stored_time(check.at_utc)
    for field in check.fields or fields:
        said = {
            "kind": check.subject_kind, "id": check.subject_id, "field": field, "at": at, "how": check.how,
            "account": check.account_id, "role": check.role, "source": check.source_id,
        }  # fmt: skip
        transaction.execute("register_checks", _PUT, said)
    if check.subject_kind in _HAS_TIME and check.how in ("door", "proposal"):
        sql = f"UPDATE {table} SET verified_utc = $at WHERE {key} = $id AND coalesce(verified_utc < $at, true)"
        transaction.execute(table, sql, {"at": at, "id": check.subject_id})


def put_visit_date(transaction: Transaction, subject_kind: str, subject_id: str, day: object) -> None:
    """The date of the last visit of a rental or a key site."""
    if subject_kind in ("rental", "site"):
        table, key, _ = REGISTERS[subject_kind]
        sql = f"UPDATE {table} SET last_visit_on = $day WHERE {key} = $id AND coalesce(last_visit_on < $day, true)"
        transaction.execute(table, sql, {"day": day, "id": subject_id})


def propose(store: Store, viewer: Viewer, difference: Difference, *, clock: Clock) -> bool:
    """
    Take a difference in; False when it had come in before.

    Raises
    ------
    NotAllowedError, RecordMissingError
        The viewer may not, in that grid; there is no such subject.
    BadRecordError
        A field or a value that cannot be.
    """
    table, key, fields = _get_register(difference)
    place = get_task_place(store, difference.subject_kind, difference.subject_id)
    check_grid(viewer, "action", "propose_change", place.grid_id, what=f"This {difference.subject_kind}")
    if difference.field not in fields or difference.what not in WHAT:
        raise BadRecordError(
            f"A {difference.subject_kind} has no field '{difference.field[:40]}' that a visit sees, or "
            f"'{difference.what[:40]}' is not known: expected {', '.join(fields)} and {', '.join(WHAT)}."
        )
    new = _check_value(difference, store, table)
    note = mask_at_intake(store, " ".join(difference.note.split())[:400]) or None
    by = viewer.account_id or viewer.role.value

    def work(transaction: Transaction) -> bool:
        if not transaction.fetch("SELECT 1 FROM proposals WHERE proposal_id = ?", [difference.proposal_id]).empty:
            return False
        row = {
            "proposal_id": difference.proposal_id, "subject_kind": difference.subject_kind,
            "subject_id": difference.subject_id, "grid_id": place.grid_id, "what": difference.what,
            "field": difference.field, "new_value": new, "note": note, "task_id": difference.task_id,
            "old_value": _read_value(transaction, table, key, difference.subject_id, difference.field),
            "proposed_by": by, "role": viewer.role.value, "seen_utc": to_stored_time(difference.seen_utc),
            "received_utc": to_stored_time(clock()), "state": "waiting",
        }  # fmt: skip
        insert_rows(transaction, "proposals", [row])
        _tell(transaction, "register.proposed", row, {"by": by, "proposal": difference.proposal_id}, clock)
        return True

    entry = build_entry(
        viewer, "change", subject_kind=difference.subject_kind, subject_id=difference.subject_id,
        detail={"what": "propose", "field": difference.field, "proposal": difference.proposal_id},
    )  # fmt: skip
    return write_audited(store, work, lambda is_new: [entry] if is_new else [], clock=clock)


def decide_proposal(store: Store, viewer: Viewer, proposal_id: str, *, accept: bool, clock: Clock) -> str:
    """
    Accept or reject a difference; returns what became of it: accepted, rejected or outdated.

    Raises
    ------
    NotAllowedError
        The role may not, or it is the viewer's own.
    RefusedError
        It was decided before.
    """
    check_right(viewer, "action", "decide_proposal")
    me = viewer.account_id or viewer.role.value

    def work(transaction: Transaction) -> dict[str, Any]:
        rows = transaction.fetch("SELECT * FROM proposals WHERE proposal_id = ?", [proposal_id])
        if rows.empty:
            raise RecordMissingError(f"There is no proposal '{proposal_id[:40]}'. Look at the list again.")
        row: dict[str, Any] = {
            str(name): None if pd.isna(value) else value for name, value in rows.astype(object).iloc[0].items()
        }
        if row["state"] != "waiting":
            raise RefusedError(f"Proposal '{proposal_id[:40]}' is {row['state']} already. Look at the list again.")
        if row["proposed_by"] == me:
            raise NotAllowedError("This is your own proposal: somebody else has to decide on it.")
        table, key, _ = REGISTERS[row["subject_kind"]]
        state = "accepted" if accept else "rejected"
        if accept and _read_value(transaction, table, key, row["subject_id"], row["field"]) != row["old_value"]:
            state = "outdated"
        if state == "accepted":
            sql = f"UPDATE {table} SET {row['field']} = ? WHERE {key} = ?"
            transaction.execute(table, sql, [row["new_value"], row["subject_id"]])
            seen = pd.Timestamp(row["seen_utc"]).tz_localize("UTC").to_pydatetime()
            check = Check(
                row["subject_kind"], row["subject_id"], seen, "proposal", row["proposed_by"], row["role"], proposal_id,
                (row["field"],),
            )  # fmt: skip
            put_check(transaction, check)
        transaction.execute(
            "proposals",
            "UPDATE proposals SET state = ?, decided_by = ?, decided_utc = ? WHERE proposal_id = ?",
            [state, me, to_stored_time(clock()), proposal_id],
        )
        _tell(transaction, f"register.{state}", row, {"by": me, "proposal": proposal_id}, clock)
        return {**row, "state": state}

    def describe(row: Mapping[str, Any]) -> list[Any]:
        detail = {"what": row["state"], "field": row["field"], "proposal": proposal_id}
        kind, subject = row["subject_kind"], row["subject_id"]
        return [build_entry(viewer, "change", subject_kind=kind, subject_id=subject, detail=detail)]

    return str(write_audited(store, work, describe, clock=clock)["state"])


def _get_register(difference: Difference) -> tuple[str, str, tuple[str, ...]]:
    if difference.subject_kind not in REGISTERS:
        raise BadRecordError(
            f"There is no register of '{difference.subject_kind[:40]}': one of {', '.join(REGISTERS)}."
        )
    return REGISTERS[difference.subject_kind]


def _check_value(difference: Difference, store: Store, table: str) -> str:
    """The new value as text, fit for its column."""
    said, field = " ".join(difference.new_value.split())[:60], difference.field
    codes = _CODES.get((difference.subject_kind, field))
    if codes is not None and said not in codes:
        raise BadRecordError(f"{field} is '{said}', expected one of {', '.join(codes)}.")
    types = store.read(f"DESCRIBE {table}").set_index("column_name")["column_type"]
    if types[field] in ("INTEGER", "DOUBLE"):
        try:
            number = float(said)
        except ValueError:
            number = -1.0
        floor = -9 if field in ("level", "floors_below") else 0
        if not floor <= number <= 10_000 or (types[field] == "INTEGER" and number != int(number)):
            raise BadRecordError(f"{field} is '{said}', expected a number from {floor} to 10000.")
        return str(int(number)) if types[field] == "INTEGER" else str(number)
    if not said:
        raise BadRecordError(f"{field} is empty: say what was seen.")
    return said


def _read_value(transaction: Transaction, table: str, key: str, subject_id: str, field: str) -> str | None:
    rows = transaction.fetch(f"SELECT {field}::VARCHAR AS v FROM {table} WHERE {key} = ?", [subject_id])
    if rows.empty:
        raise RecordMissingError(f"There is no {table} row '{subject_id[:40]}' any more. Look it up again.")
    value = rows["v"].iloc[0]
    return None if pd.isna(value) else str(value)


def _tell(
    transaction: Transaction, kind: str, row: Mapping[str, Any], detail: Mapping[str, object], clock: Clock
) -> None:
    said = {**detail, "field": row["field"], "old": row["old_value"], "new": row["new_value"]}
    event = Event(kind, clock(), json.loads(json.dumps(said)))
    append_events(transaction, [(row["subject_id"], event)], table=REGISTERS[row["subject_kind"]][0])

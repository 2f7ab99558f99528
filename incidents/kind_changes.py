"""
Changes of the tree of kinds and of who may be sent: a whole tree from a table, or one kind by hand.

Each change of a kind is an event (`kind.added`, `kind.changed`, `kind.removed`) and a line of the log with what was and
what is, in the transaction that makes it. All or nothing; what is there already changes nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from data.audit import Entry, build_entry, record, write_audited
from data.cells import guard
from data.incident_writes import Event, append_events
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError
from incidents.duty import KINDS
from incidents.kind_tree import (
    COLUMNS,
    HEADERS,
    MAY,
    OWN_COLUMNS,
    Plan,
    Row,
    TreeFile,
    check_tree,
    order_tree,
    plan_tree,
)

_TABLE = "incident_categories"
_KINDS = f"SELECT {', '.join(OWN_COLUMNS)} FROM {_TABLE}"
_RULES = "SELECT category, kind, may FROM sending_rules"
_USED = "SELECT DISTINCT category FROM incidents"
_PUT_RULE = """
INSERT INTO sending_rules (category, kind, may) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET may = excluded.may
"""
_DROP_RULE = "DELETE FROM sending_rules WHERE category = ? AND kind = ? AND may IS NULL AND skill IS NULL"
_WORDS = {"yes": "是", "with_police": "随警", "no": "否", "urgent": "紧急", "normal": "一般", "not_police": "非警务"}


def read_kinds(store: Store, viewer: Viewer) -> dict[str, Row]:
    """The tree in force by code, each kind with what it says itself; `NotAllowedError` for who may not change it."""
    check_right(viewer, "action", "manage_kinds")
    return _build(store.read(_KINDS), store.read(_RULES))


def preview_tree(store: Store, viewer: Viewer, tree: TreeFile) -> Plan:
    """What a table would change; nothing is written."""
    return plan_tree(read_kinds(store, viewer), tree, {code for (code,) in store.rows(_USED)})


def write_tree(store: Store, viewer: Viewer, tree: TreeFile, *, clock: Clock) -> Plan:
    """
    Put a table in the place of the tree in force; returns what changed.

    Raises
    ------
    NotAllowedError
        The viewer's role may not.
    BadRecordError
        A cell cannot be used, or a kind that would go has incidents; nothing was written.
    """
    check_right(viewer, "action", "manage_kinds")
    return _write(store, viewer, tree, clock=clock)


def change_kind(store: Store, viewer: Viewer, code: str, values: Row, *, clock: Clock) -> Plan:
    """
    Change columns of one kind, `may_…` among them; returns what changed.

    Raises
    ------
    NotAllowedError
        The viewer's role may not.
    RecordMissingError
        There is no such kind.
    BadRecordError
        The tree would not hold: a key that a neighbour has.
    """
    check_right(viewer, "action", "manage_kinds")
    rows = read_kinds(store, viewer)
    if code not in rows:
        raise RecordMissingError(f"There is no kind of incident '{code[:40]}'. Reload the page.")
    return _write(store, viewer, {code: values}, clock=clock)


def export_kinds(store: Store, viewer: Viewer, *, clock: Clock) -> bytes:
    """The tree in force as the CSV that `read_tree` takes, logged; no cell of it is a formula."""
    rows = read_kinds(store, viewer)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow([HEADERS[column][0] for column in COLUMNS])
    for code in order_tree({code: row["parent"] for code, row in rows.items()}):
        out.writerow([guard(_say(rows[code][column])) for column in COLUMNS])
    record(store, build_entry(viewer, "export", subject_kind="rules", subject_id=_TABLE), clock=clock)
    return text.getvalue().encode("utf-8-sig")


def _write(store: Store, viewer: Viewer, wanted: TreeFile | Mapping[str, Row], *, clock: Clock) -> Plan:
    by = viewer.name or viewer.role.value

    def work(transaction: Transaction) -> Plan:
        stored = _build(transaction.fetch(_KINDS), transaction.fetch(_RULES))
        used = {code for (code,) in transaction.rows(_USED)}
        if isinstance(wanted, TreeFile):
            plan = plan_tree(stored, wanted, used)
            problems = plan.problems
        else:
            edited = {code: {**row, **wanted.get(code, {})} for code, row in stored.items()}
            plan = plan_tree(stored, TreeFile(edited, {}, (), ()), used)
            known = check_tree(stored, {})  # what was wrong before does not stand in the way of mending something else
            problems = tuple(one for one in plan.problems if one not in known)
        if problems:
            first = problems[0]
            raise BadRecordError(
                f"{len(problems)} cells cannot be used, the first in line {first.row}, column {first.column} "
                f"({first.code}: '{first.value}'). Nothing was written: correct them and send it again."
            )
        for code, row in plan.new.items():
            _insert(transaction, code, row)
        for code, differences in plan.changed.items():
            _update(transaction, code, {column: after for column, (_, after) in differences.items()})
        for code in plan.gone:
            transaction.execute("sending_rules", "DELETE FROM sending_rules WHERE category = ?", [code])
            transaction.execute(_TABLE, f"DELETE FROM {_TABLE} WHERE category = ?", [code])
        now = clock()
        events = [(code, Event(f"kind.{step}", now, {"by": by, **detail})) for code, step, detail in _tell(plan)]
        append_events(transaction, events, table=_TABLE)
        return plan

    def describe(plan: Plan) -> list[Entry]:
        return [
            build_entry(
                viewer, "change", subject_kind="incident_kind", subject_id=code, detail={"step": step, **detail}
            )
            for code, step, detail in _tell(plan)
        ]

    return write_audited(store, work, describe, clock=clock)


def _tell(plan: Plan) -> list[tuple[str, str, dict[str, Any]]]:
    """Each change: code, step, and the columns that were and are."""
    told: list[tuple[str, str, dict[str, Any]]] = [
        (code, "added", {"to": {column: value for column, value in row.items() if value not in (None, False)}})
        for code, row in plan.new.items()
    ]
    told += [
        (code, "changed", {side: {c: pair[at] for c, pair in both.items()} for at, side in enumerate(("from", "to"))})
        for code, both in plan.changed.items()
    ]
    return told + [(code, "removed", {}) for code in plan.gone]


def _build(kinds: pd.DataFrame, rules: pd.DataFrame) -> dict[str, Row]:
    rows = kinds.astype(object).where(kinds.notna(), None).to_dict("records")
    said = {
        (row["category"], row["kind"]): row["may"] if isinstance(row["may"], str) else None
        for row in rules.to_dict("records")
    }
    return {
        str(row["category"]): {
            **{str(name): value for name, value in row.items()},
            "sensitive": bool(row["sensitive"]),
            **{f"{MAY}{kind}": said.get((row["category"], kind)) for kind in KINDS},
        }
        for row in rows
    }


def _insert(transaction: Transaction, code: str, row: Row) -> None:
    sql = f"INSERT INTO {_TABLE} ({', '.join(OWN_COLUMNS)}) VALUES ({', '.join('?' * len(OWN_COLUMNS))})"
    transaction.execute(_TABLE, sql, [row[column] for column in OWN_COLUMNS])
    _put_rules(transaction, code, {column: row[column] for column in row if column.startswith(MAY) and row[column]})


def _update(transaction: Transaction, code: str, values: Row) -> None:
    own = {column: value for column, value in values.items() if not column.startswith(MAY)}
    if own:
        sql = f"UPDATE {_TABLE} SET {', '.join(f'{column} = ?' for column in own)} WHERE category = ?"
        transaction.execute(_TABLE, sql, [*own.values(), code])
    _put_rules(transaction, code, {column: value for column, value in values.items() if column.startswith(MAY)})


def _put_rules(transaction: Transaction, code: str, values: Row) -> None:
    """A rule that says nothing any more goes, unless it still names a skill."""
    for column, may in values.items():
        cell = [code, column.removeprefix(MAY)]
        transaction.execute("sending_rules", _PUT_RULE, [*cell, may])
        transaction.execute("sending_rules", _DROP_RULE, cell)


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else _WORDS.get(value, str(value))

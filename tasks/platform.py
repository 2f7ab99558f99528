"""
Tasks and verified records from and to the station's existing platform, so that nobody types twice.

What comes in twice is there once (its number there is the key). A record that says otherwise than the register becomes
a proposal, never a change; one that says the same is a check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

import pandas as pd

from data.audit import Entry, build_entry, record, write_audited
from data.freshness import REGISTERS, Check, Difference, propose, put_check
from data.incident_places import Said
from data.incident_writes import insert_rows
from data.moments import to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, ShapanError
from incidents.sheets import Problem
from incidents.taking_in import TakingIn
from tasks.checklists import find_words, read_checklists
from tasks.doing import create_task
from tasks.life_cycle import Kind, Priority
from tasks.orders import NewTask, build_task_id
from tasks.platform_layouts import Layout, Record, parse_layouts, read_file, write_file

_NAME: Final = "layouts"
_TASKS = """
SELECT t.task_id, p.number, t.kind, t.place_text, t.note, t.priority, t.due_utc, t.state, t.submitted_utc,
    t.findings_count, t.mended, t.checklist,
    (SELECT string_agg(DISTINCT f.code, ' ' ORDER BY f.code) FROM task_findings f WHERE f.task_id = t.task_id) AS codes
FROM tasks t LEFT JOIN platform_tasks p ON p.task_id = t.task_id AND p.layout = $layout
WHERE t.changed_utc >= $since AND t.changed_utc < $until AND (p.number IS NOT NULL OR t.closed_utc IS NOT NULL)
ORDER BY t.changed_utc, t.task_id
"""
_VERIFIED = """
SELECT u.unit_id, coalesce(a.full_text, concat_ws(' ', b.name, u.room)) AS place, u.residents_count, u.floating_count,
    u.use, r.tenants_count, r.rooms_count, r.beds_count, c.at AS verified_utc, c.how
FROM (
    SELECT coalesce(r.unit_id, k.subject_id) AS unit_id, max(k.verified_utc) AS at,
        arg_max(k.how, k.verified_utc) AS how
    FROM register_checks k LEFT JOIN rentals r ON k.subject_kind = 'rental' AND r.rental_id = k.subject_id
    WHERE k.subject_kind IN ('unit', 'rental') AND k.how <> 'import' AND k.verified_utc >= $since
        AND k.verified_utc < $until GROUP BY ALL
) c JOIN units u ON u.unit_id = c.unit_id LEFT JOIN buildings b USING (building_id)
    LEFT JOIN addresses a ON a.address_id = u.address_id
    LEFT JOIN (SELECT unit_id, any_value(tenants_count) AS tenants_count, any_value(rooms_count) AS rooms_count,
        any_value(beds_count) AS beds_count FROM rentals GROUP BY unit_id) r ON r.unit_id = u.unit_id
ORDER BY c.at, u.unit_id
"""
_UNIT_FIELDS: Final = ("residents_count", "floating_count", "use")
_RENTAL_FIELDS: Final = ("tenants_count", "rooms_count", "beds_count")


@dataclass(frozen=True)
class Taken:
    """What became of a file: rows that are new, known already, that differ from the register, and what is wrong."""

    new: int
    known: int
    differ: int
    problems: tuple[Problem, ...]


def read_layouts(store: Store) -> dict[str, Layout]:
    """The layouts in force: the office's own, else the product's examples."""
    return parse_layouts(read_layout_table(store))


def read_layout_table(store: Store) -> str:
    """Their table as CSV."""
    rows = store.read("SELECT content FROM platform_layouts WHERE name = ?", [_NAME])
    if not rows.empty:
        return str(rows["content"].iloc[0])
    return files("data").joinpath("platform_layouts.csv").read_text(encoding="utf-8")


def replace_layouts(store: Store, viewer: Viewer, text: str | None, *, clock: Clock) -> None:
    """
    Let a table of layouts be in force, None the product's own.

    Raises
    ------
    NotAllowedError, BadRecordError
        The role may not; a row that cannot be, named.
    """
    check_right(viewer, "action", "manage_rules")
    if text is not None:
        parse_layouts(text)

    def put(transaction: Transaction) -> None:
        transaction.execute("platform_layouts", "DELETE FROM platform_layouts WHERE name = ?", [_NAME])
        if text is not None:
            row = {
                "name": _NAME, "content": text, "changed_utc": to_stored_time(clock()),
                "changed_by": viewer.account_id or viewer.role.value,
            }  # fmt: skip
            insert_rows(transaction, "platform_layouts", [row])

    detail = {"what": "layouts", "is_default": text is None}
    entry = build_entry(viewer, "change", subject_kind="rules", subject_id=_NAME, detail=detail)
    write_audited(store, put, lambda _: [entry], clock=clock)


def get_layout(store: Store, name: str) -> Layout:
    """One layout; `BadRecordError` names those that there are."""
    layouts = read_layouts(store)
    if name not in layouts:
        raise BadRecordError(f"There is no layout '{name[:40]}': expected one of {', '.join(layouts)}.")
    return layouts[name]


def give_back(
    store: Store, viewer: Viewer, name: str, *, since: datetime, until: datetime, clock: Clock
) -> tuple[str, bytes, int]:
    """
    What changed between two aware times, in the platform's file: its name, its bytes, how many rows.

    Raises
    ------
    NotAllowedError
        The role may not export.
    """
    check_right(viewer, "action", "export_report")
    layout = get_layout(store, name)
    period = {"since": to_stored_time(since), "until": to_stored_time(until)}
    if layout.content == "tasks":
        records = _list_tasks(store, layout, period)
    else:
        records = [_to_verified(row) for row in _read(store, _VERIFIED, period)]
    detail = {"what": "platform", "layout": name, "rows": len(records)}
    record(store, build_entry(viewer, "export", subject_kind="task", detail=detail), clock=clock)
    return f"{name}.{layout.file}", write_file(layout, records), len(records)


def take_file(store: Store, viewer: Viewer, name: str, content: bytes, *, clock: Clock) -> Taken:
    """
    Take a file of the platform in: tasks become tasks, verified records checks or proposals. Repeated, nothing comes
    twice.

    Raises
    ------
    NotAllowedError
        The role may not.
    BadFileError, BadRecordError
        The file is not of this layout.
    """
    layout = get_layout(store, name)
    check_right(viewer, "action", "direct_task")
    records, problems = read_file(layout, content)
    places = TakingIn(store, clock).places.get()
    counts = {"new": 0, "known": 0, "differ": 0}
    for number, one in records:
        found = places.find(Said(None, None, None, one.get("place", "")))
        try:
            if layout.content == "tasks":
                what = _take_task(store, viewer, layout, one, found.unit_id, found.building_id, clock=clock)
            else:
                what = _take_verified(store, viewer, one, found.unit_id, clock=clock)
        except _RowError as error:
            problems.append(Problem(number, error.column, error.code, one.get(error.column, "")[:80]))
        except ShapanError as error:
            problems.append(Problem(number, "", "refused", str(error)[:200]))
        else:
            counts[what] += 1
    detail = {"what": "platform", "layout": name, **counts, "problems": len(problems)}
    record(store, build_entry(viewer, "import", subject_kind="task", detail=detail), clock=clock)
    return Taken(counts["new"], counts["known"], counts["differ"], tuple(problems))


class _RowError(Exception):
    def __init__(self, column: str, code: str) -> None:
        super().__init__(code)
        self.column, self.code = column, code


def _take_task(
    store: Store, viewer: Viewer, layout: Layout, one: Record, unit_id: str | None, building_id: str | None, *,
    clock: Clock,
) -> str:  # fmt: skip
    for field in ("number", "place", "due"):
        if not one.get(field):
            raise _RowError(field, "missing")
    key = f"platform {layout.name} {one['number']}"
    if not store.read("SELECT 1 FROM tasks WHERE task_id = ?", [build_task_id(key)]).empty:
        return "known"
    subject = ("unit", unit_id) if unit_id else ("building", building_id) if building_id else ("place", None)
    new = NewTask(
        Kind(one.get("kind") or "other"), subject[0], datetime.fromisoformat(one["due"]), subject[1],
        priority=Priority(one.get("priority") or "normal"), note=one.get("note", ""),
        place_text=one["place"] if subject[0] == "place" else "", key=key,
    )  # fmt: skip
    task_id = create_task(store, viewer, new, clock=clock)

    def link(transaction: Transaction) -> None:
        if transaction.fetch("SELECT 1 FROM platform_tasks WHERE task_id = ?", [task_id]).empty:
            row = {"task_id": task_id, "layout": layout.name, "number": one["number"]}
            insert_rows(transaction, "platform_tasks", [row])

    store.write(link)
    return "new"


def _take_verified(store: Store, viewer: Viewer, one: Record, unit_id: str | None, *, clock: Clock) -> str:
    if unit_id is None:
        raise _RowError("place", "not_found")
    if not one.get("verified"):
        raise _RowError("verified", "missing")
    at = min(datetime.fromisoformat(one["verified"]), clock())
    rentals = store.read("SELECT rental_id FROM rentals WHERE unit_id = ? ORDER BY rental_id", [unit_id])["rental_id"]
    subjects = [("unit", unit_id, _UNIT_FIELDS)]
    subjects += [("rental", str(rentals.iloc[0]), _RENTAL_FIELDS)] if len(rentals) == 1 else []
    differs = False
    for kind, subject_id, fields in subjects:
        table, key, _ = REGISTERS[kind]
        row = store.read(f"SELECT {', '.join(fields)} FROM {table} WHERE {key} = ?", [subject_id]).iloc[0]
        same = tuple(field for field in fields if one.get(field) and _say(row[field]) == one[field])
        other = [field for field in fields if one.get(field) and field not in same]
        if same:
            _check(store, viewer, Check(kind, subject_id, at, "import", None, None, None, same), clock=clock)
        for field in other:
            differs = True
            difference = Difference(
                build_task_id(f"platform {subject_id} {field} {one[field]} {at.isoformat()}"), kind, subject_id,
                "corrected", field, one[field], at,
            )  # fmt: skip
            propose(store, viewer, difference, clock=clock)
    return "differ" if differs else "known"


def _check(store: Store, viewer: Viewer, check: Check, *, clock: Clock) -> None:
    def describe(_: object) -> list[Entry]:
        detail = {"what": "platform"}
        subject = {"subject_kind": check.subject_kind, "subject_id": check.subject_id}
        return [build_entry(viewer, "change", detail=detail, **subject)]

    write_audited(store, lambda transaction: put_check(transaction, check), describe, clock=clock)


def _list_tasks(store: Store, layout: Layout, period: Mapping[str, object]) -> list[Record]:
    lists = read_checklists(store)
    rows = _read(store, _TASKS, {**period, "layout": layout.name})
    return [_to_task(row, find_words(lists, row["checklist"], "zh")) for row in rows]


def _to_task(row: Mapping[str, Any], words: Mapping[str, str]) -> Record:
    result = ""
    if row["submitted_utc"] is not None:
        result = "found" if row["findings_count"] else "clean"
        if row["mended"] is not None:
            result = "mended" if row["mended"] else "not_mended"
    return {
        "number": row["number"] or "", "kind": row["kind"], "place": row["place_text"], "note": row["note"],
        "priority": row["priority"], "due": _say_time(row["due_utc"]), "state": row["state"],
        "done": _say_time(row["submitted_utc"]), "result": result,
        "findings": " ".join(words.get(code, code) for code in (row["codes"] or "").split()),
    }  # fmt: skip


def _to_verified(row: Mapping[str, Any]) -> Record:
    plain = {name: _say(row[name]) for name in (*_UNIT_FIELDS, *_RENTAL_FIELDS, "place", "how")}
    return {**plain, "verified": _say_time(row["verified_utc"])}


def _say(value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    return f"{float(value):g}" if isinstance(value, int | float) or hasattr(value, "__index__") else str(value)


def _say_time(value: Any) -> str:
    """Whole minutes, as the platform's files have them."""
    if value is None:
        return ""
    at = pd.Timestamp(value).tz_localize("UTC") + timedelta(0)
    return str(at.tz_convert("Asia/Shanghai").floor("min").isoformat())


def _read(store: Store, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
    rows = store.read(sql, parameters)
    plain = rows.astype(object).where(rows.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]

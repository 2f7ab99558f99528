"""
A drill store: the copy of a community in which a scenario runs, without its incidents, its persons and its past.

What is kept is named here table by table, so that a table that comes later is empty in a drill until somebody decides.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from data.audit import COMMAND_LINE, Entry, write_audited
from data.backup import list_secrets
from data.connecting import copy_whole, digest_tables
from data.database import RESTORING
from data.durable import put_in_place
from data.incident_writes import Event, append_events, insert_rows
from data.keys import StoreKey
from data.locking import OwnerLock
from data.moments import to_stored_time
from data.store import Clock, Store, Transaction
from gis.errors import BadFileError, RefusedError

ENDING: Final = "-drill"
SOURCE: Final = "drill"
"""Source, and sender, of an incident that a drill took in."""
KEPT: Final = frozenset(
    {"community", "grids", "buildings", "entrances", "floors", "units", "roads", "gates", "walls", "land", "addresses"}
    | {"aliases", "rentals", "key_sites", "responders", "incident_categories", "zones", "map_removals"}
    | {"building_plans", "plan_rooms", "site_plan_parts"}
    | {"accounts", "account_grids", "account_responders", "settings", "sending_rules", "calendar_days", "rule_tables"}
    | {"revisions", "schema_migrations"}
)
"""Tables whose rows a drill store keeps, all fields about persons emptied; all others are empty in it."""
_TO_OTHERS: Final = "DELETE FROM settings WHERE name LIKE 'webhook%'"


def is_drill(store: Store) -> bool:
    """Whether the store is a drill's; false while it holds nothing."""
    return bool(store.read_first("SELECT coalesce(bool_or(drill), false) AS drill FROM community")["drill"])


def copy_closed(path: Path, raw: Path, *, now: datetime) -> None:
    """
    Copy the file of a store that nobody has open, with its log, byte for byte; it is locked meanwhile, never opened.

    Raises
    ------
    StoreInUseError, BadFileError
        Another process has it; an earlier work on it was cut off.
    """
    lock = OwnerLock(path, now=now)
    try:
        for ending in (RESTORING, ".folded"):
            if path.with_name(path.name + ending).exists():
                raise BadFileError(
                    f"Store '{path.stem}' was being written when that was cut off ({path.name}{ending} is there). "
                    f"Open it once, e.g. with: shapan info --store {path.stem}"
                )
        for ending in ("", ".wal"):
            source = path.with_name(path.name + ending)
            if source.exists():
                shutil.copyfile(source, raw.with_name(raw.name + ending))
    finally:
        lock.release()


def make_drill_of(
    store: Store, alarms: Sequence[Mapping[str, Any]], *, scenario: str, copied_from: str, clock: Clock
) -> dict[str, int]:
    """
    Make a drill store of an open copy: empty it, mark it, write the scenario into it; returns rows kept by table.

    Parameters
    ----------
    alarms
        Rows of drill_alarms.
    """
    if is_drill(store):
        raise RefusedError(f"Store '{copied_from}' is a drill store itself. Give the store of the community.")
    at = clock()
    row = {
        "drill_id": f"drill-{secrets.token_hex(6)}",
        "scenario": scenario,
        "copied_from": copied_from,
        "made_utc": to_stored_time(at),
    }

    def empty(transaction: Transaction) -> None:
        for table in sorted(store.tables - KEPT):
            transaction.execute(table, f'DELETE FROM "{table}"')
        for table, columns in store.person_columns.items():
            if table in KEPT:
                emptied = ", ".join(f'"{column}" = NULL' for column in columns)
                transaction.execute(table, f'UPDATE "{table}" SET {emptied}')
        transaction.execute("settings", _TO_OTHERS)

    def mark(transaction: Transaction) -> None:
        transaction.execute("community", "UPDATE community SET drill = true")
        insert_rows(transaction, "drills", [row])
        insert_rows(transaction, "drill_alarms", [dict(alarm) for alarm in alarms])
        detail = {"scenario": scenario, "copied_from": copied_from, "alarms": len(alarms)}
        append_events(transaction, [(str(row["drill_id"]), Event("drill.made", at, detail))], table="drills")

    def describe(_: None) -> Sequence[Entry]:
        detail = {"copied_from": copied_from, "alarms": len(alarms)}
        return [Entry("change", COMMAND_LINE, subject_kind="drill", subject_id=str(row["drill_id"]), detail=detail)]

    store.write(empty)
    write_audited(store, mark, describe, clock=clock)
    counts = {table: int(store.read(f'SELECT count(*) AS n FROM "{table}"')["n"].iloc[0]) for table in sorted(KEPT)}
    return {table: count for table, count in counts.items() if count}


def put_drill_in_place(raw: Path, whole: Path, path: Path, *, key: StoreKey | None) -> None:
    """
    Write the closed drill store `raw` anew to `whole`, compare the two, and make it the store at `path`.

    Written row by row: what was deleted is not in any block of it.
    """
    copy_whole(raw, whole, key=key, new_key=key)
    if digest_tables(raw, key) != digest_tables(whole, key):
        raise OSError("what was read back differs")
    for ending, target in list_secrets(path).items():
        made = list_secrets(raw)[ending]
        if made.exists():
            put_in_place(made, target)
        else:
            target.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    put_in_place(whole, path)

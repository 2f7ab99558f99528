"""
Rounds of visits: packs are taken out with one and are valid until it is over, never cut off in the middle.

An account has one open round at most; what is taken out later joins it. It is over when its worker ends it, when an
officer does (the phone is lost), or after the hours that the office allows. What was found is taken in all the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.audit import Entry, build_entry, write_audited
from data.incident_writes import Event, append_events, insert_rows
from data.moments import get_aware, to_stored_time
from data.rights import check_right
from data.settings_store import read_settings
from data.store import Clock, Store, Transaction
from data.task_rights import check_task
from data.viewer import Viewer
from gis.errors import RecordMissingError, RefusedError
from tasks.receiving import get_actor

MOST_STOPS = 60
"""More visits than that no day holds; packs of so many are made in a minute."""
_OPEN = """
SELECT * FROM visit_rounds WHERE account_id = ? AND closed_utc IS NULL AND ends_utc > ? ORDER BY opened_utc DESC
"""
_STOPS = "SELECT task_id FROM visit_stops WHERE round_id = ? ORDER BY seat"
_TASKS = """
SELECT task_id, grid_id, accepted_by, receiver_kind, receiver_id FROM tasks
WHERE list_contains(?::VARCHAR[], task_id)
"""


@dataclass(frozen=True)
class Round:
    """A round that lasts; times are aware, `task_ids` in the order of the visits."""

    round_id: str
    account_id: str
    opened_utc: datetime
    ends_utc: datetime
    task_ids: tuple[str, ...]


def find_round(store: Store, viewer: Viewer, *, now: datetime) -> Round | None:
    """The viewer's own round at `now`."""
    rows = store.read(_OPEN, [get_actor(viewer), to_stored_time(now)])
    if rows.empty:
        return None
    row = rows.iloc[0]
    stops = store.read(_STOPS, [row["round_id"]])["task_id"]
    return Round(
        str(row["round_id"]), str(row["account_id"]), get_aware(row["opened_utc"]), get_aware(row["ends_utc"]),
        tuple(map(str, stops)),
    )  # fmt: skip


def take_out(store: Store, viewer: Viewer, task_ids: Sequence[str], *, clock: Clock) -> Round:
    """
    The viewer's round with these tasks in it: the one that lasts, or a new one.

    Raises
    ------
    NotAllowedError
        The role may not, or a task is another's.
    RecordMissingError
        There is no such task.
    RefusedError
        More than `MOST_STOPS`.
    """
    _check_tasks(store, viewer, task_ids)
    now, me = clock(), get_actor(viewer)
    ends = now + timedelta(hours=read_settings(store).round_hours)

    def work(transaction: Transaction) -> tuple[str, int]:
        rows = transaction.fetch(_OPEN, [me, to_stored_time(now)])
        round_id = f"v-{secrets.token_hex(8)}" if rows.empty else str(rows["round_id"].iloc[0])
        known = [str(one) for one in transaction.fetch(_STOPS, [round_id])["task_id"]]
        new = [one for one in dict.fromkeys(task_ids) if one not in known]
        if len(known) + len(new) > MOST_STOPS:
            raise RefusedError(
                f"A round has at most {MOST_STOPS} visits, this one would have {len(known) + len(new)}. End it first, "
                "or take fewer."
            )
        if rows.empty:
            row = {
                "round_id": round_id, "account_id": me, "opened_utc": to_stored_time(now),
                "ends_utc": to_stored_time(ends), "closed_utc": None, "closed_by": None,
            }  # fmt: skip
            insert_rows(transaction, "visit_rounds", [row])
            _tell(transaction, round_id, Event("round.opened", now, {"by": me}))
        stops = [{"round_id": round_id, "task_id": one, "seat": len(known) + n} for n, one in enumerate(new, start=1)]
        insert_rows(transaction, "visit_stops", stops)
        return round_id, len(new)

    def describe(done: tuple[str, int]) -> list[Entry]:
        detail = {"what": "take_out", "tasks": done[1]}
        entry = build_entry(viewer, "change", subject_kind="round", subject_id=done[0], detail=detail)
        return [entry] if done[1] else []

    write_audited(store, work, describe, clock=clock)
    found = find_round(store, viewer, now=now)
    if found is None:
        raise RecordMissingError("The round is over already. Load it again.")
    return found


def end_round(store: Store, viewer: Viewer, *, clock: Clock, round_id: str | None = None) -> bool:
    """
    End the viewer's own round, or another's (`round_id`), which needs the right to direct; False when none lasts.

    Raises
    ------
    NotAllowedError
        It is another's, and the role may not.
    """
    check_right(viewer, "action", "carry_pack")
    now, me = clock(), get_actor(viewer)

    def work(transaction: Transaction) -> str | None:
        if round_id is None:
            rows = transaction.fetch(_OPEN, [me, to_stored_time(now)])
        else:
            rows = transaction.fetch("SELECT * FROM visit_rounds WHERE round_id = ? AND closed_utc IS NULL", [round_id])
        if rows.empty:
            return None
        if str(rows["account_id"].iloc[0]) != me:
            check_right(viewer, "action", "direct_task")
        found = str(rows["round_id"].iloc[0])
        sql = "UPDATE visit_rounds SET closed_utc = ?, closed_by = ? WHERE round_id = ?"
        transaction.execute("visit_rounds", sql, [to_stored_time(now), me, found])
        _tell(transaction, found, Event("round.closed", now, {"by": me}))
        return found

    ended = write_audited(
        store,
        work,
        lambda found: (
            []
            if found is None
            else [build_entry(viewer, "change", subject_kind="round", subject_id=found, detail={"what": "end_round"})]
        ),
        clock=clock,
    )
    return ended is not None


def put_last(store: Store, viewer: Viewer, task_id: str, *, clock: Clock) -> None:
    """Visit a task of the viewer's round after all others: nobody was home. Without a round there is no order."""
    now, me = clock(), get_actor(viewer)

    def work(transaction: Transaction) -> None:
        rows = transaction.fetch(_OPEN, [me, to_stored_time(now)])
        if rows.empty:
            return
        order = [str(one) for one in transaction.fetch(_STOPS, [rows["round_id"].iloc[0]])["task_id"]]
        if task_id in order and order[-1] != task_id:
            sql = "UPDATE visit_stops SET seat = (SELECT max(seat) + 1 FROM visit_stops WHERE round_id = $round) "
            where = "WHERE round_id = $round AND task_id = $task"
            transaction.execute("visit_stops", sql + where, {"round": rows["round_id"].iloc[0], "task": task_id})

    store.write(work)


def _check_tasks(store: Store, viewer: Viewer, task_ids: Sequence[str]) -> None:
    rows = store.read(_TASKS, [list(task_ids)])
    known = {str(row["task_id"]): {str(name): value for name, value in row.items()} for row in rows.to_dict("records")}
    check_right(viewer, "action", "carry_pack")
    for task_id in task_ids:
        check_task(viewer, "action", "carry_pack", known.get(task_id), task_id)
        if task_id not in known:
            raise RecordMissingError(f"There is no task '{task_id[:40]}'. Choose it from the list.")


def _tell(transaction: Transaction, round_id: str, event: Event) -> None:
    append_events(transaction, [(round_id, event)], table="visit_rounds")

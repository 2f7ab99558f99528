"""
Patrol plans (巡防计划): proposed, planned again around what was locked or taken out, approved, walked, done.

Every change is one event; the rows are what the events add up to (`rebuild_plans`), and both commit together with the
entry in the log. What a route is worth and whether it can be walked is decided in `incidents/`; here it is kept.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from data.audit import SERVER, Entry, build_entry, write_audited
from data.incident_writes import Event, append_events, insert_rows
from data.intake import mask_at_intake
from data.moments import get_aware, to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError, RefusedError

STATES = ("proposed", "approved", "running", "done", "dropped")
_FROM: Mapping[str, tuple[str, ...]] = {
    "revised": ("proposed",),
    "approved": ("proposed",),
    "started": ("approved",),
    "ended": ("running",),
    "dropped": ("proposed", "approved"),
}
_TO = {"revised": "proposed", "approved": "approved", "started": "running", "ended": "done", "dropped": "dropped"}
_STAMP = {"revised": "revised", "approved": "approved", "started": "started", "ended": "ended", "dropped": "ended"}
_TIMES = ("begin_utc", "end_utc", "proposed_utc", "revised_utc", "approved_utc", "started_utc", "ended_utc")
_FEWEST_CHARACTERS = 2
_MOST_CHARACTERS = 200

Json = dict[str, Any]
_REPLACED = """
SELECT DISTINCT o.plan_id FROM patrol_plans p JOIN patrol_members m USING (plan_id)
    JOIN patrol_members n ON n.responder_id = m.responder_id AND n.plan_id <> m.plan_id
    JOIN patrol_plans o ON o.plan_id = n.plan_id
WHERE p.plan_id = ? AND o.state = 'approved' AND o.begin_utc < p.end_utc AND o.end_utc > p.begin_utc ORDER BY 1
"""


@dataclass(frozen=True)
class PlanDraft:
    """A plan as it was reckoned: shift, aware; seed; what was asked and what came out, plain."""

    begin: datetime
    end: datetime
    seed: int
    asked: Json
    found: Json


def propose_plan(store: Store, viewer: Viewer, draft: PlanDraft, *, clock: Clock) -> str:
    """
    Keep a plan; returns its id.

    Raises
    ------
    NotAllowedError
        The role may not plan.
    BadRecordError
        A shift that ends before it begins.
    """
    check_right(viewer, "action", "plan_patrol")
    if not draft.begin < draft.end:
        raise BadRecordError(f"The shift is from {draft.begin} to {draft.end}, expected an end after its begin.")
    plan_id = f"p-{secrets.token_hex(6)}"
    detail = {
        "begin_utc": _say(draft.begin), "end_utc": _say(draft.end), "seed": draft.seed,
        "asked": _mask_reasons(store, draft.asked), "found": draft.found, "by": _actor(viewer),
    }  # fmt: skip
    _change(store, viewer, plan_id, "proposed", lambda _row: detail, clock=clock)
    return plan_id


def revise_plan(store: Store, viewer: Viewer, plan_id: str, draft: PlanDraft, *, seen: int, clock: Clock) -> None:
    """
    Plan it again while it is proposed; `seen` is the revision that was looked at.

    Raises
    ------
    RefusedError
        It is not proposed any more, or somebody planned it again meanwhile.
    """
    check_right(viewer, "action", "plan_patrol")

    def decide(row: Json | None) -> Json:
        if row is not None and row["revision"] != seen:
            raise RefusedError(
                f"Plan '{plan_id}' is at revision {row['revision']}, you looked at {seen}: somebody planned it again. "
                "Look at it anew."
            )
        return {"seed": draft.seed, "asked": draft.asked, "found": draft.found, "by": _actor(viewer)}

    _change(store, viewer, plan_id, "revised", decide, clock=clock)


def approve_plan(store: Store, viewer: Viewer, plan_id: str, *, seen: int, clock: Clock) -> tuple[str, ...]:
    """
    Approve what was looked at; returns the approved plans that it replaces: of the same time, with one of its people.

    Raises
    ------
    NotAllowedError
        The role may not approve.
    RefusedError
        It is not proposed, or another revision than the one that was looked at.
    """
    check_right(viewer, "action", "approve_patrol")

    def decide(row: Json | None) -> Json:
        if row is not None and row["revision"] != seen:
            raise RefusedError(
                f"Plan '{plan_id}' is at revision {row['revision']}, you looked at {seen}. Look at it anew, then "
                "approve it."
            )
        return {"by": _actor(viewer)}

    return _change(store, viewer, plan_id, "approved", decide, clock=clock)


def start_plan(store: Store, viewer: Viewer | None, plan_id: str, *, clock: Clock) -> None:
    """They set out; `viewer` None is the server at the shift's begin."""
    _step(store, viewer, plan_id, "started", clock)


def end_plan(store: Store, viewer: Viewer | None, plan_id: str, *, clock: Clock) -> None:
    """It is over; `viewer` None is the server after the shift's end."""
    _step(store, viewer, plan_id, "ended", clock)


def drop_plan(store: Store, viewer: Viewer, plan_id: str, *, clock: Clock) -> None:
    """It will not be walked."""
    _step(store, viewer, plan_id, "dropped", clock)


def say_reason(store: Store, viewer: Viewer, plan_id: str, stop_id: str, reason: str, *, clock: Clock) -> None:
    """
    Say why a stop of a plan that runs or is done was missed; said again, the later word counts.

    Raises
    ------
    RecordMissingError
        The plan has no such stop.
    RefusedError
        It has not begun.
    """
    check_right(viewer, "action", "plan_patrol")
    plain = " ".join(reason.split())[:_MOST_CHARACTERS]
    if len(plain) < _FEWEST_CHARACTERS:
        raise BadRecordError(f"The reason has {len(plain)} characters, expected {_FEWEST_CHARACTERS} at least.")
    masked, now = mask_at_intake(store, plain), clock()

    def put(transaction: Transaction) -> None:
        row = _fetch(transaction, plan_id)
        if row["state"] not in ("running", "done"):
            raise RefusedError(f"Plan '{plan_id}' is {row['state']}: nothing of it can have been missed yet.")
        keys = [plan_id, stop_id]
        if transaction.fetch("SELECT 1 FROM patrol_stops WHERE plan_id = ? AND stop_id = ?", keys).empty:
            raise RecordMissingError(f"Plan '{plan_id}' has no stop '{stop_id[:60]}'. Choose one of its stops.")
        detail = {"stop_id": stop_id, "reason": masked, "by": _actor(viewer)}
        transaction.execute("patrol_reasons", "DELETE FROM patrol_reasons WHERE plan_id = ? AND stop_id = ?", keys)
        _put_reason(transaction, plan_id, now, detail)
        append_events(transaction, [(plan_id, Event("patrol.said", now, detail))], table="patrol_plans")

    write_audited(store, put, lambda _: [_entry(viewer, plan_id, "said")], clock=clock)


def _mask_reasons(store: Store, asked: Json) -> Json:
    """What was asked, with the reasons for weights by hand as they may be kept."""
    places = asked.get("places", [])
    masked = [
        {**one, "reason": mask_at_intake(store, one["reason"])} if one.get("reason") else one for one in places
    ]  # fmt: skip
    return {**asked, "places": masked} if places else asked


def rebuild_plans(events: Iterable[tuple[str, str, datetime, str]]) -> dict[str, Json]:
    """Rows of plans from `(kind, plan id, time, detail)` in order, times aware: what the table holds."""
    plans: dict[str, Json] = {}
    for kind, plan_id, at, text in events:
        name = kind.removeprefix("patrol.")
        if name != "said":
            plans[plan_id] = _apply(plans.get(plan_id), plan_id, name, at, json.loads(text))
    return plans


def _apply(row: Json | None, plan_id: str, name: str, at: datetime, detail: Json) -> Json:
    """The row after an event."""
    if name == "proposed":
        empty = {f"{stamp}_{what}": None for stamp in ("revised", "approved", "started", "ended") for what in _WHO}
        return {
            "plan_id": plan_id, "state": "proposed", "revision": 1,
            "begin_utc": datetime.fromisoformat(detail["begin_utc"]),
            "end_utc": datetime.fromisoformat(detail["end_utc"]), "seed": detail["seed"], "asked": detail["asked"],
            "found": detail["found"], "proposed_utc": at, "proposed_by": detail["by"], **empty,
        }  # fmt: skip
    if row is None:
        raise RecordMissingError(f"Event 'patrol.{name}' is of plan '{plan_id}', which no event proposed.")
    after = {**row, "state": _TO[name], f"{_STAMP[name]}_utc": at, f"{_STAMP[name]}_by": detail["by"]}
    if name == "revised":
        after |= {one: detail[one] for one in ("seed", "asked", "found")}
        after["revision"] = row["revision"] + 1
    return after


_WHO = ("utc", "by")


def _step(store: Store, viewer: Viewer | None, plan_id: str, name: str, clock: Clock) -> None:
    if viewer is not None:
        check_right(viewer, "action", "plan_patrol")
    _change(store, viewer, plan_id, name, lambda _row: {"by": _actor(viewer)}, clock=clock)


def _change(
    store: Store, viewer: Viewer | None, plan_id: str, name: str, decide: Callable[[Json | None], Json], *,
    clock: Clock,
) -> tuple[str, ...]:  # fmt: skip
    """Take a step; returns the plans that an approval replaced."""
    now = clock()
    # To the microsecond, as the store holds it: a row that is rebuilt from the events is the same.
    at = get_aware(pd.Timestamp(to_stored_time(now)))

    def put(transaction: Transaction) -> tuple[str, ...]:
        row = None if name == "proposed" else _fetch(transaction, plan_id)
        if row is not None and row["state"] not in _FROM[name]:
            raise RefusedError(
                f"Plan '{plan_id}' is {row['state']}, expected {' or '.join(_FROM[name])}. Look at the list again."
            )
        detail = decide(row)
        after = _apply(row, plan_id, name, at, detail)
        _put_plan(transaction, after, is_new=row is None)
        if name in ("proposed", "revised"):
            _put_routes(transaction, plan_id, after["found"])
        append_events(transaction, [(plan_id, Event(f"patrol.{name}", at, detail))], table="patrol_plans")
        replaced = _find_replaced(transaction, plan_id) if name == "approved" else ()
        for other in replaced:
            gone = {"by": detail["by"], "replaced_by": plan_id}
            after = _apply(_fetch(transaction, other), other, "dropped", at, gone)
            _put_plan(transaction, after, is_new=False)
            append_events(transaction, [(other, Event("patrol.dropped", at, gone))], table="patrol_plans")
        return replaced

    def describe(replaced: tuple[str, ...]) -> list[Entry]:
        return [_entry(viewer, plan_id, name), *(_entry(viewer, other, "dropped") for other in replaced)]

    return write_audited(store, put, describe, clock=clock)


def _find_replaced(transaction: Transaction, plan_id: str) -> tuple[str, ...]:
    """Approved plans of overlapping hours that somebody of this one would have to walk too."""
    rows = transaction.rows(_REPLACED, [plan_id])
    return tuple(str(row[0]) for row in rows)


def _fetch(transaction: Transaction, plan_id: str) -> Json:
    rows = transaction.fetch("SELECT * FROM patrol_plans WHERE plan_id = ?", [plan_id])
    if rows.empty:
        raise RecordMissingError(f"There is no patrol plan '{plan_id[:40]}'. Choose one from the list.")
    return to_plan(rows.iloc[0].to_dict())


def to_plan(row: Mapping[Any, Any]) -> Json:
    """A row of the table as it is handed on: aware times, JSON read, None for what is missing."""
    plain: Json = {}
    for key, value in row.items():
        name = str(key)
        if name in ("asked", "found"):
            plain[name] = json.loads(value)
        elif pd.isna(value):
            plain[name] = None
        elif name in _TIMES:
            moment = pd.Timestamp(value)
            plain[name] = moment.to_pydatetime() if moment.tzinfo else get_aware(moment)
        else:
            plain[name] = int(value) if name in ("revision", "seed") else value
    return plain


def _put_plan(transaction: Transaction, row: Json, *, is_new: bool) -> None:
    stored = {
        name: to_stored_time(value)
        if isinstance(value, datetime)
        else json.dumps(value, ensure_ascii=False)
        if name in ("asked", "found")
        else value
        for name, value in row.items()
    }
    if is_new:
        marks = ", ".join("?" for _ in stored)
        sql = f"INSERT INTO patrol_plans ({', '.join(stored)}) VALUES ({marks})"
        transaction.execute("patrol_plans", sql, list(stored.values()))
        return
    plan_id = stored.pop("plan_id")
    sql = f"UPDATE patrol_plans SET {', '.join(f'{name} = ?' for name in stored)} WHERE plan_id = ?"
    transaction.execute("patrol_plans", sql, [*stored.values(), plan_id])


def _put_routes(transaction: Transaction, plan_id: str, found: Json) -> None:
    for table in ("patrol_stops", "patrol_members"):
        transaction.execute(table, f"DELETE FROM {table} WHERE plan_id = ?", [plan_id])
    insert_rows(transaction, "patrol_stops", list_stops(plan_id, found))
    insert_rows(
        transaction,
        "patrol_members",
        [
            {"plan_id": plan_id, "team_no": number, "responder_id": responder_id}
            for number, team in enumerate(found["teams"], start=1)
            for responder_id in team["members"]
        ],
    )


def list_stops(plan_id: str, found: Json) -> list[dict[str, object]]:
    """Rows of `patrol_stops`."""
    return [
        {
            "plan_id": plan_id, "stop_id": stop["stop_id"], "team_no": team_no, "stop_no": stop_no,
            "place_id": stop["place_id"],
            **{f"{name}_utc": to_stored_time(datetime.fromisoformat(stop[name])) for name in _MOMENTS},
            "covered": float(stop["covered"]), "is_locked": bool(stop["is_locked"]),
            "geom": (float(stop["x_m"]), float(stop["y_m"])),
        }
        for team_no, team in enumerate(found["teams"], start=1)
        for stop_no, stop in enumerate(team["stops"], start=1)
    ]  # fmt: skip


_MOMENTS = ("arrival", "begin", "leave")


def _put_reason(transaction: Transaction, plan_id: str, at: datetime, detail: Mapping[str, Any]) -> None:
    row = {
        "plan_id": plan_id, "stop_id": detail["stop_id"], "reason": detail["reason"], "said_utc": to_stored_time(at),
        "said_by": detail["by"],
    }  # fmt: skip
    insert_rows(transaction, "patrol_reasons", [row])


def _say(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _actor(viewer: Viewer | None) -> str:
    return SERVER if viewer is None else viewer.account_id or viewer.name or viewer.role.value


def _entry(viewer: Viewer | None, plan_id: str, name: str) -> Entry:
    values: Json = {"subject_kind": "patrol", "subject_id": plan_id, "detail": {"what": f"patrol.{name}"}}
    return Entry("change", SERVER, **values) if viewer is None else build_entry(viewer, "change", **values)


def find_due(rows: Sequence[Json], now: datetime) -> tuple[list[str], list[str]]:
    """Ids of approved plans whose shift has begun, and of running ones whose shift is over."""
    begun = [row["plan_id"] for row in rows if row["state"] == "approved" and row["begin_utc"] <= now]
    over = [row["plan_id"] for row in rows if row["state"] == "running" and row["end_utc"] <= now]
    return begun, over

"""Tasks of an approved patrol plan: one for each team, with a member's account, else their grid or officers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from data.store import Clock, Store
from data.viewer import Role, Viewer
from gis.errors import RecordMissingError, RefusedError
from tasks.doing import act, create_task
from tasks.life_cycle import Action, Kind, Receiver
from tasks.orders import NewTask, Order, build_task_id

Json = Mapping[str, Any]
_ACCOUNTS = """
SELECT r.responder_id, min(r.account_id) AS account_id FROM account_responders r JOIN accounts a USING (account_id)
WHERE a.disabled_utc IS NULL AND a.role IN ('grid_worker', 'officer', 'commander')
    AND list_contains($ids, r.responder_id)
GROUP BY r.responder_id
"""


def make_route_tasks(
    store: Store, viewer: Viewer, plan_id: str, found: Json, *, say: Callable[[int, Json], str], clock: Clock
) -> list[str]:
    """
    Make them; returns their ids. Asked again it makes nothing twice.

    Parameters
    ----------
    found
        Teams with their stops, as the plan has them.
    say
        What a task asks, in words, from the team's number (from 1) and the team.
    """
    made = []
    for number, team in enumerate(found["teams"], start=1):
        if not team["stops"]:
            continue
        first = team["stops"][0]
        new = NewTask(
            Kind.PATROL, "place", datetime.fromisoformat(team["to"]), receiver=_find_receiver(store, team),
            note=say(number, team), place_text=first["name"], x_m=float(first["x_m"]), y_m=float(first["y_m"]),
            key=_key(plan_id, number),
        )  # fmt: skip
        made.append(create_task(store, viewer, new, clock=clock))
    return made


def has_all_tasks(store: Store, plan_id: str, found: Json) -> bool:
    """Whether each team that walks has its task."""
    ids = [build_task_id(_key(plan_id, n)) for n, team in enumerate(found["teams"], start=1) if team["stops"]]
    sql = "SELECT count(*) AS n FROM tasks WHERE list_contains($ids, task_id)"
    return int(store.read(sql, {"ids": ids})["n"].iloc[0]) == len(ids)


def cancel_route_tasks(
    store: Store, viewer: Viewer, plan_id: str, teams: int, *, reason: str, clock: Clock
) -> list[str]:
    """Cancel those of a plan's tasks that are not over; returns their ids."""
    gone = []
    for number in range(1, teams + 1):
        task_id = build_task_id(_key(plan_id, number))
        try:
            act(store, viewer, task_id, Order(Action.CANCEL, reason=reason), clock=clock)
        except (RecordMissingError, RefusedError):  # it was never made, or it is over
            continue
        gone.append(task_id)
    return gone


def _key(plan_id: str, number: int) -> str:
    return f"patrol {plan_id} {number}"


def _find_receiver(store: Store, team: Json) -> Receiver:
    members: Sequence[str] = team["members"]
    rows = store.read(_ACCOUNTS, {"ids": list(members)}).set_index("responder_id")["account_id"]
    for one in members:
        if one in rows.index:
            return Receiver("account", str(rows[one]))
    if team["grid_id"] is not None and "grid_worker" in team["kinds"]:
        return Receiver("grid", str(team["grid_id"]))
    return Receiver("role", Role.OFFICER.value)

"""Whose step it is: what the receiver does, what those who direct do, and what this viewer may do now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.audit import SERVER
from data.rights import Right, check_right, get_right
from data.store import Store
from data.task_rights import check_task
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError
from tasks.life_cycle import AT_WORK, BY_ITSELF, BY_RECEIVER, Action, Receiver, Task, find_allowed

_RECEIVERS = ("account", "grid", "role")


def check_actor(viewer: Viewer, task: Task, action: Action) -> None:
    """
    Whether this viewer is who may take this step: the receiver what is the receiver's, another than who submitted it
    what closes it.

    Raises
    ------
    NotAllowedError
        Names whose step it is.
    """
    if action in BY_ITSELF or action is Action.CREATE:
        raise NotAllowedError(f"Step {action} follows by itself: nobody takes it by hand.")
    me = get_actor(viewer)
    if action in BY_RECEIVER:
        mine = me == task.accepted_by if task.accepted_by else is_receiver(viewer, task.receiver)
        if action is Action.LINK and get_right(viewer.role, "action", "direct_task") is not Right.NO:
            return  # who directs knows what else happened there as well as who mediates
        if not mine and task.state in AT_WORK:
            raise NotAllowedError(
                f"Task '{task.task_id}' is with another receiver. Ask an officer to assign it to you."
            )
    elif action is Action.CLOSE and task.submitted_by == me:
        raise NotAllowedError(f"You submitted task '{task.task_id}' yourself: somebody else has to close it.")


def is_receiver(viewer: Viewer, receiver: Receiver | None) -> bool:
    """Whether a task with this receiver is this viewer's to take on."""
    if receiver is None:
        return False
    if receiver.kind == "account":
        return receiver.id == get_actor(viewer)
    if receiver.kind == "grid":
        return receiver.id in (viewer.grids or ()) or (viewer.grids is None and viewer.role is not Role.GRID_WORKER)
    return receiver.id == viewer.role.value


def find_right(action: Action) -> str:
    """The action of the rights table that a step falls under."""
    return "work_task" if action in BY_RECEIVER else "direct_task"


def list_actions(viewer: Viewer, task: Task, row: Mapping[str, Any]) -> tuple[Action, ...]:
    """What this viewer may do with the task now: for the buttons."""
    shown = []
    for action in find_allowed(task):
        try:
            check_task(viewer, "action", find_right(action), row, task.task_id)
            check_actor(viewer, task, action)
        except NotAllowedError:
            continue
        shown.append(action)
    return tuple(shown)


def get_actor(viewer: Viewer | None) -> str:
    """How steps name who took them: the account, or `server`."""
    return SERVER if viewer is None else viewer.account_id or viewer.name or viewer.role.value


def check_receiver(store: Store, receiver: Receiver | None) -> None:
    """Raise when there is no such receiver."""
    if receiver is None:
        return
    if receiver.kind not in _RECEIVERS:
        raise BadRecordError(f"A receiver is {', '.join(_RECEIVERS)}, not '{receiver.kind[:40]}'.")
    sql = {
        "account": "SELECT 1 FROM accounts WHERE account_id = ? AND disabled_utc IS NULL "
        "AND role IN ('grid_worker', 'officer', 'commander')",
        "grid": "SELECT 1 FROM grids WHERE grid_id = ?",
    }.get(receiver.kind)
    if receiver.kind == "role":
        check_right(Viewer(Role(receiver.id)), "action", "work_task")
    elif sql and store.read(sql, [receiver.id]).empty:
        raise RecordMissingError(
            f"There is no {receiver.kind} '{receiver.id[:40]}' that tasks can be given to. Choose another."
        )

"""Which tasks are a grid worker's own: those in own grids, and those that somebody gave to their own account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.rights import Right, RightKind, check_right, find_grid_limit
from data.viewer import Viewer
from gis.errors import NotAllowedError

OWN_TASK = (
    "($grids IS NULL OR list_contains($grids, {t}.grid_id) OR coalesce({t}.accepted_by = $me, false) "
    "OR ({t}.receiver_kind = 'account' AND {t}.receiver_id = $me))"
)
"""Condition of a query on tasks under the alias `t`, with the parameters of `build_own`."""


def build_own(viewer: Viewer, query: str) -> dict[str, object]:
    """Parameters of `OWN_TASK`: grids, None for all, and the viewer's account."""
    grids = find_grid_limit(viewer, "query", query)
    return {"grids": grids, "me": viewer.account_id if viewer.grids else None}


def check_task(viewer: Viewer, kind: RightKind, name: str, row: Mapping[str, Any] | None, task_id: str) -> None:
    """
    As `check_grid`, for a task by its row; None where there is none, which is not told to who may not see it.

    Raises
    ------
    NotAllowedError
        The table says no, or says `own` and the task is another's.
    """
    if check_right(viewer, kind, name) is not Right.OWN:
        return
    said = row or {}
    me = viewer.account_id
    given = me is not None and (
        said.get("accepted_by") == me or (said.get("receiver_kind") == "account" and said.get("receiver_id") == me)
    )
    if not given and said.get("grid_id") not in (viewer.grids or frozenset()):
        raise NotAllowedError(
            f"Task '{task_id[:40]}' is not in one of your grids. Ask the grid's own worker, or an officer."
        )

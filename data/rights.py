"""
The rights table `rights.csv`: what each role may open, call and do.

A row is a page, a route (its path as the server's route writes it; `streamlit` stands for all of Streamlit's own), a
named query or an action. `own` means rows of the viewer's own grids only; the query itself keeps to them. Routes of the
command line are `no` for every role: its token opens them, a sign-in never does.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from enum import StrEnum
from functools import cache, wraps
from importlib.resources import files
from typing import Concatenate, Literal, ParamSpec, TypeVar

from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError

P = ParamSpec("P")
T = TypeVar("T")
RightKind = Literal["page", "route", "query", "action"]


class Right(StrEnum):
    """What a role may do with one thing."""

    NO = "no"
    OWN = "own"
    YES = "yes"


@cache
def read_rights() -> dict[tuple[str, str], dict[Role, Right]]:
    """The whole table: `(kind, name)` → right of each role."""
    text = files("data").joinpath("rights.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    table = {(row["kind"], row["name"]): {role: Right(row[role.value]) for role in Role} for row in rows}
    if len(table) != len(rows):
        raise ValueError("rights.csv has two rows for one thing: keep one.")
    return table


def get_right(role: Role, kind: RightKind, name: str) -> Right:
    """
    Right of a role.

    Raises
    ------
    KeyError
        The table has no such row: a defect, because what has no row must not be served at all.
    """
    try:
        return read_rights()[kind, name][role]
    except KeyError:
        raise KeyError(f"rights.csv has no row for {kind} '{name}': add one that says who may.") from None


def check_right(viewer: Viewer, kind: RightKind, name: str) -> Right:
    """
    `Right.OWN` or `Right.YES`.

    Raises
    ------
    NotAllowedError
        The table says no.
    KeyError
        The table has no such row.
    """
    right = get_right(viewer.role, kind, name)
    if right is Right.NO:
        raise NotAllowedError(
            f"Role '{viewer.role}' may not use {kind} '{name}'. Ask the administrator for an account of another role."
        )
    return right


def check_grid(viewer: Viewer, kind: RightKind, name: str, grid_id: object, *, what: str) -> None:
    """
    As `check_right`, for something that lies in `grid_id`; `what` names it in the sentence.

    Raises
    ------
    NotAllowedError
        The table says no, or says `own` and the grid is another's or not known.
    """
    if check_right(viewer, kind, name) is Right.OWN and grid_id not in (viewer.grids or frozenset()):
        raise NotAllowedError(f"{what} is not in one of your grids. Ask the grid's own worker, or an officer.")


def find_grid_limit(viewer: Viewer, kind: RightKind, name: str) -> list[str] | None:
    """Grids whose rows `viewer` may read, None for all; an empty list for a grid worker without grids."""
    return sorted(viewer.grids or ()) if check_right(viewer, kind, name) is Right.OWN else None


def governed(query: Callable[Concatenate[Store, Viewer, P], T]) -> Callable[Concatenate[Store, Viewer, P], T]:
    """Decorator of a named query: it is answered only for roles that its row in the table names."""

    @wraps(query)
    def check_and_ask(store: Store, viewer: Viewer, /, *args: P.args, **kwargs: P.kwargs) -> T:
        check_right(viewer, "query", query.__name__)
        return query(store, viewer, *args, **kwargs)

    return check_and_ask

"""Who looks: role, grids, account and what it has opened. Every read of rows is checked and masked for one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Role(StrEnum):
    """Roles of the people and screens that read."""

    WALL = "wall"
    VOLUNTEER = "volunteer"
    GRID_WORKER = "grid_worker"
    OFFICER = "officer"
    COMMANDER = "commander"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True)
class Viewer:
    """
    One reader.

    Attributes
    ----------
    role
        Decides what may be asked at all (data/rights.csv).
    grids
        Own grids: a grid worker reads rows of these only. None for everybody else: all.
    account_id, name
        The account, for the log; None for the wall's own screen and for tests.
    openings
        `(kind, id)` of the subjects whose masked fields are open to this account now (data/openings.py).
    """

    role: Role
    grids: frozenset[str] | None = None
    account_id: str | None = None
    name: str | None = None
    openings: frozenset[tuple[str, str]] = frozenset()

    @property
    def scope(self) -> Viewer:
        """The same rights without account and openings: what may key an answer that others of this role get too."""
        return replace(self, account_id=None, name=None, openings=frozenset())


WALL = Viewer(Role.WALL)

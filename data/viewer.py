"""Who looks: role, grids and purpose. Every read that can return a person's field takes one and masks for it."""

from __future__ import annotations

from dataclasses import dataclass
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
    """One reader. `grids` limits rows with persons to these grids (None: all); `purpose` is why masked fields open."""

    role: Role
    grids: frozenset[str] | None = None
    purpose: str | None = None


WALL = Viewer(Role.WALL)

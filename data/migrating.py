"""
Migrations: numbered SQL files that lead any older file to today's schema.

A store that has to be migrated is copied aside first. The migrations then run on a second copy, which takes the
original's place in one step when all of them are done: a failure, or a kill at any moment, leaves the original.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from data.durable import copy_durably

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True)
class Migration:
    """One step: `version` from 1 without gap, the file's `name`, and its `sql`."""

    version: int
    name: str
    sql: str


def find_migrations(*folders: Traversable) -> tuple[Migration, ...]:
    """
    Migrations in order; without `folders` those of the product.

    Raises
    ------
    ValueError
        Two files have one number, or a number is missing.
    """
    return _read_migrations(folders or (files("data.migrations"),))


@lru_cache(maxsize=1)
def _read_migrations(folders: tuple[Traversable, ...]) -> tuple[Migration, ...]:
    """Kept: a process that opens stores one after the other reads them once."""
    found = [
        Migration(int(match[1]), file.name, file.read_text(encoding="utf-8"))
        for folder in folders
        for file in folder.iterdir()
        if (match := _FILE_NAME.fullmatch(file.name))
    ]
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"Migrations must be numbered from 0001 without gap, found {[m.name for m in found]}.")
    return tuple(found)


def find_pending(migrations: Sequence[Migration], version: int) -> tuple[Migration, ...]:
    """What a file of `version` (0: a new file) still has to go through."""
    return tuple(migration for migration in migrations if migration.version > version)


def copy_aside(path: Path, *, version: int, now: datetime) -> Path:
    """Copy a closed store beside itself, named for its version and the time, safe on the disk when this returns."""
    stem = f"{path.stem}.v{version}-{now:%Y%m%dT%H%M%SZ}"
    names = (path.with_name(f"{stem}{suffix}{path.suffix}") for suffix in ("", *(f"-{n}" for n in range(2, 100))))
    target = next(name for name in names if not name.exists())
    copy_durably(path, target)
    return target

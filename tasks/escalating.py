"""Who hears of an overdue task, and when (督办层级), as data: levels by priority, checked line by line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.rule_tables import parse_rows, read_rule_table
from data.store import Store
from gis.errors import BadRecordError
from tasks.life_cycle import Priority

ROLES = ("officer", "commander")
_MOST_HOURS = 2000


@dataclass(frozen=True)
class Level:
    """One level: so long after the due time, that role."""

    number: int
    after: timedelta
    role: str


Levels = Mapping[Priority, tuple[Level, ...]]


def find_level(levels: Levels, priority: str, due: datetime, now: datetime) -> Level | None:
    """The highest level that a task of this priority has come to; None before the first."""
    passed = [one for one in levels.get(Priority(priority), ()) if due + one.after <= now]
    return passed[-1] if passed else None


def parse_levels(text: str) -> Levels:
    """
    The levels of a table.

    Raises
    ------
    BadRecordError
        Names the row, what it says and what was expected: levels from 1 without gap, each later than the one before.
    """
    levels: dict[Priority, tuple[Level, ...]] = {}
    for number, row in enumerate(parse_rows("escalation", text), start=2):
        where = f"Rule table 'escalation', row {number}"
        if row["priority"] not in tuple(Priority):
            raise BadRecordError(f"{where}: priority is '{row['priority'][:40]}', expected {', '.join(Priority)}.")
        if row["role"] not in ROLES:
            raise BadRecordError(f"{where}: role is '{row['role'][:40]}', expected one of {', '.join(ROLES)}.")
        known = levels.get(Priority(row["priority"]), ())
        if row["level"] != str(len(known) + 1):
            raise BadRecordError(f"{where}: level is '{row['level'][:20]}', expected {len(known) + 1}.")
        hours = row["after_hours"]
        least = known[-1].after / timedelta(hours=1) + 1 if known else 0
        if not (hours.isascii() and hours.isdigit() and least <= int(hours) <= _MOST_HOURS):
            raise BadRecordError(
                f"{where}: after_hours is '{hours[:20]}', expected whole hours from {least:.0f} to {_MOST_HOURS}."
            )
        level = Level(len(known) + 1, timedelta(hours=int(hours)), row["role"])
        levels[Priority(row["priority"])] = (*known, level)
    return levels


def read_levels(store: Store) -> Levels:
    """The levels in force."""
    return parse_levels(read_rule_table(store, "escalation"))

"""Rules of visits as data: read from their table, checked line by line, and put into force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from data.rule_tables import parse_rows, put_rule_table, read_rule_table
from data.store import Clock, Store
from data.viewer import Viewer
from gis.errors import BadRecordError
from tasks.checklists import parse_checklists
from tasks.escalating import parse_levels
from tasks.group_rentals import parse_clauses
from tasks.life_cycle import Kind, Priority
from tasks.round_rules import parse_round_rules

COLOURS = ("green", "yellow", "orange", "red")
ABOUT = ("rental_colour", "suspected_group", "site_kind", "after_incident")
LONGEST_CYCLE_DAYS = 730


@dataclass(frozen=True)
class VisitRule:
    """
    One rule: what about whom makes which task how often.

    `cycle_days` are days between two visits, or after what happened; 0 is at once.
    """

    rule_id: str
    about: str
    value: str
    kind: Kind
    cycle_days: int
    checklist: str
    priority: Priority
    comment: str


def parse_visit_rules(text: str) -> tuple[VisitRule, ...]:
    """
    The rules of a table.

    Raises
    ------
    BadRecordError
        Names the row, what it says and what was expected; two rules for one thing are refused.
    """
    rules: dict[tuple[str, str], VisitRule] = {}
    ids: set[str] = set()
    for number, row in enumerate(parse_rows("visits", text), start=2):
        where = f"Rule table 'visits', row {number} ('{row['rule_id'][:40]}')"
        _check(where, "about", row["about"], ABOUT)
        _check(where, "kind", row["kind"], tuple(Kind))
        _check(where, "priority", row["priority"], tuple(Priority))
        if row["about"] == "rental_colour":
            _check(where, "value", row["value"], COLOURS)
        if not row["cycle_days"].isascii() or not row["cycle_days"].isdigit():
            raise BadRecordError(f"{where}: cycle_days is '{row['cycle_days'][:20]}', expected whole days from 0.")
        days = int(row["cycle_days"])
        if days > LONGEST_CYCLE_DAYS:
            raise BadRecordError(f"{where}: cycle_days is {days}, expected 0 to {LONGEST_CYCLE_DAYS}.")
        if not row["rule_id"] or row["rule_id"] in ids:
            raise BadRecordError(f"{where}: the id is missing or there twice. Give each rule its own.")
        about = (row["about"], row["value"])
        if about in rules:
            raise BadRecordError(
                f"{where}: {row['about']} {row['value']} has rule '{rules[about].rule_id}' too. Keep one."
            )
        ids.add(row["rule_id"])
        rules[about] = VisitRule(
            row["rule_id"], row["about"], row["value"], Kind(row["kind"]), days, row["checklist"],
            Priority(row["priority"]), row["comment"],
        )  # fmt: skip
    return tuple(rules.values())


def read_visit_rules(store: Store) -> tuple[VisitRule, ...]:
    """The rules in force."""
    return parse_visit_rules(read_rule_table(store, "visits"))


def replace_rules(store: Store, viewer: Viewer, name: str, text: str | None, *, clock: Clock) -> None:
    """
    Put a table into force after it was checked; None brings the product's own back.

    Raises
    ------
    NotAllowedError, BadRecordError
        The role may not, or a row cannot be; what was in force stays.
    """
    if text is not None:
        checks: dict[str, Callable[[str], object]] = {
            "visits": parse_visit_rules, "group_rentals": parse_clauses, "checklists": parse_checklists,
            "rounds": parse_round_rules, "escalation": parse_levels,
        }  # fmt: skip
        checks[name](text)
    put_rule_table(store, viewer, name, text, clock=clock)


def _check(where: str, column: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadRecordError(f"{where}: {column} is '{value[:40]}', expected one of {', '.join(allowed)}.")

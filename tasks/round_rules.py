"""How long visits take and when they can be made, as data: read from their table and checked line by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from data.rule_tables import parse_rows, read_rule_table
from data.store import Store
from data.task_places import SUBJECT_KINDS
from gis.errors import BadRecordError
from tasks.life_cycle import Kind

ABOUT = ("site", "site_kind", "subject", "kind")
"""From the most particular to the most general."""
_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DAY_S = 86_400.0
_MOST_MINUTES = 480
_EVERY_DAY = frozenset(range(1, 8))


@dataclass(frozen=True)
class RoundRule:
    """One line; None is what it leaves to a more general one. `hours_s` are seconds after midnight."""

    minutes: float | None
    hours_s: tuple[tuple[float, float], ...] | None
    days: frozenset[int] | None


@dataclass(frozen=True)
class VisitTime:
    """How long a visit takes, seconds, and when it may begin on a day, seconds after midnight; no window: not then."""

    stay_s: float
    windows_s: tuple[tuple[float, float], ...]


class RoundRules:
    """The rules in force."""

    def __init__(self, rules: Mapping[tuple[str, str | None], RoundRule]) -> None:
        self._rules = rules

    def find_time(
        self, *, kind: str, subject_kind: str, site_id: str | None, site_kind: str | None, weekday: int
    ) -> VisitTime:
        """Of a visit on a `weekday`, 1 for Monday: a visit is over before a place closes, as far as it can be."""
        keys = (("site", site_id), ("site_kind", site_kind), ("subject", subject_kind), ("kind", kind))
        lines = [self._rules[key] for key in keys if key in self._rules]
        minutes = next((one.minutes for one in lines if one.minutes is not None), 10.0)
        hours = next((one.hours_s for one in lines if one.hours_s is not None), ((0.0, _DAY_S),))
        days = next((one.days for one in lines if one.days is not None), _EVERY_DAY)
        stay_s = minutes * 60
        windows = tuple((opens, max(closes - stay_s, opens)) for opens, closes in hours)
        return VisitTime(stay_s, windows if weekday in days else ())


def parse_round_rules(text: str) -> RoundRules:
    """
    The rules of a table.

    Raises
    ------
    BadRecordError
        Names the row, what it says and what was expected; two lines for one thing are refused.
    """
    rules: dict[tuple[str, str | None], RoundRule] = {}
    for number, row in enumerate(parse_rows("rounds", text), start=2):
        where = f"Rule table 'rounds', row {number} ('{row['about'][:20]} {row['value'][:40]}')"
        if row["about"] not in ABOUT:
            raise BadRecordError(f"{where}: about is '{row['about'][:40]}', expected one of {', '.join(ABOUT)}.")
        if row["about"] == "kind" and row["value"] not in tuple(Kind):
            raise BadRecordError(f"{where}: expected one of {', '.join(Kind)}.")
        if row["about"] == "subject" and row["value"] not in SUBJECT_KINDS:
            raise BadRecordError(f"{where}: expected one of {', '.join(SUBJECT_KINDS)}.")
        key = (row["about"], row["value"])
        if not row["value"] or key in rules:
            raise BadRecordError(f"{where}: the value is missing or there twice. Keep one line for each.")
        rules[key] = RoundRule(
            _parse_minutes(where, row["minutes"]), _parse_hours(where, row["hours"]), _parse_days(where, row["days"])
        )
    return RoundRules(rules)


def read_round_rules(store: Store) -> RoundRules:
    """The rules in force."""
    return parse_round_rules(read_rule_table(store, "rounds"))


def _parse_minutes(where: str, text: str) -> float | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_MINUTES):
        raise BadRecordError(f"{where}: minutes is '{text[:20]}', expected 1 to {_MOST_MINUTES}.")
    return float(text)


def _parse_hours(where: str, text: str) -> tuple[tuple[float, float], ...] | None:
    if not text:
        return None
    hours: list[tuple[float, float]] = []
    for part in text.split():
        match = _HOURS.fullmatch(part)
        from_h, from_min, to_h, to_min = map(int, match.groups()) if match else (0, 0, 0, 0)
        opens, closes = (from_h * 60 + from_min) * 60.0, (to_h * 60 + to_min) * 60.0
        if match is None or not (hours[-1][1] if hours else 0.0) <= opens < closes <= _DAY_S:
            raise BadRecordError(
                f"{where}: hours is '{text[:60]}', expected such as '08:30-12:00 13:30-20:30', within one day."
            )
        hours.append((opens, closes))
    return tuple(hours)


def _parse_days(where: str, text: str) -> frozenset[int] | None:
    if not text:
        return None
    if not text.isascii() or not set(text) <= set("1234567"):
        raise BadRecordError(f"{where}: days is '{text[:20]}', expected digits such as 12345, 1 for Monday.")
    return frozenset(map(int, text))

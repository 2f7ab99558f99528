"""
What is to be visited when (应查清单): rules of visits on what the registers say. Pure: subjects and a date in.

A visit is due `cycle_days` after the last one (the last that was cancelled counts as one that was decided against),
or after registration where there was none. The key of a visit holds rule, subject and what it is counted from: asked
again, nothing comes twice; and while a visit of the same kind waits, no second one is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tasks.life_cycle import Priority
from tasks.rules import VisitRule


@dataclass(frozen=True)
class Subject:
    """
    Something that rules may ask to be visited.

    Attributes
    ----------
    kind, id
        `rental`, `site`, or `unit` and `building` where an incident was.
    marks
        `about` of a rule → value: colour, kind of site, code of the incident, `yes` for a suspicion.
    since
        Last visit, else registration; for an incident its day. None: never.
    origin_id
        The incident, where one is the reason.
    """

    kind: str
    id: str
    marks: Mapping[str, str]
    since: date | None
    origin_id: str | None = None


@dataclass(frozen=True)
class DueVisit:
    """A visit that a rule asks for: who, why, since when the clock runs and by when it is due."""

    rule: VisitRule
    subject: Subject
    counted_from: date | None
    due_on: date

    @property
    def key(self) -> str:
        """The same for the same visit."""
        return f"rule {self.rule.rule_id} {self.subject.kind} {self.subject.id} {self.subject.origin_id or ''} " + (
            f"{self.counted_from or 'never'}"
        )


def find_due(
    subjects: Iterable[Subject],
    rules: Sequence[VisitRule],
    *,
    today: date,
    ahead_days: int,
    waiting: frozenset[tuple[str, str, str]] = frozenset(),
    ended: Mapping[tuple[str, str, str], date] | None = None,
) -> list[DueVisit]:
    """
    Visits due until `today` + `ahead_days`, the most pressing first.

    Parameters
    ----------
    waiting
        `(subject kind, id, kind of task)` of which one is open already.
    ended
        Day on which the last task of `(subject kind, id, rule)` ended, done or cancelled.
    """
    by_mark: dict[tuple[str, str], VisitRule] = {(rule.about, rule.value): rule for rule in rules}
    order = list(Priority)
    found: dict[tuple[str, str, str], DueVisit] = {}
    for subject in subjects:
        for about, value in subject.marks.items():
            rule = _find_rule(by_mark, about, value)
            if rule is None or (subject.kind, subject.id, rule.kind.value) in waiting:
                continue
            last = max(
                (day for day in (subject.since, (ended or {}).get((subject.kind, subject.id, rule.rule_id))) if day),
                default=None,
            )
            if subject.origin_id is not None and last != subject.since:
                continue  # one visit for one incident
            due_on = max(today if last is None else last + timedelta(days=rule.cycle_days), today)
            if due_on > today + timedelta(days=ahead_days):
                continue
            if rule.cycle_days == 0 and last == today:
                continue  # "at once" was today already
            visit = DueVisit(rule, subject, last, due_on)
            mine = (subject.kind, subject.id, rule.kind.value)
            known = found.get(mine)
            if known is None or _rank(visit, order) < _rank(known, order):
                found[mine] = visit
    return sorted(found.values(), key=lambda visit: (*_rank(visit, order), visit.subject.kind, visit.subject.id))


def _rank(visit: DueVisit, order: Sequence[Priority]) -> tuple[date, int, str]:
    return (visit.due_on, order.index(visit.rule.priority), visit.rule.rule_id)


def _find_rule(rules: Mapping[tuple[str, str], VisitRule], about: str, value: str) -> VisitRule | None:
    """The rule of a value; a code of an incident falls under that of the longest code above it."""
    while True:
        rule = rules.get((about, value))
        if rule is not None or about != "after_incident" or "." not in value:
            return rule
        value = value.rpartition(".")[0]

"""
The report of a period: one content, three files (docx that can be edited, PDF, and the tables as xlsx).

Chinese throughout, whatever the page's language: it is the office's paper. No line of it is about a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from data.queries import get_info
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from ui.command_data import Situation, ZoneState, find_zone_states
from ui.command_decisions import find_decisions
from ui.command_hours import say_hours
from ui.command_meeting import list_changes, say_decision
from ui.command_methods_data import list_methods
from ui.command_words import (
    say_date,
    say_dose,
    say_effect,
    say_hot,
    say_kind,
    say_luck,
    say_name,
    say_own,
    say_review,
    say_standing,
)
from ui.tables import LOCAL, format_time

LANG: Language = "zh"


@dataclass(frozen=True)
class Table:
    """A table of plain text."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Part:
    """A chapter: paragraphs, then a table where there is one."""

    title: str
    lines: Sequence[str]
    table: Table | None = None


@dataclass(frozen=True)
class Report:
    """What all three files say."""

    title: str
    facts: Sequence[str]
    """Period, date of the data, who made it and when, whether the data are invented"""
    parts: Sequence[Part] = field(default_factory=tuple)

    @property
    def tables(self) -> list[Table]:
        """Tables of all chapters."""
        return [part.table for part in self.parts if part.table is not None]


def build_report(store: Store, viewer: Viewer, situation: Situation, *, now: datetime) -> Report:
    """The report of a situation, as of `now`."""
    info, lang = get_info(store), LANG
    today = now.astimezone(LOCAL).date()
    zones = find_zone_states(store, viewer)
    kinds = t("command.list_comma", lang).join(say_kind(situation, code, lang) for code in situation.question.kinds)
    facts = [
        t("command.report_period", lang, since=say_date(situation.since), until=say_date(situation.until, last=True)),
        t("command.report_kinds", lang, kinds=kinds or t("command.all_kinds", lang),
          hours=t(f"command.hours_{situation.question.hours}", lang)),
        t("command.report_data", lang, date=say_date(situation.until, last=True), n=situation.n,
          found=situation.n_police_found),
        t("command.report_made", lang, who=viewer.name or viewer.role.value, time=format_time(now)),
    ]  # fmt: skip
    if info.drill:
        facts.append(t("table.drill", lang))
    if info.synthetic:
        facts.append(t("table.synthetic", lang))
    parts = (
        Part(t("command.changed", lang), list_changes(situation, lang), _build_kinds(situation, lang)),
        Part(t("command.report_places", lang), [t("command.report_places_text", lang)], _build_places(situation, lang)),
        Part(t("command.decided", lang), _say_zones(zones, today, lang), _build_zones(zones, lang)),
        Part(t("command.decide", lang), _say_decisions(situation, zones, today, lang)),
        Part(
            t("command.methods", lang),
            [
                t("command.report_method", lang, cell=f"{situation.cell_m:g}"),
                *list_methods(store, viewer, situation, lang),
            ],
        ),
        Part(t("command.limits", lang), [t(f"command.limit_{n}", lang) for n in range(1, 7)]),
    )
    return Report(t("command.report_title", lang, name=info.name), facts, parts)


def _build_kinds(situation: Situation, lang: Language) -> Table:
    rows = [
        [
            say_kind(situation, row["place_id"], lang),
            str(int(row["count"])),
            str(int(row["last"])),
            f"{float(row['baseline']):.1f}",
            say_luck(float(row["q"]), lang),
            t(f"command.word_{row['verdict']}", lang),
        ]
        for _, row in situation.by_kind.iterrows()
    ]
    heads = [t(f"command.head_{name}", lang) for name in ("kind", "count", "last", "baseline", "luck", "verdict")]
    return Table(t("command.table_kinds", lang), heads, rows)


def _build_places(situation: Situation, lang: Language) -> Table:
    rows = [
        [
            str(number),
            say_name(place, lang),
            say_hot(place, lang),
            say_own(place, situation.question.weeks, lang),
            say_standing(place, lang),
        ]
        for number, place in enumerate(situation.places, start=1)
    ]
    heads = [
        t(f"command.head_{name}", lang) for name in ("number", "place", "against_chance", "against_itself", "lasts")
    ]
    return Table(t("command.table_places", lang), heads, rows)


def _say_zones(zones: Sequence[ZoneState], today: date, lang: Language) -> list[str]:
    if not zones:
        return [t("command.decided_none", lang)]
    stop = t("command.list_semicolon", lang)
    return [
        t("command.line", lang, name=zone.row["name"], what=stop.join(said))
        for zone in zones
        if zone.row["status"] == "open"
        for said in [
            [one for one in (say_review(zone, today, lang), say_effect(zone.effect, lang), say_dose(zone, lang)) if one]
        ]
    ]


def _build_zones(zones: Sequence[ZoneState], lang: Language) -> Table:
    rows = [
        [
            str(zone.row["name"]),
            t(f"command.kind_{zone.row['kind']}", lang),
            say_hours(zone.row, lang),
            zone.row["opened_on"].isoformat(),
            str(zone.row["starts_on"] or ""),
            zone.row["review_on"].isoformat(),
            str(zone.row["reason"]),
            t("command.list_semicolon", lang).join(f"{day} {text}" for day, text in zone.measures),
            str(zone.row["result"] or ""),
        ]
        for zone in zones
    ]
    names = ("name", "zone_kind", "hours", "opened", "starts", "review", "reason", "measures", "result")
    return Table(t("command.table_zones", lang), [t(f"command.head_{name}", lang) for name in names], rows)


def _say_decisions(situation: Situation, zones: Sequence[ZoneState], today: date, lang: Language) -> list[str]:
    decisions = find_decisions(situation, zones, today=today)
    if not decisions:
        return [t("command.decide_none", lang)]
    said = (say_decision(one, situation, lang) for one in decisions)
    return [
        f"{number}. {t('command.line', lang, name=title, what=why)}"
        for number, (title, why) in enumerate(said, start=1)
    ]

"""
The inspection pack (检查包): facts of one visit in words of each language, with its two drawings.

The phone and the paper say the same: both are made from this. Drawings carry no words but names and numbers of the
place, so that one serves every language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from data.queries import find_categories
from data.store import Store
from data.viewer import Viewer
from i18n import LANGUAGES, Language, t, term
from layers.frame import NoCommunityError
from layers.inside import INSIDE
from layers.pack_ground import draw_outside, read_ground
from layers.pack_plan import draw_plan, find_level, is_schematic
from tasks.checklists import find_words, read_checklists
from tasks.pack_facts import PackFacts, gather_facts

LOCAL = ZoneInfo("Asia/Shanghai")
UNIT_FIELDS = ("residents_count", "floating_count", "use", "area_m2")
RENTAL_FIELDS = ("tenants_count", "rooms_count", "beds_count")


@dataclass(frozen=True)
class Part:
    """A part of a pack: its title and what stands under it, a line each."""

    code: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Pack:
    """
    One pack.

    Attributes
    ----------
    task_id, kind, subject_kind, subject_id
        The task, and what it is about.
    place
        Address or sign, as people say it.
    due_utc
        By when, aware.
    outside, plan
        Drawings as SVG; `plan` None where nothing of the inside is known.
    is_schematic
        The storey is drawn as boxes (示意).
    parts, items
        By language: what to know, and the checklist as `(code, words)`.
    known
        What the register says now, by `subject kind.field`: differences are told against it.
    demanded
        Of a re-check: codes of what has to be mended.
    """

    task_id: str
    kind: str
    subject_kind: str
    subject_id: str | None
    place: str
    due_utc: datetime
    outside: str | None
    plan: str | None
    is_schematic: bool
    parts: Mapping[Language, tuple[Part, ...]]
    items: Mapping[Language, tuple[tuple[str, str], ...]]
    known: Mapping[str, str | None]
    register: Mapping[str, str]
    """Subject kind → id of the registers that differences may be told of"""
    demanded: tuple[str, ...]


def build_pack(
    store: Store, viewer: Viewer, task_id: str, *, now: datetime, languages: Sequence[Language] = LANGUAGES
) -> Pack:
    """
    The pack of one task, as `viewer` may carry it.

    Raises
    ------
    RecordMissingError
        There is no such task for this viewer.
    """
    facts = gather_facts(store, viewer, task_id, at=now)
    task = facts.task
    names = find_categories(store, viewer)
    checklists = read_checklists(store)
    words = {
        lang: _Words(
            lang,
            dict(zip(names["category"].astype(str), names[f"name_{lang}"].astype(str), strict=True)),
            find_words(checklists, task["checklist"], lang),
        )
        for lang in languages
    }
    inside = _read_inside(store, viewer, task["building_id"])
    point = None if task["x_m"] is None else (float(task["x_m"]), float(task["y_m"]))
    way = None if facts.way is None else facts.way.route.line
    return Pack(
        task_id,
        task["kind"],
        task["subject_kind"],
        task["subject_id"],
        task["place_text"],
        task["due_utc"].to_pydatetime(),
        None if point is None else draw_outside(read_ground(store), point, task["building_id"], way),
        None if inside is None else draw_plan(inside, task["unit_id"]),
        inside is not None and is_schematic(inside, task["unit_id"]),
        {lang: _list_parts(facts, inside, words[lang]) for lang in languages},
        {lang: tuple((one.code, one.say(lang)) for one in facts.items) for lang in languages},
        _list_known(facts),
        _list_register(facts),
        tuple(one["code"] for one in facts.demanded),
    )


def _read_inside(store: Store, viewer: Viewer, building_id: str | None) -> Mapping[str, Any] | None:
    """The building's record of the scene `inside`, None where no home of it may be shown."""
    if building_id is None:
        return None
    try:
        record: Mapping[str, Any] = json.loads(INSIDE.build(store, viewer, "zh", {"building": building_id}))
    except NoCommunityError:  # without a boundary there is no table; a visit can be made all the same
        return None
    return record if record.get("units") else None


@dataclass(frozen=True)
class _Words:
    """What a language calls things."""

    lang: Language
    categories: Mapping[str, str]
    items: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        return t(f"pack.{key}", self.lang, **values)

    def item(self, code: str) -> str:
        return self.items.get(code) or self.say("item_other")

    def join(self, texts: Sequence[str]) -> str:
        return self.say("comma").join(texts)


def _list_parts(facts: PackFacts, inside: Mapping[str, Any] | None, words: _Words) -> tuple[Part, ...]:
    found = (
        ("what", _say_what(facts, words)),
        ("units", _say_units(facts, inside, words)),
        ("who", _say_who(facts, words)),
        ("look", _say_look(facts, words)),
        ("history", _say_history(facts, words)),
        ("incidents", _say_incidents(facts, words)),
        ("way", _say_way(facts, words)),
    )
    return tuple(Part(code, words.say(f"part_{code}"), tuple(lines)) for code, lines in found if lines)


def _say_what(facts: PackFacts, words: _Words) -> list[str]:
    task, lang = facts.task, words.lang
    due = words.say("due", at=say_time(task["due_utc"]))
    lines = [" · ".join((t(f"tasks.kind_{task['kind']}", lang), t(f"tasks.priority_{task['priority']}", lang), due))]
    return [*lines, *([task["note"]] if task["note"] else [])]


def _say_units(facts: PackFacts, inside: Mapping[str, Any] | None, words: _Words) -> list[str]:
    place, building, lines = facts.place, facts.building, []
    if building is not None:
        lines.append(
            words.say("building", use=term("use", building["use"], words.lang), floors=building["floors_above"],
                      homes=building.get("units_count") or 0)
        )  # fmt: skip
    if facts.task["unit_id"] and inside is not None:
        lines.append(words.say("storey", level=find_level(inside, facts.task["unit_id"])))
    if place is not None and "area_m2" in place:
        area = "–" if place["area_m2"] is None else f"{place['area_m2']:.0f}"
        lines.append(words.say("home", use=words.say(f"use_{place['use']}"), area=area))
    if place is not None and "site_kind" in place:
        lines.append(term("site_kind", place["site_kind"], words.lang))
    return lines


def _say_who(facts: PackFacts, words: _Words) -> list[str]:
    place, rental, lines = facts.place, facts.rental, []
    if place is not None and "residents_count" in place and facts.task["subject_kind"] != "site":
        lines.append(words.say("people", n=_count(place["residents_count"]), floating=_count(place["floating_count"])))
    if rental is not None:
        names = ("tenants_count", "rooms_count", "beds_count")
        tenants, rooms, beds = (_count(rental[name]) for name in names)
        lines.append(words.say("let", tenants=tenants, rooms=rooms, beds=beds))
        lines += [words.say("landlord", who=one) for one in [_say_person(rental, "landlord")] if one]
    if place is not None:
        lines += [words.say("owner", who=one) for one in [_say_person(place, "owner")] if one]
        lines += [words.say("contact", who=one) for one in [_say_person(place, "contact")] if one]
    lives = [
        f"{one['name'] or '**'} {term('occupant_kind', one['kind'], words.lang)}"
        + (words.say("floating_mark") if one["floating"] else "")
        for one in facts.occupants
    ]
    if lives:
        lines.append(words.say("registered", n=facts.occupants_count, who=words.join(lives)))
    return lines or [words.say("nobody_known")]


def _say_look(facts: PackFacts, words: _Words) -> list[str]:
    lines, rental = [], facts.rental
    if rental is not None and rental["colour"]:
        lines.append(words.say("colour", colour=t(f"tasks.colour_{rental['colour']}", words.lang)))
    if facts.verdict is not None and facts.verdict["state"] in ("suspected", "disputed", "confirmed"):
        why = facts.verdict["suspicion_reason"] or facts.verdict["rule_set"]
        lines.append(words.say(f"group_{facts.verdict['state']}", why=why))
    elif rental is not None and rental["suspected_group"]:
        lines.append(words.say("group_suspected", why=rental["suspicion_reason"] or "–"))
    for one in facts.demanded:
        said = f" {one['narrative']}" if one["narrative"] else ""
        lines.append(words.say("demanded", what=words.item(one["code"]) + said, date=f"{one['rectify_by']:%Y-%m-%d}"))
    return lines


def _say_history(facts: PackFacts, words: _Words) -> list[str]:
    lines = []
    for one in facts.earlier:
        found = words.join([words.item(code) for code in (one["codes"] or "").split()])
        if one["mended"] is not None:
            outcome = words.say("mended" if one["mended"] else "not_mended")
        elif not one["findings_count"]:
            outcome = words.say("clean")
        elif one["recheck_mended"]:
            outcome = words.say("found_mended", what=found)
        else:
            outcome = words.say("found", what=found)
        kind = t(f"tasks.kind_{one['kind']}", words.lang)
        lines.append(f"{say_time(one['submitted_utc'])[:10]} · {kind} · {outcome}")
    return lines or [words.say("never_visited")]


def _say_incidents(facts: PackFacts, words: _Words) -> list[str]:
    return [
        f"{say_time(one['reported_utc'])[:10]} · "
        + (words.categories.get(one["category"], one["category"]) if one["category"] else words.say("incident"))
        + (words.say("linked") if one["linked"] else "")
        for one in facts.incidents
    ] or [words.say("no_incident")]


def _say_way(facts: PackFacts, words: _Words) -> list[str]:
    if facts.way is None:
        return [words.say("no_way")]
    gate, route = facts.way.gate, facts.way.route
    hours = ""
    if gate.closes_at is not None and gate.opens_at is not None:
        hours = words.say("gate_hours", closes=f"{gate.closes_at:%H:%M}", opens=f"{gate.opens_at:%H:%M}")
    lines = [
        words.say("way", gate=(gate.name or words.say("gate")) + hours, metres=round(route.length_m),
                  minutes=max(round(route.travel_time_s / 60), 1)),
    ]  # fmt: skip
    if route.road_names:
        lines.append(words.say("along", roads=words.join(list(dict.fromkeys(route.road_names)))))
    return lines if route.is_verified else [*lines, words.say("unverified")]


def _list_known(facts: PackFacts) -> dict[str, str | None]:
    known: dict[str, str | None] = {}
    if facts.task["unit_id"] and facts.place is not None:
        known |= {f"unit.{name}": _plain(facts.place.get(name)) for name in UNIT_FIELDS}
    if facts.rental is not None:
        known |= {f"rental.{name}": _plain(facts.rental.get(name)) for name in RENTAL_FIELDS}
    return known


def _list_register(facts: PackFacts) -> dict[str, str]:
    register = {}
    if facts.task["unit_id"] and facts.place is not None:
        register["unit"] = str(facts.task["unit_id"])
    if facts.rental is not None:
        register["rental"] = str(facts.rental["rental_id"])
    return register


def _say_person(row: Mapping[str, Any], who: str) -> str:
    return " ".join(str(row[name]) for name in (f"{who}_name", f"{who}_phone") if row.get(name))


def _count(value: Any) -> str:
    return "–" if value is None else str(int(value))


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


def say_time(at: datetime) -> str:
    """An aware time as it is read in Shanghai."""
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M}"

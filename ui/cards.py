"""
What the right rail says of a place, as markup. Everything that came from data is escaped: a building's name may be
anything, `<script>` included.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import pandas as pd

from data.addresses import rank_entrance
from data.queries import Place
from i18n import Language, t, term

_KINDS_SHOWN = 4
_ROWS_SHOWN = 6

Pair = tuple[str, str]
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:])")


def escape_markdown(text: str) -> str:
    """`text` for a button's label, where Streamlit reads markdown: a building may be called `[here](…)`."""
    return _MARKDOWN.sub(r"\\\1", text)


def build_card(place: Place, categories: pd.DataFrame, lang: Language) -> str:
    """Markup of the panel of a building, grid, site or unit."""
    builders = {"building": _building, "grid": _grid, "site": _site, "unit": _unit}
    title, where, pairs = builders[place.kind](place, lang)
    return (
        f'<div class="sp-card" data-kind="{place.kind}" data-id="{escape(place.id, quote=True)}">'
        f'<h4>{escape(title)}</h4><p class="sp-where">{escape(where)}</p>'
        f"{_pairs([*pairs, _incidents(place, lang)])}{_lists(place, lang)}{_kinds(place, categories, lang)}</div>"
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _pairs(pairs: Iterable[Pair]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs if value)
    return f"<dl>{rows}</dl>"


def _building(place: Place, lang: Language) -> tuple[str, str, list[Pair]]:
    facts = place.facts
    floors = (
        t("wall.floors_value", lang, above=facts["floors_above"], below=facts["floors_below"])
        if facts["floors_below"]
        else t("wall.floors_above_value", lang, above=facts["floors_above"])
    )
    source = term("height_source", facts["height_source"], lang)
    entrances = _count_names(sorted((_text(entrance["name"]) for entrance in place.entrances), key=rank_entrance), lang)
    residents = _residents(facts, lang)
    pairs = [
        (t("wall.use", lang), term("use", facts["use"], lang)),
        (t("wall.floors", lang), floors),
        (t("wall.height", lang), t("wall.height_value", lang, metres=f"{facts['height_m']:.1f}", source=source)),
        (t("wall.entrances", lang), entrances),
        (t("wall.units", lang), str(facts["units_count"] or "")),
        (t("wall.residents", lang), residents if facts["units_count"] else ""),
    ]
    return f"{_text(facts['zone'])}{_text(facts['name'])}" or place.id, _text(facts["address"]), pairs


def _count_names(names: list[str], lang: Language) -> str:
    """Names in their order, one that occurs more than once with its number."""
    counted = Counter(names)
    return t("wall.comma", lang).join(name if n == 1 else f"{name} ×{n}" for name, n in counted.items())


def _grid(place: Place, lang: Language) -> tuple[str, str, list[Pair]]:
    facts = place.facts
    worker = facts["worker"]
    time = t("wall.full_time" if worker and worker["full_time"] else "wall.part_time", lang)
    residents = _residents(facts, lang)
    pairs = [
        (t("wall.worker", lang), t("wall.worker_value", lang, call=worker["call_sign"], time=time) if worker else ""),
        (t("wall.area", lang), t("wall.area_value", lang, hectares=f"{facts['area_m2'] / 10_000:.2f}")),
        (t("wall.buildings", lang), str(facts["buildings"])),
        (t("wall.residents", lang), residents if facts["units"] else ""),
        (t("wall.rentals", lang), str(facts["rentals"])),
        (t("wall.suspected", lang), str(facts["suspected_group_rentals"])),
        (t("wall.key_sites", lang), str(facts["key_sites"])),
    ]
    return _text(facts["name"]), "", pairs


def _site(place: Place, lang: Language) -> tuple[str, str, list[Pair]]:
    facts = place.facts
    pairs = [
        (t("wall.kind", lang), term("site_kind", facts["site_kind"], lang)),
        (t("wall.storey", lang), _text(facts["level"])),
        (t("wall.last_visit", lang), _text(facts["last_visit_on"])[:10]),
    ]
    return _text(facts["name"]), _text(facts["address_text"]) or _text(facts["building_name"]), pairs


def _unit(place: Place, lang: Language) -> tuple[str, str, list[Pair]]:
    facts = place.facts
    residents = _residents(facts, lang)
    pairs = [(t("wall.storey", lang), _text(facts["level"])), (t("wall.residents", lang), residents)]
    return _text(facts["room"]), _text(facts.get("address")), pairs


def _lists(place: Place, lang: Language) -> str:
    suspected = [rental for rental in place.rentals if rental["suspected_group"]]
    plain = len(place.rentals) - len(suspected)
    parts = []
    if place.kind == "building":
        parts.append(_tag("rental", t("wall.rentals", lang), plain))
        parts.append(_tag("group", t("wall.suspected", lang), len(suspected)))
        parts.append(_tag("site", t("wall.key_sites", lang), len(place.key_sites)))
    items = [f"{_text(rental['room'])} · {_text(rental['suspicion_reason'])}" for rental in suspected[:_ROWS_SHOWN]]
    items += [
        f"{_text(site['name'])} · {term('site_kind', site['kind'], lang)}" for site in place.key_sites[:_ROWS_SHOWN]
    ]
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return "".join(parts) + (f"<ul>{listed}</ul>" if listed else "")


def _residents(facts: Mapping[str, Any], lang: Language) -> str:
    """How many live there, and how many of them are floating."""
    living, floating = (f"{facts[name]:,}" for name in ("residents_count", "floating_count"))
    return t("wall.residents_value", lang, all=living, floating=floating)


def _tag(kind: str, name: str, count: int) -> str:
    """A framed count in the colour that the thing has on the table; without colour where there is none of it."""
    return f'<span class="sp-tag sp-tag-{kind if count else "none"}">{escape(name)} {count:,}</span>'


def _incidents(place: Place, lang: Language) -> Pair:
    counts = place.incidents
    total = t("wall.incidents_value", lang, all=counts.total, recent=counts.total_84_days)
    return t("wall.incidents", lang), total


def _kinds(place: Place, categories: pd.DataFrame, lang: Language) -> str:
    names = categories.set_index("category")[f"name_{lang}"].to_dict()
    counts = list(place.incidents.by_category.items())[:_KINDS_SHOWN]
    kinds = " ".join(f'<span class="sp-kind">{escape(str(names.get(code, code)))} {n}</span>' for code, n in counts)
    return f'<p class="sp-where">{kinds}</p>' if kinds else ""

"""
What a screen says of one home, in words: its register row, rental and verdict, visits with what was mended, and what
was reported there and next door. The second screen and the desk show the same; no person is in it: names are the
desk's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from data.queries import find_categories, find_unit_rentals, find_unit_reports, find_unit_visits, get_place
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from tasks.checklists import say_item

Row = Mapping[str, Any]
_LOCAL = ZoneInfo("Asia/Shanghai")
_OVER = frozenset({"closed"})


def build_unit_panel(store: Store, viewer: Viewer, unit_id: str, lang: Language) -> dict[str, Any]:
    """
    `id`, `title`, `address`, and `sections`: each with `name`, `title`, `rows` (name, value) and `lines`.

    Raises
    ------
    RecordMissingError, NotAllowedError
        As `get_place`.
    """
    place = get_place(store, viewer, "unit", unit_id)
    sections = [
        ("facts", _say_facts(place.facts, lang), []),
        ("rental", *_say_rentals(_to_rows(find_unit_rentals(store, viewer, unit_id)), lang)),
        ("visits", [], [_say_visit(store, row, lang) for row in _to_rows(find_unit_visits(store, viewer, unit_id))]),
        ("reports", [], _say_reports(store, viewer, unit_id, lang)),
    ]
    return {
        "id": unit_id,
        "title": str(place.facts["room"]),
        "address": _text(place.facts.get("address")),
        "sections": [
            {
                "name": name,
                "title": t(f"inside.panel_{name}", lang),
                "rows": rows,
                "lines": lines,
                "none": t(f"inside.panel_no_{name}", lang) if not rows and not lines else "",
            }
            for name, rows, lines in sections
        ],
    }


def _say_facts(facts: Row, lang: Language) -> list[tuple[str, str]]:
    level = facts["level"]
    floor = "" if level is None else t("inside.level" if level > 0 else "inside.basement", lang, n=abs(int(level)))
    people = t("inside.people_value", lang, all=facts["residents_count"], floating=facts["floating_count"])
    area = facts["area_m2"]
    return [
        (t("inside.fact_where", lang), " · ".join(filter(None, (_text(facts["entrance_name"]), floor)))),
        (t("inside.fact_use", lang), " · ".join(filter(None, (_say_use(facts["use"], lang), _text(facts["name"]))))),
        (t("inside.fact_area", lang), t("inside.unknown", lang) if area is None else f"{float(area):.1f} m²"),
        (t("inside.fact_people", lang), people),
    ]


def _say_use(use: str, lang: Language) -> str:
    known = ("dwelling", "shop", "office", "storage")
    return t(f"inside.use_{use if use in known else 'other'}", lang)


def _say_rentals(rows: list[Row], lang: Language) -> tuple[list[tuple[str, str]], list[str]]:
    said: list[tuple[str, str]] = []
    for row in rows:
        colour = row["colour"] if row["colour"] in ("green", "yellow", "orange", "red") else "plain"
        counts = [
            t(f"inside.rental_{name}_value", lang, n=int(row[f"{name}_count"]))
            for name in ("tenants", "rooms", "beds")
            if row[f"{name}_count"] is not None
        ]
        said += [
            (t("inside.fact_rental", lang), t(f"inside.rental_{colour}", lang)),
            (t("inside.fact_let", lang), t("inside.comma", lang).join(counts)),
            (t("inside.fact_landlord", lang), t(f"inside.landlord_{'known' if row['has_landlord'] else 'none'}", lang)),
            (t("inside.fact_visit", lang), _day(row["last_visit_on"]) or t("inside.never", lang)),
            *_say_verdict(row, lang),
        ]
    return [(name, value) for name, value in said if value], []


def _say_verdict(row: Row, lang: Language) -> list[tuple[str, str]]:
    """疑似 until a person confirmed it; why, by which rule, since when and until when."""
    state = row["state"]
    if state is None and not row["suspected_group"]:
        return []
    if state is None:  # a register's own suspicion, which no rule here has reckoned yet
        state = "suspected" if row["confirmed_utc"] is None else "confirmed"
    rule = "" if row["rule_set"] is None else t("inside.rule_value", lang, rule=row["rule_set"], clause=row["clause"])
    since, until = _day(row["since_utc"]), _day(row["expires_utc"])
    lasts = t("inside.verdict_lasts", lang, since=since, until=until) if until and state == "suspected" else since
    return [
        (t("inside.fact_group", lang), t(f"inside.verdict_{state}", lang)),
        (t("inside.fact_why", lang), _text(row["suspicion_reason"])),
        (t("inside.fact_rule", lang), rule),
        (t("inside.fact_lasts", lang), lasts),
    ]


def _say_visit(store: Store, row: Row, lang: Language) -> str:
    kind = t(f"tasks.kind_{row['kind']}", lang)
    photos = t("inside.visit_photos", lang, n=int(row["photos"])) if row["photos"] else ""
    if row["submitted_utc"] is None:
        parts = [t("inside.visit_due", lang, day=_day(row["due_utc"])), kind]
    else:
        parts = [_day(row["submitted_utc"]), kind, _say_found(store, row, lang)]
    return " · ".join(filter(None, (*parts, photos)))


def _say_found(store: Store, row: Row, lang: Language) -> str:
    if row["kind"] == "rectification" and row["mended"] is not None:
        return t("inside.found_mended" if row["mended"] else "inside.found_not_mended", lang)
    if not row["findings_count"]:
        return t("inside.found_nothing", lang)
    codes = _text(row["codes"]).split()
    items = [say_item(store, code, lang) or t("tasks.item_other", lang) for code in codes]
    found = t("inside.found", lang, items=t("inside.comma", lang).join(items) or str(row["findings_count"]))
    mended = row["recheck_mended"]
    if mended is not None and row["recheck_state"] == "closed":
        return f"{found} → {t('inside.found_mended' if mended else 'inside.found_not_mended', lang)}"
    by = _day(row["rectify_by"])
    return f"{found} → {t('inside.found_until', lang, day=by) if by else t('inside.found_open', lang)}"


def _say_reports(store: Store, viewer: Viewer, unit_id: str, lang: Language) -> list[str]:
    names = find_categories(store, viewer).set_index("category")[f"name_{lang}"].to_dict()
    lines = []
    for row in _to_rows(find_unit_reports(store, viewer, unit_id)):
        where = t(f"inside.where_{row['where_is']}", lang, room=row["room"])
        state = t("inside.report_over" if row["status"] in _OVER else "inside.report_open", lang)
        at = row["reported_utc"].astimezone(_LOCAL)
        lines.append(f"{where} · {at:%Y-%m-%d %H:%M} · {names.get(row['category'], row['category'])} · {state}")
    return lines


def _to_rows(frame: pd.DataFrame) -> list[Row]:
    """Rows with None for what is missing."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _day(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{(value.astimezone(_LOCAL) if value.tzinfo else value):%Y-%m-%d}"
    return value.isoformat() if isinstance(value, date) else str(value)[:10]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

"""Incidents that a dispute is about: those at the address to tick, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from data.queries import find_categories
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from ui.cards import escape_markdown
from ui.tables import format_time

_OVER = ("handled", "closed")


def tick_incidents(
    store: Store, viewer: Viewer, rows: Sequence[dict[str, Any]], key: str, lang: Language
) -> tuple[str, ...]:
    """A box for each incident, with when, what and how near; the ids of those that are ticked."""
    names = name_kinds(store, viewer, lang)
    return tuple(
        str(one["incident_id"])
        for one in rows
        if st.checkbox(escape_markdown(_say(one, names, lang)), key=f"{key}-{one['incident_id']}")
    )


def name_kinds(store: Store, viewer: Viewer, lang: Language) -> dict[str, str]:
    """Words of kinds by their code."""
    kinds = find_categories(store, viewer)
    return dict(zip(kinds["category"].astype(str), kinds[f"name_{lang}"].astype(str), strict=True))


def say_what(row: dict[str, Any], names: dict[str, str], lang: Language) -> str:
    """Kind of an incident, or that it is not told here."""
    code = row["category"]
    return t("tasks.incident_unsaid", lang) if code is None else names.get(code, code)


def say_whether_over(row: dict[str, Any], lang: Language) -> str:
    """Whether it is dealt with."""
    return t("tasks.incident_over" if row["status"] in _OVER else "tasks.incident_open", lang)


def _say(row: dict[str, Any], names: dict[str, str], lang: Language) -> str:
    near = t("tasks.same_unit" if row["same_unit"] else "tasks.same_building", lang)
    return " · ".join((format_time(row["reported_utc"]), say_what(row, names, lang), near, say_whether_over(row, lang)))

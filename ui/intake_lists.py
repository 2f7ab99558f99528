"""What is open, and what waits for a place; a part of the page of calls."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from data.queries import find_categories, find_open_incidents, find_unplaced
from data.store import Store, utc_now
from data.viewer import Viewer
from i18n import Language, t
from ui.cards import escape_markdown
from ui.intake_state import open_case
from ui.intake_words import build_kind_names, build_symbol, say_duration, say_sureness
from ui.tables import format_time, show_empty, show_lead

_SHOWN = 60


def show_open(store: Store, viewer: Viewer, lang: Language) -> None:
    """Open incidents, the urgent and the oldest first, each with its clock against the target."""
    rows = find_open_incidents(store, viewer)
    if rows.empty:
        show_empty(t("intake.open_none", lang))
        return
    kinds = find_categories(store, viewer).set_index("category", drop=False)
    now = pd.Timestamp(utc_now().astimezone(UTC))
    if len(rows) > _SHOWN:
        st.caption(t("intake.open_more", lang, shown=_SHOWN, count=len(rows)))
    names = build_kind_names(kinds, lang)
    for row in rows.head(_SHOWN).to_dict("records"):
        kind = kinds.loc[row["category"]] if row["category"] in kinds.index else None
        with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"open-{row['incident_id']}"):
            if kind is not None:
                st.html(build_symbol(kind), width="content")
            st.markdown(_say_open(row, kind, names, now - row["reported_utc"], lang), width="stretch")
            st.button(
                t("intake.show", lang), key=f"show-{row['incident_id']}", on_click=open_case, args=(row["incident_id"],)
            )


def _say_open(row: dict[Any, Any], kind: Any, names: dict[str, str], age: timedelta, lang: Language) -> str:
    target = None if kind is None else kind["target_minutes"]
    clock = say_duration(age, lang)
    if target is not None and not pd.isna(target):
        clock = t("intake.clock", lang, age=clock, target=f"{target:g}")
        if row["status"] in ("received", "placed", "dispatched", "accepted") and age > timedelta(minutes=float(target)):
            clock = t("intake.overdue", lang, clock=clock)
    place = row["address"] if isinstance(row["address"], str) else say_sureness(None, row["place_reason"], lang)
    head = f"**{escape_markdown(names.get(row['category'], str(row['category'])))}** · {escape_markdown(str(place))}"
    parts = [
        row["number"] if isinstance(row["number"], str) else None,
        t(f"intake.urgency_{row['urgency']}", lang),
        t(f"intake.state_{row['status']}", lang),
        format_time(row["reported_utc"]),
        clock,
    ]
    return f"{head}  \n{escape_markdown(' · '.join(part for part in parts if part))}"


def show_unplaced(store: Store, viewer: Viewer, lang: Language) -> None:
    """Those that nobody could place; each is placed on its own page."""
    show_lead(t("intake.unplaced_lead", lang))
    rows = find_unplaced(store, viewer)
    if rows.empty:
        show_empty(t("intake.unplaced_none", lang))
        return
    names = build_kind_names(find_categories(store, viewer), lang)
    for row in rows.head(_SHOWN).to_dict("records"):
        with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"lost-{row['incident_id']}"):
            said = row["address_text"] if isinstance(row["address_text"], str) else t("intake.nothing_said", lang)
            head = f"**{escape_markdown(names.get(row['category'], str(row['category'])))}** · {escape_markdown(said)}"
            why = " · ".join(
                part
                for part in (format_time(row["reported_utc"]), say_sureness(None, row["place_reason"], lang))
                if part
            )
            st.markdown(f"{head}  \n{escape_markdown(why)}", width="stretch")
            st.button(
                t("intake.place_it", lang),
                key=f"place-{row['incident_id']}",
                on_click=open_case,
                args=(row["incident_id"],),
            )

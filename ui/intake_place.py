"""Giving an incident its place by hand: an address with what may have been meant, or a building on the plan."""

from __future__ import annotations

from typing import Any

import streamlit as st

from data.incident_places import Said, Suggestion
from data.queries import find_buildings
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from incidents.taking_in import Correction
from ui.components.drawing.component import show_drawing
from ui.intake_plan import build_plan_svg
from ui.intake_state import get_taking_in
from ui.intake_words import say_sureness


def ask_place(store: Store, viewer: Viewer, row: dict[Any, Any], lang: Language) -> Correction | None:
    """What was chosen in this run, with its reason; None while nothing is."""
    incident_id = str(row["incident_id"])
    said = row.get("address_text")
    left, right = st.columns([2, 3], gap="large")
    with left:
        reason = st.text_input(
            t("intake.place_reason", lang),
            value=t("intake.place_reason_usual", lang),
            key=f"why-{incident_id}",
            max_chars=500,
        )
        text = st.text_input(
            t("intake.address", lang),
            value=said if isinstance(said, str) else "",
            key=f"where-{incident_id}",
            max_chars=200,
        )
        options = get_taking_in(store).places.get().suggest(text) if text.strip() else []
        for option in options:
            if st.button(_label(option, lang), key=f"at-{option.address}", width="stretch"):
                return Correction(reason, said=Said(address=option.address))
        if text.strip() and not options:
            st.caption(t("intake.no_option", lang))
    with right:
        st.caption(t("intake.plan_pick", lang))
        buildings = find_buildings(store, viewer)
        picked = show_drawing(build_plan_svg(buildings, title=t("intake.plan", lang)), key=f"plan-{incident_id}").picked
        if picked:
            inside = buildings.set_index("building_id").geometry[str(picked)].representative_point()
            return Correction(reason, said=Said(float(inside.x), float(inside.y), "LOCAL"))
    return None


def _label(option: Suggestion, lang: Language) -> str:
    return f"{option.address} · {say_sureness(option.confidence, option.reason, lang)}"

"""The page of calls (接警): one taken in by hand, what is open, what waits for a place, files of the 110 system."""

from __future__ import annotations

import streamlit as st

from data.queries import find_categories, find_open_incidents, find_unplaced
from data.runtime import get_store
from data.viewer import Viewer
from i18n import Language, t
from ui.components.intake.component import show_form
from ui.intake_case import show_case
from ui.intake_file import show_file_intake
from ui.intake_lists import show_open, show_unplaced
from ui.intake_state import PAGE, close_case, find_open_case, open_case
from ui.notes import show_notes
from ui.tables import show_lead, show_style

VIEWS = ("form", "open", "unplaced", "file")


def show_intake(viewer: Viewer, lang: Language) -> None:
    """Draw the page: one incident when one is chosen, else the chosen view."""
    store = get_store()
    show_style()
    incident_id = find_open_case()
    if incident_id is not None:
        st.button(t("intake.back", lang), key="intake_back", on_click=close_case)
        show_notes(PAGE)
        show_case(store, viewer, incident_id, lang)
        return
    st.title(t("intake.title", lang))
    counts = {"open": len(find_open_incidents(store, viewer)), "unplaced": len(find_unplaced(store, viewer))}
    view = st.segmented_control(
        t("intake.view", lang),
        VIEWS,
        default=VIEWS[0],
        format_func=lambda name: t(f"intake.view_{name}", lang, count=counts.get(name, 0)),
        key=f"intake_view_{lang}",
        label_visibility="collapsed",
    )
    show_notes(PAGE)
    if view == "open":
        show_open(store, viewer, lang)
    elif view == "unplaced":
        show_unplaced(store, viewer, lang)
    elif view == "file":
        show_file_intake(store, viewer, lang)
    else:
        show_lead(t("intake.lead", lang))
        result = show_form(find_categories(store, viewer), lang=lang, on_open=lambda: None)
        if result.open:
            open_case(str(result.open))
            st.rerun()

"""The page of check-ins (打卡): taking one down, deciding doubtful ones, the points, and files of phones."""

from __future__ import annotations

import streamlit as st

from data.queries import find_checkins
from data.rights import Right, get_right
from data.runtime import get_store
from data.viewer import Viewer
from i18n import Language, t
from ui.checkin_entry import show_entry
from ui.checkin_exchange import show_exchange
from ui.checkin_parts import PAGE
from ui.checkin_pending import show_pending
from ui.checkin_points import show_points
from ui.notes import show_notes
from ui.tables import show_lead, show_style

_PARTS = {
    "enter": ("action", "take_checkin"),
    "pending": ("action", "decide_checkin"),
    "points": ("query", "find_checkin_points"),
    "exchange": ("action", "exchange_checkins"),
}


def show_checkins(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("checkins.title", lang))
    show_lead(t("checkins.lead", lang))
    show_notes(PAGE)
    parts = [name for name, (kind, right) in _PARTS.items() if get_right(viewer.role, kind, right) is not Right.NO]  # type: ignore[arg-type]
    waiting = len(find_checkins(store, viewer, state="pending"))
    part = st.segmented_control(
        t("checkins.part", lang), parts, default=parts[0], required=True, key="checkins_part",
        format_func=lambda name: t(f"checkins.part_{name}", lang, n=waiting), label_visibility="collapsed",
    )  # fmt: skip
    draw = {"enter": show_entry, "pending": show_pending, "points": show_points, "exchange": show_exchange}
    draw[str(part)](store, viewer, lang)

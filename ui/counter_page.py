"""The counter (兑换窗口): a card is read, the balance stands there large, gifts go out; volunteers, stock, the book."""

from __future__ import annotations

import streamlit as st

from data.rights import Right, get_right
from data.runtime import get_store
from data.viewer import Viewer
from i18n import Language, t
from ui.counter_book import show_book
from ui.counter_gifts import show_gifts
from ui.counter_redeem import show_redeem
from ui.counter_volunteers import show_volunteers
from ui.notes import show_notes
from ui.tables import show_lead, show_style

_PARTS = {
    "redeem": ("action", "redeem_gift"),
    "volunteers": ("action", "manage_volunteers"),
    "gifts": ("action", "manage_gifts"),
    "book": ("action", "export_ledger"),
}


def show_counter(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("points.title", lang))
    show_lead(t("points.lead", lang))
    show_notes("counter")
    parts = [name for name, (kind, right) in _PARTS.items() if get_right(viewer.role, kind, right) is not Right.NO]  # type: ignore[arg-type]
    part = st.segmented_control(
        t("points.part", lang), parts, default=parts[0], required=True, key="counter_part",
        format_func=lambda name: t(f"points.part_{name}", lang), label_visibility="collapsed",
    )  # fmt: skip
    draw = {"redeem": show_redeem, "volunteers": show_volunteers, "gifts": show_gifts, "book": show_book}
    draw[str(part)](store, viewer, lang)

"""Doubtful check-ins, the oldest first: what is doubtful, and one of two buttons."""

from __future__ import annotations

from typing import Any

import streamlit as st

from data.queries import find_checkins
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.checkin_files import get_checkin_photo
from tasks.checkins import decide
from ui.cards import escape_markdown
from ui.checkin_parts import PAGE, say_doubts, say_person, to_plain
from ui.fields import read_text
from ui.notes import put_note
from ui.tables import format_time, show_empty

_MOST = 40


def show_pending(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw them."""
    rows = to_plain(find_checkins(store, viewer, state="pending", limit=_MOST))
    st.caption(t("checkins.pending_text", lang))
    if not rows:
        show_empty(t("checkins.nothing_pending", lang))
    for row in rows:
        with st.container(border=True):
            first, second, third = st.columns([5, 2, 2], vertical_alignment="center")
            first.markdown(f"**{escape_markdown(say_person(row))}** · {escape_markdown(row['point_name'])}")
            first.markdown(f":orange-badge[{escape_markdown(say_doubts(row['doubts'], lang))}]")
            first.caption(escape_markdown(_say_facts(row, lang)))
            key = row["checkin_id"]
            if row["photo_id"] and first.toggle(t("checkins.see_photo", lang), key=f"photo-{key}"):
                _show_photo(store, viewer, key, lang)
            second.button(
                t("checkins.accept", lang, points=row["worth"]), key=f"accept-{key}", type="primary", width="stretch",
                on_click=_decide, args=(store, viewer, key, True, lang),
            )  # fmt: skip
            with third.popover(t("checkins.reject", lang), width="stretch"):
                st.text_input(t("checkins.reject_reason", lang), max_chars=200, key=f"why-{key}")
                st.button(t("checkins.reject_do", lang), key=f"reject-{key}", on_click=_decide,
                          args=(store, viewer, key, False, lang))  # fmt: skip


def _show_photo(store: Store, viewer: Viewer, checkin_id: str, lang: Language) -> None:
    """Only when somebody asks for it: each look is in the log."""
    try:
        st.image(get_checkin_photo(store, viewer, checkin_id, clock=utc_now))
    except ShapanError:
        st.warning(t("checkins.photo_gone", lang))


def _say_facts(row: dict[str, Any], lang: Language) -> str:
    facts = [format_time(row["done_utc"]), t(f"checkins.way_{row['way']}", lang)]
    if row["distance_m"] is not None:
        facts.append(t("checkins.distance", lang, m=round(row["distance_m"]), radius=round(row["radius_m"])))
    if row["accuracy_m"] is not None:
        facts.append(t("checkins.accuracy", lang, m=round(row["accuracy_m"])))
    if row["way"] == "phone":
        facts.append(t("checkins.received", lang, time=format_time(row["received_utc"])))
    return " · ".join(facts)


def _decide(store: Store, viewer: Viewer, checkin_id: str, accept: bool, lang: Language) -> None:
    reason = "" if accept else read_text(f"why-{checkin_id}")
    try:
        decide(store, viewer, checkin_id, accept=accept, reason=reason, clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("checkins.decide_failed", lang))
    else:
        put_note(PAGE, "done", t("checkins.accepted" if accept else "checkins.rejected", lang))

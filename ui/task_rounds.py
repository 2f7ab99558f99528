"""Whose packs are outside now: the rounds of visits that last, and ending one whose phone or paper is lost."""

from __future__ import annotations

import streamlit as st

from data.queries import find_rounds
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from i18n import Language, t
from tasks.visit_rounds import end_round
from ui.cards import escape_markdown
from ui.notes import put_note
from ui.tables import format_time
from ui.task_words import to_rows


def show_rounds(store: Store, viewer: Viewer, page: str, lang: Language) -> None:
    """A line for each, for those who direct."""
    if get_right(viewer.role, "query", "find_rounds") is Right.NO:
        return
    rows = to_rows(find_rounds(store, viewer, now=utc_now()))
    if not rows:
        return
    with st.expander(t("pack.rounds", lang, n=len(rows)), key="rounds"):
        st.caption(t("pack.rounds_text", lang))
        for row in rows:
            line, button = st.columns([3, 1], vertical_alignment="center")
            said = t(
                "pack.round_line", lang, who=row["name"], n=row["stops"], since=format_time(row["opened_utc"]),
                until=format_time(row["ends_utc"]),
            )  # fmt: skip
            line.markdown(escape_markdown(said))
            if button.button(t("pack.round_end", lang), key=f"end-{row['round_id']}", width="stretch"):
                end_round(store, viewer, round_id=row["round_id"], clock=utc_now)
                put_note(page, "done", t("pack.round_ended", lang))
                st.rerun()

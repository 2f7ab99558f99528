"""The sealed original of words at a door: opened with a purpose, for some minutes, each look in the log."""

from __future__ import annotations

import streamlit as st

from data.intake import unseal
from data.openings import open_fields
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, ShapanError
from i18n import Language, t
from ui.cards import escape_markdown


def show_sealed(store: Store, viewer: Viewer, task_id: str, evidence_id: str, lang: Language) -> None:
    """The original where the task is open to this viewer; else the question what it is needed for."""
    if get_right(viewer.role, "action", "open_field") is Right.NO or viewer.account_id is None:
        st.caption(t("round.sealed", lang))
        return
    if ("task", task_id) in viewer.openings:
        try:
            original = unseal(store, viewer, "task_evidence", evidence_id, "narrative", clock=utc_now)
        except ShapanError:
            st.caption(t("round.sealed_gone", lang))
        else:
            st.warning(escape_markdown(t("round.original", lang, text=original, who=viewer.name or "")))
        return
    with st.popover(t("round.open_original", lang)), st.form(key=f"unseal-{evidence_id}", border=False):
        reason = st.text_input(t("round.open_reason", lang), max_chars=200)
        if not st.form_submit_button(t("round.open_original", lang), type="primary"):
            return
    try:
        open_fields(store, viewer, "task", task_id, reason=reason, clock=utc_now)
    except BadRecordError:
        st.error(t("desk.reason_missing", lang))
    except NotAllowedError:
        st.error(t("desk.not_your_grid", lang))
    else:
        st.rerun()

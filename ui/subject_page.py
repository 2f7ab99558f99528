"""The file of one place: who looked at it, and why. A part of the page of the log."""

from __future__ import annotations

import streamlit as st

from data.addresses import SearchHit
from data.queries import get_info
from data.store import Store
from data.subject_file import KINDS, read_subject_file
from data.viewer import Viewer
from gis.errors import RecordMissingError
from i18n import Language, t
from ui import session
from ui.cards import escape_markdown
from ui.log_table import show_rows
from ui.log_words import say_subject
from ui.search import find_hits, label_hit, show_nothing_found, to_place
from ui.tables import show_empty

_CHOSEN = "audit_subject"


def show_subject_file(store: Store, viewer: Viewer, lang: Language) -> None:
    """Ask for a place, then show its file."""
    st.caption(t("audit.file_lead", lang))
    how = st.segmented_control(
        t("audit.file_by", lang),
        ["address", "id"],
        default=session.recall("audit_by", "address"),
        format_func=lambda name: t(f"audit.file_by_{name}", lang),
        key=f"audit_by_{lang}",
        label_visibility="collapsed",
        required=True,
    )
    session.keep("audit_by", how)
    if how == "id":
        _ask_id(store, viewer, lang)
    else:
        _ask_address(store, viewer, lang)


def _ask_id(store: Store, viewer: Viewer, lang: Language) -> None:
    left, right = st.columns([1, 2])
    with left:
        kind = st.selectbox(
            t("audit.kind", lang),
            KINDS,
            index=KINDS.index(session.recall("audit_file_kind", KINDS[0])),
            format_func=lambda code: t(f"audit.kind_{code}", lang),
            key=f"audit_file_kind_{lang}",
        )
    with right:
        subject_id = st.text_input(
            t("audit.subject_id", lang), value=session.recall("audit_file_id", ""), key="audit_file_id"
        ).strip()
    session.keep("audit_file_kind", kind)
    session.keep("audit_file_id", subject_id)
    if subject_id:
        _show_file(store, viewer, kind, subject_id, say_subject(kind, subject_id, lang), lang)
    else:
        show_empty(t("audit.file_id_empty", lang))


def _ask_address(store: Store, viewer: Viewer, lang: Language) -> None:
    text = st.text_input(
        t("audit.file_address", lang),
        value=session.recall("audit_address", ""),
        placeholder=t("audit.file_address_hint", lang),
        key="audit_address",
        on_change=_forget_choice,
    ).strip()
    session.keep("audit_address", text)
    if not text:
        show_empty(t("audit.file_empty", lang))
        return
    try:
        get_info(store)
    except RecordMissingError:
        show_empty(t("audit.file_empty", lang))
        return
    hits, result = find_hits(store, viewer, text)
    if not hits:
        show_nothing_found(result, lang)
        return
    hit = hits[0] if len(hits) == 1 else _choose_hit(store, viewer, hits, lang)
    if hit is not None:
        if hit.score < 1 and (result.understood.room or result.understood.unit):
            st.caption(t("wall.part_missing", lang))
        kind, place_id = to_place(hit)
        _show_file(store, viewer, kind, place_id, label_hit(store, viewer, hit, lang), lang)


def _choose_hit(store: Store, viewer: Viewer, hits: list[SearchHit], lang: Language) -> SearchHit | None:
    st.caption(t("audit.file_hits", lang, count=len(hits)))
    with st.container(horizontal=True):
        for number, hit in enumerate(hits):
            st.button(
                escape_markdown(label_hit(store, viewer, hit, lang)),
                key=f"audit-hit-{number}",
                on_click=_keep_choice,
                args=(to_place(hit),),
            )
    chosen = st.session_state.get(_CHOSEN)
    return next((hit for hit in hits if to_place(hit) == chosen), None)


def _keep_choice(place: tuple[str, str]) -> None:
    st.session_state[_CHOSEN] = place


def _forget_choice() -> None:
    st.session_state.pop(_CHOSEN, None)


def _show_file(store: Store, viewer: Viewer, kind: str, subject_id: str, what: str, lang: Language) -> None:
    rows = read_subject_file(store, viewer, kind, subject_id)
    st.markdown(f"**{escape_markdown(t('audit.file_of', lang, what=what, count=len(rows)))}**")
    if rows.empty:
        show_empty(t("audit.file_nobody", lang))
    else:
        show_rows(rows, lang)

"""The shift page (交接班): who is on, what is open, what is broken; one shift signs it over to the next."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import streamlit as st

from data.audit import build_entry, record
from data.queries import find_defects, find_gates, find_handovers
from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import RefusedError, ShapanError
from i18n import Language, t
from incidents.shift_book import DefectKind, hand_over_shift, mend_defect, report_defect, take_over_shift
from ui.cards import escape_markdown
from ui.drill_part import show_drill
from ui.fields import read_text
from ui.files import ReadyFile, show_file
from ui.marks import say_marks
from ui.notes import put_note, show_notes
from ui.report_files import MIME, PDF, build_pdf
from ui.shift_content import PARTS, build_content, build_handover_report, build_tables
from ui.tables import LOCAL, format_time, show_empty, show_lead, show_state, show_style, show_table

PAGE, _FORM = "shift", "shift_defect"


def show_shift(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("shift.title", lang))
    show_lead(t("shift.lead", lang))
    show_notes(PAGE)
    show_drill(store, viewer, lang)
    content = build_content(store, viewer, now=utc_now())
    left, right = st.columns([3, 2], gap="large")
    with left:
        tables = build_tables(content, lang)
        for part in PARTS:
            st.subheader(f"{tables[part].title} · {len(tables[part].rows)}")
            if tables[part].rows:
                show_table(tables[part].heads, tables[part].rows)
            else:
                show_empty(t("shift.nothing", lang))
        st.caption(t("shift.open_tasks", lang, n=content["open_tasks"]))
    with right:
        _show_signing(store, viewer, content, lang)
        _show_defects(store, viewer, lang)
        _show_history(store, viewer, lang)


def _show_signing(store: Store, viewer: Viewer, content: dict[str, Any], lang: Language) -> None:
    rows = find_handovers(store, viewer)
    waiting = rows[rows["taken_utc"].isna()]
    with st.container(border=True):
        if waiting.empty:
            st.subheader(t("shift.give", lang))
            st.text_area(t("shift.remarks", lang), max_chars=1000, key="shift_remarks")
            st.caption(t("shift.give_text", lang))
            st.button(t("shift.give_sign", lang), key="shift_give", type="primary", on_click=_give,
                      args=(store, viewer, content, lang))  # fmt: skip
            return
        row = waiting.iloc[0]
        st.subheader(t("shift.take", lang))
        show_state("unknown", t("shift.fact_given", lang, who=row["given_by"], time=format_time(row["given_utc"])))
        if row["remarks"]:
            st.text(row["remarks"])
        if row["given_account_id"] == viewer.account_id:
            st.caption(t("shift.take_other", lang))
            return
        st.caption(t("shift.take_text", lang))
        st.button(t("shift.take_sign", lang), key="shift_take", type="primary", on_click=_take,
                  args=(store, viewer, str(row["handover_id"]), lang))  # fmt: skip


def _give(store: Store, viewer: Viewer, content: dict[str, Any], lang: Language) -> None:
    try:
        hand_over_shift(store, viewer, content, read_text("shift_remarks"), clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("shift.failed", lang))
    else:
        put_note(PAGE, "done", t("shift.given", lang))


def _take(store: Store, viewer: Viewer, handover_id: str, lang: Language) -> None:
    try:
        take_over_shift(store, viewer, handover_id, clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("shift.failed", lang))
    else:
        put_note(PAGE, "done", t("shift.taken", lang))


def _show_defects(store: Store, viewer: Viewer, lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("shift.report", lang))
        with st.form(_FORM, clear_on_submit=True, border=False):
            kind = st.segmented_control(
                t("shift.head_defect", lang), [one.value for one in DefectKind], default=DefectKind.GATE.value,
                format_func=lambda one: t(f"shift.kind_{one}", lang), required=True,
            )  # fmt: skip
            gates = find_gates(store, viewer)
            names = {
                str(row["gate_id"]): str(row["name"]) for row in pd.DataFrame(gates).to_dict("records") if row["name"]
            }
            gate = st.selectbox(t("shift.gate", lang), list(names), index=None, format_func=lambda one: names[one],
                                placeholder=t("shift.gate_none", lang))  # fmt: skip
            place = st.text_input(t("shift.head_place", lang), max_chars=200)
            note = st.text_input(t("shift.head_note", lang), max_chars=500)
            if st.form_submit_button(t("shift.report_save", lang)):
                _report(store, viewer, DefectKind(str(kind)), gate, place or names.get(str(gate), ""), note, lang)
        broken = find_defects(store, viewer)
        for row in broken.to_dict("records"):
            with st.popover(escape_markdown(f"{row['place']} · {row['note']}"[:60])):
                st.text_input(t("shift.mended_note", lang), key=f"mend-note-{row['defect_id']}")
                st.button(t("shift.mend", lang), key=f"mend-{row['defect_id']}", on_click=_mend,
                          args=(store, viewer, str(row["defect_id"]), lang))  # fmt: skip


def _report(
    store: Store, viewer: Viewer, kind: DefectKind, gate: str | None, place: str, note: str, lang: Language
) -> None:
    try:
        report_defect(store, viewer, kind, place, note, gate_id=gate, clock=utc_now)
    except ShapanError:
        st.error(t("shift.report_failed", lang))
    else:
        put_note(PAGE, "done", t("shift.reported", lang))
        st.rerun()


def _mend(store: Store, viewer: Viewer, defect_id: str, lang: Language) -> None:
    try:
        mend_defect(store, viewer, defect_id, read_text(f"mend-note-{defect_id}"), clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("shift.report_failed", lang))
    else:
        put_note(PAGE, "done", t("shift.mended", lang))


def _show_history(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("shift.history", lang))
    rows = find_handovers(store, viewer).astype(object)
    if rows.empty:
        show_empty(t("shift.nothing", lang))
        return
    known = {str(row["handover_id"]): row for row in rows.to_dict("records")}
    chosen = st.selectbox(
        t("shift.history_choose", lang), list(known), format_func=lambda one: _label(known[one], lang)
    )
    if st.button(t("shift.print", lang), key="shift_print"):
        _print(store, viewer, known[str(chosen)], lang)


def _label(row: dict[Any, Any], lang: Language) -> str:
    taken = row["taken_by"] if isinstance(row["taken_by"], str) else t("shift.unsigned", lang)
    return f"{format_time(row['given_utc'])} · {row['given_by']} → {taken}"


def _print(store: Store, viewer: Viewer, row: dict[Any, Any], lang: Language) -> None:
    mark = say_marks("zh")
    try:
        content = build_pdf(build_handover_report(store, row, json.loads(row["content"]), mark=mark), is_dense=True)
    except RefusedError:
        st.error(t("command.report_no_font", lang))
        return
    entry = build_entry(viewer, "export", subject_kind="handover", subject_id=str(row["handover_id"]))
    record(store, entry, clock=utc_now)
    file = ReadyFile(f"handover-{row['given_utc'].astimezone(LOCAL):%Y%m%d-%H%M}.pdf", MIME[PDF], content)
    show_file(file, t("shift.ready", lang), t("audit.download", lang, name=file.name))

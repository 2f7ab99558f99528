"""The report's part of the commander's page: what it will say, and the three files."""

from __future__ import annotations

import streamlit as st

from data.audit import build_entry, record
from data.rights import check_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import RefusedError
from i18n import Language, t
from ui.cards import escape_markdown
from ui.command_data import Situation
from ui.files import ReadyFile, show_file
from ui.report_files import BUILD, DOCX, MIME, PDF, XLSX
from ui.reports import build_report
from ui.tables import LOCAL


def show_report(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Offer the files; each that is made is in the log."""
    st.markdown(t("command.report_lead", lang))
    with st.container(horizontal=True):
        asked = {
            form: st.button(t(f"command.report_{form}", lang), key=f"command_report_{form}")
            for form in (DOCX, PDF, XLSX)
        }
    form = next((name for name, pressed in asked.items() if pressed), None)
    if form is not None:
        _make(store, viewer, situation, form, lang)
    st.subheader(t("command.report_preview", lang))
    report = build_report(store, viewer, situation, now=utc_now())
    st.markdown("\n".join(f"- {escape_markdown(fact)}" for fact in report.facts))
    for part in report.parts:
        with st.expander(part.title):
            st.markdown("\n\n".join(escape_markdown(line) for line in part.lines))


def _make(store: Store, viewer: Viewer, situation: Situation, form: str, lang: Language) -> None:
    check_right(viewer, "action", "export_report")
    now = utc_now()
    with st.spinner(t("command.report_making", lang), show_time=True):
        try:
            content = BUILD[form](build_report(store, viewer, situation, now=now))
        except RefusedError:
            st.error(t("command.report_no_font", lang))
            return
    detail = {"format": form, "weeks": situation.question.weeks, "incidents": situation.n}
    record(store, build_entry(viewer, "export", subject_kind="report", detail=detail), clock=utc_now)
    file = ReadyFile(f"report-{now.astimezone(LOCAL):%Y%m%d-%H%M%S}.{form}", MIME[form], content)
    show_file(file, t("command.report_ready", lang), t("audit.download", lang, name=file.name))

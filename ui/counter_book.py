"""The book for the audit: looked through, taken out as CSV, corrected by hand with a reason."""

from __future__ import annotations

import secrets

import streamlit as st

from data.audit import build_entry, record
from data.queries import find_balances, find_book
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.booking import to_day
from tasks.ledger import LedgerRefusedError
from tasks.ledger_check import verify_ledger
from tasks.points import correct
from ui.checkin_parts import say_person, to_plain
from ui.exports import CSV, build_file
from ui.files import keep_file, show_file
from ui.notes import put_note
from ui.tables import LOCAL, format_second, show_state

PAGE = "counter"
_COLUMNS = (
    *("entry_no", "entry_id", "kind", "at_utc", "counted_on", "volunteer_id", "ref_id", "reason", "booked_by"),
    *("line_no", "book_account", "unit", "amount", "balance"),
)


def show_book(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw it."""
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.subheader(t("points.book", lang))
        st.caption(t("points.book_text", lang))
        if st.button(t("points.verify", lang), key="book_verify"):
            report = verify_ledger(store, viewer, clock=utc_now)
            if report.is_whole:
                show_state("whole", t("points.whole", lang, n=report.entries, points=report.points_held))
            else:
                problem = t(f"points.problem_{report.problem}", lang)
                show_state("broken", t("points.broken", lang), f"{problem} {report.entry_id or ''}")
        if st.button(t("points.export", lang), key="book_export"):
            _export(store, viewer, lang)
    if get_right(viewer.role, "action", "correct_points") is not Right.NO:
        with right:
            _show_correcting(store, viewer, lang)


def _export(store: Store, viewer: Viewer, lang: Language) -> None:
    rows = to_plain(find_book(store, viewer))
    now = utc_now()
    mark = t("points.watermark", lang, who=viewer.name or viewer.role.value, time=format_second(now))
    lines = [[format_second(row[name]) if name == "at_utc" else row[name] for name in _COLUMNS] for row in rows]
    content = build_file(CSV, mark, _COLUMNS, lines)
    entry = build_entry(viewer, "export", subject_kind="points", detail={"what": "book", "rows": len(rows)})
    record(store, entry, clock=utc_now)
    file = keep_file(f"points-book-{now.astimezone(LOCAL):%Y%m%d-%H%M}", CSV, content)
    show_file(file, t("checkins.paper_ready", lang), t("audit.download", lang, name=file.name))


def _show_correcting(store: Store, viewer: Viewer, lang: Language) -> None:
    rows = {
        row["volunteer_id"]: row
        for row in to_plain(find_balances(store, viewer, month=to_day(utc_now()).replace(day=1)))
        if row["state"] == "active"
    }
    if not rows:
        return
    with st.form(key="correct_form", clear_on_submit=True, border=True):
        st.subheader(t("points.correct", lang))
        who = st.selectbox(t("points.head_who", lang), list(rows), format_func=lambda one: say_person(rows[one]))
        points = st.number_input(t("points.correct_points", lang), -10_000, 10_000, 0)
        reason = st.text_input(t("points.reason", lang), max_chars=200)
        if st.form_submit_button(t("points.correct_do", lang)):
            try:
                correct(store, viewer, who, int(points), reason, key=secrets.token_hex(8), clock=utc_now)
            except LedgerRefusedError:
                st.error(t("points.refused_points", lang))
            except ShapanError:
                st.error(t("points.failed", lang))
            else:
                put_note(PAGE, "done", t("points.corrected", lang))
                st.rerun()

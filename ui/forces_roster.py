"""The list of people with radios from a file: read, reported, written when somebody says so. Part of the roll call."""

from __future__ import annotations

import streamlit as st

from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadFileError, ShapanError
from i18n import Language, t
from incidents.roster import HEADERS, Roster, read_roster, write_roster
from ui.cards import escape_markdown
from ui.notes import put_note
from ui.tables import show_table

_SHOWN = 50


def show_roster(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw it, for who may."""
    if get_right(viewer.role, "action", "manage_forces") is Right.NO:
        return
    with st.expander(t("forces.roster", lang), key="forces_roster"):
        spellings = " · ".join(names[0] if lang == "zh" else names[-1] for names in HEADERS.values())
        st.caption(escape_markdown(t("forces.roster_text", lang, columns=spellings)))
        file = st.file_uploader(
            t("forces.roster_file", lang), type=["csv", "xlsx"], key="forces_file", max_upload_size=5
        )
        if file is None:
            return
        try:
            roster = read_roster(file.name, file.getvalue())
        except BadFileError as error:
            st.error(t("forces.roster_bad", lang))
            st.code(str(error), language=None, wrap_lines=True)
            return
        _show_report(roster, lang)
        if roster.problems or not roster.rows:
            return
        st.button(
            t("forces.roster_write", lang, count=len(roster.rows)),
            key="forces_roster_write",
            type="primary",
            on_click=_write,
            args=(store, viewer, roster, lang),
        )


def _show_report(roster: Roster, lang: Language) -> None:
    st.write(t("forces.roster_read", lang, count=len(roster.rows)))
    if roster.not_read:
        st.caption(
            escape_markdown(t("forces.roster_not_read", lang, columns=t("forces.then", lang).join(roster.not_read)))
        )
    if roster.problems:
        st.error(t("forces.roster_problems", lang, count=len(roster.problems)))
        heads = [t(f"forces.col_{name}", lang) for name in ("row", "column", "problem")]
        rows = [
            [str(one.row), HEADERS[one.column][0 if lang == "zh" else -1], t(f"forces.problem_{one.code}", lang)]
            for one in roster.problems[:_SHOWN]
        ]
        show_table(heads, rows)


def _write(store: Store, viewer: Viewer, roster: Roster, lang: Language) -> None:
    try:
        done = write_roster(store, viewer, roster, clock=utc_now)
    except ShapanError:
        put_note("forces", "problem", t("forces.roster_not_written", lang))
        return
    said = t("forces.roster_written", lang, new=done.new, changed=done.changed, same=done.same)
    put_note("forces", "done", said)

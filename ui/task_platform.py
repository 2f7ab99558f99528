"""Files of the station's platform on the page of tasks: take one in, give results back."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.platform import give_back, read_layouts, take_file
from ui.notes import put_note
from ui.tables import show_table
from ui.task_words import find_now

_MIME = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_DAYS = 7
_SHOWN = 20


def show_platform(store: Store, viewer: Viewer, page: str, lang: Language) -> None:
    """For those who direct."""
    if get_right(viewer.role, "action", "direct_task") is Right.NO:
        return
    with st.expander(t("platform.title", lang), key="platform"):
        st.caption(t("platform.text", lang))
        layouts = read_layouts(store)
        name = st.selectbox(t("platform.layout", lang), list(layouts), key=f"platform_layout_{lang}")
        layout = layouts[name]
        given = st.file_uploader(t("platform.file", lang), type=[layout.file], key=f"platform_file_{name}")
        if given is not None and st.button(t("platform.read", lang), key="platform_read", width="stretch"):
            _take(store, viewer, page, name, given.getvalue(), lang)
        if st.button(t("platform.write", lang, days=_DAYS), key="platform_write", width="stretch"):
            # Seconds of today are in it too; the sample's time stands still, so its own end is what counts there.
            until = max(find_now(store), utc_now()) + timedelta(seconds=1)
            since = find_now(store) - timedelta(days=_DAYS)
            file, content, rows = give_back(store, viewer, name, since=since, until=until, clock=utc_now)
            label = t("platform.download", lang, n=rows)
            st.download_button(label, content, file, _MIME[layout.file], key="platform_download", width="stretch")


def _take(store: Store, viewer: Viewer, page: str, name: str, content: bytes, lang: Language) -> None:
    try:
        taken = take_file(store, viewer, name, content, clock=utc_now)
    except ShapanError:
        st.error(t("platform.unreadable", lang))
        return
    said = t("platform.taken", lang, new=taken.new, known=taken.known, differ=taken.differ, wrong=len(taken.problems))
    if not taken.problems:
        put_note(page, "done", said)
        st.rerun()
    st.warning(said)
    show_table(
        [t(f"platform.head_{one}", lang) for one in ("row", "column", "why", "value")],
        [[str(one.row), one.column, t(f"platform.why_{one.code}", lang), one.value] for one in taken.problems[:_SHOWN]],
        narrow=frozenset({0}),
    )

"""A paper that was asked for: made, written down in the log, offered; one place for every button that prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from data.audit import build_entry, record
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import RefusedError
from i18n import Language, t
from ui.files import ReadyFile, show_file
from ui.report_files import MIME, PDF


def offer_paper(
    store: Store, viewer: Viewer, name: str, make: Callable[[], bytes], lang: Language, *, subject_kind: str,
    subject_id: str, said: str = "checkins.paper_ready", detail: Mapping[str, object] | None = None,
) -> bool:  # fmt: skip
    """
    Make a PDF and offer it; False where this machine has no font for it, which is said.

    Parameters
    ----------
    name
        Of the file, without its ending.
    make
        The PDF's bytes; `RefusedError` where there is no font.
    subject_kind, subject_id, detail
        What it is about, for the log.
    said
        Word of the catalogue that stands above the button.
    """
    try:
        content = make()
    except RefusedError:
        st.error(t("command.report_no_font", lang))
        return False
    entry = build_entry(viewer, "export", subject_kind=subject_kind, subject_id=subject_id, detail=dict(detail or {}))
    record(store, entry, clock=utc_now)
    file = ReadyFile(f"{name}.pdf", MIME[PDF], content)
    show_file(file, t(said, lang), t("audit.download", lang, name=file.name))
    return True

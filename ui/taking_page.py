"""Using an approved export: the file is made once, says whose it is, and can be downloaded. A part of the approvals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
import streamlit as st

from data.exporting import Export, use_export
from data.moments import get_aware
from data.queries import find_categories
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, section, t, term
from ui.exports import CSV, FORMATS, XLSX, build_file
from ui.files import keep_file, show_file
from ui.tables import LOCAL, format_second

_OWN_PERSONS = frozenset({"landlord", "contact"})


def show_export(store: Store, viewer: Viewer, approval_id: str, action: str, scope: str, lang: Language) -> None:
    """Offer the two formats; pressing one uses the approval up."""
    st.caption(t("approvals.use_text", lang))
    with st.container(horizontal=True):
        asked = {form: st.button(t(f"approvals.make_{form}", lang), key=f"{form}-{approval_id}") for form in FORMATS}
    form = CSV if asked[CSV] else XLSX if asked[XLSX] else None
    if form is None:
        return
    with st.spinner(t("approvals.making", lang), show_time=True):
        now = utc_now()
        try:
            export = use_export(store, viewer, approval_id, clock=utc_now)
        except ShapanError:
            st.error(t("approvals.not_usable", lang))
            return
        watermark = t(
            "approvals.watermark",
            lang,
            what=t(f"approvals.action_{action}", lang),
            scope=scope,
            who=viewer.name or "",
            time=format_second(now),
            id=approval_id,
        )
        content = _build(store, viewer, export, form, watermark, lang)
        file = keep_file(f"{action.replace('_', '-')}-{now.astimezone(LOCAL):%Y%m%d-%H%M%S}", form, content)
    rows = len(export.rows)
    show_file(file, t("approvals.file_text", lang, rows=rows), t("approvals.download", lang, name=file.name))


def _build(store: Store, viewer: Viewer, export: Export, form: str, watermark: str, lang: Language) -> bytes:
    kinds = find_categories(store, viewer).set_index("category")[f"name_{lang}"].to_dict()
    columns = [str(column) for column in export.rows.columns]
    heads = [t(f"approvals.col_{column}", lang) for column in columns]
    rows = (
        [_say(column, value, kinds, lang) for column, value in zip(columns, row, strict=True)]
        for row in export.rows.itertuples(index=False, name=None)
    )
    return build_file(form, watermark, heads, rows)


def _say(column: str, value: object, kinds: dict[Any, Any], lang: Language) -> str:
    """One cell in words; empty where nothing is known."""
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return ""
    if column == "person_role":
        return t(f"approvals.person_{value}", lang) if value in _OWN_PERSONS else term("occupant_kind", value, lang)
    if column == "category":
        return str(kinds.get(str(value), value))
    if column in ("urgency", "source", "status"):
        return section("approvals", lang).get(f"approvals.code_{value}") or str(value)
    if isinstance(value, bool):
        return t("approvals.yes" if value else "approvals.no", lang)
    if column.endswith("_utc"):
        return format_second(get_aware(value))
    if isinstance(value, date | datetime):
        return f"{value:%Y-%m-%d}"
    return str(value)

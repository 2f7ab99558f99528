"""
Erasure of a person, asked for and carried out. A part of the approvals.

Whom it is about is typed twice: to ask, and to carry it out. In between only a keyed hash is kept.
"""

from __future__ import annotations

import streamlit as st

from data.erasure import Person, build_subject, erase_person, find_rows
from data.identity import split_identity
from data.secret_files import get_key
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError, ShapanError
from i18n import Language, t
from ui.fields import read_text
from ui.notes import put_note

_PAGE = "approvals"
_ASKED = "approvals_person"
_FIELDS = {"name": 60, "phone": 30, "identity": 30}  # and the most characters of each


def ask_erasure(store: Store, viewer: Viewer, lang: Language) -> None:
    """Ask whom to erase and say what is registered of them."""
    st.caption(t("approvals.person_text", lang))
    person = _ask_person(store, _ASKED, lang)
    if person is None:
        return
    rows = find_rows(store, viewer, person)
    if rows:
        st.info(t("approvals.person_found", lang, rows=_say_rows(rows, lang)))
    else:
        st.warning(t("approvals.person_nobody", lang))


def read_erasure(store: Store, viewer: Viewer) -> str | None:
    """The subject of the request; None while it is unclear whom it is about, or of nobody who is registered."""
    try:
        person = _read_person(store, _ASKED)
    except BadRecordError:
        return None
    return build_subject(store, person) if person is not None and find_rows(store, viewer, person) else None


def show_erasure(store: Store, viewer: Viewer, approval_id: str, subject: str, lang: Language) -> None:
    """Carry an approved erasure out."""
    with st.popover(t("approvals.erase", lang)):
        st.write(t("approvals.erase_text", lang))
        person = _ask_person(store, f"erase_{approval_id}", lang)
        st.button(
            t("approvals.erase_yes", lang),
            key=f"erase-{approval_id}",
            disabled=person is None,
            on_click=_erase,
            args=(store, viewer, approval_id, subject, lang),
        )


def _ask_person(store: Store, key: str, lang: Language) -> Person | None:
    for name, most in _FIELDS.items():
        st.text_input(t(f"approvals.person_{name}", lang), key=f"{key}_{name}", max_chars=most, autocomplete="off")
    try:
        return _read_person(store, key)
    except BadRecordError:
        st.caption(t("approvals.person_missing", lang))
        return None


def _read_person(store: Store, key: str) -> Person | None:
    name, phone, number = (read_text(f"{key}_{field}") for field in _FIELDS)
    if not (name or phone or number):
        return None
    hashed = split_identity(number, get_key(store, "identity"))[1] if number else None
    return Person(name or None, phone or None, hashed)


def _erase(store: Store, viewer: Viewer, approval_id: str, subject: str, lang: Language) -> None:
    try:
        person = _read_person(store, f"erase_{approval_id}")
        if person is None or build_subject(store, person) != subject:
            put_note(_PAGE, "problem", t("approvals.person_other", lang))
            return
        erased = erase_person(store, viewer, person, approval_id, clock=utc_now)
    except RecordMissingError:
        put_note(_PAGE, "problem", t("approvals.person_nobody", lang))
    except ShapanError:
        put_note(_PAGE, "problem", t("approvals.not_usable", lang))
    else:
        put_note(_PAGE, "done", t("approvals.erased", lang, rows=_say_rows(erased.rows, lang)))


def _say_rows(rows: dict[str, int], lang: Language) -> str:
    return " · ".join(t(f"approvals.table_{table}", lang, count=count) for table, count in rows.items())

"""Files to and from check-in servers outside the police network: points out, check-ins in, and what each brought."""

from __future__ import annotations

import json

import streamlit as st

from data.queries import find_checkin_files, find_checkin_servers
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, section, t
from tasks.checkin_files import add_server, get_office_public, take_checkins_file, write_points_file
from tasks.signed_files import MOST_BYTES
from ui.checkin_parts import PAGE, to_plain
from ui.files import ReadyFile, show_file
from ui.notes import put_note
from ui.tables import LOCAL, format_time, show_empty, show_table

_MIME = "application/json"
_MOST_MB = MOST_BYTES // 1_000_000


def show_exchange(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw both directions, the servers, and the files so far."""
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.subheader(t("checkins.out", lang))
        st.caption(t("checkins.out_text", lang))
        if st.button(t("checkins.out_write", lang), key="checkin_out"):
            content = write_points_file(store, viewer, clock=utc_now)
            name = f"checkin-points-{utc_now().astimezone(LOCAL):%Y%m%d-%H%M}.json"
            file = ReadyFile(name, _MIME, content)
            show_file(file, t("checkins.paper_ready", lang), t("audit.download", lang, name=name))
    with right, st.container(border=True):
        st.subheader(t("checkins.in", lang))
        st.caption(t("checkins.in_text", lang))
        given = st.file_uploader(t("checkins.in_file", lang), ["json"], key="checkin_in", max_upload_size=_MOST_MB)
        if given is not None and st.button(t("checkins.in_take", lang), key="checkin_take", type="primary"):
            _take(store, viewer, given.getvalue(), lang)
    _show_servers(store, viewer, lang)
    _show_files(store, viewer, lang)


def say_report(report: dict[str, int], lang: Language) -> str:
    """What a file brought, in words."""
    words = section("checkins", lang)
    parts = []
    for code, number in report.items():
        said = words.get(f"checkins.found_{code}") or words.get(f"checkins.doubt_{code}")
        if said and number:
            parts.append(f"{said} {number}")
    return " · ".join(parts)


def _take(store: Store, viewer: Viewer, content: bytes, lang: Language) -> None:
    try:
        report = take_checkins_file(store, viewer, content, clock=utc_now)
    except ShapanError as error:
        kind = type(error).__name__
        st.error(t("checkins.in_forged" if kind == "BadFileError" else "checkins.in_refused", lang))
        return
    put_note(PAGE, "done", say_report(report, lang))
    st.rerun()


def _show_servers(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("checkins.servers", lang))
    st.caption(t("checkins.office_key", lang))
    st.code(get_office_public(store, viewer), language=None)
    rows = to_plain(find_checkin_servers(store, viewer))
    if rows:
        show_table(
            [t(f"checkins.head_{name}", lang) for name in ("server", "address", "key", "since")],
            [
                [row["name"], row["address"] or "", row["public_key"][:16] + "…", format_time(row["added_utc"])]
                for row in rows
            ],
        )
    with st.popover(t("checkins.server_add", lang)), st.form(key="checkin_server", border=False):
        name = st.text_input(t("checkins.head_server", lang), max_chars=40)
        address = st.text_input(
            t("checkins.head_address", lang), max_chars=120, placeholder=t("checkins.example", lang)
        )
        key = st.text_input(t("checkins.head_key", lang), max_chars=80)
        if st.form_submit_button(t("checkins.save", lang)):
            try:
                add_server(store, viewer, name, key, address=address, clock=utc_now)
            except ShapanError:
                st.error(t("checkins.server_bad", lang))
            else:
                put_note(PAGE, "done", t("checkins.server_added", lang))
                st.rerun()


def _show_files(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("checkins.files", lang))
    rows = to_plain(find_checkin_files(store, viewer))
    if not rows:
        show_empty(t("checkins.no_files", lang))
        return
    show_table(
        [t(f"checkins.head_{name}", lang) for name in ("when", "direction", "server", "found")],
        [
            [
                format_time(row["taken_utc"]), t(f"checkins.{row['direction']}", lang), row["server"] or "",
                say_report(json.loads(row["report"]), lang),
            ]
            for row in rows
        ],
        narrow=frozenset({0}),
    )  # fmt: skip

"""Files of the 110 system: dropped, reported row by row, taken in together when somebody says so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import streamlit as st

from data.importing.options import SourceFile
from data.incident_writes import Answer, IntakeRequest, Outcome
from data.queries import find_categories
from data.rights import check_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadFileError, RecordMissingError, ShapanError
from i18n import Language, t
from incidents.export_rows import SENT_BY, Row, read_rows
from incidents.taking_in import TakingIn
from ui.cards import escape_markdown
from ui.intake_state import PAGE, get_taking_in
from ui.intake_words import build_kind_names, say_sureness
from ui.notes import put_note
from ui.tables import format_time, show_lead, show_table

_SHOWN = 200


def show_file_intake(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw it: the report first, and nothing is written before it is confirmed."""
    check_right(viewer, "action", "take_in")
    show_lead(t("intake.file_lead", lang))
    number = st.session_state.get("intake_file_number", 0)  # another widget after each file that was taken in
    file = st.file_uploader(
        t("intake.file", lang), type=["csv", "xlsx"], key=f"intake_file_{number}", max_upload_size=20
    )
    if file is None:
        return
    source = SourceFile(file.name, file.getvalue())
    kinds = find_categories(store, viewer)
    usual = dict(zip(kinds["category"], kinds["urgency"].fillna("normal"), strict=True))
    try:
        with st.spinner(t("intake.file_reading", lang), show_time=True):
            rows = read_rows(store, get_taking_in(store), source, usual, utc_now())
    except BadFileError as error:
        st.error(t("intake.file_bad", lang))
        st.code(str(error), language=None, wrap_lines=True)  # names columns and rows, never a cell's words
        return
    except RecordMissingError:
        st.error(t("intake.no_community", lang))
        return
    _show_report(rows, build_kind_names(kinds, lang), lang)
    new = [row for row in rows if row.is_new]
    if not new:
        st.info(t("intake.file_nothing", lang))
        return
    refused = sum(row.problem is not None for row in rows)
    if refused and not st.checkbox(t("intake.file_without", lang, count=refused), key=f"without_{number}"):
        return
    st.button(
        t("intake.file_take", lang, count=len(new)),
        type="primary",
        key="take_file",
        on_click=_take,
        args=(store, viewer, source, new, lang),
    )


def _show_report(rows: list[Row], names: dict[str, str], lang: Language) -> None:
    placed = sum(row.is_new and row.found is not None and row.found.is_placed for row in rows)
    figures = {
        "rows": len(rows),
        "placed": placed,
        "waiting": sum(row.is_new for row in rows) - placed,
        "known": sum(row.is_known for row in rows),
        "refused": sum(row.problem is not None for row in rows),
    }
    for column, (name, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(t(f"intake.file_{name}", lang), f"{value:,}")
    # What needs a look comes first.
    order = sorted(
        rows, key=lambda row: (row.problem is None, row.is_known, row.found is not None and row.found.is_placed)
    )
    if len(rows) > _SHOWN:
        st.caption(t("intake.file_more", lang, shown=_SHOWN, count=len(rows)))
    show_table(
        [t(f"intake.row_{name}", lang) for name in ("line", "number", "time", "kind", "said", "place", "verdict")],
        [_say(row, names, lang) for row in order[:_SHOWN]],
        narrow=frozenset({0, 1, 2}),
        dim=frozenset(n for n, row in enumerate(order[:_SHOWN]) if row.is_known),
    )


def _say(row: Row, names: dict[str, str], lang: Language) -> list[str]:
    found = row.found
    place = (
        ""
        if found is None
        else found.address or t("intake.point_free" if found.is_placed else "intake.not_placed", lang)
    )
    if row.problem is not None:
        verdict = t(f"intake.problem_{row.problem}", lang)
    elif row.is_known:
        verdict = t("intake.row_known", lang)
    else:
        sure = "" if found is None else say_sureness(found.confidence if found.is_placed else None, found.reason, lang)
        verdict = f"{t('intake.row_new', lang)} · {sure}"
    time = "" if row.report is None else format_time(row.report.received_at)
    kind = names.get(row.category or "", row.category or "")
    return [str(row.number_in_file), row.number or "", time, kind, row.address or "", place, verdict]


def take_rows(taking_in: TakingIn, source: SourceFile, rows: list[Row]) -> list[Outcome]:
    """All rows in one transaction, or none; what became of each."""
    built = [taking_in.build(row.report, sent_by=SENT_BY)[0] for row in rows if row.report is not None]
    done: list[Outcome] = []

    def respond(outcomes: Sequence[Outcome]) -> Answer:
        done[:] = outcomes
        return Answer(201, "")

    digest = hashlib.sha256(source.data).hexdigest()
    taking_in.writer.write(IntakeRequest(None, digest, tuple(built), respond))
    return done


def _take(store: Store, viewer: Viewer, source: SourceFile, rows: list[Row], lang: Language) -> None:
    check_right(viewer, "action", "take_in")
    try:
        done = take_rows(get_taking_in(store), source, rows)
    except ShapanError:
        put_note(PAGE, "problem", t("intake.file_failed", lang))
        return
    st.session_state["intake_file_number"] = st.session_state.get("intake_file_number", 0) + 1
    alike = sum(bool(one.possible_duplicates) for one in done if one.is_new)
    new = sum(one.is_new for one in done)
    put_note(PAGE, "done", escape_markdown(t("intake.file_done", lang, count=new, alike=alike, name=source.name)))

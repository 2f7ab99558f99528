"""The page of the log (操作日志): whether its chain is whole, what is in it, and who looked at one place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import streamlit as st

from data.audit import COMMAND_LINE, SERVER, AuditReport, verify
from data.exporting import take_audit
from data.queries import find_accounts, find_audit
from data.rights import Right, get_right
from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from i18n import Language, t
from ui import session
from ui.exports import CSV, FORMATS, XLSX, build_file
from ui.files import keep_file, show_file
from ui.log_table import COLUMNS, build_cells, show_rows
from ui.log_words import list_actions, list_kinds, say_actor, say_problem
from ui.subject_page import show_subject_file
from ui.tables import LOCAL, format_second, format_time, show_empty, show_lead, show_state, show_style

_PAGE_ROWS = 100
_CHECK_AT_ONCE = 20_000  # rows; reading so many takes about a second
_REPORT, _PAGE = "audit_report", "audit_page"
_PERIODS = {"today": 0, "7": 6, "30": 29, "all": None, "own": None}


def show_audit(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("audit.title", lang))
    show_lead(t("audit.lead", lang))
    _show_chain(store, lang)
    log, file = st.tabs([t("audit.tab_log", lang), t("audit.tab_file", lang)])
    with log:
        _show_log(store, viewer, lang)
    with file:
        show_subject_file(store, viewer, lang)


# The chain


def _show_chain(store: Store, lang: Language) -> None:
    rows = int(store.read("SELECT count(*) AS n FROM audit_log")["n"].iloc[0])
    left, right = st.columns([5, 1], vertical_alignment="center")
    with right:
        asked = st.button(t("audit.verify", lang), key="audit_verify", width="stretch")
    kept: tuple[AuditReport, datetime] | None = st.session_state.get(_REPORT)
    if asked or (kept is None and rows <= _CHECK_AT_ONCE):
        with left, st.spinner(t("audit.verifying", lang), show_time=True):
            kept = st.session_state[_REPORT] = (verify(store), utc_now())
    with left:
        if kept is None:
            show_state("unknown", t("audit.unchecked", lang), t("audit.unchecked_text", lang, rows=rows))
        else:
            _show_report(*kept, rows, lang)


def _show_report(report: AuditReport, checked: datetime, rows: int, lang: Language) -> None:
    if not report.is_whole:
        title = t("audit.broken", lang, seq=report.first_bad_seq)
        show_state("broken", title, f"{say_problem(report, lang)} {t('audit.broken_advice', lang)}")
        return
    newer = [t("audit.newer", lang, count=rows - report.rows)] if rows > report.rows else []
    back = [t("audit.went_back", lang, count=report.went_back)] if report.went_back else []
    title = t("audit.whole", lang, rows=report.rows, time=format_time(checked))
    show_state("unknown" if back else "whole", title, " · ".join([*newer, *back]))


# The log


def _show_log(store: Store, viewer: Viewer, lang: Language) -> None:
    filters = _ask_filters(store, viewer, lang)
    page = int(st.session_state.get(_PAGE, 0))
    rows = find_audit(store, viewer, **filters, limit=_PAGE_ROWS, offset=page * _PAGE_ROWS)
    if rows.empty and page:  # the last page was shown while a filter took its rows away
        page = st.session_state[_PAGE] = 0
        rows = find_audit(store, viewer, **filters, limit=_PAGE_ROWS)
    if rows.empty:
        show_empty(t("audit.empty", lang))
        return
    total = int(rows["total"].iloc[0])
    _show_pager("top", page, len(rows), total, lang)
    if get_right(viewer.role, "action", "export_audit") is not Right.NO:
        _offer_export(store, viewer, filters, total, lang)
    show_rows(rows, lang)
    if total > _PAGE_ROWS:
        _show_pager("bottom", page, len(rows), total, lang)


def _ask_filters(store: Store, viewer: Viewer, lang: Language) -> dict[str, Any]:
    """The conditions that were chosen, as `find_audit` takes them."""
    actions, kinds = list_actions(lang), list_kinds(lang)
    names = [*find_accounts(store, viewer)["name"], COMMAND_LINE, SERVER, "unknown"]
    if viewer.name and viewer.name not in names:  # a demo has roles, not accounts
        names += [
            row for row in store.read("SELECT DISTINCT actor FROM audit_log ORDER BY 1")["actor"] if row not in names
        ]
    first, second, third, fourth, fifth = st.columns(5)
    with first:
        period = _choose("period", list(_PERIODS), {name: t(f"audit.period_{name}", lang) for name in _PERIODS}, lang)
        days = _ask_days(lang) if period == "own" else None
    with second:
        actor = _choose("actor", ["", *names], {name: say_actor(name, lang) for name in names}, lang)
    with third:
        action = _choose("action", ["", *actions], actions, lang)
    with fourth:
        kind = _choose("kind", ["", *kinds], kinds, lang)
    with fifth:
        subject_id = st.text_input(
            t("audit.subject_id", lang),
            value=session.recall("audit_id", ""),
            placeholder=t("audit.subject_id_hint", lang),
            key="audit_id",
            on_change=_to_first_page,
        ).strip()
        session.keep("audit_id", subject_id)
    since, until = _find_period(str(period), days)
    subject = (kind or None, subject_id or None) if kind or subject_id else None
    return {"since": since, "until": until, "actor": actor or None, "action": action or None, "subject": subject}


def _choose(name: str, options: Sequence[str], words: dict[str, str], lang: Language) -> str:
    kept = session.recall(f"audit_{name}", "7" if name == "period" else "")
    chosen = st.selectbox(
        t(f"audit.{name}", lang),
        options,
        index=options.index(kept) if kept in options else 0,
        format_func=lambda code: words.get(code, code) if code else t("audit.any", lang),
        key=f"audit_{name}_{lang}",
        on_change=_to_first_page,
    )
    return session.keep(f"audit_{name}", str(chosen))


def _ask_days(lang: Language) -> tuple[date, date] | None:
    today = utc_now().astimezone(LOCAL).date()
    days = st.date_input(
        t("audit.days", lang),
        value=session.recall("audit_days", (today, today)),
        max_value=today,
        format="YYYY-MM-DD",
        key=f"audit_days_{lang}",
        on_change=_to_first_page,
    )
    if not isinstance(days, tuple) or len(days) != 2:
        return None  # only the first of the two has been chosen
    return session.keep("audit_days", (days[0], days[1]))


def _find_period(period: str, days: tuple[date, date] | None) -> tuple[datetime | None, datetime | None]:
    """From the beginning of the first day here to the end of the last."""
    if period == "own":
        if days is None:
            return None, None
        return _midnight(days[0]), _midnight(days[1] + timedelta(days=1))
    back = _PERIODS[period]
    return (None if back is None else _midnight(utc_now().astimezone(LOCAL).date() - timedelta(days=back))), None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LOCAL)


def _to_first_page() -> None:
    st.session_state[_PAGE] = 0


def _turn(by: int) -> None:
    st.session_state[_PAGE] = max(0, int(st.session_state.get(_PAGE, 0)) + by)


def _show_pager(where: str, page: int, shown: int, total: int, lang: Language) -> None:
    first = page * _PAGE_ROWS + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("audit.count", lang, first=first, last=first + shown - 1, total=total), width="content")
        if total > _PAGE_ROWS:
            for name, by, is_end in (("newer", -1, not page), ("older", 1, first + shown > total)):
                label, key = t(f"audit.{name}_page", lang), f"audit_{name}_{where}"
                st.button(label, key=key, on_click=_turn, args=(by,), disabled=is_end)


# Export


def _offer_export(store: Store, viewer: Viewer, filters: dict[str, Any], total: int, lang: Language) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = {form: st.button(t(f"audit.export_{form}", lang), key=f"audit_{form}") for form in FORMATS}
        st.caption(t("audit.export_text", lang, total=total), width="content")
    form = CSV if asked[CSV] else XLSX if asked[XLSX] else None
    if form is None:
        return
    with st.spinner(t("audit.exporting", lang), show_time=True):
        now = utc_now()
        rows = take_audit(store, viewer, form, clock=utc_now, **filters)
        heads = ["#", *(t(f"audit.{name}", lang) for name in COLUMNS)]
        cells = [[str(seq), *row] for seq, row in zip(rows["seq"], build_cells(rows, lang), strict=True)]
        watermark = t("audit.watermark", lang, who=viewer.name or "", time=format_second(now))
        file = keep_file(
            f"audit-{now.astimezone(LOCAL):%Y%m%d-%H%M%S}", form, build_file(form, watermark, heads, cells)
        )
    show_file(file, t("audit.download_text", lang, rows=len(rows)), t("audit.download", lang, name=file.name))

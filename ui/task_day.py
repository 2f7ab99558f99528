"""The day's report (工作日报), which writes itself from what was done: as text, PDF and Excel. Everybody's own only."""

from __future__ import annotations

from datetime import date

import streamlit as st

from data.audit import build_entry, record
from data.queries import find_tasks, get_info
from data.store import Store, utc_now
from data.task_day import find_day
from data.viewer import Viewer
from gis.errors import RefusedError
from i18n import Language, t
from ui.cards import escape_markdown
from ui.files import ReadyFile, show_file
from ui.report_files import BUILD, MIME, PDF, XLSX
from ui.reports import Part, Report, Table
from ui.tables import LOCAL, format_time
from ui.task_words import find_now, is_overdue, say_due, say_kind, say_state, to_rows

_COUNTED = (
    "submit",
    "nobody_home",
    "hold_session",
    "accept",
    "arrive",
    "forward",
    "refuse",
    "close",
    "send_back",
    "demand",
)
_AT_WORK = ("assigned", "accepted", "on_site")  # what was handed in waits for others
_SHOWN = 200


def show_day(store: Store, viewer: Viewer, lang: Language) -> None:
    """What the report of a day says, and its files; each that is made is in the log."""
    today = utc_now().astimezone(LOCAL).date()
    day = st.date_input(t("tasks.day", lang), value=today, max_value=today, format="YYYY-MM-DD", key=f"day_{lang}")
    report = build_day_report(store, viewer, day, lang)
    with st.container(horizontal=True):
        asked = [form for form in (PDF, XLSX) if st.button(t(f"tasks.day_{form}", lang), key=f"day-{form}")]
    if asked:
        _make(store, viewer, report, day, asked[0], lang)
    st.subheader(escape_markdown(report.title))
    for part in report.parts:
        st.markdown(f"**{escape_markdown(part.title)}**")
        st.markdown("\n".join(f"- {escape_markdown(line)}" for line in part.lines))
        if part.table is not None and part.table.rows:
            st.markdown("\n".join(f"- {escape_markdown(' · '.join(row))}" for row in part.table.rows))


def build_day_report(store: Store, viewer: Viewer, day: date, lang: Language) -> Report:
    """The report of the viewer's own day."""
    now, info = find_now(store), get_info(store)
    steps, photos = find_day(store, viewer, day)
    rows = to_rows(steps)
    counts = {name: sum(row["kind"] == name for row in rows) for name in _COUNTED}
    found = sum(row["findings_count"] for row in rows if row["kind"] == "submit")
    said = [t(f"tasks.day_{name}_n", lang, n=n) for name, n in counts.items() if n]
    said += [t("tasks.day_found", lang, n=found)] if found else []
    said += [t("tasks.day_photos", lang, n=photos)] if photos else []
    done = [
        [f"{row['at_utc'].astimezone(LOCAL):%H:%M}", t(f"tasks.did_{row['kind']}", lang),
         say_kind(row["task_kind"], lang),
         row["place_text"], row["reason"] or ""]
        for row in rows
    ]  # fmt: skip
    waiting = to_rows(find_tasks(store, viewer, now=now, only_mine=True, states=_AT_WORK, limit=_SHOWN))
    late = sum(is_overdue(row, now) for row in waiting)
    facts = [t("tasks.day_who", lang, who=viewer.name or viewer.role.value, time=format_time(now))]
    facts += [t("table.drill", lang)] if info.drill else []
    facts += [t("table.synthetic", lang)] if info.synthetic else []
    heads = [t(f"tasks.head_{name}", lang) for name in ("when", "what", "kind", "where", "why")]
    rest = [[say_due(row, now, lang), say_kind(row["kind"], lang), say_state(row["state"], lang), row["place_text"]]
            for row in waiting]  # fmt: skip
    return Report(
        t("tasks.day_title", lang, name=info.name, date=day.isoformat()),
        facts,
        (
            Part(t("tasks.day_done", lang), said or [t("tasks.day_nothing", lang)],
                 Table(t("tasks.day_done", lang), heads, done)),
            Part(t("tasks.day_left", lang), [t("tasks.day_left_n", lang, n=len(waiting), late=late)],
                 Table(t("tasks.day_left", lang), [heads[0], heads[2], t("tasks.head_state", lang), heads[3]], rest)),
        ),
    )  # fmt: skip


def _make(store: Store, viewer: Viewer, report: Report, day: date, form: str, lang: Language) -> None:
    try:
        content = BUILD[form](report)
    except RefusedError:
        st.error(t("command.report_no_font", lang))
        return
    detail = {"format": form, "day": day.isoformat()}
    record(store, build_entry(viewer, "export", subject_kind="day_report", detail=detail), clock=utc_now)
    file = ReadyFile(f"daily-{day:%Y%m%d}.{form}", MIME[form], content)
    show_file(file, t("command.report_ready", lang), t("audit.download", lang, name=file.name))

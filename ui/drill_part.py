"""The report of a drill on the shift page: times of each alarm and of each step. A part of the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from data.audit import build_entry, record
from data.drills import is_drill
from data.queries import find_categories, get_info
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import RefusedError
from i18n import Language, t
from incidents.drill_report import DrillReport, report_drill
from incidents.drill_run import find_end
from incidents.drill_times import STEPS, AlarmTimes, StepFigures
from ui.files import ReadyFile, show_file
from ui.intake_words import say_duration
from ui.marks import say_marks
from ui.report_files import MIME, PDF, build_pdf
from ui.reports import Part, Report, Table
from ui.tables import LOCAL, format_time, show_empty, show_table

LANG: Language = "zh"


def show_drill(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw the section, in a drill store only."""
    if not is_drill(store):
        return
    report = report_drill(store, viewer)
    kinds = find_categories(store, viewer)
    with st.container(border=True):
        st.subheader(t("drill.title", lang))
        for line in list_facts(report, lang):
            st.text(line)
        if not report.times.alarms:
            show_empty(t("drill.nothing_yet", lang))
            return
        for table in (build_alarm_table(report, kinds, lang), build_step_table(report.times.steps, lang)):
            st.markdown(f"**{table.title}**")
            show_table(table.heads, table.rows)
        st.caption(t("drill.reading", lang))
        if st.button(t("drill.print", lang), key="drill_print"):
            _print(store, viewer, report, kinds, lang)


def list_facts(report: DrillReport, lang: Language) -> list[str]:
    """Which scenario, since when, until when, and what is still to come."""
    facts = [t("drill.fact_scenario", lang, name=report.scenario, store=report.copied_from)]
    if report.started_utc is not None:
        end = find_end(report.started_utc, report.last_after_s)
        facts.append(t("drill.fact_times", lang, begin=format_time(report.started_utc), end=format_time(end)))
    facts.append(t("drill.fact_alarms", lang, n=len(report.times.alarms), rest=report.times.to_come))
    return facts


def build_alarm_table(report: DrillReport, kinds: pd.DataFrame, lang: Language) -> Table:
    """A line for each alarm that has come in."""
    names = dict(zip(kinds["category"], kinds[f"name_{lang}"], strict=True))
    heads = [t("drill.head_no", lang), t("drill.head_kind", lang), t("drill.head_place", lang)]
    heads += [t(f"drill.step_{step.value}", lang) for step in STEPS]
    heads += [t("drill.head_state", lang), t("drill.head_expected", lang)]
    rows = [
        [
            str(one.alarm_no),
            str(names.get(one.category, one.category)),
            one.address or t("dispatch.no_place_short", lang),
            *(_say_step(one, step.value, lang) for step in STEPS),
            t(f"drill.step_{one.status}", lang),
            one.expectation or "",
        ]
        for one in report.times.alarms
    ]
    return Table(t("drill.alarms", lang), heads, rows)


def build_step_table(steps: Sequence[StepFigures], lang: Language) -> Table:
    """A line for each step, over all alarms."""
    names = ("step", "reached", "not_reached", "median", "worst", "in_time")
    rows = [
        [
            t(f"drill.step_{one.step}", lang),
            str(one.reached),
            str(one.not_reached),
            say_s(one.median_s, lang),
            say_s(one.worst_s, lang),
            t("drill.in_time", lang, n=one.in_time, of=one.wanted) if one.wanted else t("drill.no_target", lang),
        ]
        for one in steps
    ]
    return Table(t("drill.steps", lang), [t(f"drill.head_{name}", lang) for name in names], rows)


def build_drill_report(
    store: Store, report: DrillReport, kinds: pd.DataFrame, *, mark: str, who: str, now: datetime
) -> Report:
    """The paper, in Chinese as every paper of the office."""
    facts = [mark, *list_facts(report, LANG), t("drill.fact_made", LANG, who=who, time=format_time(now))]
    alarms, steps = build_alarm_table(report, kinds, LANG), build_step_table(report.times.steps, LANG)
    parts = (Part(steps.title, [], steps), Part(alarms.title, [t("drill.reading", LANG)], alarms))
    return Report(t("drill.report_title", LANG, name=get_info(store).name), facts, parts)


def say_s(seconds: float | None, lang: Language) -> str:
    """Minutes and seconds in words; what was not reached says so."""
    return t("drill.not_reached", lang) if seconds is None else say_duration(timedelta(seconds=round(seconds)), lang)


def _say_step(one: AlarmTimes, step: str, lang: Language) -> str:
    said, target = say_s(one.seconds[step], lang), one.targets_s[step]
    if target is None:
        return said
    seconds = one.seconds[step]
    key = "drill.over_target" if seconds is not None and seconds > target else "drill.of_target"
    return t(key, lang, time=said, target=say_s(target, lang))


def _print(store: Store, viewer: Viewer, report: DrillReport, kinds: pd.DataFrame, lang: Language) -> None:
    now = utc_now()
    who = viewer.name or viewer.role.value
    paper = build_drill_report(store, report, kinds, mark=say_marks(LANG), who=who, now=now)
    try:
        content = build_pdf(paper, is_dense=True)
    except RefusedError:
        st.error(t("command.report_no_font", lang))
        return
    record(store, build_entry(viewer, "export", subject_kind="drill"), clock=utc_now)
    file = ReadyFile(f"drill-{now.astimezone(LOCAL):%Y%m%d-%H%M}.pdf", MIME[PDF], content)
    show_file(file, t("drill.ready", lang), t("audit.download", lang, name=file.name))

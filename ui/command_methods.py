"""The methods of the workbench, one at a time: what it was asked and used, its sentence, its plan and its table."""

from __future__ import annotations

import json

import numpy as np
import streamlit as st

from data.calendars import EVERY_DAY, keep_calendar, read_days
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, ShapanError
from i18n import Language, t
from incidents.answer import Answer, to_plain
from ui import session
from ui.cards import escape_markdown
from ui.command_data import Situation
from ui.command_methods_data import METHODS, ON, Finding, find_method
from ui.command_plan import Plane, draw_buildings, draw_ground
from ui.command_words import say_cluster, say_luck
from ui.components.drawing.component import show_drawing
from ui.notes import put_note
from ui.tables import show_empty, show_table

_PAGE = "command"
_COUNTED = ("hot", "trends")
_FAINTEST = 0.15  # of the densest cell: below nothing is drawn, cold ground stays quiet


def show_methods(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Draw it."""
    method = st.segmented_control(
        t("bench.method", lang), METHODS, default=session.recall("command_method", METHODS[0]),
        format_func=lambda one: t(f"bench.method_{one}", lang), key=f"command_method_{lang}", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    method = session.keep("command_method", str(method or METHODS[0]))
    st.markdown(t(f"bench.about_{method}", lang))
    on = ON[0]
    if method in _COUNTED:
        chosen = st.segmented_control(
            t("bench.on", lang), ON, default=session.recall("command_on", ON[0]),
            format_func=lambda one: t(f"bench.on_{one}", lang), key=f"command_on_{lang}", required=True,
        )  # fmt: skip
        on = session.keep("command_on", str(chosen or ON[0]))
    findings = find_method(store, viewer, situation.question, method, on)
    if not findings:
        show_empty(t(f"bench.nothing_{method}" if method in ("calendar", "back_test") else "bench.nothing", lang))
    draw = {"hot": _show_hot, "trends": _show_trends, "density": _show_density, "back_test": _show_back_test}
    for finding in findings:
        if method == "back_test":
            st.subheader(t(f"bench.test_{finding.label}", lang))
        said = say_cluster(situation, lang) if method == "scan" else finding.answer.sentence(lang)
        st.markdown(f"**{escape_markdown(said)}**")
        if method in draw:
            draw[method](situation, finding, lang)
        elif method == "calendar":
            _show_calendar(finding, lang)
        _show_asked(finding.answer, lang)
    if method == "calendar":
        _show_calendar_form(store, viewer, lang)


def _show_asked(answer: Answer, lang: Language) -> None:
    asked = json.dumps(to_plain(answer.asked), ensure_ascii=False)
    left = json.dumps(dict(answer.left_out), ensure_ascii=False)
    st.caption(escape_markdown(t("bench.asked", lang, asked=asked, n=answer.n_used, left=left)))


def _show_hot(situation: Situation, finding: Finding, lang: Language) -> None:
    rows = finding.answer.rows
    classes = np.where(rows["hot"], "hot", np.where(rows["reason"] == "too_few", "few", ""))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_units(situation, finding, classes, "bench.hot_legend", lang)
    top = rows[rows["hot"]].sort_values("z", ascending=False).head(10)
    heads = [t(f"bench.head_{name}", lang) for name in ("count", "around", "expected", "z", "p", "q")]
    cells = [
        [
            str(int(row["count"])), f"{row['around'] + row['count']:.0f}", f"{row['expected']:.1f}", f"{row['z']:.2f}",
            f"{row['p']:.2g}", f"{row['q']:.2g}",
        ]
        for row in top.to_dict("records")
    ]  # fmt: skip
    with right:
        if cells:
            show_table(heads, cells)
        else:
            show_empty(t("bench.nowhere", lang))


def _show_trends(situation: Situation, finding: Finding, lang: Language) -> None:
    classes = finding.answer.rows["trend"].replace("none", "").to_numpy(dtype=object)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_units(situation, finding, classes, "bench.trends_legend", lang)
    rows = finding.answer.rows[classes != ""].sort_values(["trend", "recent"], ascending=[False, False])
    heads = [t(f"bench.head_{name}", lang) for name in ("trend", "older", "due", "recent", "due")]
    cells = [
        [
            t(f"bench.trend_{row['trend']}", lang), str(int(row["older"])), f"{row['expected_older']:.1f}",
            str(int(row["recent"])), f"{row['expected_recent']:.1f}",
        ]
        for row in rows.head(12).to_dict("records")
    ]  # fmt: skip
    with right:
        if cells:
            show_table(heads, cells)
        else:
            show_empty(t("bench.nowhere", lang))


def _show_units(situation: Situation, finding: Finding, classes: np.ndarray, legend: str, lang: Language) -> None:
    """The units that have a class; all others are cold ground and stay quiet."""
    units = finding.units
    if units is None:
        return
    at = Plane(situation.outline)
    is_few = bool((classes == "few").any())
    parts = [draw_ground(situation, at, is_few=is_few), *draw_buildings(situation, at, lambda _: "", picks=False)]
    draw, kind = (at.line, "r") if units.kind == "segment" else (at.path, "u")
    if units.kind == "segment":
        parts += [f'<path class="r" d="{draw(shape)}"/>' for shape in units.geometry[classes == ""]]
    for number in np.flatnonzero((classes != "") & (classes != "few")):
        count = int(units.counts[number])
        parts.append(
            f'<path class="{kind} {classes[number]}" d="{draw(units.geometry[number])}"><title>{count}</title></path>'
        )
    show_drawing(at.wrap(parts, t("command.map", lang)), key=f"command_method_map_{finding.answer.method}")
    st.caption(t(legend, lang))


def _show_density(situation: Situation, finding: Finding, lang: Language) -> None:
    at = Plane(situation.outline)
    parts = [draw_ground(situation, at), *draw_buildings(situation, at, lambda _: "", picks=False)]
    rows = finding.answer.rows
    most, half = float(rows["density"].max()), situation.cell_m / 2
    dense = rows[rows["density"] > _FAINTEST * most]
    middles = at.points(dense[["x", "y"]].to_numpy(np.float64))
    for (x, y), value in zip(middles.tolist(), dense["density"], strict=True):
        parts.append(
            f'<rect class="u" x="{x - half:g}" y="{y - half:g}" width="{2 * half:g}" height="{2 * half:g}" '
            f'fill="#ff9e42" fill-opacity="{0.75 * value / most:.2f}"/>'
        )
    left, _ = st.columns([3, 2], gap="large")
    with left:
        show_drawing(at.wrap(parts, t("command.map", lang)), key="command_method_map_density")
        st.caption(t("bench.density_legend", lang))


def _show_back_test(_: Situation, finding: Finding, lang: Language) -> None:
    """Each map at each share, last period's counts beside it."""
    rows = []
    for row in finding.answer.rows.sort_values(["share", "map"], kind="stable").to_dict("records"):
        rows.append(
            [
                f"{100 * row['share']:g}%", t(f"analysis.map_{row['map']}", lang), f"{100 * row['hit_rate']:.1f}%",
                f"{row['pai']:.2f}", f"{row['pei']:.2f}", str(int(row["hits"])),
                f"{100 * row['rival_hit_rate']:.1f}%", f"{100 * row['gain']:+.1f}",
            ]
        )  # fmt: skip
    names = ("share", "map", "hit_rate", "pai", "pei", "hits", "rival", "gain")
    show_table([t(f"bench.head_{name}", lang) for name in names], rows, narrow=frozenset({0}))
    asked = finding.answer.asked
    st.caption(
        t(
            "bench.back_test_text", lang, periods=int(finding.answer.rows["periods"].iloc[0]), memory=asked["memory"],
            n=finding.answer.n_used,
        )
    )  # fmt: skip


def _show_calendar(finding: Finding, lang: Language) -> None:
    heads = [t(f"bench.head_{name}", lang) for name in ("kind_of_day", "days_of", "count", "per_day")]
    rows = [
        [
            finding.label if row["kind"] == finding.label else t("bench.other_days", lang), str(row["days"]),
            str(row["count"]), f"{row['per_day']:.2f}",
        ]
        for row in finding.answer.rows.to_dict("records")
    ]  # fmt: skip
    show_table(heads, rows, narrow=frozenset({1, 2, 3}))
    st.caption(say_luck(float(str(finding.answer.figures["p"])), lang))


def _show_calendar_form(store: Store, viewer: Viewer, lang: Language) -> None:
    if get_right(viewer.role, "action", "manage_calendars") is Right.NO:
        return
    with (
        st.expander(t("bench.calendar_keep", lang), key="command_calendar"),
        st.form(key="command_calendar_form", border=False),
    ):
        name = st.text_input(t("bench.calendar_name", lang), max_chars=20)
        text = st.text_area(t("bench.calendar_days", lang), placeholder=t("bench.calendar_hint", lang), height=120)
        weekdays = st.pills(
            t("bench.calendar_weekdays", lang), EVERY_DAY, selection_mode="multi", default=EVERY_DAY,
            format_func=lambda day: t(f"command.weekday_{day - 1}", lang), key=f"command-calendar-weekdays-{lang}",
        )  # fmt: skip
        if not st.form_submit_button(t("command.save", lang), type="primary"):
            return
    try:
        days = read_days(text, weekdays=weekdays)
        keep_calendar(store, viewer, name, days, clock=utc_now)
    except BadRecordError:
        st.error(t("bench.calendar_bad", lang))
    except ShapanError:
        st.error(t("command.failed", lang))
    else:
        put_note(_PAGE, "done", t("bench.calendar_kept", lang, name=escape_markdown(name), n=len(days)))
        st.rerun()

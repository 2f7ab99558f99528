"""The workbench: plan, list of places with reasons, one place's incidents, clock, trend, and the methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from data.rights import Right, get_right
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from incidents.concentration import find_repeats
from incidents.hotspots import FEWEST_INCIDENTS
from incidents.hours import find_hours
from incidents.near_repeats import find_chains, find_near_repeats
from ui.cards import escape_markdown
from ui.command_charts import build_clock, build_trend, count_periods
from ui.command_data import Place, Situation, find_zone_states
from ui.command_decisions import Decision
from ui.command_map import build_map, find_too_few
from ui.command_meeting import build_prefill
from ui.command_state import choose_place, choose_zone, get_place, start_zone
from ui.command_words import say_hot, say_kind, say_name, say_own, say_standing
from ui.components.drawing.component import show_drawing
from ui.tables import format_time, show_empty, show_table

_MOST_INCIDENTS = 60


def show_bench(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Draw it."""
    number = get_place()
    chosen = situation.places[number - 1] if number is not None and 0 < number <= len(situation.places) else None
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_map(store, viewer, situation, number if chosen else None, lang)
    with right:
        if chosen is None or number is None:
            _show_list(situation, lang)
        else:
            _show_place(viewer, situation, chosen, number, lang)
    first, second = st.columns(2, gap="large")
    with first:
        _show_clock(situation, chosen, lang)
    with second:
        _show_trend(situation, chosen, lang)
    if chosen is not None:
        _show_incidents(situation, chosen, lang)
    _show_methods(situation, lang)


def _show_map(store: Store, viewer: Viewer, situation: Situation, number: int | None, lang: Language) -> None:
    def go() -> None:
        picked = str(getattr(st.session_state.get("command_map"), "picked", "") or "")
        kind, _, name = picked.partition(":")
        if kind == "place" and name.isdigit():
            choose_place(int(name))
        elif kind == "zone":
            choose_zone(name)

    zones = find_zone_states(store, viewer, with_closed=False)
    svg = build_map(situation, zones, title=t("command.map", lang), on=number)
    show_drawing(svg, key="command_map", on_picked=go)
    if situation.cells is None:
        st.caption(t("command.map_too_few", lang, n=situation.n, fewest=FEWEST_INCIDENTS))
    else:
        st.caption(t("command.map_legend", lang, few=len(find_too_few(situation))))


def _show_list(situation: Situation, lang: Language) -> None:
    st.subheader(t("command.places", lang))
    if not situation.places:
        show_empty(t("command.places_none", lang))
    for number, place in enumerate(situation.places, start=1):
        with st.container(border=True, gap="xsmall"):
            st.button(
                f"{number} · {escape_markdown(say_name(place, lang))}", key=f"command-place-{number}", type="tertiary",
                on_click=choose_place, args=(number,),
            )  # fmt: skip
            st.markdown(escape_markdown(say_hot(place, lang)))
            st.caption(escape_markdown(say_own(place, situation.question.weeks, lang)))


def _show_place(viewer: Viewer, situation: Situation, place: Place, number: int, lang: Language) -> None:
    st.subheader(f"{number} · {escape_markdown(say_name(place, lang))}")
    for line in (say_hot(place, lang), say_standing(place, lang), say_own(place, situation.question.weeks, lang)):
        if line:
            st.markdown(escape_markdown(line))
    tops = situation.rows.loc[place.inside & situation.in_period, "category"].value_counts()
    if len(tops):
        kinds = t("command.list_comma", lang).join(
            f"{say_kind(situation, k, lang)} {n}" for k, n in tops.head(6).items()
        )
        st.markdown(escape_markdown(t("command.kinds_of", lang, kinds=kinds)))
    with st.container(horizontal=True):
        if get_right(viewer.role, "action", "manage_zones") is not Right.NO:
            one = Decision(place.standing.trend if place.standing else "more", place=place, number=number)
            st.button(
                t("command.patrol", lang), key="command_patrol", type="primary", on_click=start_zone,
                args=(build_prefill(_with_words(one), situation, lang),),
            )  # fmt: skip
        st.button(t("command.back", lang), key="command_back", on_click=choose_place, args=(None,))


def _with_words(one: Decision) -> Decision:
    """A place that is neither lasting nor new is named as one that has more than its share."""
    return one if one.reason in ("persistent", "emerging") else Decision("more", place=one.place, number=one.number)


def _pick(situation: Situation, chosen: Place | None) -> pd.Series:
    return pd.Series(situation.in_period if chosen is None else situation.in_period & chosen.inside)


def _show_clock(situation: Situation, chosen: Place | None, lang: Language) -> None:
    st.subheader(t("command.clock", lang))
    rows = situation.rows[_pick(situation, chosen).to_numpy()]
    if len(rows) == 0:
        show_empty(t("command.nothing_here", lang))
        return
    answer = find_hours(rows["occurred_from_utc"], rows["occurred_to_utc"])
    weights = answer.rows["weight"].to_numpy(np.float64).reshape(7, 24)
    days = [t(f"command.weekday_{n}", lang) for n in range(7)]
    show_drawing(build_clock(weights, days, title=t("command.clock", lang)), key="command_clock")
    few = t("command.clock_few", lang) if answer.n_used < FEWEST_INCIDENTS else ""
    st.caption(answer.sentence(lang) + few)


def _show_trend(situation: Situation, chosen: Place | None, lang: Language) -> None:
    st.subheader(t("command.trend", lang))
    begin = pd.to_datetime(situation.rows["occurred_from_utc"], utc=True)
    weeks = min(situation.question.weeks, 12)
    own = begin if chosen is None else begin[chosen.inside]
    starts, counts = count_periods(own, first=situation.first, until=situation.until, weeks=weeks)
    show_drawing(build_trend(starts, counts, title=t("command.trend", lang)), key="command_trend")
    st.caption(t("command.trend_text", lang, weeks=weeks, periods=len(counts)))


def _show_incidents(situation: Situation, place: Place, lang: Language) -> None:
    """Time, kind and standard address: callers and what they said are opened at the desk, for a purpose."""
    rows = situation.rows[place.inside & situation.in_period].sort_values("occurred_from_utc", ascending=False)
    st.subheader(t("command.incidents", lang, n=len(rows)))
    if rows.empty:
        show_empty(t("command.nothing_here", lang))
        return
    cells = [
        [
            format_time(row["occurred_from_utc"]), say_kind(situation, row["category"], lang),
            row["address"] if isinstance(row["address"], str) else "", t(f"command.status_{row['status']}", lang),
        ]
        for row in rows.head(_MOST_INCIDENTS).to_dict("records")
    ]  # fmt: skip
    show_table(
        [t(f"command.head_{name}", lang) for name in ("at", "kind", "address", "status")], cells, narrow=frozenset({0})
    )
    st.caption(t("command.incidents_text", lang))


def list_methods(situation: Situation, lang: Language) -> list[str]:
    """The sentence of each method on the incidents of the period."""
    rows = situation.rows[situation.in_period]
    said = [
        t("command.method_hot", lang, cells=0 if situation.cells is None else int(situation.cells.cells["hot"].sum())),
        find_repeats(rows["building_id"].tolist(), all_places=list(situation.buildings.index), by="building").sentence(
            lang
        ),
    ]
    if len(rows) >= FEWEST_INCIDENTS:
        begin = pd.to_datetime(rows["occurred_from_utc"], utc=True)
        days = ((begin - situation.since) / pd.Timedelta(days=1)).to_numpy(np.float64)
        xy = np.column_stack([rows.geometry.x, rows.geometry.y])
        held = {"units": rows["unit_id"].to_numpy(object), "buildings": rows["building_id"].to_numpy(object)}
        said.append(find_near_repeats(xy, days, **held).sentence(lang))
        said.append(find_chains(xy, days, distance_m=50.0, days=7.0, **held).sentence(lang))
    if situation.cluster is not None:
        said.append(situation.cluster.sentence(lang))
    return said


def _show_methods(situation: Situation, lang: Language) -> None:
    with st.expander(t("command.methods", lang), key="command_methods"):
        st.markdown(t("command.methods_text", lang))
        if st.toggle(t("command.methods_run", lang), key="command_methods_run"):
            st.markdown("\n".join(f"- {escape_markdown(line)}" for line in list_methods(situation, lang)))

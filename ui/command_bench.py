"""The workbench: plan, list of places with reasons, one place's incidents, clock, trend, and the methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from incidents.hotspots import FEWEST_INCIDENTS
from incidents.hours import find_hours
from ui.cards import escape_markdown
from ui.command_charts import build_clock, build_trend, count_periods
from ui.command_data import Place, Situation, find_zone_states
from ui.command_decisions import Decision
from ui.command_map import build_map, find_too_few
from ui.command_meeting import build_prefill
from ui.command_place import offer, say_kinds, show_ground, show_incidents
from ui.command_repeats_data import Ground, find_ground
from ui.command_state import choose_ground, choose_place, choose_zone, get_ground, get_place
from ui.command_words import say_hot, say_name, say_own, say_standing
from ui.components.drawing.component import show_drawing
from ui.tables import show_empty

Bools = NDArray[np.bool_]


def show_bench(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Draw it."""
    number = get_place()
    chosen = situation.places[number - 1] if number is not None and 0 < number <= len(situation.places) else None
    key = get_ground()
    ground = None if key is None else find_ground(store, viewer, situation, key)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_map(store, viewer, situation, number if chosen else None, ground, lang)
    with right:
        if chosen is not None and number is not None:
            _show_place(store, viewer, situation, chosen, number, lang)
        elif ground is not None:
            show_ground(store, viewer, situation, ground, lang)
        else:
            _show_list(situation, lang)
    inside = chosen.inside if chosen is not None else ground.inside if ground is not None else None
    if inside is not None:
        show_incidents(situation, inside, lang)
    first, second = st.columns(2, gap="large")
    with first:
        _show_clock(situation, inside, lang)
    with second:
        _show_trend(situation, inside, lang)
    st.caption(t("bench.more", lang))


def _show_map(
    store: Store, viewer: Viewer, situation: Situation, number: int | None, ground: Ground | None, lang: Language
) -> None:
    def go() -> None:
        picked = str(getattr(st.session_state.get("command_map"), "picked", "") or "")
        kind, _, name = picked.partition(":")
        if kind == "place" and name.isdigit():
            choose_place(int(name))
        elif kind == "zone":
            choose_zone(name)
        elif kind == "building":
            choose_ground(picked)

    zones = find_zone_states(store, viewer, with_closed=False)
    house = "" if ground is None else ground.key.partition("building:")[2]
    svg = build_map(situation, zones, title=t("command.map", lang), on=number, chosen=(house,))
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


def _show_place(store: Store, viewer: Viewer, situation: Situation, place: Place, number: int, lang: Language) -> None:
    st.subheader(f"{number} · {escape_markdown(say_name(place, lang))}")
    for line in (say_hot(place, lang), say_standing(place, lang), say_own(place, situation.question.weeks, lang)):
        if line:
            st.markdown(escape_markdown(line))
    kinds = say_kinds(situation, place.inside & situation.in_period, lang)
    if kinds:
        st.markdown(escape_markdown(kinds))
    with st.container(horizontal=True):
        one = Decision(place.standing.trend if place.standing else "more", place=place, number=number)
        offer(store, viewer, build_prefill(_with_words(one), situation, lang), "command", lang)
        st.button(t("command.back", lang), key="command_back", on_click=choose_place, args=(None,))


def _with_words(one: Decision) -> Decision:
    """A place that is neither lasting nor new is named as one that has more than its share."""
    return one if one.reason in ("persistent", "emerging") else Decision("more", place=one.place, number=one.number)


def _show_clock(situation: Situation, inside: Bools | None, lang: Language) -> None:
    st.subheader(t("command.clock", lang))
    rows = situation.rows[situation.in_period if inside is None else situation.in_period & inside]
    if len(rows) == 0:
        show_empty(t("command.nothing_here", lang))
        return
    answer = find_hours(rows["occurred_from_utc"], rows["occurred_to_utc"])
    weights = answer.rows["weight"].to_numpy(np.float64).reshape(7, 24)
    days = [t(f"command.weekday_{n}", lang) for n in range(7)]
    show_drawing(build_clock(weights, days, title=t("command.clock", lang)), key="command_clock")
    few = t("command.clock_few", lang) if answer.n_used < FEWEST_INCIDENTS else ""
    st.caption(answer.sentence(lang) + few)


def _show_trend(situation: Situation, inside: Bools | None, lang: Language) -> None:
    st.subheader(t("command.trend", lang))
    begin = pd.to_datetime(situation.rows["occurred_from_utc"], utc=True)
    weeks = min(situation.question.weeks, 12)
    own = begin if inside is None else begin[inside]
    starts, counts = count_periods(own, first=situation.first, until=situation.until, weeks=weeks)
    show_drawing(build_trend(starts, counts, title=t("command.trend", lang)), key="command_trend")
    st.caption(t("command.trend_text", lang, weeks=weeks, periods=len(counts)))

"""The form of a new patrol plan: shift, people, places, wishes and settings, with defaults that make a plan at once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import streamlit as st

from data.patrols import propose_plan
from data.store import Store, utc_now
from data.viewer import Viewer
from data.zones import find_today
from gis.errors import RecordMissingError, ShapanError
from i18n import Language, t
from incidents.patrol_plan import ImpossiblePatrolError
from incidents.patrol_planning import MOST_A_DAY, Ask, make_draft
from incidents.patrol_shift import Wish
from incidents.patrol_slots import GAP_MINUTES, STOP_MINUTES, STOP_RANGE_MINUTES, PatrolRules
from incidents.walking import get_walk_network
from ui import session
from ui.command_data import Situation
from ui.notes import put_note
from ui.patrol_data import (
    Candidate,
    Duty,
    choose_people,
    count_planned,
    find_candidates,
    find_people,
    find_plans,
    find_shift_hours,
    get_shift,
    with_rates,
)
from ui.patrol_places import LEAST_REASON, ask_places
from ui.tables import LOCAL, show_empty

PAGE = "patrol"
CHOSEN = "patrol_plan"
NEW = "new"
_SEEDS = 1_000_000
_JOINT = 2


@dataclass(frozen=True)
class Wanted:
    """What the form's settings say."""

    joint: int
    rules: PatrolRules
    most_a_day: int


def show_form(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw it; a press of its button keeps the plan that was found."""
    st.subheader(t("patrol.new", lang))
    hours = find_shift_hours(store, viewer)
    shift = _ask_shift(hours, lang)
    people = find_people(store, viewer, *shift)
    candidates, situation = find_candidates(store, viewer, *shift)
    if not people:
        show_empty(t("patrol.nobody", lang))
        return
    if not candidates:
        show_empty(t("patrol.no_places", lang))
        return
    wanted = _ask_settings(lang)
    chosen = _ask_people(people, wanted.joint, f"{shift[0]:%m%d%H%M}", lang)
    places = ask_places(candidates, shift, lang)
    if st.button(t("patrol.propose", lang), type="primary", key="patrol_propose"):
        if places is None:
            st.error(t("patrol.reweigh_why", lang, n=LEAST_REASON))
            return
        with st.spinner(t("patrol.computing", lang)):
            _propose(store, viewer, shift, chosen, places, situation, wanted, lang)


def _ask_shift(hours: Sequence[tuple[time, time]], lang: Language) -> tuple[datetime, datetime]:
    first, second, third, fourth = st.columns([2, 3, 2, 2])
    now = utc_now().astimezone(LOCAL)
    day = first.date_input(
        t("patrol.day", lang), value=find_today(utc_now) + timedelta(days=1), min_value=find_today(utc_now),
        format="YYYY-MM-DD", key="patrol_day",
    )  # fmt: skip
    options: list[tuple[time, time] | None] = [*hours[:6], None]
    picked = second.selectbox(
        t("patrol.shift", lang), options, key=f"patrol_shift_{lang}",
        format_func=lambda one: t("patrol.own_hours", lang) if one is None else f"{one[0]:%H:%M}–{one[1]:%H:%M}",
    )  # fmt: skip
    given = picked or (time(14), time(22))
    if picked is None:
        begin = third.time_input(t("patrol.from", lang), value=given[0], step=1800, key="patrol_from")
        end = fourth.time_input(t("patrol.to", lang), value=given[1], step=1800, key="patrol_to")
        given = (begin, end)
    return get_shift(day if isinstance(day, date) else now.date(), given)


def _ask_settings(lang: Language) -> Wanted:
    low, high = STOP_RANGE_MINUTES
    with st.expander(t("patrol.settings", lang), key="patrol_settings"):
        first, second, third, fourth, fifth = st.columns(5)
        stop = first.slider(
            t("patrol.stop_minutes", lang), int(low), int(high), int(STOP_MINUTES), key="patrol_stop",
        )  # fmt: skip
        gap = second.number_input(
            t("patrol.gap_minutes", lang), min_value=20, max_value=480, value=int(GAP_MINUTES), step=10,
            key="patrol_gap",
        )  # fmt: skip
        most = third.number_input(t("patrol.most_a_day", lang), 1, 12, MOST_A_DAY, key="patrol_most")
        fair = fourth.checkbox(t("patrol.fair", lang), value=True, key="patrol_fair", help=t("patrol.fair_help", lang))
        joint = fifth.number_input(
            t("patrol.joint", lang), 0, 6, _JOINT, key="patrol_joint", help=t("patrol.joint_help", lang)
        )
        st.caption(t("patrol.stop_source", lang))
    rules = PatrolRules(float(stop), float(gap), fairness=1.0 if fair else 0.0, seed=1 + secrets.randbelow(_SEEDS))
    return Wanted(int(joint), rules, int(most))


def _ask_people(people: Sequence[Duty], joint: int, shift: str, lang: Language) -> list[Duty]:
    by_id = {one.person.responder_id: one for one in people}
    ids = st.multiselect(
        t("patrol.people", lang), list(by_id), default=choose_people(people, joint),
        format_func=lambda one: by_id[one].say(lang), key=f"patrol_people_{shift}_{joint}_{lang}",
        placeholder=t("patrol.choose", lang), help=t("patrol.people_help", lang), wrap=True, select_all=False,
    )  # fmt: skip
    return [by_id[one] for one in ids]


def _propose(
    store: Store, viewer: Viewer, shift: tuple[datetime, datetime], people: Sequence[Duty],
    places: Sequence[Candidate], situation: Situation | None, wanted: Wanted, lang: Language,
) -> None:  # fmt: skip
    if not places or not people:
        st.error(t("patrol.no_choice", lang))
        return
    wishes = with_rates(places, situation)
    ask = Ask(
        *shift,
        tuple(wishes),
        tuple(one.person for one in people),
        {one.person.responder_id: one.start for one in people},
        wanted.rules,
        wanted.joint,
        wanted.most_a_day,
        count_planned(find_plans(store, viewer), *shift),
    )
    try:
        plan_id = propose_plan(store, viewer, make_draft(get_walk_network(store), ask), clock=utc_now)
    except ShapanError as error:
        st.error(say_problem(error, wishes, lang))
        return
    put_note(PAGE, "done", t("patrol.proposed", lang))
    session.keep(CHOSEN, plan_id)
    st.rerun()


def say_problem(error: ShapanError, wishes: Sequence[Wish], lang: Language) -> str:
    """Why there is no plan, and which wish to drop."""
    if isinstance(error, ImpossiblePatrolError):
        names = {wish.place_id: wish.name for wish in wishes}
        said = error.drop or error.places
        listed = t("command.list_comma", lang).join(dict.fromkeys(names.get(one, one) for one in said))
        key = "patrol.drop_one" if error.drop else "patrol.drop_more"
        return t(key, lang, names=listed)
    if isinstance(error, RecordMissingError):
        return t("patrol.no_roads", lang)
    return t("patrol.cannot", lang)

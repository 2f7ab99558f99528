"""Volunteers and teams: taking in with consent, the card on paper, a new card for a lost one, leaving at will."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import streamlit as st

from data.queries import find_responders, find_thanks, find_volunteer_teams, find_volunteers
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.booking import to_day
from tasks.cards import get_card, renew_card
from tasks.volunteers import NewVolunteer, add_team, join, lead_team, leave
from ui.cards import escape_markdown
from ui.checkin_paper import print_card
from ui.checkin_parts import say_person, to_plain
from ui.notes import put_note
from ui.papers import offer_paper
from ui.tables import show_empty, show_table

PAGE = "counter"
_FORM_TURN = "volunteer_turn"


def show_volunteers(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw the form, the people by card number, the teams."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        _show_form(store, viewer, lang)
        _show_teams(store, viewer, lang)
    with right:
        rows = to_plain(find_volunteers(store, viewer))
        st.subheader(t("points.people", lang, n=len(rows)))
        if not rows:
            show_empty(t("points.no_people", lang))
        for row in rows:
            _show_one(store, viewer, row, lang)


def _show_form(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("points.join", lang))
    today = to_day(utc_now())
    radios = {
        str(row["responder_id"]): str(row["call_sign"])
        for row in to_plain(find_responders(store, viewer, placed=False).drop(columns="geom"))
        if row["kind"] == "volunteer"
    }
    with st.form(key="volunteer_form", clear_on_submit=True, border=True):
        name = st.text_input(t("points.call_name", lang), max_chars=20, help=t("points.call_name_help", lang))
        first, second = st.columns(2)
        year = first.number_input(t("points.birth_year", lang), today.year - 110, today.year, today.year - 60, step=1)
        last4 = second.text_input(t("points.last4", lang), max_chars=4)
        code = st.text_input(t("points.team_code", lang), max_chars=8)
        radio = st.selectbox(t("points.radio", lang), list(radios), index=None, format_func=lambda one: radios[one],
                             placeholder=t("points.radio_none", lang))  # fmt: skip
        st.caption(t("points.consent_text", lang))
        agreed = st.checkbox(t("points.consent", lang))
        on = st.date_input(t("points.consent_on", lang), value=today, max_value=today, format="YYYY-MM-DD")
        if not st.form_submit_button(t("points.join_do", lang), type="primary", width="stretch"):
            return
    if not agreed:
        st.error(t("points.consent_missing", lang))
        return
    try:
        new = NewVolunteer(name, int(year), on, last4.strip(), code, None, radio)
        volunteer_id = join(store, viewer, new, clock=utc_now)
    except ShapanError:
        st.error(t("points.join_failed", lang))
        return
    number = get_card(store, viewer, volunteer_id).number
    put_note(PAGE, "done", t("points.joined", lang, number=number))
    st.rerun()


def _show_one(store: Store, viewer: Viewer, row: dict[str, Any], lang: Language) -> None:
    facts = [row["team_name"], row["grid_name"], row["call_sign"], t("points.leads", lang) if row["leads"] else None]
    facts.append(t("points.agreed", lang, day=f"{row['consent_on']:%Y-%m-%d}"))
    with st.container(border=True):
        first, second, third = st.columns([5, 2, 2], vertical_alignment="center")
        first.markdown(f"**{escape_markdown(say_person(row))}**")
        first.caption(escape_markdown(" · ".join(one for one in facts if one)))
        key = row["volunteer_id"]
        if second.button(t("points.print_card", lang), key=f"card-{key}", width="stretch"):
            _print_card(store, viewer, row, lang)
        with third.popover(t("points.more", lang), width="stretch"):
            st.button(
                t("points.new_card", lang),
                key=f"renew-{key}",
                on_click=_do,
                args=(renew_card, store, viewer, key, lang),
            )
            st.caption(t("points.new_card_text", lang))
            st.button(t("points.leave", lang), key=f"leave-{key}", on_click=_do, args=(leave, store, viewer, key, lang))
            st.caption(t("points.leave_text", lang))


def _do(act: Any, store: Store, viewer: Viewer, volunteer_id: str, lang: Language) -> None:
    try:
        act(store, viewer, volunteer_id, clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("points.failed", lang))
    else:
        put_note(PAGE, "done", t(f"points.done_{act.__name__}", lang))


def _print_card(store: Store, viewer: Viewer, row: dict[str, Any], lang: Language) -> None:
    offer_paper(
        store, viewer, f"card-{row['number']}",
        lambda: print_card(store, get_card(store, viewer, row["volunteer_id"]), row["team_name"]), lang,
        subject_kind="volunteer", subject_id=row["volunteer_id"],
    )  # fmt: skip


def _show_teams(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("points.teams", lang))
    rows = to_plain(find_volunteer_teams(store, viewer))
    if rows:
        show_table(
            [t(f"points.head_{name}", lang) for name in ("team", "code", "members")],
            [[row["name"], row["code"], str(row["members"])] for row in rows],
            narrow=frozenset({1, 2}),
        )
    with st.form(key="team_form", clear_on_submit=True, border=False):
        name = st.text_input(t("points.team_name", lang), max_chars=40)
        if st.form_submit_button(t("points.team_add", lang)):
            try:
                add_team(store, viewer, name, clock=utc_now)
            except ShapanError:
                st.error(t("points.failed", lang))
            else:
                st.rerun()
    people = {row["volunteer_id"]: row for row in to_plain(find_volunteers(store, viewer)) if row["team_id"]}
    if people:
        with st.popover(t("points.leader", lang)):
            who = st.selectbox(
                t("points.leader_who", lang), list(people), format_func=lambda one: say_person(people[one])
            )
            if st.button(t("checkins.save", lang), key="team_lead"):
                lead_team(store, viewer, people[who]["team_id"], who, clock=utc_now)
                st.rerun()
    _show_thanks(store, viewer, lang)


def _show_thanks(store: Store, viewer: Viewer, lang: Language) -> None:
    now = utc_now()
    st.subheader(t("points.thanks", lang))
    for by in ("team", "grid"):
        for row in to_plain(find_thanks(store, viewer, by=by, since=now - timedelta(days=28), until=now)):
            st.markdown(
                escape_markdown(
                    t("points.thanks_line", lang, name=row["name"], n=row["checkins"], people=row["people"])
                )
            )

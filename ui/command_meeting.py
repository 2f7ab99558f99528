"""First screen: what changed, what stays, what was decided and what came of it, and what to decide now."""

from __future__ import annotations

import streamlit as st

from data.store import Store, utc_now
from data.viewer import Viewer
from data.zone_hours import LEAST_WEIGHT, MOST_WEIGHT
from data.zones import find_today
from i18n import Language, t
from ui.cards import escape_markdown
from ui.command_data import STANDING_WEEKS, Situation, ZoneState, find_zone_states
from ui.command_decisions import Decision, find_cluster_outline, find_decisions, find_outline
from ui.command_place import find_incident_ids, offer
from ui.command_state import Prefill, choose_place, choose_zone
from ui.command_words import (
    find_cluster_name,
    is_beyond_luck,
    say_change,
    say_cluster,
    say_effect,
    say_hot,
    say_kind,
    say_name,
    say_own,
    say_review,
    say_standing,
)
from ui.tables import show_empty

_MOST_LINES = 6


def show_meeting(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Draw it."""
    zones = find_zone_states(store, viewer)
    left, right = st.columns(2, gap="large")
    with left:
        _show_changes(situation, lang)
        _show_zones(zones, lang)
        _show_standing(situation, lang)
    with right:
        _show_decisions(store, viewer, situation, zones, lang)


def list_changes(situation: Situation, lang: Language) -> list[str]:
    """What changed, a sentence each: the whole first, then kinds and places beyond luck."""
    weeks = situation.question.weeks
    if situation.whole is None:
        return [t("command.no_history", lang)]
    said = [t("command.whole", lang, what=say_change(situation.whole, weeks, lang))]
    for rows, name in ((situation.by_kind, "kind"), (situation.by_place, "place")):
        beyond = [row for _, row in rows.iterrows() if is_beyond_luck(row)]
        for row in beyond[:_MOST_LINES]:
            place = row["place_id"]
            what = say_kind(situation, place, lang) if name == "kind" else situation.names.get(place) or str(place)
            said.append(t("command.line", lang, name=what, what=say_change(row, weeks, lang)))
        if not beyond:
            said.append(t(f"command.no_{name}_changed", lang, n=len(rows)))
    if situation.cluster is not None:
        said.append(say_cluster(situation, lang))
    return said


def _show_changes(situation: Situation, lang: Language) -> None:
    st.subheader(t("command.changed", lang))
    lines = list_changes(situation, lang)
    st.markdown("\n".join(f"- {escape_markdown(line)}" for line in lines))


def _show_standing(situation: Situation, lang: Language) -> None:
    st.subheader(t("command.standing", lang))
    lasting = [
        (number, place)
        for number, place in enumerate(situation.places, start=1)
        if place.standing is not None and place.standing.trend != "neither"
    ]
    if not lasting:
        show_empty(t("command.standing_none", lang, weeks=STANDING_WEEKS))
    for number, place in lasting[:_MOST_LINES]:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{number} · {escape_markdown(say_name(place, lang))}**")
            st.markdown(escape_markdown(" ".join([say_hot(place, lang), say_standing(place, lang)])))
            st.caption(escape_markdown(say_own(place, situation.question.weeks, lang)))
            st.button(
                t("command.look", lang), key=f"command-standing-{number}", on_click=choose_place, args=(number,),
                kwargs={"view": "bench"},
            )  # fmt: skip


def _show_zones(zones: tuple[ZoneState, ...], lang: Language) -> None:
    st.subheader(t("command.decided", lang))
    if not zones:
        show_empty(t("command.decided_none", lang))
    today = find_today(utc_now)
    for zone in [one for one in zones if one.row["status"] == "open"][:_MOST_LINES]:
        with st.container(border=True, gap="xsmall"):
            kind = t(f"command.kind_{zone.row['kind']}", lang)
            st.markdown(f"**{escape_markdown(zone.row['name'])}** · {kind} · {say_review(zone, today, lang)}")
            st.markdown(escape_markdown(say_effect(zone.effect, lang)))
            st.button(
                t("command.to_zone", lang), key=f"command-decided-{zone.row['zone_id']}", on_click=choose_zone,
                args=(zone.row["zone_id"],),
            )  # fmt: skip
    for zone in [one for one in zones if one.row["status"] == "closed"][-3:]:
        line = t(
            "command.closed_with", lang, name=zone.row["name"], date=zone.row["closed_on"], result=zone.row["result"]
        )
        st.caption(escape_markdown(line))


# What to decide


def _show_decisions(
    store: Store, viewer: Viewer, situation: Situation, zones: tuple[ZoneState, ...], lang: Language
) -> None:
    st.subheader(t("command.decide", lang))
    decisions = find_decisions(situation, zones, today=find_today(utc_now))
    if not decisions:
        show_empty(t("command.decide_none", lang))
    for number, one in enumerate(decisions, start=1):
        with st.container(border=True, gap="xsmall"):
            title, why = say_decision(one, situation, lang)
            st.markdown(f"**{number} · {escape_markdown(title)}**")
            st.markdown(escape_markdown(why))
            _offer(store, viewer, one, situation, number, lang)


def say_decision(one: Decision, situation: Situation, lang: Language) -> tuple[str, str]:
    """What it is about, and why it is to be decided now."""
    if one.zone is not None:
        name = t(f"command.decide_{one.reason}", lang, name=one.zone.row["name"], date=one.zone.row["review_on"])
        return name, say_effect(one.zone.effect, lang)
    if one.place is None:
        return t("command.decide_cluster", lang), say_cluster(situation, lang)
    place = one.place
    why = [say_hot(place, lang), say_standing(place, lang), say_own(place, situation.question.weeks, lang)]
    return t(f"command.decide_{one.reason}", lang, name=say_name(place, lang)), " ".join(filter(None, why))


def _offer(store: Store, viewer: Viewer, one: Decision, situation: Situation, number: int, lang: Language) -> None:
    if one.zone is not None:
        st.button(
            t("command.to_zone", lang), key=f"command-decide-zone-{number}", on_click=choose_zone,
            args=(one.zone.row["zone_id"],),
        )  # fmt: skip
        return
    with st.container(horizontal=True):
        offer(store, viewer, build_prefill(one, situation, lang), f"command-decide-{number}", lang)
        if one.place is not None:
            st.button(
                t("command.look", lang), key=f"command-decide-look-{number}", on_click=choose_place, args=(one.number,),
                kwargs={"view": "bench"},
            )  # fmt: skip


def build_prefill(one: Decision, situation: Situation, lang: Language) -> Prefill:
    """The form of a zone around what is to be decided."""
    outline = find_outline(one.place, situation) if one.place is not None else find_cluster_outline(situation)
    title = say_name(one.place, lang) if one.place is not None else find_cluster_name(situation)
    title = title or t("command.cluster_name", lang)
    is_repeat = one.place is not None and one.place.hot.kind != "area"
    return Prefill(
        name=title[:40], reason=say_decision(one, situation, lang)[1][:390], wkt=outline.wkt,
        kind="repeat_alarm" if is_repeat else "beat", kinds=situation.question.kinds,
        weight=1.0 if one.place is None else propose_weight(one.place.hot.count, one.place.hot.expected),
        subject_kind=one.place.hot.kind if is_repeat and one.place is not None else "",
        subject_id=one.place.hot.place_ids[0] if is_repeat and one.place is not None else "",
        incidents=() if one.place is None else find_incident_ids(situation, one.place.inside),
    )  # fmt: skip


def propose_weight(count: int, expected: float) -> float:
    """How many times its share a place has, in halves from 1 to 5: what its zone's weight begins with."""
    ratio = count / max(expected, 1e-9)
    return min(MOST_WEIGHT, max(LEAST_WEIGHT, round(2 * ratio) / 2))

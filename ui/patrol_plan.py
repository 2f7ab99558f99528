"""One patrol plan: what it covers, its map under a clock, each team's stops, and what can be done with it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from data.patrols import approve_plan, drop_plan, end_plan, revise_plan, start_plan
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import RefusedError, ShapanError
from i18n import Language, t
from incidents.patrol_planning import from_json, plan_again, read_kept
from incidents.patrol_shift import Kept
from incidents.walking import get_walk_network
from tasks.patrolling import cancel_route_tasks, has_all_tasks, make_route_tasks
from ui.cards import escape_markdown
from ui.components.patrol.component import show_routes
from ui.notes import put_note
from ui.patrol_cards import offer_cards
from ui.patrol_data import find_plans
from ui.patrol_form import PAGE, say_problem
from ui.patrol_map import build_map_data
from ui.patrol_words import HEADS, NARROW, list_rows, say_head, say_place, say_shift, say_task, say_time, say_why
from ui.tables import show_state, show_table

Json = dict[str, Any]
_SEEDS = 1_000_000
_COLOURS = {"proposed": "unknown", "dropped": "unknown"}


def show_plan(store: Store, viewer: Viewer, plan: Json, call_signs: Mapping[str, str], lang: Language) -> None:
    """Draw it."""
    _show_head(plan, lang)
    _show_steps(store, viewer, plan, call_signs, lang)
    data = build_map_data(store, viewer, [(t("patrol.map", lang), plan)], call_signs, lang)
    show_routes(data, key=f"patrol-map-{plan['plan_id']}")
    may_change = plan["state"] == "proposed" and get_right(viewer.role, "action", "plan_patrol") is not Right.NO
    kept: list[tuple[list[str], list[str]]] = []
    for number, team in enumerate(plan["found"]["teams"], start=1):
        st.markdown(f"**{escape_markdown(say_head(number, team, call_signs, lang))}**")
        if not team["stops"]:
            st.caption(t("patrol.stays", lang))
        else:
            show_table([t(f"patrol.head_{name}", lang) for name in HEADS], list_rows(team, lang), narrow=NARROW)
        kept.append(_ask_changes(plan, number, team, lang) if may_change and team["stops"] else ([], []))
    if may_change:
        _show_again(store, viewer, plan, kept, lang)
    _show_left_out(plan, call_signs, lang)


def _show_head(plan: Json, lang: Language) -> None:
    found, rules = plan["found"], plan["asked"]["rules"]
    stops = [stop for team in found["teams"] for stop in team["stops"]]
    places = {one["place_id"]: one for one in plan["asked"]["places"]}
    seen = {stop["place_id"] for stop in stops}
    who = plan["approved_name"] or plan["proposed_name"]
    state = t(f"patrol.state_{plan['state']}", lang)
    show_state(
        _COLOURS.get(plan["state"], "whole"),
        f"{say_shift(plan)} · {state}",
        t("patrol.made_by", lang, revision=plan["revision"], who=who, seed=plan["seed"]),
    )
    share = found["covered"] / found["expected"] if found["expected"] else 0.0
    first, second, third, fourth = st.columns(4)
    first.metric(t("patrol.covered", lang), f"{100 * share:.1f} %", help=t("patrol.covered_help", lang))
    second.metric(t("patrol.places_seen", lang), f"{len(seen)} / {len(places)}")
    third.metric(t("patrol.visits", lang), len(stops))
    grids = {one["grid_id"] for one in places.values() if one["grid_id"]}
    seen_grids = {places[one]["grid_id"] for one in seen if one in places and places[one]["grid_id"]}
    fourth.metric(t("patrol.grids_seen", lang), f"{len(seen_grids)} / {len(grids)}")
    st.caption(
        t(
            "patrol.figures", lang, covered=f"{found['covered']:.2f}", expected=f"{found['expected']:.2f}",
            stop=f"{rules['stop_minutes']:g}", gap=f"{rules['gap_minutes']:g}", most=plan["asked"]["most_a_day"],
            way=f"{found['travel_minutes']:.0f}",
        )
    )  # fmt: skip
    by_hand = [
        t("patrol.reweighed_one", lang, name=one["name"], times=f"{one['times']:g}", reason=one["reason"])
        for one in places.values()
        if one.get("reason")
    ]
    if by_hand:
        listed = t("command.list_comma", lang).join(by_hand)
        st.caption(escape_markdown(t("patrol.reweighed", lang, list=listed)))
    if not found["is_verified"]:
        st.warning(t("patrol.unverified", lang))


def _show_steps(store: Store, viewer: Viewer, plan: Json, call_signs: Mapping[str, str], lang: Language) -> None:
    may = get_right(viewer.role, "action", "plan_patrol") is not Right.NO
    may_approve = get_right(viewer.role, "action", "approve_patrol") is not Right.NO
    plan_id, state = plan["plan_id"], plan["state"]
    with st.container(horizontal=True):
        if may_approve and state == "proposed":
            st.button(t("patrol.approve", lang), type="primary", key="patrol_approve", on_click=_approve,
                      args=(store, viewer, plan, lang))  # fmt: skip
        if may_approve and state in ("approved", "running") and not has_all_tasks(store, plan_id, plan["found"]):
            st.button(t("patrol.hand_out", lang), key="patrol_hand_out", on_click=_hand_out,
                      args=(store, viewer, plan, lang))  # fmt: skip
        if may and state == "approved":
            st.button(t("patrol.start", lang), type="primary", key="patrol_start", on_click=_do,
                      args=(lang, "started", start_plan, store, viewer, plan_id))  # fmt: skip
        if may and state == "running":
            st.button(t("patrol.end", lang), key="patrol_end", on_click=_do,
                      args=(lang, "ended", end_plan, store, viewer, plan_id))  # fmt: skip
        if may and state in ("proposed", "approved"):
            st.button(t("patrol.drop", lang), key="patrol_drop", on_click=_drop,
                      args=(store, viewer, plan_id, lang))  # fmt: skip
        offer_cards(store, viewer, plan, call_signs, lang)


def _approve(store: Store, viewer: Viewer, plan: Json, lang: Language) -> None:
    """Approve, cancel the tasks of what is replaced, and give each team its own."""
    plan_id = plan["plan_id"]
    try:
        replaced = approve_plan(store, viewer, plan_id, seen=plan["revision"], clock=utc_now)
    except RefusedError:
        put_note(PAGE, "problem", t("patrol.changed_meanwhile", lang))
    except ShapanError:
        put_note(PAGE, "problem", t("patrol.failed", lang))
    else:
        for other in replaced:
            _cancel(store, viewer, other)
        _hand_out(store, viewer, plan, lang)


def _hand_out(store: Store, viewer: Viewer, plan: Json, lang: Language) -> None:
    """A task for each team; where an approval was cut off before them, the page offers it until they are there."""
    try:
        made = make_route_tasks(
            store, viewer, plan["plan_id"], plan["found"], say=lambda n, team: say_task(n, team, "zh"), clock=utc_now
        )
    except ShapanError:
        put_note(PAGE, "problem", t("patrol.not_handed_out", lang))
    else:
        put_note(PAGE, "done", t("patrol.approved", lang, n=len(made)))


def _drop(store: Store, viewer: Viewer, plan_id: str, lang: Language) -> None:
    _do(lang, "dropped", drop_plan, store, viewer, plan_id)
    _cancel(store, viewer, plan_id)


def _cancel(store: Store, viewer: Viewer, plan_id: str) -> None:
    """Tasks of a plan that will not be walked; one that is worked on stays with whoever has it, and says so there."""
    for plan in find_plans(store, viewer):
        if plan["plan_id"] == plan_id and plan["state"] == "dropped":
            teams = len(plan["found"]["teams"])
            cancel_route_tasks(store, viewer, plan_id, teams, reason=t("patrol.task_gone", "zh"), clock=utc_now)


def _do(lang: Language, done: str, work: Any, store: Store, viewer: Viewer, plan_id: str) -> None:
    try:
        work(store, viewer, plan_id, clock=utc_now)
    except RefusedError:
        put_note(PAGE, "problem", t("patrol.changed_meanwhile", lang))
    except ShapanError:
        put_note(PAGE, "problem", t("patrol.failed", lang))
    else:
        put_note(PAGE, "done", t(f"patrol.{done}", lang))


def _ask_changes(plan: Json, number: int, team: Json, lang: Language) -> tuple[list[str], list[str]]:
    """Ids of the stops to lock and to take out."""
    names = {stop["stop_id"]: f"{say_time(stop['begin'])} {stop['name']}" for stop in team["stops"]}
    locked = [stop["stop_id"] for stop in team["stops"] if stop["is_locked"]]
    key = f"{plan['plan_id']}_{plan['revision']}_{number}_{lang}"
    with st.expander(t("patrol.change", lang, n=number), key=f"patrol_change_{key}"):
        lock = st.pills(
            t("patrol.lock", lang), list(names), selection_mode="multi", default=locked,
            format_func=lambda one: names[one], key=f"patrol_lock_{key}",
        )  # fmt: skip
        remove = st.pills(
            t("patrol.remove", lang), list(names), selection_mode="multi", format_func=lambda one: names[one],
            key=f"patrol_remove_{key}",
        )  # fmt: skip
    return list(lock), [one for one in remove if one not in lock]


def _show_again(
    store: Store, viewer: Viewer, plan: Json, kept: list[tuple[list[str], list[str]]], lang: Language
) -> None:
    with st.container(horizontal=True):
        again = st.button(t("patrol.again", lang), key="patrol_again", help=t("patrol.again_help", lang))
        shuffle = st.button(t("patrol.shuffle", lang), key="patrol_shuffle", help=t("patrol.shuffle_help", lang))
    if not again and not shuffle:
        return
    locked, removed = collect_changes(plan, kept)
    asked = plan["asked"]
    seed = 1 + secrets.randbelow(_SEEDS) if shuffle else None
    with st.spinner(t("patrol.computing", lang)):
        try:
            draft = plan_again(
                get_walk_network(store), asked, plan["begin_utc"], plan["end_utc"], locked=locked, removed=removed,
                seed=seed,
            )  # fmt: skip
            revise_plan(store, viewer, plan["plan_id"], draft, seen=plan["revision"], clock=utc_now)
        except ShapanError as error:
            wishes = from_json(asked, plan["begin_utc"], plan["end_utc"]).wishes
            st.error(say_problem(error, wishes, lang))
            return
    put_note(PAGE, "done", t("patrol.revised", lang, locked=len(locked), removed=len(removed)))
    st.rerun()


def collect_changes(plan: Json, kept: list[tuple[list[str], list[str]]]) -> tuple[list[Kept], list[Kept]]:
    """Stops that are locked, and those taken out, now and before."""
    locked, removed = [], [read_kept(one) for one in plan["asked"]["removed"]]
    for number, (team, (lock, remove)) in enumerate(zip(plan["found"]["teams"], kept, strict=True)):
        for stop in team["stops"]:
            one = Kept(number, stop["place_id"], datetime.fromisoformat(stop["begin"]))
            if stop["stop_id"] in lock:
                locked.append(one)
            elif stop["stop_id"] in remove:
                removed.append(one)
    return locked, removed


def _show_left_out(plan: Json, call_signs: Mapping[str, str], lang: Language) -> None:
    places = {one["place_id"]: one for one in plan["asked"]["places"]}
    found = plan["found"]
    rows = [
        [say_place(places[one["place_id"]], lang), say_why(one, lang)]
        for one in found["left_out"]
        if one["place_id"] in places
    ]
    rows += [
        [call_signs.get(one["responder_id"], one["responder_id"]), t(f"patrol.why_{one['why']}", lang)]
        for one in found["people_left_out"]
    ]
    st.subheader(t("patrol.left_out", lang))
    if rows:
        show_table([t(f"patrol.head_{name}", lang) for name in ("what", "why")], rows)
    else:
        st.caption(t("patrol.nothing_left_out", lang))

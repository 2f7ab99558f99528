"""The page of floor plans (楼内平面): schematic plans, corrected by hand, copied to sister buildings, undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from data.building_plans import (
    House,
    check_spec,
    copy_spec,
    find_sisters,
    match_units,
    propose_spec,
    put_plan,
    put_plans,
    read_house,
    read_spec,
    undo_plan_change,
)
from data.plan_spec import KINDS, Plan, PlanSpec
from data.queries import find_buildings, find_plan_changes
from data.rights import Right, get_right
from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, ShapanError
from gis.storey_plans import MOST_ROOMS
from i18n import Language, t
from ui.components.drawing.component import show_drawing
from ui.notes import put_note, show_notes
from ui.plan_drawing import draw_storey
from ui.plan_site import show_site_plans
from ui.plan_words import say_problem
from ui.tables import LOCAL

_PAGE, _ROOM = "plans", "plan_room"


def show_plans(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    may = get_right(viewer.role, "action", "manage_plans") is not Right.NO
    st.title(t("plans.title", lang))
    st.caption(t("plans.lead", lang))
    parts = ("of_buildings", "of_sites")
    part = st.segmented_control(
        t("plans.title", lang), parts, default=parts[0], format_func=lambda one: t(f"plans.{one}", lang),
        label_visibility="collapsed", key=f"plans_part_{lang}",
    )  # fmt: skip
    if part == "of_sites":
        show_site_plans(store, viewer, may, lang)
        return
    building_id = _choose(store, viewer, lang)
    left, right = st.columns([3, 2], gap="large")
    with right:
        show_notes(_PAGE)
    if building_id is not None:
        house = read_house(store, building_id)
        kept = read_spec(store, building_id)
        with right:
            spec = _ask(store, viewer, house, kept, may, lang)
        with left:
            _show_plan(store, viewer, house, spec, kept, may, lang)
    with right:
        _show_changes(store, viewer, may, lang)


def _choose(store: Store, viewer: Viewer, lang: Language) -> str | None:
    """The building, by its name; one of the address (`?building=…`) first."""
    rows = find_buildings(store, viewer)
    names = {
        str(row["building_id"]): f"{row['zone'] or ''}{row['name'] or row['building_id']} · {row['address'] or ''}"
        for row in rows[["building_id", "zone", "name", "address"]]
        .astype(object)
        .where(rows.notna(), None)
        .to_dict("records")
    }
    asked = st.query_params.get("building")
    chosen = st.selectbox(
        t("plans.building", lang), list(names), index=list(names).index(asked) if asked in names else None,
        format_func=lambda one: names.get(one, one), placeholder=t("plans.choose", lang), key=f"plans_building_{lang}",
    )  # fmt: skip
    return str(chosen) if chosen else None


def _ask(
    store: Store, viewer: Viewer, house: House, kept: PlanSpec | None, may: bool, lang: Language
) -> PlanSpec:  # fmt: skip
    """The form: kind, rooms behind each entrance; what is chosen is drawn at once, written only when it is kept."""
    base = kept or propose_spec(house)
    key = f"{house.building_id}-{lang}"
    st.segmented_control(
        t("plans.kind", lang), KINDS, default=base.kind, format_func=lambda one: t(f"plans.kind_{one}", lang),
        key=f"plans-kind-{key}", disabled=not may,
    )  # fmt: skip
    doors = [door.key for door in house.entrances] or [""]
    names = store.read("SELECT entrance_id, name FROM entrances WHERE building_id = ?", [house.building_id])
    said = dict(zip(names["entrance_id"], names["name"], strict=True))
    columns = st.columns(min(4, len(doors)))
    for i, door in enumerate(doors):
        columns[i % len(columns)].number_input(
            str(said.get(door) or t("plans.assumed_door", lang)), 0, MOST_ROOMS, int(base.rooms.get(door, 2)),
            key=f"plans-rooms-{door}-{key}", disabled=not may,
        )  # fmt: skip
    st.checkbox(t("plans.through", lang), base.through, key=f"plans-through-{key}", disabled=not may)
    spec = _read_spec(base, doors, key)
    if house.units["is_own"].any():
        st.info(t("plans.has_outlines", lang))
    if not house.entrances:
        st.caption(t("plans.no_entrance", lang))
    if may:
        with st.container(horizontal=True):
            st.button(
                t("plans.keep" if kept is None else "plans.change", lang), type="primary", key="plans-keep",
                on_click=_keep,
                args=(store, viewer, house.building_id, base, doors, lang),
            )  # fmt: skip
            if kept is not None:
                st.button(
                    t("plans.remove", lang), key="plans-remove", on_click=_do,
                    args=(lang, "removed", put_plan, store, viewer, house.building_id, None),
                )  # fmt: skip
        if kept is not None:
            _ask_sisters(store, viewer, house, kept, lang)
    return spec


def _read_spec(base: PlanSpec, doors: Sequence[str], key: str) -> PlanSpec:
    """What the form says at this moment."""
    state = st.session_state
    rooms = {door: int(state[f"plans-rooms-{door}-{key}"]) for door in doors}
    kind = state[f"plans-kind-{key}"] or base.kind
    return replace(base, kind=kind, rooms=rooms, through=bool(state[f"plans-through-{key}"]))


def _keep(store: Store, viewer: Viewer, building_id: str, base: PlanSpec, doors: Sequence[str], lang: Language) -> None:
    _do(lang, "kept", put_plan, store, viewer, building_id, _read_spec(base, doors, f"{building_id}-{lang}"))


def _ask_sisters(store: Store, viewer: Viewer, house: House, kept: PlanSpec, lang: Language) -> None:
    with st.expander(t("plans.sisters", lang)):
        sisters = {one.building_id: one for one in find_sisters(store, house)}
        if not sisters:
            st.caption(t("plans.no_sisters", lang))
            return
        chosen = st.multiselect(
            t("plans.sisters_choose", lang, n=len(sisters)), list(sisters), default=list(sisters),
            format_func=lambda one: sisters[one].name, key=f"plans-sisters-{house.building_id}-{lang}",
        )  # fmt: skip
        specs = {one: copy_spec(house, kept, sisters[one]) for one in chosen}
        st.button(
            t("plans.copy", lang, n=len(chosen)), key="plans-copy", disabled=not chosen, on_click=_do,
            args=(lang, "copied", put_plans, store, viewer, specs), kwargs={"copied_from": house.building_id},
        )  # fmt: skip


def _show_plan(
    store: Store, viewer: Viewer, house: House, spec: PlanSpec, kept: PlanSpec | None, may: bool, lang: Language
) -> None:
    try:
        plan = check_spec(store, house.building_id, spec)
    except BadRecordError as error:
        st.warning(t("plans.cannot", lang))
        st.caption(say_problem(error, lang))
        return
    matched = match_units(house, plan.rooms)
    empty, without = len(plan.rooms) - len(matched), len(house.units) - len(matched)
    st.markdown(t("plans.figures", lang, rooms=len(plan.rooms), units=len(matched), empty=empty, without=without))
    level = st.select_slider(
        t("plans.storey", lang), list(house.levels), value=1 if 1 in house.levels else house.levels[0],
        key=f"plans-level-{house.building_id}-{lang}",
    )  # fmt: skip

    def pick() -> None:
        st.session_state[_ROOM] = st.session_state["plan_drawing"].get("picked")

    chosen = st.session_state.get(_ROOM)
    show_drawing(draw_storey(house, plan, matched, int(level), chosen, lang), key="plan_drawing", on_picked=pick)
    if may and kept is not None:
        _correct(store, viewer, house, kept, plan, int(level), chosen, lang)


def _correct(
    store: Store,
    viewer: Viewer,
    house: House,
    kept: PlanSpec,
    plan: Plan,
    level: int,
    chosen: str | None,
    lang: Language,
) -> None:
    """Another number of rooms on this storey, another number for one room."""
    left, right = st.columns(2)
    with left.form(key=f"plans-storey-{house.building_id}-{level}", border=True):
        st.markdown(f"**{t('plans.this_storey', lang, level=level)}**")
        usual = {**kept.rooms, **kept.storeys.get(str(level), {})}
        counts = {
            door: int(st.number_input(t("plans.rooms_behind", lang, n=i), 0, MOST_ROOMS, int(usual.get(door, 0))))
            for i, door in enumerate([one.key for one in house.entrances] or [""], start=1)
        }
        if st.form_submit_button(t("plans.storey_keep", lang)):
            rooms = None if counts == dict(kept.rooms) else counts
            _do(lang, "kept", put_plan, store, viewer, house.building_id, kept.with_storey(level, rooms))
            st.rerun()
    room = next((one for one in plan.rooms if chosen == f"{one.level}|{one.entrance}|{one.index}"), None)
    if room is None or room.level != level:
        right.caption(t("plans.touch_room", lang))
        return
    with right.form(key=f"plans-room-{chosen}", border=True):
        st.markdown(f"**{t('plans.this_room', lang, number=room.number)}**")
        number = st.text_input(t("plans.number", lang), room.number, max_chars=12)
        if st.form_submit_button(t("plans.number_keep", lang)):
            spec = kept.with_name(room.level, room.entrance, room.index, number)
            _do(lang, "kept", put_plan, store, viewer, house.building_id, spec)
            st.rerun()


def _show_changes(store: Store, viewer: Viewer, may: bool, lang: Language) -> None:
    st.subheader(t("plans.changes", lang))
    changes = find_plan_changes(store, viewer)
    if changes.empty:
        st.caption(t("plans.no_changes", lang))
    for one in changes.to_dict("records"):
        what = t(f"plans.did_{str(one['kind']).removeprefix('plan.')}", lang)
        copied = f" · {t('plans.was_copied', lang)}" if isinstance(one["copied_from"], str) else ""
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(
                f"{one['at_utc'].astimezone(LOCAL):%m-%d %H:%M} · {one['name'] or one['building_id']} · {what}{copied}"
            )
            if may and one["can_undo"]:
                st.button(
                    t("plans.undo", lang), key=f"plans-undo-{one['event_id']}", on_click=_do,
                    args=(lang, "undone", undo_plan_change, store, viewer, int(one["event_id"])),
                )  # fmt: skip


def _do(lang: Language, done: str, work: Any, *args: Any, **more: Any) -> None:
    """Do it and say how it went."""
    try:
        work(*args, clock=utc_now, **more)
    except BadRecordError as error:
        put_note(_PAGE, "problem", f"{t('plans.cannot', lang)} {say_problem(error, lang)}")
    except ShapanError:
        put_note(_PAGE, "problem", t("plans.failed", lang))
    else:
        put_note(_PAGE, "done", t(f"plans.{done}", lang))

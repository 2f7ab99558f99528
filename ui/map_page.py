"""The map page (围墙与大门): gates are placed and walls drawn on the plan, each change can be taken back."""

from __future__ import annotations

from datetime import time
from typing import Any

import pandas as pd
import streamlit as st
from shapely import LineString, Point

from data.map_edits import (
    GATE_KINDS,
    WALL_KINDS,
    GateDraft,
    WallDraft,
    add_gate,
    add_wall,
    change_gate,
    change_wall,
    confirm_features,
    remove_feature,
    undo_map_change,
)
from data.queries import find_gates, find_map_changes, find_map_knowledge, find_walls
from data.rights import Right, get_right
from data.runtime import get_boot_id, get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, ShapanError
from i18n import Language, t
from ui.components.ground.component import show_ground
from ui.ground_plan import Plane, build_plan
from ui.notes import put_note, show_notes
from ui.tables import LOCAL

_PAGE, _CHOSEN = "map", "map_chosen"
_NIGHT = (time(22), time(6))


def show_map(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    may = get_right(viewer.role, "action", "manage_map") is not Right.NO
    st.title(t("ground.title", lang))
    chosen = _get_chosen(store, viewer)
    plane, plan = build_plan(store, viewer, chosen)

    def act() -> None:
        _act(store, viewer, lang, plane, st.session_state["ground"].get("act"))

    left, right = st.columns([3, 1], gap="medium")
    with left:
        show_ground(plan, lang, get_boot_id(), may_draw=may, on_act=act)
        st.caption(t("ground.legend", lang))
    with right:  # the plan stays where it is, whatever there is to say
        show_notes(_PAGE)
        if chosen is not None:
            _show_chosen(store, viewer, chosen, may, lang)
        _show_knowledge(store, viewer, may, lang)
        _show_changes(store, viewer, may, lang)


def _show_knowledge(store: Store, viewer: Viewer, may: bool, lang: Language) -> None:
    known = find_map_knowledge(store, viewer)
    figures = {
        "gates": known.gates, "seen": known.gates_verified, "hours": known.gates_with_hours, "walls": known.walls,
        "walls_seen": known.walls_verified,
    }  # fmt: skip
    st.markdown(t("ground.knowledge", lang, **figures))
    if known.is_verified and known.walls:
        return
    st.warning(t("ground.unverified" if known.walls else "ground.no_walls", lang))
    if may and known.gates > known.gates_verified:
        with st.popover(t("ground.confirm_all", lang)):
            st.write(t("ground.confirm_text", lang, n=known.gates - known.gates_verified))
            st.button(
                t("ground.confirm_yes", lang), key="map-confirm", type="primary", on_click=_confirm,
                args=(store, viewer, lang),
            )  # fmt: skip


def _confirm(store: Store, viewer: Viewer, lang: Language) -> None:
    gates = find_gates(store, viewer)
    waiting = gates.loc[gates["verified_utc"].isna(), "gate_id"].tolist()
    _do(lang, "confirmed", confirm_features, store, viewer, "gates", waiting)


def _get_chosen(store: Store, viewer: Viewer) -> tuple[str, str] | None:
    """What is chosen, as long as it is there."""
    table, feature_id = st.session_state.get(_CHOSEN, ("", ""))
    rows = find_gates(store, viewer) if table == "gates" else find_walls(store, viewer) if table == "walls" else None
    is_there = rows is not None and feature_id in set(rows[f"{table[:-1]}_id"])
    return (table, feature_id) if is_there else None


def _act(store: Store, viewer: Viewer, lang: Language, plane: Plane, act: Any) -> None:
    """What was done on the plan."""
    if not act:
        return
    what, table, feature_id = act["what"], str(act.get("table", "")), str(act.get("id", ""))
    points = plane.to_crs(act.get("points") or [])
    if what == "select":
        st.session_state[_CHOSEN] = (table, feature_id)
    elif what == "add_gate":
        _choose("gates", _do(lang, "gate_added", add_gate, store, viewer, GateDraft(Point(points[0]))))
    elif what == "add_wall":
        _choose("walls", _do(lang, "wall_added", add_wall, store, viewer, WallDraft(LineString(points))))
    elif what == "move_gate":
        row = _find_row(store, viewer, "gates", feature_id)
        draft = GateDraft(Point(points[0]), row["kind"], row["name"] or "", row["closes_at"], row["opens_at"])
        _do(lang, "moved", change_gate, store, viewer, feature_id, draft)
    elif what == "move_wall":
        row = _find_row(store, viewer, "walls", feature_id)
        wall = WallDraft(LineString(points), row["kind"], row["height_m"])
        _do(lang, "moved", change_wall, store, viewer, feature_id, wall)
    elif what == "remove" and table in ("gates", "walls"):
        _do(lang, "removed", remove_feature, store, viewer, table, feature_id)


def _choose(table: str, feature_id: Any) -> None:
    if feature_id:
        st.session_state[_CHOSEN] = (table, feature_id)


def _find_row(store: Store, viewer: Viewer, table: str, feature_id: str) -> dict[str, Any]:
    rows = find_gates(store, viewer) if table == "gates" else find_walls(store, viewer)
    row = rows[rows[f"{table[:-1]}_id"] == feature_id].iloc[0]
    return {str(name): value if name == "geom" or not pd.isna(value) else None for name, value in row.items()}


def _do(lang: Language, done: str, work: Any, *args: Any) -> Any:
    """Do it and say how it went at the head of the page."""
    try:
        result = work(*args, clock=utc_now)
    except BadRecordError:
        put_note(_PAGE, "problem", t("ground.cannot", lang))
    except ShapanError:
        put_note(_PAGE, "problem", t("ground.failed", lang))
    else:
        put_note(_PAGE, "done", t(f"ground.{done}", lang))
        return result
    return None


def _show_chosen(store: Store, viewer: Viewer, chosen: tuple[str, str], may: bool, lang: Language) -> None:
    table, feature_id = chosen
    row = _find_row(store, viewer, table, feature_id)
    st.subheader(t(f"ground.{table[:-1]}", lang))
    seen = row["verified_utc"]
    day = "" if seen is None else f"{seen.astimezone(LOCAL):%Y-%m-%d %H:%M}"
    st.caption(t("ground.seen", lang, when=day) if day else t("ground.not_seen", lang))
    with st.form(key=f"map-{feature_id}", border=True):
        if table == "gates":
            _ask_gate(store, viewer, feature_id, row, may, lang)
        else:
            _ask_wall(store, viewer, feature_id, row, may, lang)


def _ask_gate(store: Store, viewer: Viewer, gate_id: str, row: dict[str, Any], may: bool, lang: Language) -> None:
    kind = st.segmented_control(
        t("ground.kind", lang), GATE_KINDS, default=row["kind"], disabled=not may,
        format_func=lambda one: t(f"ground.kind_{one}", lang),
    )  # fmt: skip
    name = st.text_input(t("ground.name", lang), value=row["name"] or "", max_chars=40, disabled=not may)
    closes = st.checkbox(t("ground.closes", lang), value=row["closes_at"] is not None, disabled=not may)
    hours = st.columns(2)
    from_at = hours[0].time_input(t("ground.closes_at", lang), value=row["closes_at"] or _NIGHT[0], disabled=not may)
    to_at = hours[1].time_input(t("ground.opens_at", lang), value=row["opens_at"] or _NIGHT[1], disabled=not may)
    if st.form_submit_button(t("ground.save", lang), type="primary", disabled=not may):
        draft = GateDraft(
            row["geom"], kind or row["kind"], name, from_at if closes else None, to_at if closes else None
        )
        _do(lang, "saved", change_gate, store, viewer, gate_id, draft)
        st.rerun()


def _ask_wall(store: Store, viewer: Viewer, wall_id: str, row: dict[str, Any], may: bool, lang: Language) -> None:
    kind = st.segmented_control(
        t("ground.kind", lang), WALL_KINDS, default=row["kind"], disabled=not may,
        format_func=lambda one: t(f"ground.kind_{one}", lang),
    )  # fmt: skip
    height_m = st.number_input(
        t("ground.height", lang), min_value=0.3, max_value=20.0, value=float(row["height_m"]), step=0.1,
        disabled=not may,
    )  # fmt: skip
    st.caption(t("ground.length", lang, m=f"{row['geom'].length:.1f}"))
    if st.form_submit_button(t("ground.save", lang), type="primary", disabled=not may):
        _do(lang, "saved", change_wall, store, viewer, wall_id, WallDraft(row["geom"], kind or row["kind"], height_m))
        st.rerun()


def _show_changes(store: Store, viewer: Viewer, may: bool, lang: Language) -> None:
    st.subheader(t("ground.changes", lang))
    changes = find_map_changes(store, viewer)
    if changes.empty:
        st.caption(t("ground.no_changes", lang))
    for one in changes.to_dict("records"):
        what = t(f"ground.did_{str(one['kind']).removeprefix('map.')}", lang)
        name = one["name"] if isinstance(one["name"], str) else ""
        told = (
            f"{one['at_utc'].astimezone(LOCAL):%m-%d %H:%M} · {t('ground.' + one['subject_table'][:-1], lang)} {name}"
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text(f"{told} · {what}")
            if may and one["can_undo"]:
                st.button(
                    t("ground.undo", lang), key=f"map-undo-{one['event_id']}", on_click=_do,
                    args=(lang, "undone", undo_map_change, store, viewer, int(one["event_id"])),
                )  # fmt: skip

"""The form of a new beat or repeat-alarm zone: its outline from the analysis, from houses, or around an address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import shapely
import streamlit as st

from data.queries import find_zone_owners
from data.store import Store, utc_now
from data.viewer import Viewer
from data.zone_hours import EVERY_DAY
from data.zones import KINDS, ZoneDraft, find_today, open_zone
from gis.errors import BadRecordError, ShapanError
from i18n import Language, t, term
from ui.cards import escape_markdown
from ui.command_data import Situation
from ui.command_hours import ask_hours
from ui.command_map import build_map
from ui.command_state import Prefill, choose_zone, get_prefill, start_zone
from ui.components.drawing.component import show_drawing
from ui.notes import put_note
from ui.search import find_hits, label_hit, show_nothing_found, to_place

_PAGE = "command"
_WAYS = ("houses", "around")
_AROUND_HOUSE_M = 12.0
_JOIN_M = 25.0
_PICKED = "command_houses"


def show_form(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Draw it; the houses that were clicked are remembered by their ids."""
    prefill = get_prefill() or Prefill()
    turn = st.session_state.get("command_form", 0)
    st.subheader(t("command.zone_new", lang))
    left, right = st.columns([3, 2], gap="large")
    with right:
        outline = _ask_outline(store, viewer, situation, prefill, turn, lang)
    with left:
        _show_plan(situation, outline, prefill, lang)
    with right:
        _ask_rest(store, viewer, prefill, outline, turn, lang)
        st.button(t("command.cancel", lang), key="command_cancel", on_click=_leave)


def build_outline(shapes: list[Any]) -> Any:
    """One outline around houses: joined where they are neighbours, several parts where they are not."""
    if not shapes:
        return None
    grown = shapely.union_all([shape.buffer(_JOIN_M) for shape in shapes]).buffer(_AROUND_HOUSE_M - _JOIN_M)
    return None if grown.is_empty else grown.simplify(0.5)


def find_owners(store: Store, viewer: Viewer, lang: Language) -> dict[str, str]:
    """Accounts that may answer for a zone, nobody first, oneself next."""
    owners = {"": t("command.nobody", lang)}
    if viewer.account_id is not None:
        owners[viewer.account_id] = viewer.name or viewer.account_id
    for row in find_zone_owners(store, viewer).to_dict("records"):
        owners[str(row["account_id"])] = f"{row['name']} · {term('role', row['role'], lang)}"
    return owners


def _ask_outline(
    store: Store, viewer: Viewer, situation: Situation, prefill: Prefill, turn: int, lang: Language
) -> Any:
    if prefill.wkt:
        st.caption(t("command.outline_found", lang))
        return shapely.from_wkt(prefill.wkt)
    way = st.segmented_control(
        t("command.outline", lang), _WAYS, default=_WAYS[0],
        format_func=lambda name: t(f"command.outline_{name}", lang),
        key=f"command_way_{lang}_{turn}", required=True,
    )  # fmt: skip
    if way == "houses":
        return _ask_houses(situation, lang)
    return _ask_around(store, viewer, situation, turn, lang)


def _ask_houses(situation: Situation, lang: Language) -> Any:
    known = [one for one in situation.buildings.index if situation.names.get(one)]
    chosen = st.multiselect(
        t("command.houses", lang), known, key=_PICKED, format_func=lambda one: situation.names.get(one, one),
        placeholder=t("command.houses_hint", lang),
    )  # fmt: skip
    return build_outline(situation.buildings.geometry.loc[chosen].tolist())


def _ask_around(store: Store, viewer: Viewer, situation: Situation, turn: int, lang: Language) -> Any:
    text = st.text_input(
        t("command.around", lang), key=f"command_around_{turn}", placeholder=t("command.around_hint", lang)
    )
    radius = st.slider(t("command.radius", lang), 20, 200, 60, step=10, key=f"command_radius_{turn}")
    if not text.strip():
        return None
    hits, result = find_hits(store, viewer, text.strip())
    if not hits:
        show_nothing_found(result, lang)
        return None
    hit = hits[0]
    if len(hits) > 1:
        number = st.selectbox(
            t("command.which", lang), range(len(hits)), format_func=lambda n: label_hit(store, viewer, hits[n], lang),
            key=f"command_hit_{turn}_{text}",
        )  # fmt: skip
        hit = hits[number]
    building = hit.building_id or to_place(hit)[1]
    if building not in situation.buildings.index:
        st.caption(t("command.around_building", lang))
        return None
    return situation.buildings.geometry[building].centroid.buffer(radius)


def _show_plan(situation: Situation, outline: Any, prefill: Prefill, lang: Language) -> None:
    def toggle() -> None:
        kind, _, building = str(getattr(st.session_state.get("command_draw"), "picked", "") or "").partition(":")
        if kind == "building" and not prefill.wkt:
            before = list(st.session_state.get(_PICKED, []))
            after = [one for one in before if one != building] if building in before else [*before, building]
            st.session_state[_PICKED] = after

    chosen = () if prefill.wkt else tuple(st.session_state.get(_PICKED, ()))
    svg = build_map(situation, (), title=t("command.map", lang), chosen=chosen, draft=outline, with_places=False)
    show_drawing(svg, key="command_draw", on_picked=toggle)
    st.caption(t("command.draw_text", lang))


def _ask_rest(store: Store, viewer: Viewer, prefill: Prefill, outline: Any, turn: int, lang: Language) -> None:
    today, owners = find_today(utc_now), find_owners(store, viewer, lang)
    with st.form(key=f"command_zone_{turn}", border=True):
        name = st.text_input(t("command.name", lang), value=prefill.name, max_chars=40)
        kind = st.selectbox(
            t("command.kind", lang), KINDS, index=KINDS.index(prefill.kind),
            format_func=lambda one: t(f"command.kind_{one}", lang),
        )  # fmt: skip
        reason = st.text_area(t("command.reason", lang), value=prefill.reason, max_chars=400, height=120)
        owner = st.selectbox(
            t("command.owner", lang), list(owners), format_func=lambda one: owners[one], index=min(1, len(owners) - 1)
        )
        shift = st.text_input(t("command.shift", lang), placeholder=t("command.shift_hint", lang), max_chars=60)
        partners = st.text_input(
            t("command.partners", lang), placeholder=t("command.partners_hint", lang), max_chars=100
        )
        kept = {"weekdays": EVERY_DAY, "hours_from": None, "hours_to": None, "weight": prefill.weight}
        hours = ask_hours(kept, f"command-hours-{turn}", lang)
        first, second = st.columns(2)
        starts = first.date_input(
            t("command.starts", lang), value=None, format="YYYY-MM-DD", help=t("command.starts_help", lang)
        )
        review = second.date_input(
            t("command.review", lang),
            value=today + timedelta(weeks=12),
            min_value=today + timedelta(days=1),
            format="YYYY-MM-DD",
        )
        if not st.form_submit_button(t("command.zone_save", lang), type="primary"):
            return
    if outline is None:
        st.error(t("command.outline_missing", lang))
        return
    draft = ZoneDraft(
        name, kind, reason, review, outline, source="analysis" if prefill.wkt else "drawn", kinds=prefill.kinds,
        owner_account_id=owner or None, shift=shift, partners=partners, starts_on=starts, **hours,
    )  # fmt: skip
    try:
        zone_id = open_zone(store, viewer, draft, clock=utc_now)
    except BadRecordError:
        st.error(t("command.too_short", lang))
    except ShapanError:
        st.error(t("command.failed", lang))
    else:
        put_note(_PAGE, "done", t("command.zone_saved", lang, name=escape_markdown(name)))
        _leave()
        choose_zone(zone_id)
        st.rerun()


def _leave() -> None:
    st.session_state.pop(_PICKED, None)
    start_zone(None)

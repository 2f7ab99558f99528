"""
The desk page (内勤查询): a place as officers and grid workers may know it, persons masked until there is a purpose.

What is opened is open for some minutes, to this account, at this place; it carries a watermark, and the log keeps who
looked and why.
"""

from __future__ import annotations

import base64
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from data.openings import get_opening_end, open_fields
from data.queries import PLACE_KINDS, Place, find_categories, find_occupants, find_units, get_place
from data.runtime import get_boot_id, get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError
from i18n import Language, t, term
from ui import session
from ui.cards import build_card, escape_markdown
from ui.components.surfaces.component import show_desk_link
from ui.desk_unit import show_unit
from ui.field_history import show_field_history
from ui.search import find_hits, label_hit, show_nothing_found, to_place

_PLACE = "desk_place"
_LOCAL = ZoneInfo("Asia/Shanghai")
_OPENABLE = frozenset({"unit", "site"})  # of a building only its homes: what is opened is one household


def show_desk(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    st.title(t("desk.title", lang))
    left, right = st.columns([2, 3], gap="large")
    with left:
        show_desk_link(lang, get_boot_id(), _get_chosen(), on_picked=_follow)
        _show_search(store, viewer, lang)
    chosen = _get_chosen()
    if chosen is None:
        with right:
            st.info(t("desk.empty", lang))
        return
    try:
        place = get_place(store, viewer, *chosen)  # type: ignore[arg-type]
    except RecordMissingError:
        left.caption(t("wall.gone", lang))
        return
    except NotAllowedError:
        left.warning(t("desk.not_your_grid", lang))
        return
    with left:
        st.html(build_card(place, find_categories(store, viewer), lang))
        if place.kind == "building":
            _choose_unit(store, viewer, place, lang)
    with right:
        _show_persons(store, viewer, place, lang)
        show_field_history(store, viewer, place, lang)
        if place.kind == "unit":
            show_unit(store, viewer, place.id, lang)


def _get_chosen() -> tuple[str, str] | None:
    """The place in the address (`?kind=unit&id=…`), else what was chosen here."""
    kind, place_id = st.query_params.get("kind"), st.query_params.get("id")
    if kind and place_id:
        return kind, place_id
    chosen = st.session_state.get(_PLACE)
    return (chosen[0], chosen[1]) if chosen else None


def _choose(kind: str, place_id: str) -> None:
    st.session_state[_PLACE] = [kind, place_id]
    for name in ("kind", "id"):
        st.query_params.pop(name, None)


def _follow() -> None:
    """Open what another surface selected, as far as this viewer may see it."""
    picked = st.session_state["desk_link"].get("picked")
    if picked and picked.get("kind") in PLACE_KINDS:
        _choose(str(picked["kind"]), str(picked["id"]))


def _show_search(store: Store, viewer: Viewer, lang: Language) -> None:
    st.text_input(
        t("desk.search", lang),
        key="desk_search",
        placeholder=t("wall.search_placeholder", lang),
        label_visibility="collapsed",
        on_change=_search,
        args=(store, viewer),
    )
    text = str(st.session_state.get("desk_search") or "").strip()
    if not text:
        return
    hits, result = find_hits(store, viewer, text)
    if not hits:
        show_nothing_found(result, lang)
    for hit in hits if len(hits) > 1 else ():
        kind, place_id = to_place(hit)
        st.button(
            escape_markdown(label_hit(store, viewer, hit, lang)),
            key=f"desk-{hit.kind}-{hit.id}",
            on_click=_choose,
            args=(kind, place_id),
            width="stretch",
        )


def _search(store: Store, viewer: Viewer) -> None:
    """What has one answer is shown at once."""
    text = str(st.session_state.get("desk_search") or "").strip()
    hits = find_hits(store, viewer, text)[0] if text else []
    if len(hits) == 1:
        _choose(*to_place(hits[0]))


def _choose_unit(store: Store, viewer: Viewer, place: Place, lang: Language) -> None:
    units = find_units(store, viewer, place.id)
    if units.empty:
        return
    names = {
        str(row["unit_id"]): t("desk.unit_name", lang, level=row["level"], room=row["room"])
        for row in units.to_dict("records")
    }
    chosen = st.selectbox(
        t("desk.unit", lang),
        list(names),
        index=None,
        format_func=lambda unit_id: names.get(unit_id, unit_id),
        placeholder=t("desk.choose_unit", lang),
        key=f"desk_unit_{place.id}",
    )
    if chosen:
        _choose("unit", chosen)
        st.rerun()


def _show_persons(store: Store, viewer: Viewer, place: Place, lang: Language) -> None:
    rows = _find_persons(store, viewer, place, lang)
    is_open = (place.kind, place.id) in viewer.openings
    st.subheader(t("desk.registered" if is_open else "desk.registered_masked", lang))
    if not rows:
        st.caption(t("desk.nobody", lang))
        return
    if is_open:
        ends = get_opening_end(store, str(viewer.account_id), place.kind, place.id).astimezone(_LOCAL)
        st.success(t("desk.open_until", lang, time=f"{ends:%H:%M}"))
    st.html(_build_table(rows, lang) + (_build_watermark(viewer) if is_open else ""))
    if not is_open and place.kind in _OPENABLE:
        _ask_purpose(store, viewer, place, lang)


def _find_persons(store: Store, viewer: Viewer, place: Place, lang: Language) -> list[tuple[str, str, str]]:
    """Who (role at the place), name, telephone."""
    facts = place.facts
    rows = [
        (t(f"desk.{who}", lang), facts.get(f"{who}_name"), facts.get(f"{who}_phone")) for who in ("owner", "contact")
    ]
    for rental in place.rentals:
        where = f" {rental['room']}" if place.kind == "building" and rental.get("room") else ""
        rows.append((f"{t('desk.landlord', lang)}{where}", rental.get("landlord_name"), rental.get("landlord_phone")))
    for site in place.key_sites:
        rows.append((f"{t('desk.contact', lang)} {site['name']}", site.get("contact_name"), site.get("contact_phone")))
    if place.kind == "unit":
        for one in find_occupants(store, viewer, place.id).to_dict("records"):
            rows.append((term("occupant_kind", one["kind"], lang), one.get("name"), one.get("phone")))
    shown = [(who, _text(name), _text(phone)) for who, name, phone in rows if _text(name) or _text(phone)]
    if facts.get("has_minor"):
        shown.append((t("desk.minor", lang), "", ""))
    return shown


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _build_table(rows: list[tuple[str, str, str]], lang: Language) -> str:
    heads = "".join(f"<th>{escape(t(f'desk.{name}', lang))}</th>" for name in ("who", "name", "phone"))
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="sh-persons"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _build_watermark(viewer: Viewer) -> str:
    """The account and the time, all over the page: a photograph of the screen says whose it was."""
    text = escape(f"{viewer.name} {datetime.now(_LOCAL):%Y-%m-%d %H:%M}")
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="360" height="200"><text x="10" y="120" font-size="20" '
        f'fill="#9fb3cb" fill-opacity="0.28" transform="rotate(-24 180 100)">{text}</text></svg>'
    )
    data = base64.b64encode(drawing.encode()).decode()
    return f'<div class="sh-watermark" style="background-image:url(data:image/svg+xml;base64,{data})"></div>'


def _ask_purpose(store: Store, viewer: Viewer, place: Place, lang: Language) -> None:
    key = f"purpose-{place.kind}-{place.id}"
    with st.form(key, border=True):
        st.markdown(f"**{t('desk.purpose_title', lang)}**")
        st.caption(t("desk.purpose_text", lang))
        reason = st.text_input(t("desk.purpose", lang), max_chars=200)
        if not st.form_submit_button(t("desk.open", lang), type="primary"):
            return
    try:
        open_fields(store, viewer, place.kind, place.id, reason=reason, clock=utc_now)
    except BadRecordError:
        st.error(t("desk.reason_missing", lang))
    except NotAllowedError:
        st.error(t("desk.not_your_grid", lang))
    else:
        session.keep("opened", place.id)
        st.rerun()

"""
Who can be sent, and the radio roll call (人员与点名): channel by channel, one key or one tap for an answer.

A place is picked where somebody says where they are; it goes with the answer. On a phone the answers are as wide as it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t, term
from incidents.duty import KINDS, Status
from incidents.forces import ROLL_CALL, set_status
from ui.cards import escape_markdown
from ui.fields import read_choice
from ui.forces_data import Force, Places, read_forces, read_places
from ui.forces_roster import show_roster
from ui.kinds_editor import show_kinds
from ui.notes import put_note, show_notes
from ui.tables import LOCAL, show_empty, show_lead, show_state, show_style, show_table

_PAGE = "forces"
_CHANNEL, _CALLED, _PLACE = "forces_channel", "forces_called", "forces_place"
_KEYS: Sequence[tuple[Status, str]] = ((Status.READY, "1"), (Status.NOT_READY, "2"), (Status.OFF, "3"))
_NO_ANSWER_KEY, _BACK_KEY = "0", "9"


def show_forces(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("forces.title", lang))
    show_lead(t("forces.lead", lang))
    show_notes(_PAGE)
    now = utc_now()
    forces = read_forces(store, viewer, now)
    if not forces:
        show_empty(t("forces.empty", lang))
        show_roster(store, viewer, lang)
        show_kinds(store, viewer, _PAGE, lang)
        return
    _show_summary(forces, lang)
    channels = list(dict.fromkeys(one.channel for one in sorted(forces, key=_rank_channel)))
    channel = st.pills(
        t("forces.channel", lang),
        channels,
        format_func=lambda name: f"{name or t('forces.no_channel', lang)} · {sum(f.channel == name for f in forces)}",
        default=channels[0],
        key=_CHANNEL,
        on_change=_begin,
    )
    some = [one for one in forces if one.channel == (channels[0] if channel is None else channel)]
    left, right = st.columns([2, 3], gap="large")
    with left:
        _show_call(store, viewer, some, now, lang)
    with right:
        _show_list(some, now, lang)
    show_roster(store, viewer, lang)
    show_kinds(store, viewer, _PAGE, lang)


def _rank_channel(one: Force) -> tuple[int, str]:
    """The channel of the police first, that of the volunteers last."""
    return KINDS.index(one.kind) if one.kind in KINDS else len(KINDS), one.channel


def _show_summary(forces: Sequence[Force], lang: Language) -> None:
    counts = Counter(one.duty.status for one in forces)
    said = " · ".join(f"{term('responder_status', status.value, lang)} {counts[status]}" for status in Status)
    unknown = sum(one.duty.is_on and not one.has_position for one in forces)
    title = t("forces.can_go", lang, count=counts[Status.READY])
    show_state(
        "whole" if counts[Status.READY] else "broken", title, t("forces.summary", lang, said=said, unknown=unknown)
    )


def _begin() -> None:
    """Another channel: from its first."""
    st.session_state[_CALLED] = 0
    st.session_state.pop(_PLACE, None)


def _show_call(store: Store, viewer: Viewer, some: Sequence[Force], now: datetime, lang: Language) -> None:
    """Whom to call now, and the keys for what they answer."""
    number = int(st.session_state.get(_CALLED, 0))
    if number >= len(some):
        show_state("whole", t("forces.all_called", lang), t("forces.all_called_text", lang, count=len(some)))
        st.button(t("forces.again", lang), key="forces_again", on_click=_begin, shortcut=_NO_ANSWER_KEY)
        return
    one = some[number]
    with st.container(border=True, key="forces_call"):
        st.caption(t("forces.call_number", lang, number=number + 1, total=len(some)))
        st.markdown(f"## {escape_markdown(one.call_sign)}")
        about = (term("responder", one.kind, lang), term("vehicle", one.vehicle, lang), one.say_hours(lang))
        st.write(escape_markdown(" · ".join(part for part in about if part)))
        st.caption(_say_state(one, now, lang))
        st.write(escape_markdown(t("forces.say", lang, call_sign=one.call_sign)))
        places = read_places(store, viewer, lang)
        st.selectbox(
            t("forces.place", lang),
            list(places.names),
            index=None,
            format_func=lambda key: places.names.get(key, key),
            placeholder=t("forces.place_hint", lang),
            key=_PLACE,
        )
        for status, key in _KEYS:
            st.button(
                t(f"forces.answer_{status.value}", lang),
                key=f"forces_{status.value}",
                type="primary" if status is Status.READY else "secondary",
                shortcut=key,
                on_click=_answer,
                args=(store, viewer, one, status, places, number, lang),
                width="stretch",
            )
        with st.container(horizontal=True):
            st.button(
                t("forces.no_answer", lang),
                key="forces_next",
                shortcut=_NO_ANSWER_KEY,
                on_click=_go,
                args=(number + 1,),
            )
            st.button(
                t("forces.back", lang),
                key="forces_back",
                shortcut=_BACK_KEY,
                on_click=_go,
                args=(number - 1,),
                disabled=number == 0,
            )


def _go(number: int) -> None:
    st.session_state[_CALLED] = max(number, 0)
    st.session_state.pop(_PLACE, None)


def _answer(
    store: Store,
    viewer: Viewer,
    one: Force,
    status: Status,
    places: Places,
    number: int,
    lang: Language,
) -> None:
    """Write what was answered, and on to the next."""
    chosen = None if status is Status.OFF else read_choice(_PLACE)
    place = None if chosen is None else places.points[chosen]
    try:
        set_status(store, viewer, one.responder_id, status, clock=utc_now, place=place, source=ROLL_CALL)
    except ShapanError:
        put_note(_PAGE, "problem", t("forces.not_written", lang, call_sign=one.call_sign))
        return
    said = term("responder_status", status.value, lang)
    put_note(_PAGE, "done", t("forces.written", lang, call_sign=escape_markdown(one.call_sign), status=said))
    _go(number + 1)


def _show_list(some: Sequence[Force], now: datetime, lang: Language) -> None:
    heads = [t(f"forces.col_{name}", lang) for name in ("call_sign", "kind", "status", "hours", "position")]
    rows = [
        [
            one.call_sign,
            term("responder", one.kind, lang),
            one.say_status(lang),
            one.say_hours(lang),
            one.say_position(now, lang),
        ]
        for one in some
    ]
    dim = frozenset(number for number, one in enumerate(some) if not one.duty.is_on)
    show_table(heads, rows, narrow=frozenset({0, 2, 3}), dim=dim)
    names = {str(number): one.call_sign for number, one in enumerate(some)}
    chosen = st.selectbox(
        t("forces.jump", lang),
        list(names),
        index=None,
        format_func=lambda number: names.get(number, number),
        placeholder=t("forces.jump_hint", lang),
        key="forces_jump",
    )
    if chosen is not None:
        st.session_state.pop("forces_jump", None)
        _go(int(chosen))
        st.rerun()


def _say_state(one: Force, now: datetime, lang: Language) -> str:
    since = "" if one.status_utc is None or not one.duty.is_said else f" {one.status_utc.astimezone(LOCAL):%H:%M}"
    return escape_markdown(f"{one.say_status(lang)}{since} · {one.say_position(now, lang)}")

"""Who is on the chosen incident: state, running time, and keys that write down what was said. A part of the page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from data.audit import build_entry, record
from data.queries import find_forces, get_info
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import RefusedError, ShapanError
from i18n import Language, t, term
from incidents.dispatches import answer, hand_over
from incidents.dispatching import DispatchAction, Way
from incidents.life_cycle import Action
from incidents.taking_in import Correction, TakingIn
from ui.dispatch_data import Chosen, OpenIncident
from ui.dispatch_words import say_clock, say_kind, say_refusal, say_travel
from ui.marks import say_marks
from ui.notes import put_note
from ui.slips import build_slip
from ui.tables import format_time

PAGE = "dispatch"
# What can follow each state by one key; the keys hold for the first who is on it.
_KEYS: Mapping[str, tuple[tuple[DispatchAction, str], ...]] = {
    "sent": ((DispatchAction.ACCEPT, "a"), (DispatchAction.ARRIVE, "s"), (DispatchAction.DECLINE, "n")),
    "accepted": ((DispatchAction.DEPART, "g"), (DispatchAction.ARRIVE, "s"), (DispatchAction.DECLINE, "n")),
    "on_the_way": ((DispatchAction.ARRIVE, "s"), (DispatchAction.DECLINE, "n")),
    "on_scene": ((DispatchAction.STAND_DOWN, "x"),),
}
_WHYS = ("not_needed", "called_off", "elsewhere", "end_of_shift", "mistake")
_LANG: Language = "zh"


def show_active(store: Store, viewer: Viewer, chosen: Chosen, lang: Language) -> None:
    """One card for each who is on it; nothing when there is nobody."""
    active = chosen.incident.active
    if not active:
        return
    st.subheader(t("dispatch.on_it", lang))
    keyed = next((one["dispatch_id"] for one in active if one["state"] == "sent"), active[0]["dispatch_id"])
    for one in active:
        with st.container(border=True, key=f"sd-active-{one['dispatch_id']}"):
            st.html(_build_card(one, lang))
            if get_right(viewer.role, "action", "answer_dispatch") is not Right.NO:
                _show_keys(store, viewer, chosen, one, lang, has_keys=one["dispatch_id"] == keyed)


def _build_card(one: Mapping[str, Any], lang: Language) -> str:
    state, way = str(one["state"]), str(one["way"])
    begun = {"sent": "sent_utc", "accepted": "accepted_utc", "on_the_way": "departed_utc", "on_scene": "arrived_utc"}
    since = one[begun[state]] or one["sent_utc"]
    late = f' data-level="{int(one["level"])}"' if state == "sent" else ""
    return (
        f'<div class="sd-card"{late}><b>{escape(str(one["call_sign"]))}</b>'
        f"<span>{escape(t('dispatch.channel', lang, channel=one['channel'] or '–'))}</span>"
        f"<span>{escape(t(f'dispatch.way_{way}', lang))}</span>"
        f'<em>{escape(t(f"dispatch.state_{state}", lang))} <b data-since="{since.timestamp():.0f}">'
        f"{say_clock(utc_now() - since)}</b></em></div>"
    )


def _show_keys(
    store: Store, viewer: Viewer, chosen: Chosen, one: Mapping[str, Any], lang: Language, *, has_keys: bool
) -> None:
    dispatch_id = str(one["dispatch_id"])
    with st.container(horizontal=True, gap="small"):
        for number, (action, letter) in enumerate(_KEYS[str(one["state"])]):
            st.button(
                t(f"dispatch.act_{action}", lang),
                key=f"sd-{action}-{dispatch_id}",
                type="primary" if number == 0 else "secondary",
                shortcut=letter if has_keys else None,
                on_click=_answer,
                args=(store, viewer, dispatch_id, action, lang),
            )
        if str(one["way"]) == Way.SLIP:  # who was sent by paper waits for it
            _show_slip(store, viewer, chosen, one, lang)
        with st.popover(t("dispatch.more", lang)):
            _show_more(store, viewer, chosen, one, lang)


def _show_more(store: Store, viewer: Viewer, chosen: Chosen, one: Mapping[str, Any], lang: Language) -> None:
    dispatch_id = str(one["dispatch_id"])
    why_key = f"sd-why-{dispatch_id}"
    st.selectbox(
        t("dispatch.reason", lang),
        [
            t(f"dispatch.why_{name}", lang)
            for name in ("not_needed", "called_off", "elsewhere", "end_of_shift", "mistake")
        ],
        key=why_key,
        index=None,
        placeholder=t("dispatch.reason_choose", lang),
        accept_new_options=True,
    )
    if get_right(viewer.role, "action", "dispatch") is not Right.NO:
        st.button(
            t("dispatch.act_stand_down", lang),
            key=f"sd-off-{dispatch_id}",
            on_click=_answer,
            args=(store, viewer, dispatch_id, DispatchAction.STAND_DOWN, lang, why_key),
            width="stretch",
        )
        taken = {str(two["responder_id"]) for two in chosen.incident.active}
        forces = find_forces(store, viewer).set_index("responder_id")["call_sign"].to_dict()
        st.selectbox(
            t("dispatch.hand_over_to", lang),
            [key for key in _order(chosen, forces) if key not in taken],
            format_func=lambda key: str(forces.get(key, key)),
            index=None,
            key=f"sd-to-{dispatch_id}",
            placeholder=t("dispatch.choose_responder", lang),
        )
        st.button(
            t("dispatch.hand_over", lang),
            key=f"sd-hand-{dispatch_id}",
            on_click=_hand_over,
            args=(store, viewer, dispatch_id, why_key, lang),
            width="stretch",
        )
    if str(one["way"]) != Way.SLIP:
        _show_slip(store, viewer, chosen, one, lang)


def _order(chosen: Chosen, forces: Mapping[Any, Any]) -> list[str]:
    """Those that the ranking names first, then everybody else."""
    ranked = [] if chosen.advice is None else [row.responder_id for row in chosen.advice.ranking.rows]
    return [*ranked, *(str(key) for key in forces if key not in ranked)]


def _answer(
    store: Store, viewer: Viewer, dispatch_id: str, action: DispatchAction, lang: Language, why_key: str | None = None
) -> None:
    reason = None if why_key is None else st.session_state.get(why_key)
    try:
        answer(store, viewer, dispatch_id, action, reason=reason, clock=utc_now)
    except ShapanError as error:
        put_note(PAGE, "problem", say_refusal(error, lang))


def _hand_over(store: Store, viewer: Viewer, dispatch_id: str, why_key: str, lang: Language) -> None:
    to = st.session_state.get(f"sd-to-{dispatch_id}")
    if not to:
        put_note(PAGE, "problem", t("dispatch.choose_responder", lang))
        return
    try:
        hand_over(store, viewer, dispatch_id, str(to), reason=st.session_state.get(why_key) or "", clock=utc_now)
    except ShapanError as error:
        put_note(PAGE, "problem", say_refusal(error, lang))


def show_incident_end(store: Store, viewer: Viewer, incident: OpenIncident, lang: Language) -> None:
    """What ends the incident: done, closed."""
    following = {"on_scene": Action.HANDLE, "handled": Action.CLOSE}.get(str(incident.row["status"]))
    if following is not None:
        st.button(
            t(f"dispatch.end_{following}", lang),
            key=f"sd-end-{incident.id}",
            type="primary",
            shortcut="e",
            on_click=_end,
            args=(store, viewer, incident.id, following, lang),
        )


def _end(store: Store, viewer: Viewer, incident_id: str, action: Action, lang: Language) -> None:
    correction = Correction(t(f"dispatch.end_{action}", lang), action)
    try:
        TakingIn(store, utc_now).change(incident_id, correction, by=viewer.name or viewer.role.value)
    except ShapanError as error:
        put_note(PAGE, "problem", say_refusal(error, lang))


def _show_slip(store: Store, viewer: Viewer, chosen: Chosen, one: Mapping[str, Any], lang: Language) -> None:
    if get_right(viewer.role, "action", "dispatch") is Right.NO:
        return
    if st.button(t("dispatch.slip", lang), key=f"sd-slip-{one['dispatch_id']}"):
        _offer_slip(store, viewer, chosen, one, lang)


def _offer_slip(store: Store, viewer: Viewer, chosen: Chosen, one: Mapping[str, Any], lang: Language) -> None:
    try:
        content = _build_slip(store, viewer, chosen, one)
    except RefusedError:
        st.error(t("dispatch.slip_no_font", lang))
        return
    entry = build_entry(viewer, "export", subject_kind="dispatch", subject_id=str(one["dispatch_id"]))
    record(store, entry, clock=utc_now)
    st.download_button(
        t("dispatch.slip_download", lang), content, file_name=f"{one['dispatch_id']}.pdf", mime="application/pdf",
        on_click="ignore", type="primary", key=f"sd-slipfile-{one['dispatch_id']}",
    )  # fmt: skip


def _build_slip(store: Store, viewer: Viewer, chosen: Chosen, one: Mapping[str, Any]) -> bytes:
    row, advice = chosen.incident.row, chosen.advice
    responder_id = str(one["responder_id"])
    known = {} if advice is None else {it.responder_id: it for it in (*advice.ranking.rows, *advice.ranking.left_out)}
    ranked = known.get(responder_id)
    kind = term("responder", one["responder_kind"], _LANG)
    facts = [
        (t("dispatch.slip_kind", _LANG), say_kind(row, _LANG)),
        (t("dispatch.slip_call_sign", _LANG), f"{one['call_sign']} · {kind}"),
        (t("dispatch.slip_channel", _LANG), str(one["channel"] or "–")),
        (t("dispatch.slip_sent", _LANG), format_time(one["sent_utc"])),
        (t("dispatch.slip_travel", _LANG), say_travel(None if ranked is None else ranked.travel_time_s, _LANG)),
    ]
    say = "" if advice is None else str(advice.sentences.get(responder_id, {}).get(_LANG, ""))
    return build_slip(
        title=t("dispatch.slip_title", _LANG, name=get_info(store).name),
        place=str(chosen.incident.place or t("dispatch.no_place_short", _LANG)),
        facts=facts,
        say=say,
        signs=[t(f"dispatch.slip_{name}", _LANG) for name in ("received", "arrived", "back")],
        foot=t("dispatch.slip_foot", _LANG, who=viewer.name or viewer.role.value, time=format_time(utc_now())),
        mark=say_marks(_LANG),
    )

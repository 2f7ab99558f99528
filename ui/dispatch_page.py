"""
The dispatch page (处警): open incidents, whom to send and why, what to say on the radio, who is on it and since when.

Everything can be done with the keyboard: arrows choose the incident, digits send, letters write down what was said.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from data.incident_alike import find_possible_duplicates
from data.rights import Right, get_right
from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from i18n import Language, section, t
from incidents.life_cycle import State
from ui import session
from ui.components.dispatch_live import show_live
from ui.dispatch_acts import show_active, show_incident_end
from ui.dispatch_data import Chosen, OpenIncident, find_chosen, find_open
from ui.dispatch_ranking import show_by_hand, show_left_out, show_ranking, show_way
from ui.dispatch_words import say_clock, say_kind
from ui.notes import show_notes
from ui.tables import LOCAL, show_empty, show_state, show_style

PAGE = "dispatch"
_INCIDENT = "dispatch_incident"
_STYLE = (Path(__file__).parent / "dispatch.css").read_text(encoding="utf-8")


def show_dispatch(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.html(f"<style>{_STYLE}</style>")
    incidents = find_open(store, viewer)
    show_notes(PAGE)
    left, right = st.columns([2, 5], gap="medium")
    with left:
        st.subheader(t("dispatch.open", lang, n=len(incidents)))
        incident = _choose(incidents, lang)
        _show_live(incidents, lang)
    with right:
        if incident is None:
            show_empty(t("dispatch.none", lang))
            return
        _show_one(store, viewer, incident, lang)


def _show_live(incidents: tuple[OpenIncident, ...], lang: Language) -> None:
    raised = [f"{one['dispatch_id']}:{one['level']}" for it in incidents for one in it.active if one["level"]]
    words = {name: t(f"dispatch.{name}", lang) for name in ("loud", "silent")}
    show_live(now=utc_now().timestamp(), alarm=" ".join(sorted(raised)), words=words)


def _choose(incidents: tuple[OpenIncident, ...], lang: Language) -> OpenIncident | None:
    """The chosen one; from the address (`?incident=…`) when the page is opened for it, else the most pressing."""
    if not incidents:
        return None
    by_id = {one.id: one for one in incidents}
    wanted = st.query_params.get("incident")
    if wanted in by_id and session.recall("dispatch_wanted", "") != wanted:
        session.keep(_INCIDENT, session.keep("dispatch_wanted", wanted))
    if session.recall(_INCIDENT, "") not in by_id:
        session.keep(_INCIDENT, incidents[0].id)
    kept = session.recall(_INCIDENT, "")
    with st.container(key="dispatch_incidents", gap="small"):
        for one in incidents:
            st.button(
                _label(one, lang),
                key=f"dispatch-incident-{one.id}",
                type="primary" if one.id == kept else "secondary",
                on_click=session.keep,
                args=(_INCIDENT, one.id),
                width="stretch",
            )
    return by_id[kept]


def _label(one: OpenIncident, lang: Language) -> str:
    urgency, status = one.row["urgency"], one.row["status"]
    place = one.place or t("dispatch.no_place_short", lang)
    words = [
        f"**{t(f'dispatch.urgency_{urgency}', lang)} · {say_kind(one.row, lang)}**",
        str(place).replace("*", ""),
        f"{t(f'dispatch.status_{status}', lang)} · {_say_since(one, lang)}",
    ]
    if one.level:
        words.append(t(f"dispatch.level_{one.level}", lang))
    return "  \n".join(words)


def _say_since(one: OpenIncident, lang: Language) -> str:
    return t("dispatch.since", lang, time=f"{one.row['reported_utc'].astimezone(LOCAL):%H:%M}")


def _show_one(store: Store, viewer: Viewer, incident: OpenIncident, lang: Language) -> None:
    chosen = find_chosen(store, viewer, incident, at=utc_now(), by_hand=_list_responders(incident))
    _show_head(store, incident, lang)
    middle, side = st.columns([3, 2], gap="medium")
    may_send = get_right(viewer.role, "action", "dispatch") is not Right.NO
    with middle:
        show_active(store, viewer, chosen, lang)
        if may_send:
            show_incident_end(store, viewer, incident, lang)
        if may_send and incident.row["status"] != State.HANDLED:
            show_ranking(store, viewer, chosen, lang)
            show_left_out(chosen, lang)
            show_by_hand(store, viewer, chosen, lang)
    with side:
        show_way(store, viewer, chosen, lang)
        _show_earlier(chosen, lang)


def _list_responders(incident: OpenIncident) -> list[str]:
    return [str(one["responder_id"]) for one in incident.active]


def _build_head(incident: OpenIncident, lang: Language) -> str:
    row = incident.row
    since = row["reported_utc"].timestamp()
    place = escape(str(incident.place or t("dispatch.no_place_short", lang)))
    return (
        f'<div class="sd-head" data-urgency="{escape(str(row["urgency"]))}"><div><b>{escape(say_kind(row, lang))}</b>'
        f'<span>{place}</span></div><div class="sd-clock"><span>{escape(t("dispatch.running", lang))}</span>'
        f'<b data-since="{since:.0f}">{say_clock(utc_now() - row["reported_utc"])}</b></div></div>'
    )


def _show_head(store: Store, incident: OpenIncident, lang: Language) -> None:
    st.html(_build_head(incident, lang))
    if incident.level:
        show_state(
            "broken", t(f"dispatch.level_{incident.level}", lang), t(f"dispatch.level_text_{incident.level}", lang)
        )
    alike = find_possible_duplicates(store, incident.id)
    if alike:
        st.caption(t("dispatch.alike", lang, n=len(alike)))


def _say_end(code: object, lang: Language) -> str:
    """How an incident ended; the code itself where a place has codes of its own."""
    return section("dispatch", lang).get(f"dispatch.ended_{code}") or str(code)


def _show_earlier(chosen: Chosen, lang: Language) -> None:
    """What happened here before and how it ended: codes and dates."""
    if chosen.advice is None or not chosen.advice.earlier:
        return
    st.subheader(t("dispatch.earlier", lang))
    lines = [
        f"- {one['reported_utc']:%Y-%m-%d} · {escape(_say_end(one['disposition'], lang))}"
        for one in chosen.advice.earlier[:3]
    ]
    st.markdown("\n".join(lines))

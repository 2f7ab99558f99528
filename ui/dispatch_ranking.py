"""Whom to send: rows with the sentence to read out, those left out with why, what would help, and by hand. A part."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import shapely
import streamlit as st

from data.queries import find_forces
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t, term
from incidents.dispatches import Decision, send
from incidents.dispatching import Way
from ui.components.drawing.component import show_drawing
from ui.dispatch_data import Chosen
from ui.dispatch_map import build_way_map
from ui.dispatch_words import say_reason, say_refusal, say_travel
from ui.fields import read_choice
from ui.notes import put_note
from ui.tables import show_state, show_table

PAGE = "dispatch"
_SHOWN = 5
_WAY, _WHY, _BY_HAND = "dispatch_way", "dispatch_why", "dispatch_by_hand"


def show_ranking(store: Store, viewer: Viewer, chosen: Chosen, lang: Language) -> None:
    """The ranking's first rows, each with the digit that sends."""
    st.subheader(t("dispatch.whom_more" if chosen.incident.active else "dispatch.whom", lang))
    advice = chosen.advice
    if advice is None:
        show_state(
            "unknown", t(f"dispatch.problem_{chosen.problem}", lang), t(f"dispatch.problem_text_{chosen.problem}", lang)
        )
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.segmented_control(
            t("dispatch.way", lang),
            [way.value for way in Way],
            format_func=lambda way: t(f"dispatch.way_{way}", lang),
            default=Way.VOICE.value,
            key=_WAY,
            required=True,
        )
        if chosen.incident.active:
            st.selectbox(
                t("dispatch.reason_more", lang),
                [t(f"dispatch.why_{name}", lang) for name in ("more_people", "more_police", "no_answer", "skill")],
                key=_WHY,
                accept_new_options=True,
            )
    if not advice.is_verified:
        show_state("unknown", t("dispatch.unverified", lang), t("dispatch.unverified_text", lang))
    rows = find_free_rows(chosen)
    for number, row in enumerate(rows[:_SHOWN], start=1):
        _show_row(store, viewer, chosen, number, row, lang)
    if not rows:
        show_state("broken", t("dispatch.nobody", lang))
    for help_ in advice.ranking.advice:
        st.markdown(f"- {escape(say_reason(help_, lang))}")
    if len(rows) > _SHOWN:
        st.caption(t("dispatch.more_rows", lang, n=len(rows) - _SHOWN))


def find_free_rows(chosen: Chosen) -> list[Any]:
    """Rows of the ranking without who is on this incident already."""
    taken = {str(one["responder_id"]) for one in chosen.incident.active}
    return [] if chosen.advice is None else [it for it in chosen.advice.ranking.rows if it.responder_id not in taken]


def _show_row(store: Store, viewer: Viewer, chosen: Chosen, number: int, row: Any, lang: Language) -> None:
    assert chosen.advice is not None  # noqa: S101 - who has rows has advice
    sentence = chosen.advice.sentences.get(row.responder_id, {}).get(lang, "")
    reasons = " · ".join(say_reason(reason, lang) for reason in row.reasons)
    with st.container(border=True, key=f"sd-row-{number}"):
        text, key = st.columns([5, 1], vertical_alignment="center")
        with text:
            st.html(
                f'<div class="sd-card"><i>{number}</i><b>{escape(row.call_sign)}</b>'
                f"<span>{escape(t('dispatch.channel', lang, channel=row.channel or '–'))}</span>"
                f"<span>{escape(term('responder', row.kind, lang))}</span>"
                f"<em>{escape(say_travel(row.travel_time_s, lang))}</em></div>"
                f'<p class="sd-say">{escape(sentence)}</p><p class="sd-why">{escape(reasons)}</p>'
            )
        with key:
            st.button(
                t("dispatch.send", lang),
                key=f"sd-send-{number}",
                type="primary" if number == 1 else "secondary",
                shortcut=str(number),
                on_click=_send,
                args=(store, viewer, chosen, row.responder_id, number, lang),
                width="stretch",
            )


def show_left_out(chosen: Chosen, lang: Language) -> None:
    """Each who was left out, and why."""
    if chosen.advice is None or not chosen.advice.ranking.left_out:
        return
    left_out = chosen.advice.ranking.left_out
    with st.expander(t("dispatch.left_out", lang, n=len(left_out))):
        heads = [t(f"dispatch.head_{name}", lang) for name in ("call_sign", "kind", "travel", "why")]
        rows = [
            [
                row.call_sign,
                term("responder", row.kind, lang),
                say_travel(row.travel_time_s, lang),
                " · ".join(say_reason(reason, lang) for reason in row.reasons),
            ]
            for row in left_out
        ]
        show_table(heads, rows, narrow=frozenset({0, 1, 2}))


def show_by_hand(store: Store, viewer: Viewer, chosen: Chosen, lang: Language) -> None:
    """Anybody can be chosen, whatever the ranking says."""
    if chosen.problem == "no_place":
        return
    with st.expander(t("dispatch.by_hand", lang)):
        forces = find_forces(store, viewer)
        names = {
            str(row["responder_id"]): f"{row['call_sign']} · {term('responder', row['kind'], lang)} · "
            f"{_say_status(row['status'], lang)}"
            for row in pd.DataFrame(forces).to_dict("records")
        }
        to = st.selectbox(
            t("dispatch.responder", lang),
            list(names),
            format_func=lambda key: names.get(key, key),
            index=None,
            placeholder=t("dispatch.choose_responder", lang),
            key=_BY_HAND,
        )
        st.checkbox(t("dispatch.divert", lang), key="dispatch_divert", help=t("dispatch.divert_text", lang))
        st.button(
            t("dispatch.send", lang),
            key="sd-send-hand",
            disabled=not to,
            on_click=_send_by_hand,
            args=(store, viewer, chosen, lang),
        )


def _say_status(status: object, lang: Language) -> str:
    return t(f"dispatch.ready_{status}", lang) if isinstance(status, str) else t("dispatch.ready_off", lang)


def _send_by_hand(store: Store, viewer: Viewer, chosen: Chosen, lang: Language) -> None:
    responder_id = read_choice(_BY_HAND)
    if responder_id is None:
        put_note(PAGE, "problem", t("dispatch.choose_responder", lang))
    else:
        _send(store, viewer, chosen, responder_id, None, lang)


def _send(store: Store, viewer: Viewer, chosen: Chosen, responder_id: str, rank: int | None, lang: Language) -> None:
    decision = Decision(
        None if chosen.advice is None else chosen.advice.to_dict(), _find_rank(chosen, responder_id), rank is None
    )
    try:
        send(
            store,
            viewer,
            chosen.incident.id,
            responder_id,
            way=Way(st.session_state.get(_WAY) or Way.VOICE),
            decision=decision,
            reason=st.session_state.get(_WHY) if chosen.incident.active else None,
            seen=[str(one["dispatch_id"]) for one in chosen.incident.active],
            divert=rank is None and bool(st.session_state.get("dispatch_divert")),
            clock=utc_now,
        )
    except ShapanError as error:
        put_note(PAGE, "problem", say_refusal(error, lang))


def _find_rank(chosen: Chosen, responder_id: str) -> int | None:
    rows = [] if chosen.advice is None else [row.responder_id for row in chosen.advice.ranking.rows]
    return rows.index(responder_id) + 1 if responder_id in rows else None


def show_way(store: Store, viewer: Viewer, chosen: Chosen, lang: Language) -> None:
    """The way and the arrival on a map: of who is on it, else of whom the ranking names first."""
    point = chosen.incident.row["geom"]
    if chosen.advice is None or point is None or point.is_empty:
        return
    names = {str(one["responder_id"]): str(one["call_sign"]) for one in chosen.incident.active}
    names |= {row.responder_id: row.call_sign for row in find_free_rows(chosen)[:_SHOWN]}
    names = {key: name for key, name in names.items() if key in chosen.advice.routes}
    if not names:
        return
    shown = st.segmented_control(
        t("dispatch.way_of", lang),
        list(names),
        format_func=lambda key: names.get(key, key),
        default=next(iter(names)),
        key=f"dispatch_way_of_{chosen.incident.id}_{len(chosen.incident.active)}",
    )
    shown = str(shown) if shown in names else next(iter(names))
    route = chosen.advice.routes[shown]
    known = {row.responder_id: row for row in (*chosen.advice.ranking.rows, *chosen.advice.ranking.left_out)}
    svg = build_way_map(
        store,
        viewer,
        place=point,
        way=route.coordinates,
        forces={names[shown]: shapely.Point(route.coordinates[0])} if route.coordinates else {},
        gates=[gate.gate_id for gate in route.gates],
        title=t("dispatch.map_title", lang, call_sign=names[shown]),
    )
    show_drawing(svg, key="dispatch_map")
    ranked = known.get(shown)
    words = [say_travel(None if ranked is None else ranked.travel_time_s, lang), f"{route.length_m:.0f} m"]
    if route.stairs_s:
        words.append(t("dispatch.stairs", lang, time=say_travel(route.stairs_s, lang)))
    gates = t("ranking.then", lang).join(gate.name or gate.gate_id for gate in route.gates)
    words += [t("dispatch.gates", lang, gates=gates)] if gates else []
    st.caption(" · ".join(words))

"""One incident (警情详情): where and how sure, what may be done now, times against targets, its history, its caller."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import streamlit as st

from data.incident_alike import find_possible_duplicates
from data.incident_changes import read_stored
from data.intake import unseal
from data.openings import open_fields
from data.queries import find_case, find_categories
from data.rights import Right, check_right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError, ShapanError
from i18n import Language, t
from incidents.life_cycle import Action, Case, find_allowed, list_stays, needs_reason, rebuild
from incidents.step_targets import StepTime, list_step_times
from incidents.steps import list_steps
from incidents.taking_in import Correction
from ui.cards import escape_markdown
from ui.fields import read_text
from ui.intake_place import ask_place
from ui.intake_state import PAGE, get_name, get_taking_in, open_case
from ui.intake_words import build_kind_names, say_duration, say_sureness
from ui.notes import put_note
from ui.tables import format_second, format_time, show_empty, show_table

# A place is given on its own, a duplicate is chosen among those that are offered.
_BUTTONS = tuple(one for one in Action if one not in (Action.RECEIVE, Action.PLACE, Action.MARK_DUPLICATE))
_USUAL = frozenset({Action.DISPATCH, Action.ACCEPT, Action.ARRIVE, Action.HANDLE, Action.CLOSE})


def show_case(store: Store, viewer: Viewer, incident_id: str, lang: Language) -> None:
    """Draw it."""
    rows = find_case(store, viewer, incident_id)
    stored = None
    if not rows.empty:
        with suppress(RecordMissingError):  # it may go between the two questions
            stored = read_stored(store, incident_id)
    if stored is None:
        show_empty(t("intake.gone", lang))
        return
    row = rows.to_dict("records")[0]
    kinds = find_categories(store, viewer).set_index("category", drop=False)
    steps = list_steps(stored)
    case = rebuild(incident_id, steps)
    name = build_kind_names(kinds, lang).get(row["category"], str(row["category"]))
    st.title(escape_markdown(f"{name} · {row['number'] if isinstance(row['number'], str) else incident_id}"))
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_place(row, lang)
        _show_actions(store, viewer, case, lang)
        _show_duplicates(store, viewer, case, row, lang)
        _show_times(case, kinds.loc[row["category"]] if row["category"] in kinds.index else None, lang)
    with right:
        _show_facts(row, lang)
        _show_caller(store, viewer, row, lang)
        _show_history(steps, lang)
    if case.is_open and get_right(viewer.role, "action", "change_incident") is not Right.NO:
        with st.expander(
            t("intake.place_it" if not case.has_place else "intake.move_it", lang), expanded=not case.has_place
        ):
            said = ask_place(store, viewer, row, lang)
            if said is not None:
                _change(store, viewer, case.incident_id, said, lang)


def _show_place(row: dict[Any, Any], lang: Language) -> None:
    place = (
        row["address"]
        if isinstance(row["address"], str)
        else t("intake.point_free" if row["is_placed"] else "intake.not_placed", lang)
    )
    st.subheader(escape_markdown(str(place)))
    words = say_sureness(row["place_confidence"], row["place_reason"], lang)
    if words:
        st.caption(escape_markdown(words))
    if row["place_reason"] == "disagree":
        st.warning(t("intake.gap", lang, metres=f"{row['place_gap_m']:.0f}"))


def _show_actions(store: Store, viewer: Viewer, case: Case, lang: Language) -> None:
    """A button for each step that is allowed now, and no other."""
    st.markdown(f"**{t('intake.state', lang)}** · {t(f'intake.state_{case.state.value}', lang)}")
    if get_right(viewer.role, "action", "change_incident") is Right.NO:
        return
    allowed = [action for action in find_allowed(case) if action in _BUTTONS]
    asking = {action for action in allowed if needs_reason(case, action)}
    if asking:
        st.text_input(
            t("intake.reason", lang),
            key=_key_reason(case),
            placeholder=t("intake.reason_hint", lang),
            max_chars=500,
        )
    with st.container(horizontal=True):
        for action in allowed:
            st.button(
                t(f"intake.do_{action.value}", lang),
                key=f"do-{action.value}",
                type="primary" if action in _USUAL and action not in asking else "secondary",
                help=t("intake.needs_reason", lang) if action in asking else None,
                on_click=_take_step,
                args=(store, viewer, case, action, lang),
            )


def _key_reason(case: Case) -> str:
    return f"reason-{case.incident_id}-{case.state}"


def _take_step(store: Store, viewer: Viewer, case: Case, action: Action, lang: Language) -> None:
    reason = read_text(_key_reason(case))
    if needs_reason(case, action) and len(reason) < 5:
        put_note(PAGE, "problem", t("intake.reason_missing", lang))
        return
    said = reason or t("intake.by_button", lang)
    _change(store, viewer, case.incident_id, Correction(said, action), lang)


def _change(store: Store, viewer: Viewer, incident_id: str, correction: Correction, lang: Language) -> None:
    check_right(viewer, "action", "change_incident")
    try:
        led_to, _ = get_taking_in(store).change(incident_id, correction, by=get_name(viewer))
    except RefusedError:
        put_note(PAGE, "problem", t("intake.step_refused", lang))
    except RecordMissingError:
        put_note(PAGE, "problem", t("intake.place_refused", lang))
    except ShapanError:
        put_note(PAGE, "problem", t("intake.failed", lang))
    else:
        put_note(PAGE, "done", t("intake.changed", lang, state=t(f"intake.state_{led_to.state.value}", lang)))
        if correction.said is not None:
            st.rerun()


def _show_duplicates(store: Store, viewer: Viewer, case: Case, row: dict[Any, Any], lang: Language) -> None:
    """Those at the same place within ten minutes: offered, and joined only by somebody who says so."""
    if isinstance(row["duplicate_of"], str):
        st.button(
            t("intake.duplicate_of", lang),
            key="duplicate_of",
            on_click=open_case,
            args=(row["duplicate_of"],),
            icon=None,
        )
    if not case.is_open:
        return
    others = [find_case(store, viewer, other) for other in find_possible_duplicates(store, case.incident_id)]
    others = [one for one in others if len(one)]
    if not others:
        return
    st.markdown(f"**{t('intake.alike', lang)}**")
    for other in (one.iloc[0] for one in others):
        number = other["number"] if isinstance(other["number"], str) else other["incident_id"]
        reason = t("intake.same_reason", lang, number=number)
        joined = Correction(reason, Action.MARK_DUPLICATE, str(other["incident_id"]))
        words = f"{format_second(other['reported_utc'])} · {number} · {other['address'] or ''}"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(escape_markdown(words), width="stretch")
            st.button(
                t("intake.show", lang),
                key=f"alike-{other['incident_id']}",
                on_click=open_case,
                args=(other["incident_id"],),
            )
            st.button(
                t("intake.do_mark_duplicate", lang),
                key=f"same-{other['incident_id']}",
                on_click=_change,
                args=(store, viewer, case.incident_id, joined, lang),
            )
    st.caption(t("intake.alike_text", lang))


def _show_times(case: Case, kind: Any, lang: Language) -> None:
    """How long each step took, against the target of its kind."""
    times = list_step_times(case, kind, now=utc_now())
    rows = [
        [
            t(f"intake.state_{one.state.value}", lang),
            format_second(one.at_utc),
            say_duration(one.since_report, lang),
            "" if one.target is None else say_duration(one.target, lang),
            "" if one.target is None else t(f"intake.{_judge(one)}", lang),
        ]
        for one in times
    ]
    show_table([t(f"intake.time_{name}", lang) for name in ("state", "at", "since", "target", "verdict")], rows)
    last = list_stays(case)[-1]
    if case.is_open:
        st.caption(t("intake.so_far", lang, duration=say_duration(max(utc_now() - last.from_utc, timedelta(0)), lang)))


def _judge(one: StepTime) -> str:
    if not one.is_in_time:
        return "too_late"
    return "still_time" if one.at_utc is None else "in_time"


def _show_facts(row: dict[Any, Any], lang: Language) -> None:
    facts = [
        ("reported", format_second(row["reported_utc"])),
        ("occurred", _say_span(row["occurred_from_utc"], row["occurred_to_utc"])),
        ("urgency", t(f"intake.urgency_{row['urgency']}", lang)),
        ("source", t(f"intake.source_{row['source']}", lang) if isinstance(row["source"], str) else ""),
        ("sent_by", row["sent_by"] if isinstance(row["sent_by"], str) else ""),
        ("said", row.get("address_text") if isinstance(row.get("address_text"), str) else ""),
        ("words", row.get("narrative") if isinstance(row.get("narrative"), str) else ""),
        ("disposition", row["disposition"] if isinstance(row["disposition"], str) else ""),
    ]
    show_table(
        [t("intake.fact", lang), t("intake.value", lang)],
        [[t(f"intake.fact_{name}", lang), str(value)] for name, value in facts if value],
        narrow=frozenset({0}),
    )


def _say_span(start: Any, end: Any) -> str:
    return format_time(start) if start == end else f"{format_time(start)} – {format_time(end)}"


def _show_caller(store: Store, viewer: Viewer, row: dict[Any, Any], lang: Language) -> None:
    """The caller, masked until somebody opens them; opening and each look are logged."""
    incident_id = str(row["incident_id"])
    is_open = ("incident", incident_id) in viewer.openings
    who = [
        (name, row.get(column))
        for name, column in (
            ("caller_name", "reporter_name"),
            ("caller_phone", "reporter_phone"),
            ("caller_address", "caller_address"),
        )
        if isinstance(row.get(column), str)
    ]
    if is_open:
        with suppress(RecordMissingError):  # nothing was masked: the words are those above
            who.append(("original", unseal(store, viewer, "incidents", incident_id, "narrative", clock=utc_now)))
    st.markdown(f"**{t('intake.caller', lang)}**")
    if who:
        show_table(
            [t("intake.fact", lang), t("intake.value", lang)],
            [[t(f"intake.{name}", lang), str(value)] for name, value in who],
        )
    else:
        st.caption(t("intake.caller_none", lang))
    if is_open or viewer.account_id is None:
        return
    with st.form(key=f"open-{incident_id}", border=False):
        why = st.text_input(t("intake.open_reason", lang), max_chars=200)
        if not st.form_submit_button(t("intake.open_caller", lang)):
            return
    try:
        open_fields(store, viewer, "incident", incident_id, reason=why or None, clock=utc_now)
    except BadRecordError:
        st.error(t("intake.reason_missing", lang))
    except NotAllowedError:
        st.error(t("intake.failed", lang))
    else:
        st.rerun()


def _show_history(steps: Any, lang: Language) -> None:
    st.markdown(f"**{t('intake.history', lang)}**")
    rows = [
        [format_second(step.at_utc), t(f"intake.did_{step.action.value}", lang), step.by, step.reason or ""]
        for step in steps
    ]
    show_table(
        [t(f"intake.history_{name}", lang) for name in ("at", "what", "by", "why")], rows, narrow=frozenset({0, 1})
    )

"""Buttons of one task: what this viewer may do now, each with the words that it needs, and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal

import streamlit as st

from data.queries import find_incidents_at
from data.store import Store, utc_now
from data.task_photos import add_photo
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RefusedError, ShapanError
from i18n import Language, t
from tasks.checklists import OTHER, list_items
from tasks.doing import act
from tasks.life_cycle import MIN_REASON_LENGTH, Action, Kind, Task
from tasks.notices import propose_again
from tasks.orders import PARTIES, Evidence, Order, Session, Wrong
from ui.notes import put_note
from ui.tables import LOCAL
from ui.task_incidents import tick_incidents
from ui.task_receivers import choose_receiver
from ui.task_words import to_rows

PAGE = "task"
_AT_ONCE = (Action.ACCEPT, Action.ARRIVE, Action.CLOSE, Action.DEMAND)
_WITH_REASON = (Action.REFUSE, Action.SEND_BACK, Action.CANCEL)
_ORDER = (
    *(Action.ACCEPT, Action.ARRIVE, Action.SUBMIT, Action.HOLD_SESSION, Action.NOBODY_HOME, Action.ATTACH),
    *(Action.LINK, Action.CLOSE, Action.DEMAND),
    *(Action.EXTEND, Action.SEND_BACK, Action.ASSIGN, Action.FORWARD, Action.REFUSE, Action.CANCEL),
)
_MAIN = (Action.ACCEPT, Action.ARRIVE, Action.SUBMIT, Action.CLOSE, Action.DEMAND)


def show_actions(
    store: Store, viewer: Viewer, task: Task, row: dict[str, Any], allowed: Sequence[Action], lang: Language
) -> None:
    """A button or a form for each allowed action, the one that comes next first and large."""
    if not allowed:
        st.caption(t("tasks.nothing_to_do", lang))
        return

    def do(order: Order, photos: Sequence[Any] = ()) -> None:
        _do(store, viewer, task.task_id, order, photos, lang)

    for action in (one for one in _ORDER if one in allowed):
        label = t(f"tasks.do_{action}", lang)
        key = f"{action}-{task.task_id}"
        if action in _AT_ONCE:
            kind: Literal["primary", "secondary"]
            kind = "primary" if action in _MAIN and action == next(a for a in _ORDER if a in allowed) else "secondary"
            if st.button(label, key=key, type=kind, width="stretch"):
                do(Order(action, _new_id()))
            continue
        with st.expander(label, expanded=action is Action.SUBMIT, key=f"box-{key}"):
            form = _FORMS[action]
            form(store, viewer, task, row, action, do, lang)


def _new_id() -> str:
    return secrets.token_hex(8)


def _do(store: Store, viewer: Viewer, task_id: str, order: Order, photos: Sequence[Any], lang: Language) -> None:
    """Do it, say how it went, and draw the page anew."""
    try:
        done = act(store, viewer, task_id, order, clock=utc_now)
        for photo in photos:
            if order.evidence is not None:
                add_photo(
                    store, viewer, task_id, order.evidence.evidence_id, photo.getvalue(),
                    captured_utc=order.evidence.captured_utc, clock=utc_now,
                )  # fmt: skip
    except BadRecordError:
        put_note(PAGE, "problem", t("tasks.bad_value", lang))
    except NotAllowedError:
        put_note(PAGE, "problem", t("tasks.not_yours", lang))
    except RefusedError:
        put_note(PAGE, "problem", t("tasks.refused", lang))
    except ShapanError:
        put_note(PAGE, "problem", t("tasks.failed", lang))
    else:
        key = "tasks.kept_text" if done.refused else f"tasks.done_{order.action}"
        put_note(PAGE, "problem" if done.refused else "done", t(key, lang))
    st.rerun()


Do = Callable[..., None]
Form = Callable[[Store, Viewer, Task, dict[str, Any], Action, Do, Language], None]


def _ask_reason(
    _store: Store, _viewer: Viewer, task: Task, _row: dict[str, Any], action: Action, do: Do, lang: Language
) -> None:
    with st.form(key=f"form-{action}-{task.task_id}", border=False):
        reason = st.text_input(t("tasks.reason", lang), max_chars=200, help=t("tasks.reason_help", lang))
        if st.form_submit_button(t(f"tasks.do_{action}", lang), width="stretch"):
            if len(reason.strip()) < MIN_REASON_LENGTH:
                st.error(t("tasks.reason_help", lang))
            else:
                do(Order(action, _new_id(), reason=reason))


def _ask_receiver(
    store: Store, viewer: Viewer, task: Task, row: dict[str, Any], action: Action, do: Do, lang: Language
) -> None:
    with st.form(key=f"form-{action}-{task.task_id}", border=False):
        receiver = choose_receiver(store, viewer, row, f"{action}-{task.task_id}", lang)
        reason = st.text_input(t("tasks.reason", lang), max_chars=200) if action is Action.FORWARD else ""
        if st.form_submit_button(t(f"tasks.do_{action}", lang), width="stretch"):
            if receiver is None or (action is Action.FORWARD and len(reason.strip()) < MIN_REASON_LENGTH):
                st.error(t("tasks.reason_help", lang))
            else:
                do(Order(action, _new_id(), reason=reason, receiver=receiver))


def _ask_later(
    _store: Store, _viewer: Viewer, task: Task, _row: dict[str, Any], action: Action, do: Do, lang: Language
) -> None:
    tomorrow = utc_now().astimezone(LOCAL).date() + timedelta(days=1)
    with st.form(key=f"form-{action}-{task.task_id}", border=False):
        day = st.date_input(
            t("tasks.new_date", lang), value=tomorrow + timedelta(days=6), min_value=tomorrow, format="YYYY-MM-DD"
        )
        reason = st.text_input(t("tasks.reason", lang), max_chars=200)
        if st.form_submit_button(t("tasks.do_extend", lang), width="stretch"):
            if len(reason.strip()) < MIN_REASON_LENGTH:
                st.error(t("tasks.reason_help", lang))
            else:
                due = datetime.combine(day, time(18), LOCAL).astimezone(UTC)
                do(Order(action, _new_id(), reason=reason, due_utc=due))


def _ask_evidence(
    store: Store, _viewer: Viewer, task: Task, row: dict[str, Any], action: Action, do: Do, lang: Language
) -> None:
    """Checklist, words and photos; what is not in order becomes a finding with a date. All in order: one press."""
    today = utc_now().astimezone(LOCAL).date()
    key = f"{action}-{task.task_id}"
    is_visit = action is Action.SUBMIT and task.kind is not Kind.RECTIFICATION
    with st.form(key=f"form-{key}", border=False):
        items = list_items(store, row["checklist"]) if is_visit else ()
        if items:
            st.caption(t("tasks.checklist_help", lang))
        wrong = st.pills(
            t("tasks.not_in_order", lang), [item.code for item in items] + [OTHER] if is_visit else [],
            selection_mode="multi", key=f"wrong-{key}",
            format_func=lambda code: next((i.say(lang) for i in items if i.code == code), t("tasks.item_other", lang)),
        ) if is_visit else []  # fmt: skip
        mended = None
        if action is Action.SUBMIT and task.kind is Kind.RECTIFICATION:
            mended = st.radio(
                t("tasks.is_mended", lang), [True, False], key=f"mended-{key}", horizontal=True,
                format_func=lambda yes: t("tasks.mended" if yes else "tasks.not_mended", lang),
            )  # fmt: skip
        text = st.text_area(t("tasks.words", lang), max_chars=500, height=100, key=f"words-{key}")
        until = (
            st.date_input(
                t("tasks.rectify_by", lang), value=today + timedelta(days=7), min_value=today, format="YYYY-MM-DD",
                key=f"until-{key}",
            )
            if is_visit
            else today
        )  # fmt: skip
        photos = st.file_uploader(
            t("tasks.photos", lang), ["jpg", "jpeg", "png", "webp"], accept_multiple_files=True, key=f"files-{key}"
        )
        if st.form_submit_button(t(f"tasks.do_{action}", lang), type="primary", width="stretch"):
            answers = {item.code: "not_ok" if item.code in (wrong or ()) else "ok" for item in items}
            findings = tuple(Wrong(code, until, text if code == OTHER else "") for code in wrong or ())
            evidence = Evidence(f"e-{_new_id()}", utc_now(), text, answers)
            do(Order(action, _new_id(), evidence=evidence, findings=findings, mended=mended), photos or ())


def _ask_session(
    _store: Store, _viewer: Viewer, task: Task, _row: dict[str, Any], action: Action, do: Do, lang: Language
) -> None:
    with st.form(key=f"form-{action}-{task.task_id}", border=False):
        parties = st.multiselect(
            t("tasks.parties", lang), PARTIES, format_func=lambda name: t(f"tasks.party_{name}", lang),
            placeholder=t("tasks.parties_choose", lang),
        )  # fmt: skip
        text = st.text_area(t("tasks.said", lang), max_chars=600, height=100)
        agreement = st.text_area(t("tasks.agreement", lang), max_chars=600, height=80)
        settled = st.radio(
            t("tasks.outcome", lang), [None, True, False], horizontal=True,
            format_func=lambda one: t(f"tasks.{ {True: 'settled', False: 'not_settled'}.get(one, 'goes_on')}", lang),
        )  # fmt: skip
        follow = st.date_input(t("tasks.follow_up", lang), value=None, format="YYYY-MM-DD")
        if st.form_submit_button(t("tasks.do_hold_session", lang), width="stretch"):
            if not parties:
                st.error(t("tasks.parties_missing", lang))
            else:
                session = Session(utc_now(), tuple(parties), text, agreement, settled, follow)
                do(Order(action, _new_id(), session=session))


def _ask_again(
    _store: Store, _viewer: Viewer, task: Task, _row: dict[str, Any], action: Action, do: Do, lang: Language
) -> None:
    """Nobody at home: when the worker comes again, as the notice says that is left at the door."""
    proposed = propose_again(utc_now()).astimezone(LOCAL)
    with st.form(key=f"form-{action}-{task.task_id}", border=False):
        first, second = st.columns(2)
        day = first.date_input(t("round.again_day", lang), value=proposed.date(), format="YYYY-MM-DD")
        hour = second.time_input(t("round.again_time", lang), value=proposed.time(), step=timedelta(minutes=30))
        text = st.text_input(t("tasks.words", lang), max_chars=200, placeholder=t("round.absent_words", lang))
        if st.form_submit_button(t("tasks.do_nobody_home", lang), width="stretch"):
            again = datetime.combine(day, hour, LOCAL).astimezone(UTC)
            if again <= utc_now():
                st.error(t("round.again_past", lang))
            else:
                do(Order(action, _new_id(), evidence=Evidence(f"e-{_new_id()}", utc_now(), text), again_utc=again))


def _ask_incidents(
    store: Store, viewer: Viewer, task: Task, row: dict[str, Any], action: Action, do: Do, lang: Language
) -> None:
    """What else happened at the address and is not linked yet."""
    building = row["building_id"]
    found = to_rows(find_incidents_at(store, viewer, building, unit_id=row["unit_id"])) if building else []
    left = [one for one in found if one["incident_id"] not in task.incidents]
    if not left:
        st.caption(t("tasks.no_incidents_here", lang))
        return
    with st.form(key=f"form-{action}-{task.task_id}", border=False):
        chosen = tick_incidents(store, viewer, left, f"link-{task.task_id}", lang)
        if st.form_submit_button(t("tasks.do_link", lang), width="stretch"):
            if not chosen:
                st.error(t("tasks.choose_incidents", lang))
            else:
                do(Order(action, _new_id(), incidents=chosen))


_FORMS: dict[Action, Form] = {
    **dict.fromkeys(_WITH_REASON, _ask_reason),
    Action.ASSIGN: _ask_receiver,
    Action.FORWARD: _ask_receiver,
    Action.EXTEND: _ask_later,
    Action.SUBMIT: _ask_evidence,
    Action.ATTACH: _ask_evidence,
    Action.HOLD_SESSION: _ask_session,
    Action.NOBODY_HOME: _ask_again,
    Action.LINK: _ask_incidents,
}

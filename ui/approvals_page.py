"""The page of approvals (双人审批): one person asks, another decides, and what was approved is used once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from data.approvals import ACTIONS, ApprovalAction, ask, decide
from data.exporting import EXPORTS, SCOPES, build_subject, split_subject
from data.queries import find_approvals, find_buildings, find_grids
from data.rights import Right, get_right
from data.runtime import get_store
from data.settings_store import read_settings
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError, ShapanError
from i18n import Language, t
from ui.cards import escape_markdown
from ui.erasure_page import ask_erasure, read_erasure, show_erasure
from ui.fields import read_choice, read_text
from ui.notes import put_note, show_notes
from ui.tables import format_time, show_empty, show_lead, show_style, show_table
from ui.taking_page import show_export

_PAGE = "approvals"
_HEADS = ("at", "what", "scope", "who", "reason", "decision", "use_state")


@dataclass(frozen=True)
class Names:
    """How grids and buildings are called, by id."""

    grids: dict[str, str]
    buildings: dict[str, str]

    def say(self, subject: str, lang: Language) -> str:
        """What an approval is about."""
        kind, subject_id = split_subject(subject)
        if kind == "person":
            return t("approvals.scope_person", lang, id=subject_id[:8])
        known = {"grid": self.grids, "building": self.buildings}.get(kind, {})
        return t(f"approvals.scope_{kind}", lang, name=known.get(subject_id, subject_id)) if kind in SCOPES else subject


def show_approvals(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("approvals.title", lang))
    hours = read_settings(store).approval_hours
    show_lead(t("approvals.lead", lang, hours=hours))
    show_notes(_PAGE)
    names = _find_names(store, viewer)
    rows = [_to_plain(row) for row in find_approvals(store, viewer).to_dict("records")]
    usable = [row for row in rows if _is_usable(row, viewer)]
    left, right = st.columns([3, 2], gap="large")
    with left:
        if usable:
            _show_usable(store, viewer, usable, names, lang)
        _show_waiting(store, viewer, [row for row in rows if row["approved"] is None], names, hours, lang)
    with right:
        _ask(store, viewer, names, lang)
    _show_history([row for row in rows if row["approved"] is not None], names, lang)


def _find_names(store: Store, viewer: Viewer) -> Names:
    grids, buildings = find_grids(store, viewer), find_buildings(store, viewer)
    called = buildings["zone"].fillna("") + buildings["name"].fillna("")
    return Names(
        dict(zip(grids["grid_id"].astype(str), grids["name"].astype(str), strict=True)),
        {
            building: name or building
            for building, name in zip(buildings["building_id"].astype(str), called.astype(str), strict=True)
        },
    )


def _to_plain(row: dict[Any, Any]) -> dict[str, Any]:
    """A row with None where something is missing, and people by the names of their accounts."""
    plain = {str(name): None if value != value or value is None else value for name, value in row.items()}
    plain["who"] = plain["asked_by_account"] or plain["asked_by"]
    plain["decider"] = plain["decided_by_account"] or plain["decided_by"]
    return plain


def _is_usable(row: dict[str, Any], viewer: Viewer) -> bool:
    return (
        row["asked_by"] == viewer.account_id
        and bool(row["approved"])
        and row["used_utc"] is None
        and row["decided_utc"] <= utc_now() < row["ends_utc"]
    )


# Deciding


def _show_waiting(
    store: Store, viewer: Viewer, rows: list[dict[str, Any]], names: Names, hours: int, lang: Language
) -> None:
    st.subheader(t("approvals.waiting", lang))
    if not rows:
        show_empty(t("approvals.waiting_empty", lang))
    for row in rows:
        with st.container(border=True, gap="xsmall"):
            _show_request(row, names, lang)
            if row["asked_by"] == viewer.account_id:
                st.caption(t("approvals.own", lang))
            elif get_right(viewer.role, "action", "decide") is Right.NO:
                st.caption(t("approvals.cannot_decide", lang))
            else:
                _offer_decision(store, viewer, row, hours, lang)


def _show_request(row: dict[str, Any], names: Names, lang: Language) -> None:
    asked = t("approvals.asked", lang, who=row["who"], time=format_time(row["asked_utc"]))
    what = t(f"approvals.action_{row['action']}", lang)
    st.markdown(f"**{what}** · {escape_markdown(asked)}")
    st.markdown(escape_markdown(t("approvals.scope_of", lang, scope=names.say(row["subject"], lang))))
    st.markdown(escape_markdown(t("approvals.reason_of", lang, reason=row["reason"])))


def _offer_decision(store: Store, viewer: Viewer, row: dict[str, Any], hours: int, lang: Language) -> None:
    approval_id = row["approval_id"]
    with st.container(horizontal=True):
        with st.popover(t("approvals.agree", lang), type="primary"):
            st.write(t("approvals.agree_text", lang, who=escape_markdown(row["who"]), hours=hours))
            st.button(
                t("approvals.agree_yes", lang),
                key=f"approvals-yes-{approval_id}",
                on_click=_decide,
                args=(store, viewer, approval_id, True, lang),
            )
        st.button(
            t("approvals.refuse", lang),
            key=f"approvals-no-{approval_id}",
            on_click=_decide,
            args=(store, viewer, approval_id, False, lang),
        )


def _decide(store: Store, viewer: Viewer, approval_id: str, approved: bool, lang: Language) -> None:
    try:
        decide(store, viewer, approval_id, approved=approved, clock=utc_now)
    except NotAllowedError:
        put_note(_PAGE, "problem", t("approvals.not_own", lang))
    except RefusedError:
        put_note(_PAGE, "problem", t("approvals.decided_before", lang))
    except ShapanError:
        put_note(_PAGE, "problem", t("approvals.failed", lang))
    else:
        put_note(_PAGE, "done", t("approvals.agreed" if approved else "approvals.refused", lang))


# Using


def _show_usable(store: Store, viewer: Viewer, rows: list[dict[str, Any]], names: Names, lang: Language) -> None:
    st.subheader(t("approvals.usable", lang))
    for row in rows:
        scope = names.say(row["subject"], lang)
        with st.container(border=True, gap="xsmall"):
            _show_request(row, names, lang)
            st.caption(t("approvals.usable_until", lang, who=row["decider"], ends=format_time(row["ends_utc"])))
            if row["action"] in EXPORTS:
                show_export(store, viewer, row["approval_id"], row["action"], scope, lang)
            else:
                show_erasure(store, viewer, row["approval_id"], row["subject"], lang)


# Asking


def _ask(store: Store, viewer: Viewer, names: Names, lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("approvals.ask", lang))
        actions = [action for action in ACTIONS if get_right(viewer.role, "action", action) is not Right.NO]
        if not actions:
            show_empty(t("approvals.ask_none", lang))
            return
        action = st.selectbox(
            t("approvals.what", lang),
            actions,
            format_func=lambda code: t(f"approvals.action_{code}", lang),
            key=f"approvals_action_{lang}",
        )
        if action == "erase_person":
            ask_erasure(store, viewer, lang)
        else:
            _ask_scope(names, lang)
        st.text_area(
            t("approvals.reason", lang),
            key="approvals_reason",
            placeholder=t("approvals.reason_hint", lang),
            max_chars=500,
            height=90,
        )
        st.button(
            t("approvals.ask_button", lang),
            key="approvals_ask",
            type="primary",
            on_click=_put,
            args=(store, viewer, lang),
        )


def _ask_scope(names: Names, lang: Language) -> None:
    kind = st.segmented_control(
        t("approvals.by", lang),
        SCOPES,
        default=SCOPES[0],
        format_func=lambda one: t(f"approvals.by_{one}", lang),
        key=f"approvals_by_{lang}",
        required=True,
    )
    known = names.grids if kind == "grid" else names.buildings
    st.selectbox(
        t(f"approvals.{kind}", lang),
        list(known),
        index=None,
        format_func=lambda one: known.get(one, one),
        placeholder=t("approvals.choose", lang),
        key=f"approvals_{kind}_{lang}",
    )


def _read_scope(store: Store, lang: Language) -> str | None:
    kind = read_choice(f"approvals_by_{lang}") or SCOPES[0]
    chosen = read_choice(f"approvals_{kind}_{lang}")
    try:
        return build_subject(store, kind, chosen) if chosen else None
    except RecordMissingError:
        return None


def _put(store: Store, viewer: Viewer, lang: Language) -> None:
    action: ApprovalAction = st.session_state[f"approvals_action_{lang}"]
    subject = read_erasure(store, viewer) if action == "erase_person" else _read_scope(store, lang)
    if subject is None:
        missing = "approvals.person_missing" if action == "erase_person" else "approvals.scope_missing"
        put_note(_PAGE, "problem", t(missing, lang))
        return
    try:
        ask(store, viewer, action, subject, read_text("approvals_reason"), clock=utc_now)
    except BadRecordError:
        put_note(_PAGE, "problem", t("approvals.reason_short", lang))
    except ShapanError:
        put_note(_PAGE, "problem", t("approvals.failed", lang))
    else:
        put_note(_PAGE, "done", t("approvals.asked_done", lang))
        st.session_state["approvals_reason"] = ""


# What was decided


def _show_history(rows: list[dict[str, Any]], names: Names, lang: Language) -> None:
    st.subheader(t("approvals.history", lang))
    if not rows:
        show_empty(t("approvals.history_empty", lang))
        return
    cells = [
        [
            format_time(row["asked_utc"]),
            t(f"approvals.action_{row['action']}", lang),
            names.say(row["subject"], lang),
            row["who"],
            row["reason"],
            t(
                "approvals.yes_by" if row["approved"] else "approvals.no_by",
                lang,
                who=row["decider"],
                time=format_time(row["decided_utc"]),
            ),
            _say_use(row, lang),
        ]
        for row in rows[:200]
    ]
    show_table([t(f"approvals.{name}", lang) for name in _HEADS], cells, narrow=frozenset({0}))


def _say_use(row: dict[str, Any], lang: Language) -> str:
    if not row["approved"]:
        return ""
    if row["used_utc"] is not None:
        return t("approvals.used_at", lang, time=format_time(row["used_utc"]))
    if utc_now() < row["ends_utc"]:
        return t("approvals.open_until", lang, time=format_time(row["ends_utc"]))
    return t("approvals.over", lang)

"""One task: where and what, what may be done now, what was found, and everything that happened to it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from data.incident_writes import Event
from data.queries import (
    find_task,
    find_task_events,
    find_task_evidence,
    find_task_findings,
    find_task_incidents,
    find_task_photos,
    find_task_sessions,
)
from data.store import Store, utc_now
from data.task_photos import get_photo
from data.task_writes import read_task
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.checklists import say_item
from tasks.life_cycle import Kind, Task, rebuild
from tasks.receiving import list_actions
from tasks.steps import to_step
from ui.cards import escape_markdown
from ui.notes import show_notes
from ui.tables import format_time, show_table
from ui.task_actions import PAGE, show_actions
from ui.task_incidents import name_kinds, say_what, say_whether_over
from ui.task_round import make_notices
from ui.task_sealed import show_sealed
from ui.task_words import AT_WORK, find_now, is_overdue, say_due, say_kind, say_receiver, say_state, say_who, to_rows


def show_task(store: Store, viewer: Viewer, task_id: str, lang: Language) -> None:
    """Draw one task; nothing of it for who may not see it."""
    if st.button(t("tasks.back", lang), key="tasks_back"):
        st.query_params.pop("task", None)
        st.rerun()
    rows = to_rows(find_task(store, viewer, task_id))
    if not rows:
        st.warning(t("tasks.gone", lang))
        return
    row = rows[0]
    events: tuple[Event, ...] = read_task(store, task_id).events
    task = rebuild(task_id, map(to_step, events))
    _show_head(store, row, lang)
    show_notes(PAGE)
    left, right = st.columns([2, 3], gap="large")
    with left:
        if task.is_open:
            st.link_button(t("pack.print", lang), f"/packs.pdf?task={task_id}&lang={lang}", width="stretch")
        show_actions(store, viewer, task, row, list_actions(viewer, task, row), lang)
    with right:
        _show_found(store, viewer, task, lang)
        _show_history(store, viewer, task_id, lang)
        _show_incidents(store, viewer, task_id, lang)


def _show_head(store: Store, row: dict[str, Any], lang: Language) -> None:
    now = find_now(store)
    st.title(escape_markdown(row["place_text"]))
    late = f":orange-badge[{t('tasks.overdue', lang)}] " if is_overdue(row, now) else ""
    words = [say_kind(row["kind"], lang), say_state(row["state"], lang), say_due(row, now, lang)]
    words += [t("tasks.for", lang, who=say_receiver(row, lang)), row["grid_name"] or ""]
    st.markdown(late + escape_markdown(" · ".join(word for word in words if word)))
    origin = t(f"tasks.origin_{row['origin']}", lang)
    made = t(
        "tasks.made", lang, origin=origin, who=say_who(row["created_by_name"], lang), at=format_time(row["created_utc"])
    )
    st.caption(escape_markdown(made))
    if row["again_utc"] and row["state"] in AT_WORK:
        st.info(t("round.again_agreed", lang, at=format_time(row["again_utc"]), n=row["absent_count"] or 0))
        if st.button(t("round.notice", lang), key="notice"):
            make_notices(store, [row], lang)
    if row["note"]:
        st.info(escape_markdown(row["note"]))
    parent = "tasks.checks" if row["kind"] == Kind.RECTIFICATION else "round.follows"
    for name, key in (("parent_id", parent), ("recheck_id", "tasks.checked_by")):
        if row[name] and st.button(t(key, lang), key=f"to-{row[name]}"):
            st.query_params["task"] = row[name]
            st.rerun()


def _show_found(store: Store, viewer: Viewer, task: Task, lang: Language) -> None:
    evidence = to_rows(find_task_evidence(store, viewer, task.task_id))
    findings = to_rows(find_task_findings(store, viewer, task.task_id))
    if findings:
        st.subheader(t("tasks.findings", lang))
        show_table(
            [t(f"tasks.head_{name}", lang) for name in ("item", "rectify_by", "words")],
            [
                [
                    say_item(store, one["code"], lang) or t("tasks.item_other", lang),
                    f"{one['rectify_by']:%Y-%m-%d}",
                    one["narrative"] or "",
                ]
                for one in findings
            ],
            narrow=frozenset({1}),
        )
    for one in to_rows(find_task_sessions(store, viewer, task.task_id)):
        with st.container(border=True):
            parties = t("tasks.comma", lang).join(t(f"tasks.party_{name}", lang) for name in one["parties"].split())
            st.markdown(f"**{t('tasks.session', lang)}** · {format_time(one['held_utc'])} · {escape_markdown(parties)}")
            how = {True: "settled", False: "not_settled"}.get(one["settled"], "goes_on")
            st.markdown(escape_markdown(f"{t(f'tasks.{how}', lang)} {one['agreement'] or ''} {one['narrative'] or ''}"))
            if one["follow_up_on"]:
                st.caption(t("tasks.follow_up_on", lang, date=f"{one['follow_up_on']:%Y-%m-%d}"))
    if not evidence:
        return
    st.subheader(t("tasks.evidence", lang))
    photos = to_rows(find_task_photos(store, viewer, task.task_id))
    for one in evidence:
        with st.container(border=True):
            late = f":gray-badge[{t('tasks.kept', lang)}] " if one["kept_why"] else ""
            st.markdown(late + escape_markdown(one["narrative"] or t("tasks.no_words", lang)))
            place = t(f"tasks.place_{one['place_source']}", lang)
            st.caption(escape_markdown(f"{format_time(one['captured_utc'])} · {place}"))
            if one["is_sealed"]:
                show_sealed(store, viewer, task.task_id, one["evidence_id"], lang)
            show_photos(store, viewer, [p for p in photos if p["evidence_id"] == one["evidence_id"]], lang)


def show_photos(store: Store, viewer: Viewer, photos: list[dict[str, Any]], lang: Language) -> None:
    """Pictures only when somebody asks for them: each look is in the log."""
    if not photos:
        return
    first = photos[0]["photo_id"]
    if not st.toggle(t("tasks.show_photos", lang, n=len(photos)), key=f"photos-{first}"):
        return
    for photo in photos:
        try:
            kept = get_photo(store, viewer, photo["photo_id"], clock=utc_now)
        except ShapanError:
            st.warning(t("tasks.photo_gone", lang))
        else:
            st.image(kept.content, caption=format_time(photo["captured_utc"]))


def _show_history(store: Store, viewer: Viewer, task_id: str, lang: Language) -> None:
    st.subheader(t("tasks.history", lang))
    rows = []
    for one in to_rows(find_task_events(store, viewer, task_id)):
        to = f" → {say_receiver(one, lang)}" if one["receiver_kind"] else ""
        what = t(f"tasks.did_{one['action']}", lang) + to
        rows.append([format_time(one["at_utc"]), what, say_who(one["by"], lang), one["reason"] or ""])
    show_table(
        [t(f"tasks.head_{name}", lang) for name in ("when", "what", "who", "why")], rows, narrow=frozenset({0, 1, 2})
    )


def _show_incidents(store: Store, viewer: Viewer, task_id: str, lang: Language) -> None:
    incidents = to_rows(find_task_incidents(store, viewer, task_id))
    if not incidents:
        return
    names = name_kinds(store, viewer, lang)
    st.subheader(t("tasks.incidents", lang))
    show_table(
        [t(f"tasks.head_{name}", lang) for name in ("when", "what", "state", "linked")],
        [
            [
                format_time(one["reported_utc"]), say_what(one, names, lang), say_whether_over(one, lang),
                t("tasks.linked" if one["linked"] else "tasks.here", lang),
            ]
            for one in incidents
        ],
        narrow=frozenset({0}),
    )  # fmt: skip

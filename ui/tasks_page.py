"""The page of tasks (任务): my own list, made for one hand; for officers all of them; one task with its buttons."""

from __future__ import annotations

from typing import Any

import streamlit as st

from data.queries import find_grids, find_tasks
from data.rights import Right, get_right
from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from i18n import Language, t
from tasks.life_cycle import Kind
from tasks.making import make_due_tasks
from ui import session
from ui.cards import escape_markdown
from ui.notes import put_note, show_notes
from ui.tables import show_empty, show_lead, show_style
from ui.task_day import show_day
from ui.task_new import show_new
from ui.task_one import show_task
from ui.task_platform import show_platform
from ui.task_round import show_round
from ui.task_rounds import show_rounds
from ui.task_words import find_now, is_overdue, say_due, say_kind, say_receiver, say_state, to_rows

PAGE = "tasks"
_STYLE = """<style>
.st-key-tasks-body button { min-height: 3rem; }
.st-key-tasks-body [data-testid="stMarkdownContainer"] p { margin-bottom: 0.2rem; }
.sh-late { color: #ffbe54; font-weight: 600; }
</style>"""
_SHOWN = 25


def show_tasks(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.html(_STYLE)
    asked = st.query_params.get("task")
    with st.container(key="tasks-body"):
        if asked:
            show_task(store, viewer, asked, lang)
            return
        st.title(t("tasks.title", lang))
        show_lead(t("tasks.lead", lang))
        show_notes(PAGE)
        views = _list_views(viewer)
        view = st.segmented_control(
            t("tasks.view", lang), views, default=session.recall("tasks_view", views[0]),
            format_func=lambda name: t(f"tasks.view_{name}", lang), key=f"tasks_view_{lang}",
            label_visibility="collapsed", required=True,
        )  # fmt: skip
        session.keep("tasks_view", view)
        if view == "new":
            show_new(store, viewer, lang)
        elif view == "round":
            show_round(store, viewer, lang)
        elif view == "day":
            show_day(store, viewer, lang)
        else:
            _show_list(store, viewer, view or views[0], lang)


def _list_views(viewer: Viewer) -> list[str]:
    views = ["mine"] if viewer.role is Role.GRID_WORKER else ["all", "mine"]
    views += ["new"] if get_right(viewer.role, "action", "create_task") is not Right.NO else []
    return [*views, "round", "day"]


def _show_list(store: Store, viewer: Viewer, view: str, lang: Language) -> None:
    now = find_now(store)
    kind, grid, only = None, None, None
    if view == "all":
        first, second, third = st.columns(3)
        kind = first.selectbox(
            t("tasks.kind", lang), [None, *(one.value for one in Kind)], key=f"tasks_kind_{lang}",
            format_func=lambda code: say_kind(code, lang) if code else t("tasks.any", lang),
        )  # fmt: skip
        grids = find_grids(store, viewer)
        names = dict(zip(grids["grid_id"], grids["name"], strict=True))
        grid = second.selectbox(
            t("tasks.grid", lang), [None, *names], key=f"tasks_grid_{lang}",
            format_func=lambda one: names.get(one) or t("tasks.any", lang),
        )  # fmt: skip
        only = third.selectbox(
            t("tasks.show", lang), ["open", "overdue", "submitted", "sent_back", "closed"], key=f"tasks_only_{lang}",
            format_func=lambda name: t(f"tasks.only_{name}", lang),
        )  # fmt: skip
        _offer_due(store, viewer, lang)
        show_rounds(store, viewer, PAGE, lang)
        show_platform(store, viewer, PAGE, lang)
    states = {"submitted": ("submitted",), "closed": ("closed", "cancelled")}
    more: dict[str, Any] = {} if only not in states else {"states": states[only]}
    if view == "mine":  # what was handed in waits for others
        more = {"states": ("assigned", "accepted", "on_site")}
    found = find_tasks(
        store, viewer, now=now, kind=kind, grid_id=grid, only_mine=view == "mine", only_overdue=only == "overdue",
        only_sent_back=only == "sent_back", newest=only == "closed",
        limit=_SHOWN * session.recall("tasks_pages", 1), **more,
    )  # fmt: skip
    rows = to_rows(found)
    if not rows:
        show_empty(t("tasks.empty_mine" if view == "mine" else "tasks.empty", lang))
        return
    if view == "mine":
        _offer_packs(rows, lang)
    total = int(rows[0]["total"])
    late = sum(is_overdue(row, now) for row in rows)
    st.caption(t("tasks.count_late" if late else "tasks.count", lang, n=total, late=late))
    for row in rows:
        with st.container(border=True):
            mark = f":orange-badge[{t('tasks.overdue', lang)}] " if is_overdue(row, now) else ""
            urgent = f":violet-badge[{t('tasks.priority_urgent', lang)}] " if row["priority"] == "urgent" else ""
            back = f":blue-badge[{t('tasks.sent_back', lang)}] " if row["sent_back_count"] else ""
            st.markdown(f"{mark}{urgent}{back}**{escape_markdown(row['place_text'])}**")
            words = (say_kind(row["kind"], lang), say_state(row["state"], lang), say_due(row, now, lang))
            st.caption(escape_markdown(" · ".join((*words, say_receiver(row, lang)))))
            if st.button(t("tasks.open", lang), key=f"open-{row['task_id']}", width="stretch"):
                st.query_params["task"] = row["task_id"]
                st.rerun()
    if total > len(rows) and st.button(t("tasks.more", lang, n=total - len(rows)), width="stretch"):
        session.keep("tasks_pages", session.recall("tasks_pages", 1) + 1)
        st.rerun()


def _offer_packs(rows: list[dict[str, Any]], lang: Language) -> None:
    """What is carried outside: the packs of this list as one PDF."""
    asked = "".join(f"&task={row['task_id']}" for row in rows)
    st.link_button(t("pack.open_phone", lang), f"/phone/visit?lang={lang}", width="stretch")
    st.link_button(t("pack.print_list", lang, n=len(rows)), f"/packs.pdf?lang={lang}{asked}", width="stretch")


def _offer_due(store: Store, viewer: Viewer, lang: Language) -> None:
    """The due list now, not only at night."""
    if get_right(viewer.role, "action", "direct_task") is Right.NO:
        return
    if st.button(t("tasks.make_due", lang), help=t("tasks.make_due_help", lang), key="make_due"):
        made = make_due_tasks(store, viewer=viewer, clock=utc_now)
        put_note(PAGE, "done", t("tasks.made_due", lang, n=len(made)))
        st.rerun()

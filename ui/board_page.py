"""The supervision board (督办): what is open, overdue, sent back, closed on time; what waits for whom."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from data.queries import find_grids, find_task_counts, find_tasks, find_waiting
from data.runtime import get_store
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from ui import session
from ui.board_fresh import show_fresh
from ui.board_rules import show_rules
from ui.cards import escape_markdown
from ui.notes import show_notes
from ui.tables import format_time, show_empty, show_lead, show_style, show_table
from ui.task_words import find_now, say_due, say_kind, say_receiver, say_state, to_rows

PAGE = "board"
VIEWS = ("board", "waiting", "fresh", "rules")
_FIGURES = ("open", "overdue", "rectifying", "sent_back", "closed", "on_time")
_LEVELS = ("level_1", "level_2")
_DAYS = 30
_STATES = {
    "assign": ("waiting",), "accept": ("assigned",), "do": ("accepted", "on_site"), "close": ("submitted",),
    "recheck": ("rectifying",),
}  # fmt: skip
_SHOWN = 60


def show_board(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("board.title", lang))
    show_lead(t("board.lead", lang))
    show_notes(PAGE)
    view = st.segmented_control(
        t("tasks.view", lang), VIEWS, default=session.recall("board_view", VIEWS[0]),
        format_func=lambda name: t(f"board.view_{name}", lang), key=f"board_view_{lang}", label_visibility="collapsed",
        required=True,
    )  # fmt: skip
    session.keep("board_view", view)
    draw = {"waiting": _show_waiting, "fresh": show_fresh, "rules": show_rules}.get(view or VIEWS[0], _show_counts)
    draw(store, viewer, lang)


def _show_counts(store: Store, viewer: Viewer, lang: Language) -> None:
    now = find_now(store)
    counts = find_task_counts(store, viewer, now=now, days=_DAYS)
    if counts.empty:
        show_empty(t("board.empty", lang))
        return
    grids = find_grids(store, viewer)
    names = dict(zip(grids["grid_id"], grids["name"], strict=True))
    total = counts[[*_FIGURES, *_LEVELS]].sum()
    figures = st.container(key="board-figures")  # two in a row on a phone
    for column, name in zip(figures.columns(5), ("open", "overdue", "rectifying", "sent_back", "closed"), strict=True):
        column.metric(t(f"board.{name}", lang), int(total[name]))
    st.caption(t("board.on_time_text", lang, share=_say_share(total), days=_DAYS))
    marks = f":orange-badge[{t('round.level_1_n', lang, n=int(total['level_1']))}] "
    marks += f":violet-badge[{t('round.level_2_n', lang, n=int(total['level_2']))}]"
    st.markdown(marks)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(t("board.by_grid", lang))
        by_grid = counts.assign(grid_id=counts["grid_id"].fillna("")).groupby("grid_id")[list(_FIGURES)].sum()
        _show_figures(
            t("tasks.grid", lang),
            {names.get(one, t("board.no_grid", lang)): by_grid.loc[one] for one in by_grid.index},
            lang,
        )
    with right:
        st.subheader(t("board.by_kind", lang))
        by_kind = counts.groupby("kind")[list(_FIGURES)].sum()
        _show_figures(t("tasks.kind", lang), {say_kind(one, lang): by_kind.loc[one] for one in by_kind.index}, lang)
    st.subheader(t("board.drill", lang))
    first, second, third = st.columns(3)
    only = first.selectbox(
        t("tasks.show", lang), ["overdue", *_LEVELS, "open", "sent_back", "rectifying", "submitted", "closed"],
        format_func=lambda name: t(f"round.{name}" if name in _LEVELS else f"board.{name}", lang),
        key=f"board_only_{lang}",
    )  # fmt: skip
    grid = second.selectbox(
        t("tasks.grid", lang), [None, *names], format_func=lambda one: names.get(one) or t("tasks.any", lang),
        key=f"board_grid_{lang}",
    )  # fmt: skip
    kind = third.selectbox(
        t("tasks.kind", lang), [None, *by_kind.index],
        format_func=lambda code: say_kind(code, lang) if code else t("tasks.any", lang), key=f"board_kind_{lang}",
    )  # fmt: skip
    states = {"rectifying": ("rectifying",), "submitted": ("submitted",), "closed": ("closed",)}
    more: dict[str, Any] = {"states": states[only]} if only in states else {}
    found = find_tasks(
        store, viewer, now=now, grid_id=grid, kind=kind, only_overdue=only == "overdue",
        only_sent_back=only == "sent_back", newest=only == "closed", limit=_SHOWN,
        level=_LEVELS.index(only) + 1 if only in _LEVELS else None, **more,
    )  # fmt: skip
    rows = to_rows(found)
    show_task_links(store, rows, lang)


def _say_share(row: pd.Series) -> str:
    return f"{row['on_time'] / row['closed']:.0%}" if row["closed"] else "–"


def _show_figures(head: str, rows: dict[str, pd.Series], lang: Language) -> None:
    heads = [head, *(t(f"board.{name}", lang) for name in _FIGURES[:-1]), t("board.on_time", lang)]
    cells = [
        [name, *(str(int(row[figure])) for figure in _FIGURES[:-1]), _say_share(row)] for name, row in rows.items()
    ]
    show_table(heads, cells, narrow=frozenset({0}))


def show_task_links(store: Store, rows: list[dict[str, Any]], lang: Language) -> None:
    """Tasks as links to their own page."""
    if not rows:
        st.caption(t("board.none", lang))
        return
    now = find_now(store)
    st.caption(t("tasks.count", lang, n=rows[0]["total"], late=0))
    lines = []
    for row in rows:
        words = [
            say_kind(row["kind"], lang),
            say_state(row["state"], lang),
            say_due(row, now, lang),
            say_receiver(row, lang),
        ]
        words += [t(f"round.level_{min(row['escalation_level'], 2)}", lang)] if row["escalation_level"] else []
        href = f"/tasks?{urlencode({'task': row['task_id'], 'lang': lang})}"
        lines.append(f"- [{escape_markdown(row['place_text'])}]({href}) · {escape_markdown(' · '.join(words))}")
    st.markdown("\n".join(lines))


def _show_waiting(store: Store, viewer: Viewer, lang: Language) -> None:
    """What waits for whom, what has waited longest first: the step that is due, never how much one person got done."""
    rows = to_rows(find_waiting(store, viewer, now=find_now(store)))
    if not rows:
        show_empty(t("board.empty", lang))
        return
    st.caption(t("board.waiting_text", lang))
    show_table(
        [t(f"board.{name}", lang) for name in ("step", "whom", "tasks", "overdue", "since")],
        [
            [
                t(f"board.step_{row['waits_for']}", lang),
                t("board.office", lang) if row["waits_for"] in ("assign", "close") else say_receiver(row, lang),
                str(row["tasks"]), str(row["overdue"]), format_time(row["since_utc"]),
            ]
            for row in rows
        ],
        narrow=frozenset({0, 1}),
    )  # fmt: skip
    chosen: int = st.selectbox(
        t("board.drill", lang), range(len(rows)), format_func=lambda n: _say_waiting(rows[n], lang),
        key=f"board_waiting_{lang}",
    )  # fmt: skip
    row = rows[chosen]
    found = find_tasks(
        store, viewer, now=find_now(store), states=_STATES[row["waits_for"]],
        receiver=(row["receiver_kind"], row["receiver_id"]), limit=_SHOWN,
    )  # fmt: skip
    show_task_links(store, to_rows(found), lang)


def _say_waiting(row: dict[str, Any], lang: Language) -> str:
    whom = t("board.office", lang) if row["waits_for"] in ("assign", "close") else say_receiver(row, lang)
    return " · ".join((t(f"board.step_{row['waits_for']}", lang), whom, str(row["tasks"])))

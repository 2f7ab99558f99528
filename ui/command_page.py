"""The commander's page (指挥研判): Monday's meeting first, behind it the workbench, the zones and the report."""

from __future__ import annotations

import streamlit as st

from data.queries import find_categories
from data.runtime import get_store
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from incidents.kinds import list_groups, to_parents
from ui import session
from ui.command_bench import show_bench
from ui.command_data import DEFAULT_WEEKS, HOURS, WEEKS, Question, Situation, find_situation
from ui.command_meeting import show_meeting
from ui.command_methods import show_methods
from ui.command_repeats import show_repeats
from ui.command_state import VIEWS, get_view, keep_view
from ui.command_words import say_date
from ui.command_zones import show_zones
from ui.notes import show_notes
from ui.reports_page import show_report
from ui.tables import show_empty, show_lead, show_style

PAGE = "command"


def show_command(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("command.title", lang))
    show_lead(t("command.lead", lang))
    show_notes(PAGE)
    view = keep_view(
        st.segmented_control(
            t("command.view", lang),
            VIEWS,
            default=get_view(),
            format_func=lambda name: t(f"command.view_{name}", lang),
            key=f"command_view_{lang}_{st.session_state.get('command_turn', 0)}",
            label_visibility="collapsed",
            required=True,
        )
    )
    asks = view in ("bench", "repeats", "methods")
    question = _ask(store, viewer, lang) if asks else _recall() if view == "report" else Question()
    with st.spinner(t("command.computing", lang)):
        situation = find_situation(store, viewer, question)
    if situation is None:
        show_empty(t("command.empty", lang))
        return
    _show_basis(situation, lang)
    draw = {
        "meeting": show_meeting, "bench": show_bench, "repeats": show_repeats, "methods": show_methods,
        "zones": show_zones, "report": show_report,
    }[view]  # fmt: skip
    draw(store, viewer, situation, lang)


def _recall() -> Question:
    return Question(
        session.recall("command_weeks", DEFAULT_WEEKS),
        tuple(session.recall("command_kinds", ())),
        session.recall("command_hours", "all"),
    )


def _ask(store: Store, viewer: Viewer, lang: Language) -> Question:
    """Period, kinds and hours, as they were left."""
    kept = _recall()
    kinds = find_categories(store, viewer)
    names = dict(zip(kinds["category"].astype(str), kinds[f"name_{lang}"].astype(str), strict=True))
    groups = list_groups(to_parents(kinds))
    first, second, third = st.columns([2, 4, 2])
    weeks = first.selectbox(
        t("command.period", lang), WEEKS, index=WEEKS.index(kept.weeks), key=f"command_weeks_{lang}",
        format_func=lambda n: t("command.weeks", lang, n=n),
    )  # fmt: skip
    chosen = second.multiselect(
        t("command.kinds", lang), groups, default=[one for one in kept.kinds if one in groups],
        key=f"command_kinds_{lang}", format_func=lambda code: names.get(code, code),
        placeholder=t("command.all_kinds", lang),
    )  # fmt: skip
    hours = third.selectbox(
        t("command.hours", lang), list(HOURS), index=list(HOURS).index(kept.hours), key=f"command_hours_{lang}",
        format_func=lambda name: t(f"command.hours_{name}", lang),
    )  # fmt: skip
    session.keep("command_weeks", weeks)
    session.keep("command_kinds", tuple(chosen))
    session.keep("command_hours", hours)
    return Question(weeks, tuple(sorted(chosen)), hours)


def _show_basis(situation: Situation, lang: Language) -> None:
    """What the figures rest on, and what they never use."""
    st.caption(
        t(
            "command.basis", lang, since=say_date(situation.since), until=say_date(situation.until, last=True),
            n=situation.n, found=situation.n_police_found,
        )
    )  # fmt: skip

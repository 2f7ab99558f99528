"""The patrol plan (巡防计划): plans by shift, a new one, and of each its routes, what changes, what was done."""

from __future__ import annotations

from typing import Any

import streamlit as st

from data.rights import Right, get_right
from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Viewer
from i18n import Language, t
from ui import session
from ui.notes import show_notes
from ui.patrol_compare import show_compare
from ui.patrol_data import find_base, find_call_signs, find_plans
from ui.patrol_done import show_done
from ui.patrol_form import CHOSEN, NEW, PAGE, show_form
from ui.patrol_plan import show_plan
from ui.patrol_words import say_shift
from ui.tables import show_empty, show_lead, show_style

VIEWS = ("routes", "compare", "done")
_MOST_LISTED = 12


def show_patrol(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("patrol.title", lang))
    show_lead(t("patrol.lead", lang))
    show_notes(PAGE)
    plans = find_plans(store, viewer)
    may_plan = get_right(viewer.role, "action", "plan_patrol") is not Right.NO
    left, right = st.columns([1, 4], gap="large")
    with left:
        chosen = _choose(plans, may_plan, lang)
    with right:
        if chosen == NEW:
            show_form(store, viewer, lang)
        elif chosen is None:
            show_empty(t("patrol.none", lang))
        else:
            _show_one(store, viewer, plans, next(one for one in plans if one["plan_id"] == chosen), lang)


def _choose(plans: list[dict[str, Any]], may_plan: bool, lang: Language) -> str | None:
    """The list of plans; the chosen one's id, `NEW` for the form."""
    listed = [one for one in plans if one["state"] != "dropped"][:_MOST_LISTED]
    known = {one["plan_id"] for one in listed} | ({NEW} if may_plan else set())
    if session.recall(CHOSEN, "") not in known:
        first = next((one["plan_id"] for one in listed if one["end_utc"] > utc_now()), None)
        session.keep(CHOSEN, first or (NEW if may_plan else ""))
    chosen = session.recall(CHOSEN, "")
    if may_plan:
        st.button(
            t("patrol.new", lang), key="patrol_new", type="primary" if chosen == NEW else "secondary", width="stretch",
            on_click=session.keep, args=(CHOSEN, NEW),
        )  # fmt: skip
    for one in listed:
        state = t(f"patrol.state_{one['state']}", lang)
        label = f"**{say_shift(one)}**  \n{state}"
        st.button(
            label, key=f"patrol-plan-{one['plan_id']}", type="primary" if chosen == one["plan_id"] else "secondary",
            width="stretch", on_click=session.keep, args=(CHOSEN, one["plan_id"]),
        )  # fmt: skip
    return chosen or None


def _show_one(store: Store, viewer: Viewer, plans: list[dict[str, Any]], plan: dict[str, Any], lang: Language) -> None:
    call_signs = find_call_signs(store, viewer)
    default = "done" if plan["state"] in ("running", "done") else "routes"
    view = st.segmented_control(
        t("patrol.view", lang), VIEWS, default=default, format_func=lambda name: t(f"patrol.view_{name}", lang),
        key=f"patrol_view_{plan['plan_id']}_{plan['state']}_{lang}", label_visibility="collapsed", required=True,
    )  # fmt: skip
    if view == "compare":
        show_compare(store, viewer, plan, find_base(plans, plan), call_signs, lang)
    elif view == "done":
        show_done(store, viewer, plan, call_signs, lang)
    else:
        show_plan(store, viewer, plan, call_signs, lang)

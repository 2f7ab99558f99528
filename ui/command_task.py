"""A task from a place of the commander's page: who does what there by when."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import shapely
import streamlit as st

from data.queries import find_grids, find_zone_owners
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.task_places import find_grid_at
from data.viewer import Role, Viewer
from data.zones import find_today
from gis.errors import BadRecordError, ShapanError
from i18n import Language, t, term
from tasks.doing import create_task
from tasks.life_cycle import Kind, Origin, Priority, Receiver
from tasks.orders import NewTask
from ui.cards import escape_markdown
from ui.command_state import Prefill
from ui.notes import put_note
from ui.tables import LOCAL

_PAGE = "command"
# Inspections follow a checklist of a home or a site, and rectifications what was found there: neither begins here.
_PRIORITIES = [one.value for one in Priority]
_KINDS = (Kind.PATROL, Kind.VERIFICATION, Kind.DISPUTE, Kind.OTHER)
_DUE = timedelta(days=7)
_DUE_AT = time(18)
_MOST_INCIDENTS = 200


def offer_task(store: Store, viewer: Viewer, prefill: Prefill, key: str, lang: Language) -> None:
    """The button "make a task" with its form, for whoever may."""
    if get_right(viewer.role, "action", "create_task") is Right.NO:
        return
    with st.popover(t("bench.task", lang)), st.form(key=f"{key}_task", border=False):
        st.markdown(f"**{escape_markdown(prefill.name)}**")
        kind = st.selectbox(
            t("bench.task_kind", lang), _KINDS, format_func=lambda one: t(f"bench.task_{one.value}", lang)
        )
        note = st.text_area(t("bench.task_note", lang), value=prefill.reason, max_chars=500, height=110)
        receivers = list_receivers(store, viewer, prefill, lang)
        to = st.selectbox(t("bench.task_to", lang), list(receivers), format_func=lambda one: receivers[one])
        today = find_today(utc_now)
        due = st.date_input(
            t("bench.task_due", lang), value=today + _DUE, min_value=today, format="YYYY-MM-DD", key=f"{key}-due"
        )
        priority = st.selectbox(
            t("bench.task_priority", lang), _PRIORITIES, index=1,
            format_func=lambda one: t(f"bench.priority_{one}", lang),
        )  # fmt: skip
        if not st.form_submit_button(t("bench.task_make", lang), type="primary"):
            return
    new = build_task(prefill, kind, note, to, datetime.combine(due, _DUE_AT, LOCAL), Priority(priority))
    try:
        create_task(store, viewer, new, clock=utc_now)
    except BadRecordError:
        st.error(t("bench.task_bad", lang))
        return
    except ShapanError:
        put_note(_PAGE, "problem", t("command.failed", lang))
    else:
        put_note(_PAGE, "done", t("bench.task_made", lang, name=escape_markdown(prefill.name), to=receivers[to]))
    st.rerun()


def list_receivers(store: Store, viewer: Viewer, prefill: Prefill, lang: Language) -> dict[str, str]:
    """Who may be given it, the grid that the place lies in first; nobody: it waits until somebody assigns it."""
    grids = find_grids(store, viewer).set_index("grid_id")
    names = {f"grid:{one}": str(row["name"] or row["number"]) for one, row in grids.iterrows()}
    middle = find_middle(prefill)
    own = None if middle is None else f"grid:{find_grid_at(store, middle.x, middle.y)}"
    listed = {own: names.pop(own)} if own in names else {}
    listed[f"role:{Role.OFFICER.value}"] = t("bench.task_officers", lang)
    for row in find_zone_owners(store, viewer).to_dict("records"):
        listed[f"account:{row['account_id']}"] = f"{row['name']} · {term('role', row['role'], lang)}"
    return {**listed, **names, "": t("bench.task_nobody", lang)}


def find_middle(prefill: Prefill) -> shapely.Point | None:
    """A point of the place, None where it has no outline."""
    return shapely.from_wkt(prefill.wkt).representative_point() if prefill.wkt else None


def build_task(prefill: Prefill, kind: Kind, note: str, to: str, due: datetime, priority: Priority) -> NewTask:
    """The task: about a zone, a house or a unit by its id, else about a place in words and where it is."""
    receiver = Receiver(*to.split(":", 1)) if to else None
    middle = find_middle(prefill)
    is_zone = prefill.subject_kind == "zone"
    return NewTask(
        kind, prefill.subject_kind or "place", due, subject_id=prefill.subject_id or None,
        origin=Origin.ZONE if is_zone else Origin.COMMANDER, origin_id=prefill.subject_id if is_zone else None,
        priority=priority, receiver=receiver, note=note, place_text=prefill.name,
        x_m=None if middle is None else middle.x, y_m=None if middle is None else middle.y,
        incidents=prefill.incidents[:_MOST_INCIDENTS],
    )  # fmt: skip

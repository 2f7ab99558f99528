"""A new task: what, where, by when, for whom."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import streamlit as st

from data.queries import find_incidents_at
from data.store import Store, utc_now
from data.task_places import get_task_place
from data.viewer import Viewer
from gis.errors import NotAllowedError, ShapanError
from i18n import Language, t
from tasks.doing import create_task
from tasks.life_cycle import Kind, Priority
from tasks.orders import NewTask
from ui.cards import escape_markdown
from ui.notes import put_note
from ui.search import find_hits, label_hit, to_place
from ui.tables import LOCAL
from ui.task_incidents import tick_incidents
from ui.task_receivers import choose_receiver
from ui.task_words import say_kind, to_rows

_PRIORITIES = [one.value for one in Priority]
_KINDS = (Kind.INSPECTION, Kind.VERIFICATION, Kind.PATROL, Kind.DISPUTE, Kind.OTHER)
_SUBJECTS = {"building": "building", "unit": "unit", "site": "site"}


def show_new(store: Store, viewer: Viewer, lang: Language) -> None:
    """Ask where, then the rest."""
    text = st.text_input(
        t("tasks.where", lang), key="new_where", placeholder=t("wall.search_placeholder", lang), max_chars=80
    )
    hits = find_hits(store, viewer, text.strip())[0] if text.strip() else []
    places = [to_place(hit) for hit in hits if to_place(hit)[0] in _SUBJECTS]
    labels = [label_hit(store, viewer, hit, lang) for hit in hits if to_place(hit)[0] in _SUBJECTS]
    if not text.strip():
        st.caption(t("tasks.where_help", lang))
        return
    chosen: int | None = None
    if places:
        chosen = st.radio(
            t("tasks.which", lang),
            range(len(places)),
            format_func=lambda n: escape_markdown(labels[n]),
            key="new_which",
        )
    else:
        st.caption(t("tasks.where_unknown", lang))
    kind, subject = ("place", None) if chosen is None else places[chosen]
    place: dict[str, Any] = {}
    if subject is not None:
        try:
            place = vars(get_task_place(store, kind, subject)).copy()
        except ShapanError:
            st.warning(t("tasks.gone", lang))
            return
    what = st.selectbox(
        t("tasks.kind", lang), _KINDS, format_func=lambda one: say_kind(one.value, lang), key=f"new_kind_{lang}"
    )
    with st.form(key="new_task", border=True):
        first, second, third = st.columns(3)
        priority = first.selectbox(
            t("tasks.priority", lang),
            tuple(Priority),
            index=1,
            format_func=lambda one: t(f"tasks.priority_{one}", lang),
        )
        today = utc_now().astimezone(LOCAL).date()
        day = second.date_input(
            t("tasks.by", lang), value=today + timedelta(days=1), min_value=today, format="YYYY-MM-DD"
        )
        hour = third.time_input(t("tasks.by_time", lang), value=time(18), step=timedelta(minutes=30))
        receiver = choose_receiver(store, viewer, place, "new", lang)
        note = st.text_area(t("tasks.note", lang), max_chars=400, height=100)
        incidents = _choose_incidents(store, viewer, place, lang) if what is Kind.DISPUTE else ()
        if not st.form_submit_button(t("tasks.create", lang), type="primary", width="stretch"):
            return
    new = NewTask(
        what, kind, datetime.combine(day, hour, LOCAL).astimezone(UTC), subject, priority=Priority(str(priority)),
        receiver=receiver, note=note, place_text=text if subject is None else "", incidents=incidents,
    )  # fmt: skip
    try:
        task_id = create_task(store, viewer, new, clock=utc_now)
    except NotAllowedError:
        st.error(t("tasks.not_your_grid", lang))
    except ShapanError:
        st.error(t("tasks.bad_value", lang))
    else:
        put_note("task", "done", t("tasks.created", lang))
        st.query_params["task"] = task_id
        st.rerun()


def _choose_incidents(store: Store, viewer: Viewer, place: dict[str, Any], lang: Language) -> tuple[str, ...]:
    """What happened at the address that a dispute is about."""
    building = place.get("building_id")
    found = to_rows(find_incidents_at(store, viewer, building, unit_id=place.get("unit_id"))) if building else []
    st.caption(t("tasks.link_incidents" if found else "tasks.no_incidents_here", lang))
    return tick_incidents(store, viewer, found, "new-link", lang)

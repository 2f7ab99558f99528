"""Taking a check-in down: a card under the scanner, a number over the radio, the stamps of a paper card."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from data.queries import find_checkins, find_open_points, find_volunteers
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.cards import find_card_holder
from tasks.checkin_rules import BY_HAND, Way
from tasks.checkins import check_in
from ui.checkin_parts import say_doubts, say_person, show_receipt, to_plain
from ui.tables import LOCAL, format_time, show_empty, show_table

_WAYS = (Way.SCANNER, Way.RADIO, Way.STAMP_CARD)
_LAST = "checkin_last"


def show_entry(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw the form, the last receipt, and what was taken down today."""
    points = {
        str(row["point_id"]): str(row["name"]) for row in to_plain(find_open_points(store, viewer).drop(columns="geom"))
    }
    if not points:
        show_empty(t("checkins.no_points", lang))
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        point = st.selectbox(
            t("checkins.point", lang), list(points), format_func=lambda one: points[one], key="checkin_point"
        )
        way = st.segmented_control(
            t("checkins.way", lang), [one.value for one in _WAYS], default=Way.SCANNER.value, required=True,
            format_func=lambda one: t(f"checkins.way_{one}", lang), key="checkin_way",
        )  # fmt: skip
        with st.form(key="checkin_form", clear_on_submit=True, border=False):
            card = st.text_input(t("checkins.card", lang), max_chars=300, help=t("checkins.card_help", lang))
            at = _ask_time(lang) if Way(str(way)) in BY_HAND else None
            if st.form_submit_button(t("checkins.take", lang), type="primary", width="stretch"):
                _take(store, viewer, str(point), Way(str(way)), card, at, lang)
    with right:
        last = st.session_state.get(_LAST)
        if last is not None:
            show_receipt(last[0], last[1], lang)
        _show_today(store, viewer, lang)


def _ask_time(lang: Language) -> datetime:
    first, second = st.columns(2)
    now = utc_now().astimezone(LOCAL)
    day = first.date_input(t("checkins.on", lang), value=now.date(), max_value=now.date(), format="YYYY-MM-DD")
    hour = second.time_input(t("checkins.at", lang), value=now.time().replace(second=0, microsecond=0), step=300)
    return datetime.combine(day, hour, LOCAL)


def _take(
    store: Store, viewer: Viewer, point: str, way: Way, card: str, at: datetime | None, lang: Language
) -> None:  # fmt: skip
    st.session_state.pop(_LAST, None)
    who = find_card_holder(store, card, with_secret=way is Way.SCANNER and any(one.isalpha() for one in card))
    if who is None:
        st.error(t("checkins.card_unknown", lang))
        return
    try:
        taken = check_in(store, viewer, who, point, way, at=at, clock=utc_now)
    except ShapanError:
        st.error(t("checkins.failed", lang))
        return
    person = to_plain(find_volunteers(store, viewer, volunteer_id=who))[0]
    st.session_state[_LAST] = (taken, say_person(person))
    st.rerun()


def _show_today(store: Store, viewer: Viewer, lang: Language) -> None:
    midnight = datetime.combine(utc_now().astimezone(LOCAL).date(), datetime.min.time(), LOCAL)
    rows = to_plain(find_checkins(store, viewer, since=midnight, limit=30))
    st.subheader(t("checkins.today", lang, n=len(rows)))
    if not rows:
        show_empty(t("checkins.nothing_today", lang))
        return
    show_table(
        [t(f"checkins.head_{name}", lang) for name in ("when", "who", "where", "way", "state")],
        [
            [
                format_time(row["done_utc"]), say_person(row), row["point_name"],
                t(f"checkins.way_{row['way']}", lang), say_state(row, lang),
            ]
            for row in rows
        ],
        narrow=frozenset({0, 1, 3}),
    )  # fmt: skip


def say_state(row: dict[str, object], lang: Language) -> str:
    """State with points, or with what is doubtful."""
    words = t(f"checkins.state_{row['state']}", lang, points=row["points"])
    return f"{words} · {say_doubts(str(row['doubts']), lang)}" if row["state"] == "pending" else words

"""The check-in points: suggested at hot places, opened, changed, closed; their poster and codes on paper."""

from __future__ import annotations

from datetime import time
from typing import Any

import streamlit as st

from data.queries import find_checkin_points, find_gates, find_volunteer_teams
from data.store import Store, utc_now
from data.viewer import Viewer
from data.zone_hours import EVERY_DAY
from gis.errors import ShapanError
from i18n import Language, t
from layers.hot import HotQuestion, find_hot_places
from tasks.booking import to_day
from tasks.checkin_points import add_point, build_draft, change_point, close_point, open_point
from tasks.suggesting_points import Spot, suggest_points
from ui.cards import escape_markdown
from ui.checkin_paper import print_codes, print_poster
from ui.checkin_parts import PAGE, to_plain
from ui.command_hours import say_hours
from ui.notes import put_note
from ui.papers import offer_paper
from ui.tables import show_empty

_RADIUS_M = 40.0


def show_points(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw suggestions, a point by hand, and all points."""
    left, right = st.columns([2, 3], gap="large")
    shapes = find_checkin_points(store, viewer)
    with left:
        st.subheader(t("checkins.suggested", lang))
        st.caption(t("checkins.suggested_text", lang))
        _show_suggestions(store, viewer, shapes, lang)
        _show_new(store, viewer, lang)
    with right:
        st.subheader(t("checkins.points", lang))
        rows = to_plain(shapes.drop(columns="geom"))
        if not rows:
            show_empty(t("checkins.no_points", lang))
        for row in rows:
            _show_point(store, viewer, row, lang)


def list_spots(store: Store, viewer: Viewer) -> list[Spot]:
    """Gates by their names: where a poster may hang."""
    gates = find_gates(store, viewer)
    return [
        Spot(str(name), shape.representative_point())
        for name, shape in zip(gates["name"], gates.geometry, strict=True)
        if isinstance(name, str) and shape is not None
    ]


def _show_suggestions(store: Store, viewer: Viewer, shapes: Any, lang: Language) -> None:
    hot = find_hot_places(store, viewer, HotQuestion())
    taken = list(shapes.loc[shapes["state"] != "closed"].geometry)
    found = suggest_points([place.geometry for place in hot], list_spots(store, viewer), taken)
    if not found:
        show_empty(t("checkins.no_suggestion", lang))
    for one in found:
        place = hot[one.place]
        reason = t("checkins.reason", lang, n=place.count, expected=f"{place.expected:.1f}", rank=place.rank)
        with st.container(border=True):
            st.markdown(f"**{escape_markdown(one.spot.name)}**")
            st.caption(escape_markdown(f"{reason} · {t('checkins.office_only', lang)}"))
            st.button(
                t("checkins.open_here", lang), key=f"suggest-{one.place}", on_click=_add,
                args=(store, viewer, one.spot.name, reason, one.spot.at.x, one.spot.at.y, lang),
            )  # fmt: skip


def _show_new(store: Store, viewer: Viewer, lang: Language) -> None:
    with st.popover(t("checkins.new_point", lang)):
        spots = {spot.name: spot for spot in list_spots(store, viewer)}
        with st.form(key="checkin_new_point", border=False):
            name = st.selectbox(t("checkins.spot", lang), sorted(spots), index=None)
            reason = st.text_input(t("checkins.why", lang), max_chars=200)
            if st.form_submit_button(t("checkins.open_here", lang)) and name:
                spot = spots[name]
                _add(store, viewer, name, reason, spot.at.x, spot.at.y, lang)
                st.rerun()


def _add(store: Store, viewer: Viewer, name: str, reason: str, x_m: float, y_m: float, lang: Language) -> None:
    draft = build_draft(name, reason, x_m, y_m, today=to_day(utc_now()), radius_m=_RADIUS_M)
    try:
        add_point(store, viewer, draft, is_open=True, clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("checkins.point_failed", lang))
    else:
        put_note(PAGE, "done", t("checkins.point_opened", lang, name=name))


def _show_point(store: Store, viewer: Viewer, row: dict[str, Any], lang: Language) -> None:
    with st.container(border=True):
        state = t(f"checkins.point_{row['state']}", lang)
        colour = {"open": "green", "suggested": "orange", "closed": "gray"}[row["state"]]
        st.markdown(
            f"**{escape_markdown(row['name'])}** :{colour}[{state}] "
            + escape_markdown(t("checkins.point_counts", lang, n=row["counted"], pending=row["pending"]))
        )
        days = f"{row['opens_on']:%Y-%m-%d} – {row['closes_on']:%Y-%m-%d}"
        facts = [say_hours(row, lang), days, t("checkins.point_gives", lang, points=row["points"],
                 minutes=row["period_minutes"], radius=round(row["radius_m"]))]  # fmt: skip
        facts += [t("checkins.lit", lang)] if row["lit"] else []
        facts += [t("checkins.for_team", lang, name=row["team_name"])] if row["team_name"] else []
        st.caption(escape_markdown(" · ".join(facts)))
        st.caption(escape_markdown(f"{t('checkins.office_only', lang)}: {row['reason']}"))
        first, second, third, fourth = st.columns(4)
        with first.popover(t("checkins.change", lang), width="stretch"):
            _show_change(store, viewer, row, lang)
        point_id, is_open = row["point_id"], row["state"] == "open"
        act = close_point if is_open else open_point
        second.button(t("checkins.close" if is_open else "checkins.reopen", lang), key=f"state-{point_id}",
                      width="stretch", on_click=_act, args=(act, store, viewer, point_id, lang))  # fmt: skip
        poster = third.button(t("checkins.poster", lang), key=f"poster-{point_id}", width="stretch")
        codes = fourth.button(t("checkins.codes", lang), key=f"codes-{point_id}", width="stretch")
        if poster or codes:
            _print(store, viewer, row, is_poster=poster, lang=lang)


def _show_change(store: Store, viewer: Viewer, row: dict[str, Any], lang: Language) -> None:
    with st.form(key=f"change-{row['point_id']}", border=False):
        name = st.text_input(t("checkins.spot", lang), value=row["name"], max_chars=40)
        first, second = st.columns(2)
        begin = first.time_input(t("checkins.from", lang), value=row["hours_from"], step=1800)
        end = second.time_input(t("checkins.to", lang), value=row["hours_to"], step=1800)
        days = st.pills(
            t("command.weekdays", lang), list(EVERY_DAY), selection_mode="multi", default=list(row["weekdays"]),
            format_func=lambda day: t(f"command.weekday_{int(day) - 1}", lang),
        )  # fmt: skip
        teams = {None: t("checkins.for_all", lang)} | {
            one["team_id"]: one["name"] for one in to_plain(find_volunteer_teams(store, viewer))
        }
        team = st.selectbox(t("checkins.for_whom", lang), list(teams), format_func=lambda one: teams[one],
                            index=list(teams).index(row["team_id"]) if row["team_id"] in teams else 0)  # fmt: skip
        lit = st.checkbox(t("checkins.lit_seen", lang), value=bool(row["lit"]))
        last = st.date_input(t("checkins.closes_on", lang), value=row["closes_on"], format="YYYY-MM-DD")
        first, second, third = st.columns(3)
        points = first.number_input(t("checkins.points_each", lang), 1, 50, int(row["points"]))
        minutes = second.number_input(t("checkins.period", lang), 10, 1440, int(row["period_minutes"]), step=10)
        radius = third.number_input(t("checkins.radius", lang), 10.0, 200.0, float(row["radius_m"]), step=5.0)
        photo = st.checkbox(t("checkins.photo_wanted", lang), value=bool(row["photo_wanted"]))
        if st.form_submit_button(t("checkins.save", lang), type="primary"):
            values = {
                "name": name, "hours_from": _plain(begin), "hours_to": _plain(end), "lit": lit, "closes_on": last,
                "weekdays": "".join(sorted(days)), "team_id": team,
                "points": int(points), "period_minutes": int(minutes), "radius_m": float(radius), "photo_wanted": photo,
            }  # fmt: skip
            try:
                change_point(store, viewer, row["point_id"], clock=utc_now, **values)
            except ShapanError:
                st.error(t("checkins.point_failed", lang))
            else:
                put_note(PAGE, "done", t("checkins.point_changed", lang))
                st.rerun()


def _act(act: Any, store: Store, viewer: Viewer, point_id: str, lang: Language) -> None:
    try:
        act(store, viewer, point_id, clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("checkins.point_failed", lang))
    else:
        put_note(PAGE, "done", t("checkins.point_changed", lang))


def _print(store: Store, viewer: Viewer, row: dict[str, Any], *, is_poster: bool, lang: Language) -> None:
    what = "poster" if is_poster else "codes"
    offer_paper(
        store, viewer, f"{what}-{row['point_id']}",
        lambda: print_poster(store, row) if is_poster else print_codes(store, viewer, row), lang,
        subject_kind="checkin_point", subject_id=row["point_id"], detail={"what": what},
    )  # fmt: skip


def _plain(value: time) -> time:
    return value.replace(second=0, microsecond=0)

"""Beats and repeat-alarm zones: what there is and what came of it, a new one, start dates by lot."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any

import streamlit as st

from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from data.zones import add_measure, change_zone, close_zone, continue_zone, find_today, record_lot
from gis.errors import BadRecordError, RefusedError, ShapanError
from i18n import Language, t
from incidents.lots import draw_start_dates
from ui.cards import escape_markdown
from ui.command_data import Situation, ZoneState, find_zone_states
from ui.command_form import find_owners, show_form
from ui.command_hours import ask_hours, say_hours
from ui.command_map import build_map
from ui.command_state import Prefill, choose_zone, get_prefill, get_zone, start_zone
from ui.command_task import offer_task
from ui.command_words import say_account, say_dose, say_effect, say_numbers, say_review
from ui.components.drawing.component import show_drawing
from ui.notes import put_note
from ui.tables import show_empty, show_table

_PAGE = "command"
REVIEW_AFTER = timedelta(weeks=12)


def show_zones(store: Store, viewer: Viewer, situation: Situation, lang: Language) -> None:
    """Draw it."""
    may = get_right(viewer.role, "action", "manage_zones") is not Right.NO
    zones = find_zone_states(store, viewer)
    if may and get_prefill() is not None:
        show_form(store, viewer, situation, lang)
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        if may:
            st.button(
                t("command.zone_new", lang), key="command_new", type="primary", on_click=start_zone, args=(Prefill(),)
            )
        open_zones = [zone for zone in zones if zone.row["status"] == "open"]
        if open_zones:
            show_drawing(
                build_map(situation, open_zones, title=t("command.map", lang), with_places=False),
                key="command_zone_map",
            )
        if may and sum(zone.row["starts_on"] is None for zone in open_zones) >= 2:
            _show_lot(store, viewer, open_zones, lang)
    with right:
        _show_list(store, viewer, zones, may, lang)


def _show_list(store: Store, viewer: Viewer, zones: tuple[ZoneState, ...], may: bool, lang: Language) -> None:
    st.subheader(t("command.zones", lang))
    open_zones = [zone for zone in zones if zone.row["status"] == "open"]
    if not open_zones:
        show_empty(t("command.zones_none", lang))
    today = find_today(utc_now)
    for zone in open_zones:
        with st.container(border=True, gap="xsmall"):
            _show_zone(zone, today, lang)
            if zone.row["zone_id"] == get_zone():
                _show_facts(viewer, zone, lang)
                if may:
                    _show_actions(store, viewer, zone, today, lang)
            else:
                st.button(
                    t("command.zone_open", lang), key=f"command-zone-{zone.row['zone_id']}", on_click=choose_zone,
                    args=(zone.row["zone_id"],),
                )  # fmt: skip
    closed = [zone for zone in zones if zone.row["status"] == "closed"]
    if closed:
        st.subheader(t("command.zones_closed", lang))
        heads = [t(f"command.head_{name}", lang) for name in ("name", "opened", "closed", "result", "effect")]
        cells = [
            [
                zone.row["name"], zone.row["opened_on"].isoformat(), zone.row["closed_on"].isoformat(),
                zone.row["result"], say_effect(zone.effect, lang),
            ]
            for zone in closed
        ]  # fmt: skip
        show_table(heads, cells, narrow=frozenset({1, 2}))


def _show_zone(zone: ZoneState, today: date, lang: Language) -> None:
    row = zone.row
    kind = t(f"command.kind_{row['kind']}", lang)
    st.markdown(f"**{escape_markdown(row['name'])}** · {kind} · {say_review(zone, today, lang)}")
    st.markdown(escape_markdown(say_effect(zone.effect, lang)))
    dose = say_dose(zone, lang)
    if dose:
        st.markdown(escape_markdown(dose))
    st.caption(escape_markdown(say_hours(row, lang)))
    st.caption(escape_markdown(t("command.zone_reason", lang, reason=row["reason"])))


def _show_facts(viewer: Viewer, zone: ZoneState, lang: Language) -> None:
    row = zone.row
    facts = {
        "owner": say_account(row["owner"], viewer, lang),
        "shift": row["shift"] or t("command.none", lang),
        "partners": row["partners"] or t("command.none", lang),
        "hours": say_hours(row, lang),
        "weight": f"{row['weight']:g}",
        "opened": f"{row['opened_on']} · {say_account(row['opened_by_name'], viewer, lang)}",
        "starts": f"{row['starts_on'] or t('command.none', lang)}{t('command.by_lot', lang) if row['lot_id'] else ''}",
    }
    cells = [[t(f"command.head_{name}", lang), str(value)] for name, value in facts.items()]
    if zone.effect is not None and zone.effect.answer is not None:
        cells.append([t("bench.numbers", lang), say_numbers(zone.effect, lang)])
    cells += [[day.isoformat(), text] for day, text in zone.measures]
    show_table([t("command.head_what", lang), t("command.head_text", lang)], cells, narrow=frozenset({0}))


def _show_actions(store: Store, viewer: Viewer, zone: ZoneState, today: date, lang: Language) -> None:
    zone_id = zone.row["zone_id"]
    with st.container(horizontal=True):
        offer_task(store, viewer, build_zone_prefill(zone), f"zone-{zone_id}", lang)
        with (
            st.popover(t("command.measure_add", lang)),
            st.form(key=f"measure-{zone_id}", border=False, clear_on_submit=True),
        ):
            text = st.text_area(t("command.measure", lang), max_chars=200, height=90)
            day = st.date_input(t("command.measure_day", lang), value=today, max_value=today, format="YYYY-MM-DD")
            if st.form_submit_button(t("command.save", lang), type="primary"):
                _do(lang, "measure_done", add_measure, store, viewer, zone_id, text, done_on=day, clock=utc_now)
        with st.popover(t("command.zone_change", lang)), st.form(key=f"change-{zone_id}", border=False):
            _show_change(store, viewer, zone, lang)
        with st.popover(t("command.zone_continue", lang)), st.form(key=f"continue-{zone_id}", border=False):
            reason = st.text_area(t("command.continue_reason", lang), max_chars=300, height=90)
            review = st.date_input(
                t("command.review", lang),
                value=today + REVIEW_AFTER,
                min_value=today + timedelta(days=1),
                format="YYYY-MM-DD",
            )
            if st.form_submit_button(t("command.zone_continue", lang), type="primary"):
                until = {"review_on": review, "clock": utc_now}
                _do(lang, "continue_done", continue_zone, store, viewer, zone_id, reason, **until)
        with st.popover(t("command.zone_close", lang)), st.form(key=f"close-{zone_id}", border=False):
            result = st.text_area(
                t("command.result", lang), value=say_effect(zone.effect, lang), max_chars=400, height=140
            )
            if st.form_submit_button(t("command.zone_close", lang), type="primary"):
                _do(lang, "close_done", close_zone, store, viewer, zone_id, result, clock=utc_now)


def build_zone_prefill(zone: ZoneState) -> Prefill:
    """What a task in a zone begins with."""
    row = zone.row
    return Prefill(
        name=row["name"], reason=row["reason"], wkt=zone.geometry.wkt, subject_kind="zone", subject_id=row["zone_id"]
    )


def _show_change(store: Store, viewer: Viewer, zone: ZoneState, lang: Language) -> None:
    row = zone.row
    owners = find_owners(store, viewer, lang)
    name = st.text_input(t("command.name", lang), value=row["name"], max_chars=40)
    owner = st.selectbox(
        t("command.owner", lang), list(owners), format_func=lambda one: owners[one],
        index=list(owners).index(row["owner_account_id"] or "") if (row["owner_account_id"] or "") in owners else 0,
    )  # fmt: skip
    shift = st.text_input(t("command.shift", lang), value=row["shift"], max_chars=60)
    partners = st.text_input(t("command.partners", lang), value=row["partners"], max_chars=100)
    fields: dict[str, Any] = {
        "name": name, "shift": shift, "partners": partners, "owner_account_id": owner or None,
        **ask_hours(row, f"change-hours-{row['zone_id']}", lang),
    }  # fmt: skip
    if row["lot_id"] is None:
        fields["starts_on"] = st.date_input(t("command.starts", lang), value=row["starts_on"], format="YYYY-MM-DD")
    else:
        st.caption(t("command.starts_lot", lang, date=row["starts_on"]))
    if st.form_submit_button(t("command.save", lang), type="primary"):
        _do(lang, "change_done", change_zone, store, viewer, row["zone_id"], clock=utc_now, **fields)


def _do(lang: Language, done: str, work: Any, *args: Any, **values: Any) -> None:
    """Do it, say how it went at the head of the page, and draw the page anew."""
    try:
        work(*args, **values)
    except BadRecordError:
        st.error(t("command.too_short", lang))
        return
    except RefusedError:
        put_note(_PAGE, "problem", t("command.closed_before", lang))
    except ShapanError:
        put_note(_PAGE, "problem", t("command.failed", lang))
    else:
        put_note(_PAGE, "done", t(f"command.{done}", lang))
    st.rerun()


def _show_lot(store: Store, viewer: Viewer, zones: list[ZoneState], lang: Language) -> None:
    """Start dates by lot: all get the change, at different dates, so that what waits is the comparison."""
    names = {zone.row["zone_id"]: zone.row["name"] for zone in zones if zone.row["starts_on"] is None}
    tomorrow = find_today(utc_now) + timedelta(days=1)
    with st.expander(t("command.lot", lang), key="command_lot"), st.form(key="command_lot_form", border=False):
        st.caption(t("command.lot_text", lang))
        chosen = st.multiselect(
            t("command.lot_zones", lang), list(names), default=list(names), format_func=lambda one: names[one],
            placeholder=t("command.choose", lang),
        )  # fmt: skip
        first = st.date_input(
            t("command.lot_first", lang), value=tomorrow + timedelta(days=6), min_value=tomorrow, format="YYYY-MM-DD"
        )
        weeks = st.number_input(t("command.lot_weeks", lang), min_value=4, max_value=26, value=8)
        number = st.number_input(t("command.lot_number", lang), min_value=2, max_value=6, value=2)
        if st.form_submit_button(t("command.lot_draw", lang), type="primary"):
            dates = [first + timedelta(weeks=int(weeks) * step) for step in range(min(int(number), len(chosen)))]
            _do(lang, "lot_done", draw_lot, store, viewer, chosen, dates)


def draw_lot(store: Store, viewer: Viewer, zones: list[str], dates: list[date]) -> None:
    """Draw, and write down seed, dates and zones with what came out."""
    if len(zones) < 2 or len(dates) < 2:
        raise BadRecordError("A lot needs two zones and two dates or more. Choose another zone.")
    seed = secrets.randbelow(2**31)
    drawn = draw_start_dates(zones, dates, seed=seed).rows
    starts = dict(zip(drawn["place_id"], drawn["start"], strict=True))
    record_lot(store, viewer, starts, dates=dates, seed=seed, clock=utc_now)

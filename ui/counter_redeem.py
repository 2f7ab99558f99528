"""At the counter: read a card, see the balance, reserve a gift, hand it out against its code, print it all."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

import streamlit as st

from data.queries import (
    find_balances,
    find_checkins,
    find_gifts,
    find_ledger_lines,
    find_point_counts,
    find_redemptions,
)
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.booking import to_day
from tasks.cards import find_card_holder
from tasks.gifts import Redemption, cancel, hand_out, reserve
from tasks.ledger import LedgerRefusedError
from ui.cards import escape_markdown
from ui.checkin_paper import print_balance
from ui.checkin_parts import say_person, to_plain
from ui.notes import put_note
from ui.papers import offer_paper
from ui.tables import format_time, show_empty, show_table

PAGE = "counter"
_WHO, _MADE, _PRESS = "counter_who", "counter_made", "counter_press"
_SAME_PRESS = timedelta(seconds=3)
_AROUND_M, _SPAN = 100.0, timedelta(days=28)
_BIG = (
    '<div class="sh-balance" role="status" style="border:2px solid #5fd0b4;border-radius:.8rem;padding:1rem 1.4rem">'
    '<div style="font-size:1.3rem">{who}</div>'
    '<div style="font-size:3.4rem;font-weight:750;line-height:1.15">{points}</div>'
    '<div style="font-size:1.05rem">{month}</div></div>'
)


@dataclass(frozen=True)
class Press:
    """What was pressed for, volunteer and gift, with the key of its reservation, and when."""

    what: tuple[str, str]
    key: str
    at: datetime


def show_redeem(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw it."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        with st.form(key="counter_card", clear_on_submit=True, border=False):
            text = st.text_input(t("points.card", lang), max_chars=300, help=t("checkins.card_help", lang))
            if st.form_submit_button(t("points.read", lang), type="primary", width="stretch"):
                _read(store, text, lang)
        _show_fetching(store, viewer, lang)
    who = st.session_state.get(_WHO)
    with right:
        if who is None:
            show_empty(t("points.no_card", lang))
            return
        rows = to_plain(find_balances(store, viewer, month=to_day(utc_now()).replace(day=1), volunteer_id=who))
        if rows:
            _show_person(store, viewer, rows[0], lang)


def _read(store: Store, text: str, lang: Language) -> None:
    st.session_state.pop(_MADE, None)
    found = find_card_holder(store, text, with_secret=any(one.isalpha() for one in text))
    st.session_state[_WHO] = found
    if found is None:
        st.error(t("checkins.card_unknown", lang))


def _show_fetching(store: Store, viewer: Viewer, lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("points.fetch", lang))
        with st.form(key="counter_fetch", clear_on_submit=True, border=False):
            code = st.text_input(t("points.code", lang), max_chars=12)
            if st.form_submit_button(t("points.hand_out", lang), width="stretch"):
                try:
                    done = hand_out(store, viewer, code, clock=utc_now)
                except ShapanError:
                    put_note(PAGE, "problem", t("points.code_unknown", lang))
                else:
                    name = _name_gift(store, viewer, done.gift_id)
                    put_note(PAGE, "done", t("points.handed_out", lang, gift=name))
                st.rerun()
        waiting = to_plain(find_redemptions(store, viewer))
        st.caption(t("points.waiting", lang, n=len(waiting)))
        for row in waiting[:8]:
            st.caption(escape_markdown(f"{row['number'] or ''} · {row['gift']} · {format_time(row['lapses_utc'])}"))


def _show_person(store: Store, viewer: Viewer, row: dict[str, Any], lang: Language) -> None:
    who = escape(say_person(row) + (f" · {row['team_name']}" if row["team_name"] else ""))
    points = escape(t("points.balance", lang, points=row["points"]))
    month = escape(t("points.month", lang, points=row["earned_in_month"]))
    st.html(_BIG.format(who=who, points=points, month=month))
    made: Redemption | None = st.session_state.get(_MADE)
    if made is not None:
        gift = _name_gift(store, viewer, made.gift_id)
        st.success(t("points.reserved", lang, gift=gift, code=made.code, until=format_time(made.lapses_utc)))
    _show_gifts(store, viewer, row, lang)
    for line in list_changes(store, viewer, row["volunteer_id"], lang):
        st.markdown(escape_markdown(line))
    for one in to_plain(find_redemptions(store, viewer, volunteer_id=row["volunteer_id"])):
        st.button(
            t("points.cancel", lang, gift=one["gift"]), key=f"cancel-{one['redemption_id']}", on_click=_cancel,
            args=(store, viewer, one["redemption_id"], lang),
        )  # fmt: skip
    lines = _list_lines(store, viewer, row["volunteer_id"], lang)
    if st.button(t("points.print", lang), key="counter_print"):
        _print(store, viewer, row, made, lang)
    show_table(
        [t(f"points.head_{name}", lang) for name in ("day", "what", "amount", "balance")],
        lines,
        narrow=frozenset({0, 2, 3}),
    )


def _show_gifts(store: Store, viewer: Viewer, row: dict[str, Any], lang: Language) -> None:
    gifts = to_plain(find_gifts(store, viewer))
    if not gifts:
        st.caption(t("points.no_gifts", lang))
    for start in range(0, len(gifts), 3):
        for column, gift in zip(st.columns(3), gifts[start : start + 3], strict=False):
            with column, st.container(border=True):
                st.markdown(f"**{escape_markdown(gift['name'])}**")
                st.caption(t("points.gift_facts", lang, points=gift["points"], stock=gift["stock"]))
                st.button(
                    t("points.reserve", lang), key=f"reserve-{gift['gift_id']}", on_click=_reserve, width="stretch",
                    args=(store, viewer, row["volunteer_id"], gift["gift_id"], lang),
                    disabled=gift["stock"] < 1 or gift["points"] > row["points"],
                )  # fmt: skip


def _reserve(store: Store, viewer: Viewer, volunteer_id: str, gift_id: str, lang: Language) -> None:
    press = choose_press(st.session_state.get(_PRESS), (volunteer_id, gift_id), utc_now())
    st.session_state[_PRESS] = press
    try:
        made = reserve(store, viewer, volunteer_id, gift_id, key=press.key, clock=utc_now)
        st.session_state[_MADE] = made
        if made.is_repeat:
            put_note(PAGE, "done", t("points.reserved_before", lang))
    except LedgerRefusedError as refused:
        put_note(PAGE, "problem", t(f"points.refused_{refused.code}", lang))
    except ShapanError:
        put_note(PAGE, "problem", t("points.failed", lang))


def choose_press(last: Press | None, what: tuple[str, str], now: datetime) -> Press:
    """A press with the key of its reservation: the same again within a moment is a nervous finger, no second wish."""
    if last is not None and last.what == what and timedelta() <= now - last.at < _SAME_PRESS:
        return last
    return Press(what, secrets.token_hex(8), now)


def _cancel(store: Store, viewer: Viewer, redemption_id: str, lang: Language) -> None:
    st.session_state.pop(_MADE, None)
    st.session_state.pop(_PRESS, None)  # after a change of mind it is another wish
    try:
        cancel(store, viewer, redemption_id, clock=utc_now)
    except ShapanError:
        put_note(PAGE, "problem", t("points.failed", lang))
    else:
        put_note(PAGE, "done", t("points.cancelled", lang))


def list_changes(store: Store, viewer: Viewer, volunteer_id: str, lang: Language) -> list[str]:
    """What changed at the spots where somebody looks in, in words that anybody may hear: never what happened there."""
    now = utc_now()
    rows = to_plain(find_checkins(store, viewer, volunteer_id=volunteer_id, state="counted", since=now - _SPAN * 2))
    spots = dict.fromkeys((row["point_id"], row["point_name"]) for row in rows)
    said = []
    for point_id, name in list(spots)[:2]:
        lately, before = find_point_counts(
            store, viewer, point_id, since=now - _SPAN, until=now, radius_m=_AROUND_M
        )  # fmt: skip
        key = "few" if lately + before < 6 else "fewer" if lately < before else "same" if lately == before else "more"
        said.append(t(f"points.changed_{key}", lang, place=name, lately=lately, before=before))
    return said


def _list_lines(store: Store, viewer: Viewer, volunteer_id: str, lang: Language) -> list[list[str]]:
    return [
        [
            f"{row['counted_on']:%Y-%m-%d}", _say_line(row, lang), f"{row['amount']:+d}", str(row["balance"]),
        ]
        for row in to_plain(find_ledger_lines(store, viewer, volunteer_id, limit=15))
    ]  # fmt: skip


def _say_line(row: dict[str, Any], lang: Language) -> str:
    return " · ".join(one for one in (t(f"points.kind_{row['kind']}", lang), row["what"], row["reason"]) if one)


def _name_gift(store: Store, viewer: Viewer, gift_id: str) -> str:
    gifts = find_gifts(store, viewer, with_withdrawn=True).set_index("gift_id")
    return str(gifts.loc[gift_id, "name"])


def _print(store: Store, viewer: Viewer, row: dict[str, Any], made: Redemption | None, lang: Language) -> None:
    gift = None
    if made is not None:
        until = t("points.paper_until", "zh", time=format_time(made.lapses_utc))
        gift = {"name": _name_gift(store, viewer, made.gift_id), "code": made.code, "until": until}

    def make() -> bytes:
        return print_balance(
            store, number=row["number"], balance=row["points"], gift=gift, made=format_time(utc_now()),
            rows=_list_lines(store, viewer, row["volunteer_id"], "zh"),
            lines=list_changes(store, viewer, row["volunteer_id"], "zh"),
        )  # fmt: skip

    offer_paper(
        store, viewer, f"points-{row['number']}", make, lang, subject_kind="volunteer", subject_id=row["volunteer_id"]
    )

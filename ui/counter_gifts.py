"""Gifts: what is offered for how many points, and what lies in the cupboard."""

from __future__ import annotations

import secrets

import streamlit as st

from data.queries import find_gifts
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from tasks.gifts import change_stock, offer_gift, withdraw_gift
from ui.checkin_parts import to_plain
from ui.notes import put_note
from ui.tables import show_empty, show_table

PAGE = "counter"


def show_gifts(store: Store, viewer: Viewer, lang: Language) -> None:
    """Draw the list, and the forms of a new gift and of the stock."""
    rows = to_plain(find_gifts(store, viewer, with_withdrawn=True))
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader(t("points.gifts", lang))
        if not rows:
            show_empty(t("points.no_gifts", lang))
        else:
            show_table(
                [t(f"points.head_{name}", lang) for name in ("gift", "points", "stock", "reserved", "handed_out")],
                [
                    [
                        row["name"] + ("" if row["state"] == "offered" else f" ({t('points.withdrawn', lang)})"),
                        str(row["points"]), str(row["stock"]), str(row["reserved"]), str(row["handed_out"]),
                    ]
                    for row in rows
                ],
                narrow=frozenset({1, 2, 3, 4}),
                dim=frozenset(n for n, row in enumerate(rows) if row["state"] != "offered"),
            )  # fmt: skip
    with right:
        _show_new(store, viewer, lang)
        if rows:
            _show_stock(store, viewer, {row["gift_id"]: row["name"] for row in rows if row["state"] == "offered"}, lang)


def _show_new(store: Store, viewer: Viewer, lang: Language) -> None:
    with st.form(key="gift_form", clear_on_submit=True, border=True):
        st.subheader(t("points.gift_new", lang))
        name = st.text_input(t("points.head_gift", lang), max_chars=60)
        first, second = st.columns(2)
        points = first.number_input(t("points.head_points", lang), 1, 100_000, 20)
        pieces = second.number_input(t("points.head_stock", lang), 0, 10_000, 0)
        if st.form_submit_button(t("points.gift_offer", lang), type="primary"):
            try:
                gift_id = offer_gift(store, viewer, name, int(points), clock=utc_now)
                if pieces:
                    reason = t("points.first_stock", "zh")
                    change_stock(store, viewer, gift_id, int(pieces), reason, key=f"first-{gift_id}", clock=utc_now)
            except ShapanError:
                st.error(t("points.failed", lang))
            else:
                put_note(PAGE, "done", t("points.gift_offered", lang, name=name))
                st.rerun()


def _show_stock(store: Store, viewer: Viewer, names: dict[str, str], lang: Language) -> None:
    with st.form(key="stock_form", clear_on_submit=True, border=True):
        st.subheader(t("points.stock", lang))
        gift = st.selectbox(t("points.head_gift", lang), list(names), format_func=lambda one: names[one])
        pieces = st.number_input(t("points.pieces", lang), -10_000, 10_000, 1, help=t("points.pieces_help", lang))
        reason = st.text_input(t("points.reason", lang), max_chars=200)
        first, second = st.columns(2)
        stock = first.form_submit_button(t("points.stock_do", lang))
        gone = second.form_submit_button(t("points.withdraw", lang))
        if not (stock or gone) or gift is None:
            return
        try:
            if gone:
                withdraw_gift(store, viewer, gift, clock=utc_now)
            else:
                change_stock(store, viewer, gift, int(pieces), reason, key=secrets.token_hex(8), clock=utc_now)
        except ShapanError:
            st.error(t("points.stock_failed", lang))
        else:
            put_note(PAGE, "done", t("points.stock_done", lang))
            st.rerun()

"""Which call sign an account is. A part of the page of accounts."""

from __future__ import annotations

import streamlit as st

from data.accounts import list_accounts
from data.queries import find_responders
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from gis.errors import ShapanError
from i18n import Language, t
from incidents.dispatches import link_account
from ui.fields import read_choice, read_text
from ui.notes import put_note

_ROLES = frozenset({Role.GRID_WORKER, Role.OFFICER, Role.COMMANDER})


def show_links(store: Store, viewer: Viewer, page: str, lang: Language) -> None:
    """Choose an account and its call sign."""
    accounts = {one.account_id: one.name for one in list_accounts(store) if one.role in _ROLES}
    if not accounts:
        return
    call_signs = find_responders(store, viewer, placed=False).set_index("responder_id")["call_sign"].to_dict()
    linked = store.read("SELECT account_id, responder_id FROM account_responders")
    known = dict(zip(linked["account_id"], linked["responder_id"], strict=True))
    with st.expander(t("accounts.call_sign_title", lang)):
        st.caption(t("accounts.call_sign_text", lang))
        account_id = st.selectbox(
            t("accounts.call_sign_account", lang),
            list(accounts),
            format_func=lambda key: f"{accounts[key]} · {call_signs.get(known.get(key), '–')}",
            key="link_account",
        )
        options = ["", *map(str, call_signs)]
        st.selectbox(
            t("accounts.call_sign_of", lang),
            options,
            index=options.index(str(known[account_id])) if known.get(account_id) in call_signs else 0,
            format_func=lambda key: str(call_signs.get(key, t("accounts.call_sign_none", lang))),
            key=f"link_responder_{account_id}",
        )
        st.button(
            t("accounts.call_sign_save", lang),
            key="link_save",
            on_click=_link,
            args=(store, viewer, page, lang),
        )


def _link(store: Store, viewer: Viewer, page: str, lang: Language) -> None:
    account_id = read_text("link_account")
    if f"link_responder_{account_id}" not in st.session_state:
        return  # another account was chosen and its call sign has not been shown yet
    try:
        link_account(store, viewer, account_id, read_choice(f"link_responder_{account_id}"), clock=utc_now)
    except ShapanError:
        put_note(page, "problem", t("accounts.call_sign_failed", lang))
    else:
        put_note(page, "done", t("accounts.call_sign_saved", lang))

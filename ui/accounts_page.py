"""The page of accounts (账号与密钥): who may sign in, who is signed in, and the keys of other systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import streamlit as st

from data.accounts import (
    Account,
    add_account,
    change_role,
    check_account_name,
    disable_account,
    find_account,
    list_accounts,
)
from data.accounts import reset_password as reset
from data.administration import list_sessions, revoke_session
from data.passwords import make_password
from data.queries import find_grids
from data.rights import check_right
from data.runtime import get_store
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, RecordMissingError, RefusedError, ShapanError
from i18n import Language, t, term
from ui.account_links import show_links
from ui.cards import escape_markdown
from ui.fields import read_choices, read_text
from ui.keys_page import show_keys
from ui.notes import put_note, put_secret, show_notes
from ui.tables import format_time, show_empty, show_lead, show_style, show_table

_PAGE = "accounts"
_HEADS = ("name", "display_name", "role", "grids", "state", "last_sign_in", "sessions")


def show_accounts(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("accounts.title", lang))
    show_lead(t("accounts.lead", lang))
    show_notes(_PAGE)
    accounts, sessions, keys = st.tabs([t(f"accounts.tab_{name}", lang) for name in ("accounts", "sessions", "keys")])
    with accounts:
        _show_accounts(store, viewer, lang)
        show_links(store, viewer, _PAGE, lang)
    with sessions:
        _show_sessions(store, viewer, lang)
    with keys:
        show_keys(store, viewer, lang)


def _show_accounts(store: Store, viewer: Viewer, lang: Language) -> None:
    accounts, now = list_accounts(store), utc_now()
    names = _find_grid_names(store, viewer)
    if accounts:
        live = Counter(session.account_id for session in list_sessions(store, viewer, clock=utc_now))
        cells = [_build_row(account, names, live[account.account_id], now, lang) for account in accounts]
        dim = frozenset(number for number, account in enumerate(accounts) if account.disabled_utc)
        show_table([t(f"accounts.{name}", lang) for name in _HEADS], cells, narrow=frozenset({0, 2, 5}), dim=dim)
    else:
        show_empty(t("accounts.empty", lang))
    left, right = st.columns(2, gap="large")
    with left:
        _ask_new(store, viewer, names, lang)
    with right:
        _manage(store, viewer, [account for account in accounts if account.disabled_utc is None], names, lang)


def _build_row(account: Account, grids: dict[str, str], live: int, now: datetime, lang: Language) -> list[str]:
    return [
        account.name,
        account.display_name or "",
        term("role", account.role.value, lang),
        ", ".join(grids.get(grid, grid) for grid in sorted(account.grids or ())),
        _say_state(account, now, lang),
        format_time(account.last_sign_in_utc) or t("accounts.never", lang),
        str(live) if live else "",
    ]


def _say_state(account: Account, now: datetime, lang: Language) -> str:
    if account.disabled_utc is not None:
        return t("accounts.state_disabled", lang, time=format_time(account.disabled_utc))
    if account.locked_until_utc is not None and account.locked_until_utc > now:
        return t("accounts.state_locked", lang, time=format_time(account.locked_until_utc))
    return t("accounts.state_first" if account.must_change else "accounts.state_open", lang)


def _find_grid_names(store: Store, viewer: Viewer) -> dict[str, str]:
    grids = find_grids(store, viewer)
    return dict(zip(grids["grid_id"].astype(str), grids["name"].astype(str), strict=True))


# Adding


def _ask_new(store: Store, viewer: Viewer, grids: dict[str, str], lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("accounts.add_title", lang))
        st.text_input(
            t("accounts.name", lang), key="accounts_name", placeholder=t("accounts.name_hint", lang), max_chars=40
        )
        st.text_input(
            t("accounts.display_name", lang),
            key="accounts_display_name",
            placeholder=t("accounts.display_name_hint", lang),
            max_chars=40,
        )
        role = st.selectbox(
            t("accounts.role", lang),
            [role.value for role in Role],
            index=list(Role).index(Role.OFFICER),
            format_func=lambda code: term("role", code, lang),
            key=f"accounts_role_{lang}",
        )
        if role == Role.GRID_WORKER:
            if not grids:
                st.caption(t("accounts.no_grids", lang))
            st.multiselect(
                t("accounts.grids", lang),
                list(grids),
                format_func=lambda grid: grids.get(grid, grid),
                placeholder=t("accounts.grids_hint", lang),
                key="accounts_grids",
                select_all=False,
            )
        st.caption(t("accounts.add_text", lang))
        st.button(
            t("accounts.add", lang), key="accounts_add", type="primary", on_click=_add, args=(store, viewer, lang)
        )


def _add(store: Store, viewer: Viewer, lang: Language) -> None:
    state = st.session_state
    role = Role(state[f"accounts_role_{lang}"])
    grids = list(state.get("accounts_grids", ())) if role is Role.GRID_WORKER else []
    name, password = str(state["accounts_name"]).strip().lower(), make_password()

    def work() -> None:
        check_account_name(name)
        if role is Role.GRID_WORKER and not grids:
            put_note(_PAGE, "problem", t("accounts.grids_missing", lang))
            return
        if find_account(store, name) is not None:
            put_note(_PAGE, "problem", t("accounts.taken", lang, name=name))
            return
        display_name = str(state["accounts_display_name"]).strip() or None
        add_account(
            store, name, role, password=password, grids=grids, display_name=display_name, by=viewer, clock=utc_now
        )
        _show_password(name, password, lang)
        state["accounts_name"] = state["accounts_display_name"] = ""
        state.pop("accounts_grids", None)

    _do(viewer, work, {BadRecordError: t("accounts.bad_name", lang)}, lang)


# Managing


def _manage(store: Store, viewer: Viewer, accounts: list[Account], grids: dict[str, str], lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("accounts.manage_title", lang))
        words = {
            account.name: " · ".join(
                text for text in (account.name, term("role", account.role.value, lang), account.display_name) if text
            )
            for account in accounts
        }
        name = st.selectbox(
            t("accounts.choose", lang),
            list(words),
            index=None,
            format_func=lambda one: words.get(one, one),
            placeholder=t("accounts.choose", lang),
            key=f"accounts_chosen_{lang}",
            label_visibility="collapsed",
        )
        shown = escape_markdown(name or "")
        with st.container(horizontal=True):
            with st.popover(t("accounts.change", lang), disabled=name is None or name == viewer.name):
                st.write(t("accounts.change_text", lang, name=shown))
                role = st.selectbox(
                    t("accounts.role", lang),
                    [role.value for role in Role],
                    index=next((list(Role).index(one.role) for one in accounts if one.name == name), 0),
                    format_func=lambda code: term("role", code, lang),
                    key=f"accounts_new_role_{name}_{lang}",
                )
                st.multiselect(
                    t("accounts.grids", lang),
                    list(grids),
                    default=sorted(next((one.grids or () for one in accounts if one.name == name), ())),
                    format_func=lambda grid: grids.get(grid, grid),
                    placeholder=t("accounts.grids_hint", lang),
                    key=f"accounts_new_grids_{name}",
                    disabled=role != Role.GRID_WORKER,
                    select_all=False,
                )
                st.button(
                    t("accounts.change_yes", lang),
                    key="accounts_change",
                    on_click=_change,
                    args=(store, viewer, name, lang),
                )
            with st.popover(t("accounts.reset", lang), disabled=name is None):
                st.write(t("accounts.reset_text", lang, name=shown))
                st.button(
                    t("accounts.reset_yes", lang),
                    key="accounts_reset",
                    on_click=_reset,
                    args=(store, viewer, name, lang),
                )
            with st.popover(t("accounts.disable", lang), disabled=name is None or name == viewer.name):
                st.write(t("accounts.disable_text", lang, name=shown))
                st.button(
                    t("accounts.disable_yes", lang),
                    key="accounts_disable",
                    on_click=_disable,
                    args=(store, viewer, name, lang),
                )
        if name is not None and name == viewer.name:
            st.caption(t("accounts.own_account", lang))


def _change(store: Store, viewer: Viewer, name: str, lang: Language) -> None:
    new = Role(read_text(f"accounts_new_role_{name}_{lang}"))
    grids = read_choices(f"accounts_new_grids_{name}")

    def work() -> None:
        if new is Role.GRID_WORKER and not grids:
            put_note(_PAGE, "problem", t("accounts.grids_missing", lang))
            return
        change_role(store, name, new, grids=grids if new is Role.GRID_WORKER else (), by=viewer, clock=utc_now)
        put_note(_PAGE, "done", t("accounts.changed_done", lang, name=escape_markdown(name)))

    _do(viewer, work, {RefusedError: t("accounts.last_admin", lang, name=escape_markdown(name))}, lang)


def _reset(store: Store, viewer: Viewer, name: str, lang: Language) -> None:
    def work() -> None:
        _show_password(name, reset(store, name, by=viewer, clock=utc_now), lang)

    _do(viewer, work, {}, lang)


def _disable(store: Store, viewer: Viewer, name: str, lang: Language) -> None:
    def work() -> None:
        disable_account(store, name, by=viewer, clock=utc_now)
        put_note(_PAGE, "done", t("accounts.disabled_done", lang, name=escape_markdown(name)))

    _do(viewer, work, {RefusedError: t("accounts.last_admin", lang, name=escape_markdown(name))}, lang)


def _show_password(name: str, password: str, lang: Language) -> None:
    title = t("accounts.secret_password", lang, name=escape_markdown(name))
    put_secret(_PAGE, title, password, t("accounts.secret_password_text", lang))


def _do(viewer: Viewer, work: Callable[[], None], problems: dict[type[ShapanError], str], lang: Language) -> None:
    """Do it if the role may; what was refused is said in the page's own words."""
    try:
        check_right(viewer, "action", "manage_accounts")
        work()
    except ShapanError as error:
        text = next((said for kind, said in problems.items() if isinstance(error, kind)), t("accounts.failed", lang))
        put_note(_PAGE, "problem", text)


# Sessions


def _show_sessions(store: Store, viewer: Viewer, lang: Language) -> None:
    sessions = list_sessions(store, viewer, clock=utc_now)
    if not sessions:
        show_empty(t("accounts.sessions_empty", lang))
        return
    st.caption(t("accounts.sessions_lead", lang))
    for session in sessions:
        role = term("role", session.role.value, lang)
        where = (
            t("accounts.session_where", lang, address=session.address)
            if session.address
            else t("accounts.session_here", lang)
        )
        since, seen, ends = map(format_time, (session.started_utc, session.last_seen_utc, session.ends_utc))
        own = [t("accounts.session_own", lang)] if session.account_id == viewer.account_id else []
        head = t("accounts.session_of", lang, name=session.name, role=role)
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(width="stretch", gap=None):
                st.markdown(f"**{escape_markdown(head)}** {escape_markdown(' · '.join([where, *own]))}")
                st.caption(t("accounts.session_since", lang, since=since, seen=seen, ends=ends))
            st.button(
                t("accounts.session_end", lang),
                key=f"accounts-end-{session.session_id}",
                on_click=_end,
                args=(store, viewer, session.session_id, lang),
            )


def _end(store: Store, viewer: Viewer, session_id: str, lang: Language) -> None:
    def work() -> None:
        revoke_session(store, viewer, session_id, clock=utc_now)
        put_note(_PAGE, "done", t("accounts.session_ended", lang))

    _do(viewer, work, {RecordMissingError: t("accounts.session_ended", lang)}, lang)

"""Keys of other systems: made, shown once, revoked. A part of the page of accounts."""

from __future__ import annotations

import streamlit as st

from data.administration import create_key, revoke_key
from data.api_keys import DEFAULT_RATE_PER_MINUTE, SCOPES, ApiKey, list_keys
from data.rights import check_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import BadRecordError, ShapanError
from i18n import Language, t
from ui.cards import escape_markdown
from ui.notes import put_note, put_secret
from ui.tables import format_time, show_empty, show_table

_PAGE = "accounts"
_HEADS = ("key_name", "key_scopes", "key_rate", "key_created", "key_used", "state")


def show_keys(store: Store, viewer: Viewer, lang: Language) -> None:
    """All keys, and what may be done with them."""
    check_right(viewer, "action", "manage_keys")
    st.caption(t("accounts.keys_lead", lang))
    keys = list_keys(store)
    if keys:
        dim = frozenset(number for number, key in enumerate(keys) if key.revoked_utc)
        heads = [t(f"accounts.{name}", lang) for name in _HEADS]
        show_table(heads, [_build_row(key, lang) for key in keys], narrow=frozenset({0, 4}), dim=dim)
    else:
        show_empty(t("accounts.keys_empty", lang))
    left, right = st.columns(2, gap="large")
    with left:
        _ask_new(store, viewer, lang)
    with right:
        _manage(store, viewer, [key for key in keys if key.revoked_utc is None], lang)


def _build_row(key: ApiKey, lang: Language) -> list[str]:
    state = "accounts.key_state_revoked" if key.revoked_utc else "accounts.key_state_open"
    return [
        key.name,
        ", ".join(_say_scope(scope, lang) for scope in sorted(key.scopes)),
        str(key.rate_per_minute),
        t("accounts.key_created_by", lang, time=format_time(key.created_utc), who=key.created_by),
        format_time(key.last_used_utc) or t("accounts.never", lang),
        t(state, lang, time=format_time(key.revoked_utc)) if key.revoked_utc else t(state, lang),
    ]


def _say_scope(scope: str, lang: Language) -> str:
    return t(f"accounts.scope_{scope}", lang) if scope in SCOPES else scope


def _ask_new(store: Store, viewer: Viewer, lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("accounts.key_add_title", lang))
        st.text_input(
            t("accounts.key_name", lang), key="key_name", placeholder=t("accounts.key_name_hint", lang), max_chars=40
        )
        st.multiselect(
            t("accounts.key_scopes", lang),
            sorted(SCOPES),
            format_func=lambda scope: _say_scope(scope, lang),
            placeholder=t("accounts.key_scopes_hint", lang),
            key=f"key_scopes_{lang}",
            select_all=False,
        )
        st.number_input(
            t("accounts.key_rate", lang),
            min_value=1,
            max_value=6000,
            value=DEFAULT_RATE_PER_MINUTE,
            step=10,
            key="key_rate",
        )
        st.button(t("accounts.key_add", lang), key="key_add", type="primary", on_click=_add, args=(store, viewer, lang))


def _add(store: Store, viewer: Viewer, lang: Language) -> None:
    state = st.session_state
    name, scopes = str(state["key_name"]).strip().lower(), list(state[f"key_scopes_{lang}"])
    if not scopes:
        put_note(_PAGE, "problem", t("accounts.key_no_scope", lang))
        return
    try:
        key = create_key(store, viewer, name, scopes, rate_per_minute=int(state["key_rate"]), clock=utc_now)
    except BadRecordError:
        put_note(_PAGE, "problem", t("accounts.key_bad_name", lang))
    except ShapanError:
        put_note(_PAGE, "problem", t("accounts.failed", lang))
    else:
        title = t("accounts.secret_key", lang, name=escape_markdown(name))
        put_secret(_PAGE, title, key, t("accounts.secret_key_text", lang))
        state["key_name"], state[f"key_scopes_{lang}"] = "", []


def _manage(store: Store, viewer: Viewer, keys: list[ApiKey], lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("accounts.key_manage_title", lang))
        names = {key.key_id: f"{key.name} · {format_time(key.created_utc)}" for key in keys}
        key_id = st.selectbox(
            t("accounts.key_choose", lang),
            list(names),
            index=None,
            format_func=lambda one: names.get(one, one),
            placeholder=t("accounts.key_choose", lang),
            key=f"key_chosen_{lang}",
            label_visibility="collapsed",
        )
        name = next((key.name for key in keys if key.key_id == key_id), "")
        with st.popover(t("accounts.key_revoke", lang), disabled=key_id is None):
            st.write(t("accounts.key_revoke_text", lang, name=escape_markdown(name)))
            st.button(
                t("accounts.key_revoke_yes", lang),
                key="key_revoke",
                on_click=_revoke,
                args=(store, viewer, key_id, name, lang),
            )


def _revoke(store: Store, viewer: Viewer, key_id: str, name: str, lang: Language) -> None:
    try:
        revoke_key(store, viewer, key_id, clock=utc_now)
    except ShapanError:
        put_note(_PAGE, "problem", t("accounts.failed", lang))
    else:
        put_note(_PAGE, "done", t("accounts.key_revoked", lang, name=escape_markdown(name)))

"""The page of settings (设置与保存期限): how long things last, what is sensitive, what is due, and backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from data.administration import back_up, change_settings
from data.backup_files import find_backups
from data.queries import find_categories
from data.retention import RULES, apply_retention, plan_retention
from data.rights import check_right
from data.runtime import get_settings, get_store
from data.secret_files import get_key
from data.settings_store import LIMITS, SENSITIVE_KINDS, SWITCHES, StoreSettings, read_settings
from data.store import Store, utc_now
from data.viewer import Viewer
from data.webhooks import WEBHOOK, WebhookAddressError, count_waiting
from gis.errors import ShapanError
from i18n import Language, t
from ui.cards import escape_markdown
from ui.kinds_editor import show_kinds
from ui.notes import put_note, show_notes
from ui.tables import format_time, show_empty, show_lead, show_state, show_style, show_table

_PAGE = "settings"
_GROUPS = {
    "sign_in": ("idle_minutes", "session_hours", "wall_days"),
    "looks": ("opening_minutes", "approval_hours"),
    "backup": ("backup_hour", "backup_keep"),
    "dispatch": ("answer_urgent_s", "answer_normal_s", "answer_not_police_s", "expire_minutes"),
    "visits": ("round_hours",),
    "wall": ("shift_first_hour", "shift_length_hours"),
    "points": ("points_month_cap", "points_keep_months", "reservation_days", "checkin_spot_percent"),
    "retention": tuple(name for name in LIMITS if name.startswith("retention_")),
}
_TITLES = {"sensitive_kinds": "settings.group_sensitive", "webhook_url": "settings.group_webhook"}
_OLD_BACKUP = timedelta(days=1, hours=2)  # a nightly one may take a while


def show_settings(viewer: Viewer, lang: Language) -> None:
    """Draw the page."""
    store = get_store()
    show_style()
    st.title(t("settings.title", lang))
    show_lead(t("settings.lead", lang))
    show_notes(_PAGE)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_form(store, viewer, lang)
    with right:
        _show_due(store, viewer, lang)
        _show_backups(store, viewer, lang)
    show_kinds(store, viewer, _PAGE, lang)


# Values


def _show_form(store: Store, viewer: Viewer, lang: Language) -> None:
    current, default = read_settings(store), StoreSettings()
    with st.form(_PAGE, enter_to_submit=False, border=False):
        for group, names in _GROUPS.items():
            with st.container(border=True):
                st.subheader(t(f"settings.group_{group}", lang))
                for pair in (names[start : start + 2] for start in range(0, len(names), 2)):
                    for column, name in zip(st.columns(2), pair, strict=False):
                        with column:
                            _ask_number(name, getattr(current, name), getattr(default, name), lang)
                if group == "wall":
                    _ask_switch("wall_flies", current.wall_flies, lang)
        with st.container(border=True):
            _ask_sensitive(store, viewer, current, lang)
        with st.container(border=True):
            _ask_webhook(store, viewer, current, lang)
        st.form_submit_button(
            t("settings.save", lang), type="primary", on_click=_save, args=(store, viewer, current, lang)
        )


def _key(name: str, current: object) -> str:
    """A widget of its own for each value in force: what somebody else saved meanwhile is shown, not overwritten."""
    return f"setting_{name}_{current}"


def _ask_number(name: str, current: int, default: int, lang: Language) -> None:
    low, high = LIMITS[name]
    st.number_input(
        t(f"settings.name_{name}", lang), min_value=low, max_value=high, value=current, step=1, key=_key(name, current)
    )
    limits = t("settings.range", lang, default=default, low=low, high=high)
    st.caption(f"{t(f'settings.text_{name}', lang)} {limits}")


def _ask_switch(name: str, current: bool, lang: Language) -> None:
    st.toggle(t(f"settings.name_{name}", lang), value=current, key=_key(name, current))
    st.caption(t(f"settings.text_{name}", lang))


def _ask_sensitive(store: Store, viewer: Viewer, current: StoreSettings, lang: Language) -> None:
    st.subheader(t("settings.group_sensitive", lang))
    categories = find_categories(store, viewer)
    names = _build_names(categories, lang)
    chosen = sorted(current.sensitive_kinds)
    options = [*names, *(code for code in chosen if code not in names)]
    st.multiselect(
        t("settings.sensitive", lang),
        options,
        default=chosen,
        format_func=lambda code: names.get(code) or _say_kind(code, lang),
        placeholder=t("settings.sensitive_choose", lang),
        key=_key("sensitive_kinds", chosen),
        select_all=False,
    )
    st.caption(t("settings.sensitive_text", lang))
    marked = [names[code] for code in categories.loc[categories["sensitive"].astype(bool), "category"].astype(str)]
    if marked:
        st.caption(escape_markdown(t("settings.sensitive_file", lang, kinds=" · ".join(marked))))


def _ask_webhook(store: Store, viewer: Viewer, current: StoreSettings, lang: Language) -> None:
    st.subheader(t("settings.group_webhook", lang))
    st.text_input(
        t("settings.webhook", lang),
        value=current.webhook_url,
        max_chars=300,
        key=_key("webhook_url", current.webhook_url),
    )
    st.caption(t("settings.webhook_text", lang))
    if current.webhook_url:
        check_right(viewer, "action", "manage_settings")
        waiting = count_waiting(store)
        st.caption(t("settings.webhook_state", lang, waiting=waiting.waiting, given_up=waiting.given_up))
        with st.popover(t("settings.webhook_key", lang)):
            st.code(get_key(store, WEBHOOK).hex(), language=None)
            st.caption(t("settings.webhook_key_text", lang))


def _build_names(categories: pd.DataFrame, lang: Language) -> dict[str, str]:
    """Each kind by its name with that of the kind above, in the order of the tree."""
    rows = {str(row["category"]): row for row in categories.to_dict("records")}

    def say(code: str) -> str:
        parent, own = rows[code]["parent"], str(rows[code][f"name_{lang}"])
        return f"{rows[parent][f'name_{lang}']} › {own}" if isinstance(parent, str) and parent in rows else own

    return dict(sorted(((code, say(code)) for code in rows), key=lambda pair: pair[1]))


def _say_kind(code: str, lang: Language) -> str:
    return t(f"settings.kind_{code}", lang) if code in SENSITIVE_KINDS else code


def _save(store: Store, viewer: Viewer, current: StoreSettings, lang: Language) -> None:
    values: dict[str, Any] = {name: int(st.session_state[_key(name, getattr(current, name))]) for name in LIMITS}
    values |= {name: bool(st.session_state[_key(name, getattr(current, name))]) for name in SWITCHES}
    chosen = sorted(current.sensitive_kinds)
    values["webhook_url"] = str(st.session_state[_key("webhook_url", current.webhook_url)]).strip()
    values["sensitive_kinds"] = sorted(st.session_state[_key("sensitive_kinds", chosen)])
    try:
        changed = change_settings(store, viewer, values, clock=utc_now)
    except WebhookAddressError:
        put_note(_PAGE, "problem", t("settings.webhook_refused", lang))
        return
    except ShapanError:
        put_note(_PAGE, "problem", t("settings.failed", lang))
        return
    if not changed:
        put_note(_PAGE, "done", t("settings.unchanged", lang))
        return
    words = [t(_TITLES.get(name, f"settings.name_{name}"), lang) for name in changed]
    put_note(_PAGE, "done", t("settings.saved", lang, names=" · ".join(words)))


# What is due


def _show_due(store: Store, viewer: Viewer, lang: Language) -> None:
    with st.container(border=True):
        st.subheader(t("settings.due_title", lang))
        st.caption(t("settings.due_lead", lang))
        if not st.button(t("settings.due_show", lang), key="settings_due"):
            return
        with st.spinner(t("settings.due_counting", lang), show_time=True):
            plan = plan_retention(store, utc_now())
        total = sum(plan.values())
        if not total:
            show_empty(t("settings.due_none", lang))
            return
        heads = [t(f"settings.due_{name}", lang) for name in ("kind", "what", "count")]
        rows = [
            [
                t(f"settings.rule_{rule.name}", lang),
                t("settings.done_emptied" if rule.change else "settings.done_deleted", lang),
                f"{plan[rule.name]:,}",
            ]
            for rule in RULES
            if plan[rule.name]
        ]
        show_table(heads, rows)
        with st.popover(t("settings.due_apply", lang)):
            st.write(t("settings.due_apply_text", lang, count=f"{total:,}"))
            st.button(
                t("settings.due_apply_yes", lang), key="settings_apply", on_click=_apply, args=(store, viewer, lang)
            )


def _apply(store: Store, viewer: Viewer, lang: Language) -> None:
    try:
        gone = apply_retention(store, viewer=viewer, clock=utc_now)
    except ShapanError:
        put_note(_PAGE, "problem", t("settings.failed", lang))
    else:
        put_note(_PAGE, "done", t("settings.due_applied", lang, count=f"{sum(gone.values()):,}"))


# Backups


def _show_backups(store: Store, viewer: Viewer, lang: Language) -> None:
    check_right(viewer, "action", "backup")
    with st.container(border=True):
        st.subheader(t("settings.backup_title", lang))
        if st.button(t("settings.backup_now", lang), key="settings_backup", type="primary"):
            _back_up(store, viewer, lang)
        settings = get_settings()
        found = find_backups(settings.backup_folder, store.path.stem)
        if not found:
            show_empty(t("settings.backup_none", lang))
        else:
            state = found[0].stat()
            made = datetime.fromtimestamp(state.st_mtime, UTC)
            text = t(
                "settings.backup_last",
                lang,
                time=format_time(made),
                size=f"{state.st_size / 1e6:,.1f}",
                count=len(found),
            )
            if utc_now() - made > _OLD_BACKUP:
                show_state("broken", text, t("settings.backup_old", lang))
            else:
                show_state("whole", text)
        st.caption(escape_markdown(t("settings.backup_where", lang, folder=settings.backup_folder)))


def _back_up(store: Store, viewer: Viewer, lang: Language) -> None:
    words = t("settings.backup_running", lang)
    bar = st.progress(0.0, words)

    def show(share: float, _: str) -> None:
        bar.progress(min(max(share, 0.0), 1.0), words)

    try:
        backup = back_up(
            store,
            viewer,
            get_settings(),
            clock=utc_now,
            progress=show,
        )
    except ShapanError:
        st.error(t("settings.backup_failed", lang))
    else:
        st.success(escape_markdown(t("settings.backup_done", lang, name=backup.path.name)))
        if not backup.is_encrypted:
            st.warning(t("settings.backup_clear", lang))
    finally:
        bar.empty()

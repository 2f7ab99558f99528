"""What every page has: who looks, where else they may go, the language, and the way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from data.rights import Right, get_right
from data.runtime import get_runtime
from data.viewer import Role, Viewer
from i18n import Language, t, term
from ui import session
from ui.components.watch import show_watch
from ui.components.words import show_words
from ui.marks import say_drill

PAGES = (
    *("wall", "intake", "dispatch", "shift", "desk", "tasks", "board", "forces", "command", "patrol", "map", "plans"),
    *("checkins", "counter", "approvals", "audit", "accounts", "settings"),
)
_STYLE = (Path(__file__).parent / "shell.css").read_text(encoding="utf-8")


def find_pages(viewer: Viewer) -> tuple[str, ...]:
    """Pages that the viewer's role may open, in their order."""
    return tuple(name for name in PAGES if get_right(viewer.role, "page", name) is not Right.NO)


def get_path(name: str) -> str:
    """Address of a page."""
    return "/" if name == "wall" else f"/{name}"


def build_menu(viewer: Viewer, lang: Language, current: str) -> dict[str, Any]:
    """The menu of the wall's top bar: pages, roles of a demo, who looks, and the way out."""
    is_demo = get_runtime().is_demo
    here = get_path(current)
    role = term("role", viewer.role.value, lang)
    return {
        "who": role if is_demo else f"{viewer.name} · {role}",
        "title": t("shell.menu", lang),
        "pages": [
            {"label": t(f"shell.page_{name}", lang), "href": f"{get_path(name)}?lang={lang}", "on": name == current}
            for name in find_pages(viewer)
        ],
        "rolesTitle": t("shell.roles", lang) if is_demo else None,
        "roles": [
            {"label": term("role", one.value, lang), "href": _build_role_link(one, here), "on": one == viewer.role}
            for one in (Role if is_demo else ())
        ],
        "account": []
        if is_demo
        else [
            {"label": t("shell.password", lang), "href": f"/password?lang={lang}"},
            {"label": t("shell.sign_out", lang), "href": f"/logout?lang={lang}"},
        ],
    }


def show_page(
    name: str, viewer: Viewer, pages: Mapping[str, Any], draw: Callable[[Viewer, Language], None]
) -> Callable[[], None]:
    """The function of one desk page: its frame, then `draw`; nothing for a role that may not open it."""

    def show() -> None:
        lang = session.get_language()
        st.html(f"<style>{_STYLE}</style>")
        if get_right(viewer.role, "page", name) is Right.NO:
            st.error(t("shell.not_allowed", lang))
            return
        _show_bar(viewer, lang, name, pages)
        show_watch(lang)
        show_words(lang)
        draw(viewer, lang)

    show.__name__ = name
    return show


def show_signed_out() -> None:
    """The session ended while the page was open."""
    lang = session.get_language()
    st.html(f"<style>{_STYLE}</style>")
    st.title(t("shell.signed_out_title", lang))
    st.write(t("shell.signed_out_text", lang))
    st.html(_build_link(f"/login?lang={lang}", t("door.sign_in", lang), more=' class="sh-button"'))
    show_watch(lang)


def show_nothing(viewer: Viewer) -> None:
    """The role has no page here."""
    lang = session.get_language()
    st.html(f"<style>{_STYLE}</style>")
    _show_bar(viewer, lang, "wall", {})
    st.write(t("shell.nothing", lang))
    show_watch(lang)


def _show_bar(viewer: Viewer, lang: Language, current: str, pages: Mapping[str, Any]) -> None:
    menu = build_menu(viewer, lang, current)
    note = escape(t("table.synthetic", lang)) if get_runtime().is_demo else ""
    synthetic = "".join(f'<strong class="sh-drill" role="note">{escape(said)}</strong>' for said in say_drill(lang))
    synthetic += f'<span class="sh-synthetic">{note}</span>' if note else ""
    other = "en" if lang == "zh" else "zh"
    links = [(t("door.other_language", lang), f"{get_path(current)}?{urlencode({'lang': other})}")]
    links += [(one["label"], one["href"]) for one in menu["account"]]
    roles = "".join(
        _build_link(one["href"], one["label"], more=' aria-current="true"' if one["on"] else "")
        for one in menu["roles"]
    )
    with st.container(horizontal=True, key="sh-bar", vertical_alignment="center", gap="small"):
        st.html(f'<strong class="sh-brand">{escape(t("door.product", lang))}</strong>')
        for name in pages:
            st.page_link(pages[name], label=t(f"shell.page_{name}", lang), query_params={"lang": lang})
        st.html(
            f'<span class="sh-right">{synthetic}<span class="sh-who">{escape(menu["who"])}</span>'
            + "".join(_build_link(href, label) for label, href in links)
            + "</span>"
        )
    if roles:
        st.html(f'<nav class="sh-roles"><span>{escape(t("shell.roles", lang))}</span>{roles}</nav>')


def _build_link(href: str, label: str, *, more: str = "") -> str:
    """A link that leaves Streamlit's page; `more` is further attributes."""
    return f'<a{more} target="_self" href="{escape(href)}">{escape(label)}</a>'


def _build_role_link(role: Role, here: str) -> str:
    return f"/demo-role?{urlencode({'role': role.value, 'next': here})}"

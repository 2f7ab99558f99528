"""
Pages: the wall is the first thing that a visitor sees; who may open which is in the rights table.

A page is imported when it is opened: all of them take 55 MB, and a server of the wall alone never needs them.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import streamlit as st

from data.viewer import Viewer
from i18n import Language, t
from ui.session import get_language, get_viewer
from ui.shell import find_pages, get_path, show_nothing, show_page, show_signed_out
from ui.wall import show_wall

DESK_PAGES = (
    "intake", "dispatch", "shift", "desk", "forces", "tasks", "board", "command", "patrol", "map", "plans", "approvals",
    "audit", "accounts", "settings",
    "intake", "dispatch", "shift", "desk", "forces", "tasks", "board", "command", "map", "checkins", "counter",
    "approvals", "audit", "accounts", "settings",
)  # fmt: skip


def get_draw(name: str) -> Callable[[Viewer, Language], None]:
    """`show_NAME` of `ui/NAME_page.py`, imported at the first call."""

    def draw(viewer: Viewer, lang: Language) -> None:
        getattr(import_module(f"ui.{name}_page"), f"show_{name}")(viewer, lang)

    return draw


def main() -> None:
    """Draw the page of the address."""
    lang = get_language()
    st.set_page_config(page_title=t("wall.page_title", lang), layout="wide", initial_sidebar_state="collapsed")
    viewer = get_viewer()
    if viewer is None:
        show_signed_out()
        return
    pages: dict[str, Any] = {}
    for name in (name for name in find_pages(viewer) if name in {"wall", *DESK_PAGES}):
        draw = partial(show_wall, viewer) if name == "wall" else show_page(name, viewer, pages, get_draw(name))
        title = t(f"shell.page_{name}", lang)
        pages[name] = st.Page(draw, title=title, url_path=get_path(name).strip("/") or "wall", default=not pages)
    if not pages:
        show_nothing(viewer)
        return
    st.navigation(list(pages.values()), position="hidden").run()


main()

"""Pages: the wall is the first thing that a visitor sees; who may open which is in the rights table."""

from functools import partial
from typing import Any

import streamlit as st

from i18n import t
from ui.accounts_page import show_accounts
from ui.approvals_page import show_approvals
from ui.audit_page import show_audit
from ui.board_page import show_board
from ui.command_page import show_command
from ui.desk import show_desk
from ui.dispatch_page import show_dispatch
from ui.forces_page import show_forces
from ui.intake_page import show_intake
from ui.map_page import show_map
from ui.session import get_language, get_viewer
from ui.settings_page import show_settings
from ui.shell import find_pages, get_path, show_nothing, show_page, show_signed_out
from ui.shift_page import show_shift
from ui.tasks_page import show_tasks
from ui.wall import show_wall

DRAW = {
    "intake": show_intake,
    "dispatch": show_dispatch,
    "shift": show_shift,
    "desk": show_desk,
    "forces": show_forces,
    "tasks": show_tasks,
    "board": show_board,
    "command": show_command,
    "map": show_map,
    "approvals": show_approvals,
    "audit": show_audit,
    "accounts": show_accounts,
    "settings": show_settings,
}


def main() -> None:
    """Draw the page of the address."""
    lang = get_language()
    st.set_page_config(page_title=t("wall.page_title", lang), layout="wide", initial_sidebar_state="collapsed")
    viewer = get_viewer()
    if viewer is None:
        show_signed_out()
        return
    pages: dict[str, Any] = {}
    for name in (name for name in find_pages(viewer) if name in {"wall", *DRAW}):
        draw = partial(show_wall, viewer) if name == "wall" else show_page(name, viewer, pages, DRAW[name])
        title = t(f"shell.page_{name}", lang)
        pages[name] = st.Page(draw, title=title, url_path=get_path(name).strip("/") or "wall", default=not pages)
    if not pages:
        show_nothing(viewer)
        return
    st.navigation(list(pages.values()), position="hidden").run()


main()

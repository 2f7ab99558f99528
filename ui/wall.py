"""The wall page (沙盘大屏): the table in the middle, its rail of search, selection and hot places beside it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from data.model_files import find_model_problem
from data.queries import PLACE_KINDS, find_buildings, get_info
from data.runtime import get_boot_id, get_settings, get_store
from data.viewer import WALL, Viewer
from i18n import t
from layers import NoCommunityError, build_frame
from ui import session
from ui.components.table.component import build_table_data, show_table
from ui.components.words import show_words
from ui.rail import show_rail
from ui.shell import build_menu
from ui.targets import find_target

_IDLE_S = 300


def show_wall(viewer: Viewer) -> None:
    """
    Draw the page; without a community, say how to get one.

    It is drawn for the wall whoever looks, because others stand before it too; `viewer` only decides where the menu
    leads.
    """
    lang = session.get_language()
    store = get_store()
    try:
        frame = build_frame(store)
    except NoCommunityError:
        st.title(t("wall.empty_title", lang))
        st.write(t("wall.empty_text", lang))
        st.code(f"shapan import FOLDER --store {store.path.stem}", language="bash")  # i18n: command
        return

    def pick() -> None:
        picked = st.session_state["table"].get("picked")
        if not picked:
            return
        # What another surface selected (ui/components/surfaces) is flown to; what was clicked here is in view already.
        is_place = picked["kind"] in PLACE_KINDS
        fly = bool(picked.get("fly"))
        target = find_target(store, WALL, frame, **_named(picked), fly=fly) if is_place else None
        known = {"kind": picked["kind"], "id": picked["id"]} if is_place or picked["kind"] == "hot" else None
        session.select(known, target=target)
        session.forget_search()

    def speak() -> None:
        session.set_language(str(st.session_state["table"].get("language")))

    with st.container(key="rail"):
        params = show_rail(store, WALL, frame, lang)
    uses = find_buildings(store, WALL)["use"].value_counts().index.tolist()
    revisions = store.read("SELECT table_name, revision FROM revisions")
    data = build_table_data(
        get_info(store),
        frame,
        dict(zip(revisions["table_name"], revisions["revision"].astype(int).tolist(), strict=True)),
        uses,
        lang=lang,
        boot_id=get_boot_id(),
        params=params,
        fly=session.get_fly(),
        idle_s=_get_idle_s(),
        menu=build_menu(viewer, lang, "wall"),
        is_kiosk=st.query_params.get("kiosk") == "1",
        model=_find_model(),
    )
    show_table(data, on_picked=pick, on_language=speak)
    show_words(lang)


def _named(picked: dict[str, Any]) -> dict[str, str]:
    return {"kind": str(picked["kind"]), "place_id": str(picked["id"])}


def _find_model() -> str | None:
    """Address of the photographic model (server/model.py), where there is one."""
    folder = get_settings().model_folder
    return "/model/tileset.json" if folder is not None and find_model_problem(folder) is None else None


def _get_idle_s() -> int:
    """Seconds of rest before visitor mode, from the address (`?idle=60`; 0 never)."""
    text = st.query_params.get("idle", "")
    return int(text) if text.isdigit() else _IDLE_S

"""The desk page's part of one home: what the second screen says of it, the photos of its visits, and its pack."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from data.queries import find_task_photos, find_unit_visits
from data.rights import Right, get_right
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from layers.unit_panel import build_unit_panel
from ui.task_one import show_photos
from ui.task_words import to_rows

_OPEN = frozenset({"waiting", "assigned", "accepted", "on_site"})


def show_unit(store: Store, viewer: Viewer, unit_id: str, lang: Language) -> None:
    """Register row, rental and verdict, visits, incidents of this home and its neighbours; photos on demand."""
    panel = build_unit_panel(store, viewer, unit_id, lang)
    st.html("".join(_build_section(one) for one in panel["sections"]))
    if get_right(viewer.role, "query", "find_unit_visits") is Right.NO:
        return
    visits = find_unit_visits(store, viewer, unit_id).to_dict("records")
    waiting = [one["task_id"] for one in visits if one["state"] in _OPEN]
    if waiting and get_right(viewer.role, "action", "carry_pack") is not Right.NO:
        asked = "".join(f"&task={one}" for one in waiting)
        st.link_button(t("pack.print", lang), f"/packs.pdf?lang={lang}{asked}")
    if get_right(viewer.role, "action", "see_photo") is not Right.NO:
        _show_photos(store, viewer, [one["task_id"] for one in visits if one["photos"]], lang)


def _build_section(section: dict[str, Any]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in section["rows"] if value)
    lines = "".join(f"<li>{escape(line)}</li>" for line in section["lines"])
    none = f'<p class="sp-where">{escape(section["none"])}</p>' if section["none"] else ""
    return (
        f'<div class="sp-card sh-home" data-part="{escape(section["name"])}"><h5>{escape(section["title"])}</h5>'
        f"{f'<dl>{rows}</dl>' if rows else ''}{f'<ul>{lines}</ul>' if lines else ''}{none}</div>"
    )


def _show_photos(store: Store, viewer: Viewer, task_ids: list[str], lang: Language) -> None:
    photos = [row for one in task_ids for row in to_rows(find_task_photos(store, viewer, one))]
    show_photos(store, viewer, photos, lang)

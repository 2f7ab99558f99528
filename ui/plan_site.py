"""The part of the plans page for key sites: a floor plan from a GeoJSON file, looked at, taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from shapely import LineString, Point, Polygon

from data.queries import find_key_sites, find_site_plan
from data.runtime import get_boot_id
from data.site_plans import (
    AREAS,
    MARKS,
    PlanPart,
    PurposeNeededError,
    add_part,
    put_site_plan,
    read_plan,
    remove_part,
    undo_site_plan,
)
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.building_front import Front
from gis.errors import BadFileError, BadRecordError, ShapanError
from i18n import Language, t, term
from layers.site_plan import draw_parts, draw_rings, find_site_front
from ui.components.tracing.component import show_tracing
from ui.notes import put_note, show_notes
from ui.plan_words import say_file_problems

_PAGE = "site_plans"
_MOST_MB = 5


def show_site_plans(store: Store, viewer: Viewer, may: bool, lang: Language) -> None:
    """Choose a site, put its plan, see what it holds."""
    show_notes(_PAGE)
    sites = find_key_sites(store, viewer)
    names = {
        str(row["site_id"]): f"{row['name']} · {term('site_kind', row['kind'], lang)}"
        for row in sites[["site_id", "name", "kind"]].to_dict("records")
    }
    chosen = st.selectbox(
        t("plans.site", lang), list(names), index=None, format_func=lambda one: names.get(one, one),
        placeholder=t("plans.choose_site", lang), key=f"plans_site_{lang}",
    )  # fmt: skip
    if not chosen:
        return
    site_id = str(chosen)
    _show_kept(store, viewer, site_id, lang)
    if not may:
        return
    if st.toggle(t("plans.draw", lang), key=f"plans-draw-{site_id}"):
        _draw(store, viewer, site_id, lang)
        return
    file = st.file_uploader(
        t("plans.file", lang), ["geojson", "json"], key=f"plan-file-{site_id}", max_upload_size=_MOST_MB
    )
    st.caption(t("plans.file_help", lang))
    with st.container(horizontal=True):
        if file is not None:
            st.button(
                t("plans.put", lang), type="primary", key="site-plan-put", on_click=_put,
                args=(store, viewer, site_id, lang),
            )  # fmt: skip
        st.button(
            t("plans.undo_site", lang),
            key="site-plan-undo",
            on_click=_do,
            args=(lang, "undone", undo_site_plan, store, viewer, site_id),
        )


def _show_kept(store: Store, viewer: Viewer, site_id: str, lang: Language) -> None:
    try:
        parts = find_site_plan(store, viewer, site_id)
    except PurposeNeededError:
        st.info(t("plans.school", lang))
        return
    if parts.empty:
        st.caption(t("plans.no_site_plan", lang))
        return
    counts = parts["kind"].value_counts()
    said = [f"{t(f'inside.mark_{kind}', lang)} {int(counts[kind])}" for kind in ("room", *MARKS) if kind in counts]
    st.markdown(t("plans.site_figures", lang, levels=parts["level"].nunique(), what=t("inside.comma", lang).join(said)))


def _draw(store: Store, viewer: Viewer, site_id: str, lang: Language) -> None:
    """Draw a storey over a photo of its plan; each part is kept at once."""
    try:
        parts = find_site_plan(store, viewer, site_id)
    except PurposeNeededError:
        return  # it was said already
    level = int(st.number_input(t("plans.draw_level", lang), -20, 300, 1, key=f"plans-draw-level-{site_id}")) or 1
    front, outline, _ = find_site_front(store, site_id, parts)

    def act() -> None:
        _act(store, viewer, site_id, level, front, st.session_state["tracing"].get("act"), lang)

    storey = {
        "size": np.round(front.size_m, 2).tolist(),
        "outline": draw_rings(outline, front),
        "parts": draw_parts(parts[parts["level"] == level], front),
    }
    show_tracing(storey, lang, get_boot_id(), on_act=act)
    st.button(
        t("plans.undo_site", lang), key="site-draw-undo", on_click=_do,
        args=(lang, "undone", undo_site_plan, store, viewer, site_id),
    )  # fmt: skip


def _act(store: Store, viewer: Viewer, site_id: str, level: int, front: Front, act: Any, lang: Language) -> None:
    """What was drawn, or is taken off."""
    if not act:
        return
    if act["what"] == "remove":
        _do(lang, "removed", remove_part, store, viewer, site_id, int(act["id"]))
        return
    points = front.turn_back(np.array(act["points"], dtype=np.float64).reshape(-1, 2))
    kind = str(act["kind"])
    shape = Polygon(points) if kind in AREAS else LineString(points) if kind == "wall" else Point(points[0])
    part = PlanPart(level, kind, " ".join(str(act.get("name") or "").split())[:60], shape, "drawn")
    _do(lang, "kept", add_part, store, viewer, site_id, part)


def _put(store: Store, viewer: Viewer, site_id: str, lang: Language) -> None:
    file = st.session_state.get(f"plan-file-{site_id}")
    if file is None:
        return  # taken away again at the same moment
    content = file.getvalue()
    sites = find_key_sites(store, viewer)
    near = sites.loc[sites["site_id"] == site_id].geometry.iloc[0]
    crs = str(store.read("SELECT crs FROM community")["crs"].iloc[0])

    def work(*, clock: Any) -> None:
        put_site_plan(store, viewer, site_id, read_plan(content, crs, near), clock=clock)

    _do(lang, "kept", work)


def _do(lang: Language, done: str, work: Any, *args: Any) -> None:
    try:
        work(*args, clock=utc_now)
    except BadRecordError:
        put_note(_PAGE, "problem", t("plans.draw_crossed", lang))
    except BadFileError as error:
        put_note(_PAGE, "problem", f"{t('plans.file_bad', lang)} {say_file_problems(error, lang)}")
    except ShapanError:
        put_note(_PAGE, "problem", t("plans.failed", lang))
    else:
        put_note(_PAGE, "done", t(f"plans.{done}", lang))

"""The search box: an address in any spelling, a name, or a grid; one hit flies, several are listed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from data.addresses import Aliases, PlaceSearch, SearchHit, SearchResult
from data.queries import find_addresses, find_aliases, find_buildings, find_grids, find_key_sites, get_info
from data.rights import Right, get_right
from data.store import Store
from data.viewer import Role, Viewer
from i18n import Language, t
from layers import LocalFrame
from ui import session
from ui.cards import escape_markdown
from ui.targets import find_target

_LIMIT = 8
_TABLES = ("addresses", "aliases", "buildings", "key_sites", "grids", "community")
_PARTS = ("community", "zone", "building", "unit", "level", "room", "remainder")


def show_search(store: Store, viewer: Viewer, frame: LocalFrame, lang: Language) -> None:
    """Draw the box and, after a search, its hits."""
    st.text_input(
        t("wall.search", lang),
        key="search",
        placeholder=t("wall.search_placeholder", lang),
        label_visibility="collapsed",
        on_change=_search,
        args=(store, viewer, frame),
    )
    text = str(st.session_state.get("search") or "").strip()
    if not text:
        return
    hits, result = find_hits(store, viewer, text)
    if not hits:
        show_nothing_found(result, lang)
    elif len(hits) == 1:
        if hits[0].score < 1 and (result.understood.room or result.understood.unit):
            st.caption(t("wall.part_missing", lang))
    else:
        st.caption(t("wall.hits", lang, count=result.total - len(result.hits) + len(hits)))
        for hit in hits:
            st.button(
                escape_markdown(label_hit(store, viewer, hit, lang)),
                key=f"hit-{hit.kind}-{hit.id}",
                on_click=_go_to,
                args=(store, viewer, frame, hit),
                width="stretch",
            )


def find_hits(store: Store, viewer: Viewer, text: str) -> tuple[list[SearchHit], SearchResult]:
    """Hits of a search, each place once, and all that it found out."""
    result = _find_index(store, viewer).places.find(text, _LIMIT)
    return _drop_twins(result), result


def _search(store: Store, viewer: Viewer, frame: LocalFrame) -> None:
    text = str(st.session_state.get("search") or "").strip()
    hits = find_hits(store, viewer, text)[0] if text else []
    if len(hits) == 1:
        _go_to(store, viewer, frame, hits[0])


def _drop_twins(result: SearchResult) -> list[SearchHit]:
    """The hits without a building that bears the name of the site in it: one place is listed once."""
    sites = {(hit.building_id, hit.label) for hit in result.hits if hit.kind == "site"}
    return [
        hit
        for hit in result.hits
        if hit.kind != "building" or not any(held == hit.building_id and hit.label.endswith(n) for held, n in sites)
    ]


def _go_to(store: Store, viewer: Viewer, frame: LocalFrame, hit: SearchHit) -> None:
    kind, place_id = to_place(hit)
    session.select({"kind": kind, "id": place_id}, target=find_target(store, viewer, frame, kind, place_id, fly=True))


def to_place(hit: SearchHit) -> tuple[str, str]:
    """Kind and id of the place that a hit leads to."""
    if hit.kind == "room" and hit.unit_id:
        return "unit", hit.unit_id
    if hit.kind in ("site", "grid"):
        return hit.kind, hit.id
    return "building", hit.building_id or hit.id


def show_nothing_found(result: SearchResult, lang: Language) -> None:
    """Say what was understood of a search without a hit, and what comes nearest."""
    parts = [
        f"{t(f'wall.part_{name}', lang)} {getattr(result.understood, name)}"
        for name in _PARTS
        if getattr(result.understood, name, None)
    ]
    st.caption(t("wall.no_hit", lang))
    if parts and result.understood_as != "nothing":
        st.caption(t("wall.understood", lang, what=" · ".join(parts)))
    for candidate in result.nearest[:3]:
        st.caption(t("wall.nearest", lang, what=candidate.text))
    st.caption(t("wall.no_hit_hint", lang))


def label_hit(store: Store, viewer: Viewer, hit: SearchHit, lang: Language) -> str:
    """The hit's own words, and what tells it from others of the same words: what it is, and in which building."""
    index = _find_index(store, viewer)
    what = t(f"wall.hit_{hit.kind}", lang)
    held = index.buildings.get(hit.building_id or "", "") if hit.kind == "site" else ""
    words = hit.label.rpartition(index.community)[2] or hit.label  # what all addresses share tells nothing
    return " · ".join(part for part in (words, what, held) if part)


def _find_index(store: Store, viewer: Viewer) -> _Index:
    return _build_index(store, viewer.role, store.revision(*_TABLES))


@dataclass(frozen=True)
class _Index:
    """The search over one revision, and how each building is called."""

    places: PlaceSearch
    buildings: dict[str, str]
    community: str


@lru_cache(maxsize=1)
def _build_index(store: Store, role: Role, _revision: int) -> _Index:
    viewer = Viewer(role)
    info = get_info(store)
    buildings = find_buildings(store, viewer)
    names = buildings["zone"].fillna("") + buildings["name"].fillna("")
    places = PlaceSearch(
        find_addresses(store, viewer),
        buildings,
        find_key_sites(store, viewer) if get_right(role, "query", "find_key_sites") is not Right.NO else None,
        find_grids(store, viewer),
        Aliases.from_frame(find_aliases(store, viewer)),
        community=info.name,
    )
    return _Index(places, dict(zip(buildings["building_id"], names, strict=True)), info.name)

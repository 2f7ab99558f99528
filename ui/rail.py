"""The right rail: search, what is selected, and the hot places of a chosen period."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from data.queries import find_categories, get_info, get_place
from data.store import Store
from data.viewer import Viewer
from gis.errors import RecordMissingError
from i18n import Language, t
from incidents.hot_places import HotPlace
from incidents.kinds import list_below, list_groups, to_parents
from layers import LocalFrame
from layers.hot import DEFAULT_WEEKS, WEEKS, HotQuestion, find_hot_places, hot_id
from ui import session
from ui.cards import build_card, escape_markdown
from ui.search import show_search
from ui.targets import build_hot_target


def show_rail(store: Store, viewer: Viewer, frame: LocalFrame, lang: Language) -> dict[str, str]:
    """Draw the rail; returns what the scenes are asked: the period and kinds of the hot places."""
    show_search(store, viewer, frame, lang)
    st.html(f"<h3>{t('wall.selected', lang)}</h3>")
    _show_selected(store, viewer, lang)
    selected = session.get_selected()
    categories = find_categories(store, viewer)
    if not selected or selected["kind"] == "hot":  # the wall does not scroll: a selected place has the rail to itself
        st.html(f"<h3>{t('wall.hot', lang)}</h3>")
        _ask(categories, lang)
        _show_hot(store, viewer, frame, _get_question(categories), lang)
    question = _get_question(categories)
    return {"weeks": str(question.weeks), "kinds": ",".join(question.kinds)}


def _show_selected(store: Store, viewer: Viewer, lang: Language) -> None:
    selected = session.get_selected()
    if not selected:
        st.caption(t("wall.nothing_selected", lang))
        return
    if selected["kind"] == "hot":
        st.caption(t("wall.hot_selected", lang, rank=selected["id"].rpartition("-")[2]))
        return
    try:
        place = get_place(store, viewer, selected["kind"], selected["id"])  # type: ignore[arg-type]
    except RecordMissingError:
        st.caption(t("wall.gone", lang))
        return
    st.html(build_card(place, find_categories(store, viewer), lang))
    st.button(t("wall.clear", lang), key="clear", on_click=_clear)


def _clear() -> None:
    session.select(None)
    session.forget_search()


def _get_question(categories: pd.DataFrame) -> HotQuestion:
    """The period and kinds that were chosen last, each kind with every kind under it."""
    kinds: list[str] = session.recall("hot_kinds", [])
    parents = to_parents(categories)
    codes = {code for kind in kinds for code in list_below(parents, kind)}
    return HotQuestion(int(session.recall("hot_weeks", DEFAULT_WEEKS)), tuple(sorted(codes)))


def _ask(categories: pd.DataFrame, lang: Language) -> None:
    session.keep(
        "hot_weeks",
        st.selectbox(
            t("wall.hot_period", lang),
            WEEKS,
            index=WEEKS.index(session.recall("hot_weeks", DEFAULT_WEEKS)),
            format_func=lambda n: t("wall.weeks", lang, n=n),
            key=f"hot_weeks_{lang}",
            label_visibility="collapsed",
        ),
    )
    known = categories.set_index("category")[f"name_{lang}"].to_dict()
    names: dict[str, str] = {code: str(known[code]) for code in list_groups(to_parents(categories))}
    asked: list[str] = session.recall("hot_kinds", [])
    session.keep(
        "hot_kinds",
        st.multiselect(
            t("wall.hot_kinds", lang),
            list(names),
            default=[kind for kind in asked if kind in names],
            format_func=lambda code: names.get(code, code),
            key=f"hot_kinds_{lang}",
            placeholder=t("wall.all_kinds", lang),
            label_visibility="collapsed",
        ),
    )


def _show_hot(store: Store, viewer: Viewer, frame: LocalFrame, question: HotQuestion, lang: Language) -> None:
    places = find_hot_places(store, viewer, question)
    if not places:
        st.caption(t("wall.hot_none" if get_info(store).incidents else "wall.hot_no_incidents", lang))
    for place in places:
        st.button(
            _say(place, lang),
            key=hot_id(place),
            on_click=_go_to,
            args=(place, frame),
            width="stretch",
        )
    st.caption(t("wall.hot_method", lang))


def _say(place: HotPlace, lang: Language) -> str:
    name = place.name if place.kind != "area" else t("wall.hot_area_named", lang, name=place.name)
    known = {"count": place.count, "expected": f"{place.expected:.1f}", "same": place.n_same_caller}
    reason = t(f"wall.reason_{place.reason}", lang, **known)
    return f"**{place.rank} · {escape_markdown(name)}**  \n{escape_markdown(reason)}"


def _go_to(place: HotPlace, frame: LocalFrame) -> None:
    session.select({"kind": "hot", "id": hot_id(place)}, target=build_hot_target(place, frame))

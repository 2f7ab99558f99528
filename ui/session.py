"""What a sitting remembers: language, selection, where the table was last told to fly. Ids only, never frames."""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

from data.runtime import get_runtime
from data.viewer import Viewer
from i18n import Language, check_language

T = TypeVar("T")

_SELECTED = "selected"
_FLY = "fly"


def get_viewer() -> Viewer | None:
    """Who looks, from the browser's cookies; None when nobody is signed in any more."""
    return get_runtime().find_viewer(st.context.cookies)


def get_language() -> Language:
    """
    Language of the sitting: the address says it (`?lang=en`), so that a wall keeps it after a power cut; where it says
    nothing, as after a change of page, what it said last.
    """
    said = st.query_params.get("lang")
    return keep("lang", check_language(said)) if said else check_language(recall("lang", ""))


def set_language(lang: str) -> None:
    st.query_params["lang"] = check_language(lang)


def get_selected() -> dict[str, str] | None:
    """`{kind, id}` of what is selected."""
    selected: dict[str, str] | None = st.session_state.get(_SELECTED)
    return selected


def get_fly() -> dict[str, Any] | None:
    """The last order to the camera; its number `n` tells the browser whether it is new."""
    fly: dict[str, Any] | None = st.session_state.get(_FLY)
    return fly


def select(picked: dict[str, str] | None, *, target: dict[str, Any] | None = None) -> None:
    """Select a place; `target` ({x, radius, outline}) also lights it, and moves the camera when it has `x`."""
    st.session_state[_SELECTED] = picked
    number = (get_fly() or {"n": 0})["n"] + 1
    st.session_state[_FLY] = {"n": number, "select": picked, **(target or {"outline": None})}


def forget_search() -> None:
    """Empty the search box: what it says is no longer what is shown. For callbacks only, as Streamlit wants it."""
    st.session_state["search"] = ""


def keep(name: str, value: T) -> T:
    """Remember a widget's value under our own name: a widget's words change with the language, its choice must not."""
    st.session_state[f"kept_{name}"] = value
    return value


def recall(name: str, default: T) -> T:
    """What `keep` remembered, else `default`."""
    value: T = st.session_state.get(f"kept_{name}", default)
    return value

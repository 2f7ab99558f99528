"""What a sitting of the commander's page remembers: which view, which place, what a zone's form begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui import session

VIEWS = ("meeting", "bench", "repeats", "methods", "zones", "report")
_VIEW, _PLACE, _DRAFT, _ZONE = "command_view", "command_place", "command_draft", "command_zone"
_GROUND, _CHAIN = "command_ground", "command_chain"


@dataclass(frozen=True)
class Prefill:
    """What the form of a new zone begins with; the outline as WKT, so that a sitting holds no geometry."""

    name: str = ""
    reason: str = ""
    wkt: str = ""
    kind: str = "beat"
    kinds: tuple[str, ...] = ()
    weight: float = 1.0
    subject_kind: str = ""
    """Of a task there: zone, building or unit, empty for a place in words"""
    subject_id: str = ""
    incidents: tuple[str, ...] = ()
    """Ids of the period's incidents there"""


def get_view() -> str:
    """The view that is shown."""
    return str(session.recall(_VIEW, VIEWS[0]))


def keep_view(view: Any) -> str:
    """Remember what was chosen."""
    return str(session.keep(_VIEW, view if view in VIEWS else VIEWS[0]))


def turn_to(view: str) -> None:
    """For callbacks: another view, whatever the control said last."""
    session.keep(_VIEW, view)
    st.session_state["command_turn"] = int(st.session_state.get("command_turn", 0)) + 1


def get_place() -> int | None:
    """Number of the chosen place."""
    number: int | None = session.recall(_PLACE, None)
    return number


def choose_place(number: int | None, *, view: str | None = None) -> None:
    """For callbacks."""
    session.keep(_PLACE, number)
    session.keep(_GROUND, None)
    if view is not None:
        turn_to(view)


def get_ground() -> str | None:
    """Key of the chosen place of any kind, e.g. building:B13."""
    key: str | None = session.recall(_GROUND, None)
    return key


def choose_ground(key: str | None) -> None:
    """For callbacks."""
    session.keep(_GROUND, key)
    session.keep(_PLACE, None)


def get_chain() -> int | None:
    """Number of the chosen chain of near repeats."""
    chain: int | None = session.recall(_CHAIN, None)
    return chain


def choose_chain(chain: int | None) -> None:
    """For callbacks."""
    session.keep(_CHAIN, chain)


def get_prefill() -> Prefill | None:
    """What the form begins with, None while no zone is being opened."""
    prefill: Prefill | None = st.session_state.get(_DRAFT)
    return prefill


def start_zone(prefill: Prefill | None) -> None:
    """For callbacks: open the form, or put it away."""
    st.session_state[_DRAFT] = prefill
    st.session_state["command_form"] = int(st.session_state.get("command_form", 0)) + 1
    if prefill is not None:
        turn_to("zones")


def get_zone() -> str | None:
    """Zone whose part of the list is open."""
    zone: str | None = session.recall(_ZONE, None)
    return zone


def choose_zone(zone_id: str | None) -> None:
    """For callbacks."""
    session.keep(_ZONE, zone_id)
    turn_to("zones")

"""What the page of calls remembers: which incident is shown; and the one way in and out of the store that it uses."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from data.store import Store, utc_now
from data.viewer import Viewer
from incidents.taking_in import TakingIn

PAGE = "intake"
_CASE = "intake_case"


@lru_cache(maxsize=1)
def get_taking_in(store: Store) -> TakingIn:
    """The way in; its places are built once for all sittings."""
    return TakingIn(store, utc_now)


def get_name(viewer: Viewer) -> str:
    """Who does it, as events keep it: an account's name, never a person's."""
    return viewer.name or viewer.role.value


def find_open_case() -> str | None:
    """The incident in the address (`?incident=…`), else what was chosen here."""
    said = st.query_params.get("incident")
    return said or st.session_state.get(_CASE)


def open_case(incident_id: str) -> None:
    """Show one incident."""
    st.session_state[_CASE] = incident_id


def close_case() -> None:
    """Back to the lists."""
    st.session_state.pop(_CASE, None)
    st.query_params.pop("incident", None)

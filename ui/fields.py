"""
What stands in a field at the moment of a press.

The arguments of a button are those of the page as it was drawn last. Who chooses and presses at once is a drawing
ahead of them: the fields' own values are new by then, the arguments are not. So what was typed or chosen is never
handed to a button; the press reads it here.
"""

from __future__ import annotations

import streamlit as st


def read_text(key: str) -> str:
    """What was typed, without the spaces around it; empty where nothing was, or where the field is not there."""
    return str(st.session_state.get(key) or "").strip()


def read_choice(key: str) -> str | None:
    """What was chosen; None where nothing was, or where the field is not there."""
    value = st.session_state.get(key)
    return None if value is None or value == "" else str(value)


def read_choices(key: str) -> list[str]:
    """Everything that was chosen, in its order."""
    return [str(one) for one in st.session_state.get(key) or ()]

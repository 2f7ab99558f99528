"""What a button's work has to say: kept from its callback to the run that follows, shown there once, then forgotten."""

from __future__ import annotations

from typing import Literal

import streamlit as st

NoteKind = Literal["done", "problem"]
_NOTE, _SECRET = "note", "shown_once"


def put_note(page: str, kind: NoteKind, text: str) -> None:
    """Say `text` at the head of `page`."""
    st.session_state[f"{page}_{_NOTE}"] = (kind, text)


def put_secret(page: str, title: str, secret: str, text: str) -> None:
    """Show a secret at the head of `page`, this once."""
    st.session_state[f"{page}_{_SECRET}"] = (title, secret, text)


def show_notes(page: str) -> None:
    """What was put for this page, in a place of its own: what follows is where it was, a chosen tab stays chosen."""
    note = st.session_state.pop(f"{page}_{_NOTE}", None)
    secret = st.session_state.pop(f"{page}_{_SECRET}", None)
    with st.container():
        if note is not None:
            (st.success if note[0] == "done" else st.error)(note[1])
        if secret is not None:
            with st.container(border=True, key=f"{page}_secret"):
                st.write(secret[0])
                st.code(secret[1], language=None)
                st.caption(secret[2])

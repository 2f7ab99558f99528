"""A file that was made for its asker: offered for download in the run of the page that made it, and in no later one."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from ui.exports import MIME


@dataclass(frozen=True)
class ReadyFile:
    """Name with ending, kind of content, and the bytes."""

    name: str
    mime: str
    content: bytes = field(repr=False)


def keep_file(stem: str, form: str, content: bytes) -> ReadyFile:
    """The file with the name that its format asks for."""
    return ReadyFile(f"{stem}.{form}", MIME[form], content)


def show_file(file: ReadyFile, text: str, label: str) -> None:
    """Offer it: pressing the button runs nothing, so that the file stays until the page is used otherwise."""
    with st.container(border=True, key="ready_file"):
        st.write(text)
        st.download_button(
            label, file.content, file_name=file.name, mime=file.mime, on_click="ignore", type="primary", key="ready"
        )

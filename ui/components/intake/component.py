"""
The form for taking calls, as a Streamlit component: all that happens while somebody types happens in the browser.

Streamlit's own widgets ask the server after each field, which is too slow for somebody with a telephone at the ear.
The form asks and sends by itself (server/hand_intake.py); the page is told which incident is to be shown.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from i18n import Language, section

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "shapan_intake",
    html='<div class="sh-intake"></div>',
    css=(_HERE / "intake.css").read_text(encoding="utf-8"),
    js=(_HERE / "intake.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show_form(kinds: pd.DataFrame, *, lang: Language, on_open: Callable[[], None]) -> Any:
    """
    Mount the form; the result carries `open` (id of an incident that is to be shown) for one run.

    `kinds` are the rows of `find_categories`.
    """
    strings = section("intake", lang)
    data = {"lang": lang, "strings": strings, "kinds": build_kinds(kinds, lang), "prefix": "/desk-intake"}
    return _mount(key="intake_form", data=data, on_open_change=on_open)


def build_kinds(kinds: pd.DataFrame, lang: Language) -> list[dict[str, str | None]]:
    """The tree as the form draws it."""
    columns = ("category", "parent", f"name_{lang}", "key", "urgency", "colour", "symbol")
    names = ("code", "parent", "name", "key", "urgency", "colour", "symbol")
    return [
        {
            name: value if isinstance(value, str) else None
            for name, value in zip(names, (row[column] for column in columns), strict=True)
        }
        for row in kinds.to_dict("records")
    ]

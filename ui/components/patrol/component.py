"""Routes of patrol plans on one or two maps under one clock: who is where when the slider stands there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "shapan_patrol",
    html='<div class="pt-patrol"></div>',
    css=(_HERE / "patrol.css").read_text(encoding="utf-8"),
    js=(_HERE / "patrol.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show_routes(data: dict[str, Any], *, key: str, on_picked: Callable[[], None] | None = None) -> Any:
    """Mount it (`ui/patrol_map.py` makes the data); the result carries `picked` (a stop's id) for one run."""
    return _mount(key=key, data=data, on_picked_change=on_picked or (lambda: None))

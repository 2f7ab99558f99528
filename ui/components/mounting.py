"""How a component of ours is mounted whose module comes from /assets/, so that it may import its parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

# Only the hook that Streamlit wants; the address of the module is in the component's data.
_JS = (
    "export default (component) => import(location.origin + component.data.module)"
    ".then((part) => part.render(component));"
)


def declare(name: str, css_class: str, styles: Sequence[Path]) -> Any:
    """A component `name` in an element of `css_class`; call what comes back with `key` and `data`."""
    return st.components.v2.component(
        name,
        html=f'<div class="{css_class}"></div>',
        css="\n".join(path.read_text(encoding="utf-8") for path in styles),
        js=_JS,
        isolate_styles=False,
    )

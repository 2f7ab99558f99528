"""The desk's end of the pairing: follows what the wall selects, shows there what is chosen here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from i18n import Language, section

_HERE = Path(__file__).parent
# The module itself comes from /assets/, so that it may import its parts; this is only the hook that Streamlit wants.
_JS = (
    "export default (component) => import(location.origin + component.data.module)"
    ".then((desk) => desk.render(component));"
)
_mount = st.components.v2.component(
    "shapan_desk_link",
    html='<div class="sf-desk"></div>',
    css=(_HERE / "desk.css").read_text(encoding="utf-8"),
    js=_JS,
    isolate_styles=False,
)


def show_desk_link(
    lang: Language, boot_id: str, selected: tuple[str, str] | None, *, on_picked: Callable[[], None]
) -> Any:
    """
    Mount it; the result carries `picked` ({kind, id}) for one run after the wall, the second screen or the tablet
    selected something. `selected` is what the page shows: kind and id, nothing else leaves it.
    """
    data = {
        "module": f"/assets/surfaces/desk.js?b={boot_id}",
        "lang": lang,
        "strings": section("surfaces", lang),
        "selected": None if selected is None else {"kind": selected[0], "id": selected[1]},
    }
    return _mount(key="desk_link", data=data, on_picked_change=on_picked)

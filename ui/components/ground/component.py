"""The plan on which gates and walls are drawn: SVG in the browser, whose gestures come back as one act each."""

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
    ".then((ground) => ground.render(component));"
)
_mount = st.components.v2.component(
    "shapan_ground",
    html='<div class="gr-ground"></div>',
    css=(_HERE / "ground.css").read_text(encoding="utf-8"),
    js=_JS,
    isolate_styles=False,
)


def show_ground(
    plan: dict[str, Any], lang: Language, boot_id: str, *, may_draw: bool, on_act: Callable[[], None]
) -> Any:
    """
    Mount it; the result carries `act` for one run after a gesture.

    An act is `what` (select, add_gate, add_wall, move_gate, move_wall, remove) with `table` and `id` of what it is
    about and `points` in metres east and south of the plan's corner, as `plan` has them (ui/ground_plan.py).
    """
    data = {
        "module": f"/assets/ground/ground.js?b={boot_id}",
        "strings": section("ground", lang),
        "plan": plan,
        "may": may_draw,
    }
    return _mount(key="ground", data=data, on_act_change=on_act)

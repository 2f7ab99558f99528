"""The plan on which gates and walls are drawn: SVG in the browser, whose gestures come back as one act each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from i18n import Language, section
from ui.components.mounting import declare

_HERE = Path(__file__).parent
_mount = declare("shapan_ground", "gr-ground", (_HERE / "ground.css",))


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

"""
A storey that is drawn over a photo of its plan: SVG in the browser, whose gestures come back as one act each.

The photo is opened in the browser and never leaves it: what is kept is what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from i18n import Language, section
from ui.components.mounting import declare

_HERE = Path(__file__).parent
_mount = declare("shapan_tracing", "tr-tracing", (_HERE / "tracing.css",))


def show_tracing(storey: dict[str, Any], lang: Language, boot_id: str, *, on_act: Callable[[], None]) -> Any:
    """
    Mount it; the result carries `act` for one run after a gesture.

    An act is `what` (add, remove) with `kind`, `name` and `points` in the building's frame (metres along and inwards)
    of what was drawn, or the `id` of what is taken off.
    """
    strings = {**section("plans", lang), **section("inside", lang)}
    data = {"module": f"/assets/tracing/tracing.js?b={boot_id}", "strings": strings, "storey": storey}
    return _mount(key="tracing", data=data, on_act_change=on_act)

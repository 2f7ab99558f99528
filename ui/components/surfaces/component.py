"""The desk's end of the pairing: follows what the wall selects, shows there what is chosen here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from i18n import Language, section
from ui.components.mounting import declare

_HERE = Path(__file__).parent
_mount = declare("shapan_desk_link", "sf-desk", (_HERE / "desk.css",))


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

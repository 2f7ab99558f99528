"""The sand table as a Streamlit component: its files are served by our own routes, its data are built here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.queries import CommunityInfo
from i18n import Language, section, t
from layers import SCENES, LocalFrame, build_deck, find_layer_scenes, find_layer_switches, scene_url
from layers.first import FIRST
from layers.freshness import FRESH_DAYS, OLD_DAYS
from layers.palette import DUE, FRESHNESS, GROUP_RENTAL, HOT, KEY_SITE, LAND, RENTAL, RESPONDER, USE, Colour
from ui.components.mounting import declare

_HERE = Path(__file__).parent
_STYLES = (_HERE / "table.css", _HERE / "alarms.css", _HERE / "replay.css", _HERE.parent / "surfaces" / "wall.css")
_STRINGS = ("table", "alarms", "surfaces", "replay")
_FETCHED = ("labels", "names", "grid_labels", "responders", "figures", "border", "grids", "key_sites", "hot")
_SWITCHES: tuple[tuple[str, str, Colour, bool], ...] = (
    ("buildings", "box", USE["residential"], True),
    ("rentals", "window", RENTAL, True),
    ("group_rentals", "diamond", GROUP_RENTAL, True),
    ("key_sites", "pin", KEY_SITE, True),
    ("hot", "hexagon", HOT, True),
    ("responders", "circle", RESPONDER, False),
    ("freshness", "box", FRESHNESS["fresh"], False),
    ("due_visits", "box", DUE["overdue"], False),
    ("zones", "beat", (95, 208, 180), True),
    ("grids", "grid", (120, 190, 236), True),
    ("roads", "line", (120, 140, 170), True),
    ("walls", "wall", (150, 162, 180), True),
    ("land", "land", LAND["water"], True),
    ("trees", "tree", (70, 130, 112), True),
    ("labels", "letters", (206, 220, 240), True),
)

_PLATES = {"fresh": "plate", "ageing": "plate-narrow", "old": "plate-rest"}
"""Form of the swatch of each age: as much of the roof as its plate covers."""
_MODEL: tuple[str, str, Colour, bool] = ("model", "box", (190, 176, 150), False)
"""The photographic model, where the office mounted one: instead of the plain buildings."""

_mount = declare("shapan_table", "shapan-table", _STYLES)


def show_table(data: dict[str, Any], *, on_picked: Callable[[], None], on_language: Callable[[], None]) -> Any:
    """Mount the table; its result carries `picked` ({kind, id}) and `language` for one run after the event."""
    return _mount(key="table", data=data, on_picked_change=on_picked, on_language_change=on_language)


def build_table_data(
    info: CommunityInfo,
    frame: LocalFrame,
    revisions: dict[str, int],
    uses: list[str],
    *,
    lang: Language,
    boot_id: str,
    params: dict[str, str],
    fly: dict[str, Any] | None,
    idle_s: int,
    menu: dict[str, Any],
    is_kiosk: bool,
    model: str | None = None,
) -> dict[str, Any]:
    """Everything that the browser's half is given: strings, deck, addresses of scene files, where to fly."""
    files = {name: scene_url(name, revisions, lang=lang, boot_id=boot_id, params=params) for name in _FETCHED}
    return {
        "lang": lang,
        "strings": {name: text for part in _STRINGS for name, text in section(part, lang).items()},
        "module": f"/assets/table.js?b={boot_id}",
        "renderer": "/vendor/deck.js",
        "events": "/events",
        "deck": build_deck(frame, revisions, lang=lang, boot_id=boot_id, params=params),
        "layerSwitch": find_layer_switches(),
        "layerScene": find_layer_scenes(),
        "sceneTables": {name: list(scene.tables) for name, scene in SCENES.items()},
        "files": files,
        "alarms": scene_url("alarms", revisions, lang=lang, boot_id=boot_id),
        "first": list(FIRST),
        "asked": [name for name, scene in SCENES.items() if scene.params],
        "revision": max(revisions.values(), default=0),
        "frame": {"lon": frame.lon, "lat": frame.lat},
        "community": {"name": info.name, "synthetic": info.synthetic, "drill": info.drill},
        "switches": [
            {
                "id": name,
                "shape": shape,
                "color": _css(colour),
                "on": on,
                "label": t(f"wall.layer_{name}", lang),
                "key": _build_key(name, lang),
            }
            for name, shape, colour, on in (*_SWITCHES, *([_MODEL] if model else []))
        ],
        "uses": [{"label": t(f"terms.use.{use}", lang), "color": _css(USE[use])} for use in uses if use in USE],
        "fly": fly,
        "idleS": idle_s,
        "kiosk": is_kiosk,
        "model": model,
        "menu": menu,
    }


def _build_key(switch: str, lang: Language) -> list[dict[str, str]]:
    """What each colour of a layer that has several means, with a form of its own."""
    if switch == "freshness":
        return [
            {"shape": _PLATES[age], "color": _css(colour),
             "label": t(f"wall.freshness_{age}", lang, fresh=FRESH_DAYS, next=FRESH_DAYS + 1, old=OLD_DAYS)}
            for age, colour in FRESHNESS.items()
        ]  # fmt: skip
    if switch == "due_visits":
        return [
            {"shape": "plate", "color": _css(colour), "label": t(f"wall.due_{when}", lang)}
            for when, colour in DUE.items()
        ]  # on the table each of them says its counts in words
    return []


def _css(colour: Colour) -> str:
    return f"rgb({colour[0]},{colour[1]},{colour[2]})"

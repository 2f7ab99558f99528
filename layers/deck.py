"""
The deck: every layer of the table in drawing order, as pydeck's JSON. Data come by URL, so that it stays small.

The browser changes only `visible` and the version in a layer's URL; the rest is the same for a whole sitting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pydeck as pdk

from i18n import Language
from layers.deck_layer import build_layer
from layers.frame import LocalFrame
from layers.palette import PAGE
from layers.scenes import SCENES

MAX_ZOOM = 24  # the renderer's own limit of 20 is too far for 1:300 on fine screens

_MATT = {"ambient": 0.62, "diffuse": 0.58, "shininess": 12, "specularColor": [20, 26, 34]}
_GLOW = False  # unlit: it glows, and costs a machine without a graphics card a third of a lit solid

# A warm evening sun from the south-west, as the drawn shadows say, and a cool sky opposite.
_LIGHT = {
    "@@type": "LightingEffect",
    "sky": {"@@type": "AmbientLight", "color": [214, 226, 255], "intensity": 1.0},
    "sun": {"@@type": "DirectionalLight", "color": [255, 228, 196], "intensity": 1.55, "direction": [1.0, 1.3, -1.5]},
    "fill": {
        "@@type": "DirectionalLight",
        "color": [120, 160, 255],
        "intensity": 0.55,
        "direction": [-2.0, -0.4, -1.2],
    },
}


@dataclass(frozen=True)
class Drawn:
    """One layer: which scene feeds it, which switch of the legend it belongs to, and how it is drawn."""

    layer_id: str
    scene: str
    switch: str
    kind: str
    accessors: dict[str, str]
    constants: dict[str, object]


def _flat(layer_id: str, scene: str, switch: str, **constants: object) -> Drawn:
    accessors = {"get_polygon": "p", "get_fill_color": "c"}
    return Drawn(layer_id, scene, switch, "SolidLayer", accessors, {"extruded": False, **constants})


def _solid(layer_id: str, scene: str, switch: str, **constants: object) -> Drawn:
    accessors = {"get_polygon": "p", "get_elevation": "h", "get_fill_color": "c"}
    return Drawn(layer_id, scene, switch, "SolidLayer", accessors, {"extruded": True, "material": _MATT, **constants})


def _line(layer_id: str, scene: str, switch: str, **constants: object) -> Drawn:
    accessors = {"get_path": "l", "get_color": "c"}
    defaults: dict[str, object] = {"width_units": "pixels", "get_width": 2, "joint_rounded": True, "cap_rounded": True}
    return Drawn(layer_id, scene, switch, "PathLayer", accessors, {**defaults, **constants})


_ON_GROUND = {"parameters": {"depthCompare": "always", "depthWriteEnabled": False}}

DRAWN: tuple[Drawn, ...] = (
    _flat("ground", "ground", "base", **_ON_GROUND),
    _flat("land", "land", "land", **_ON_GROUND),
    _flat("roads", "roads", "roads", **_ON_GROUND),
    _flat("shadows", "shadows", "buildings", **_ON_GROUND),
    _flat("grids-face", "grids", "base", opacity=0.0, pickable=True, **_ON_GROUND),
    _line("grids", "grids", "grids", get_width=1.5, **_ON_GROUND),
    _flat("zones-face", "zones", "zones", **_ON_GROUND),
    Drawn(
        "zones", "zones", "zones", "PathLayer", {"get_path": "l", "get_color": "e"},
        {"width_units": "pixels", "get_width": 2.5, "joint_rounded": True, "cap_rounded": True, **_ON_GROUND},
    ),
    _line("border", "border", "base", get_width=3, **_ON_GROUND),
    _solid("walls", "walls", "walls"),
    Drawn(
        "gates", "gates", "walls", "SolidLayer", {"get_polygon": "p", "get_elevation": "h"},
        {"extruded": True, "material": _GLOW, "get_fill_color": [150, 200, 214], "pickable": True},
    ),
    Drawn(
        "trees", "trees", "trees", "SimpleMeshLayer", {"get_position": "x", "get_scale": "[h * 0.85, h * 0.85, h]"},
        {"mesh": "@@#SHAPAN.TREE", "get_color": [44, 84, 76], "material": _MATT},
    ),
    Drawn(
        "buildings", "buildings", "buildings", "FacadeLayer",
        {"get_polygon": "p", "get_elevation": "h", "get_fill_color": "c", "get_floor": "f"},
        {
            "extruded": True, "pickable": True, "material": _MATT, "auto_highlight": True,
            "highlight_color": [160, 200, 255, 60],
        },
    ),
    _solid("parapets", "parapets", "buildings", pickable=True),
    Drawn(
        "gables", "gables", "buildings", "SolidLayer", {"get_polygon": "p", "get_fill_color": "c"},
        {"extruded": False, "_full3d": True, "pickable": True},
    ),
    Drawn(
        "rentals", "rentals", "rentals", "SolidLayer", {"get_polygon": "p", "get_fill_color": "c"},
        {"extruded": False, "_full3d": True, "pickable": True},
    ),
    _solid("group-rentals", "group_rentals", "group_rentals", material=_GLOW, pickable=True),
    _solid("key-sites", "key_sites", "key_sites", material=_GLOW, pickable=True),
    _solid("freshness", "freshness", "freshness", opacity=0.85, pickable=True),
    _solid("due", "due_visits", "due_visits", opacity=0.9, pickable=True),
    Drawn(
        "hot", "hot_curtains", "hot", "CurtainLayer",
        {"get_polygon": "p", "get_elevation": "h", "get_floor": "h", "get_fill_color": "c"},
        {"extruded": True, "material": _GLOW, "parameters": {"depthWriteEnabled": False, "cullMode": "none"}},
    ),
)  # fmt: skip


def scene_url(
    scene: str,
    revisions: Mapping[str, int],
    *,
    lang: Language,
    boot_id: str,
    params: Mapping[str, str] | None = None,
) -> str:
    """Address of a scene file at the revision of its tables; of `params` those that the scene understands."""
    version = max((revisions.get(table, 0) for table in SCENES[scene].tables), default=0)
    known = {name: value for name, value in (params or {}).items() if name in SCENES[scene].params and value}
    return f"/scene/{scene}.json?{urlencode({'v': version, 'lang': lang, 'b': boot_id, **known})}"


def build_deck(
    frame: LocalFrame,
    revisions: Mapping[str, int],
    *,
    lang: Language,
    boot_id: str,
    params: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """
    The deck as the renderer's JSON.

    Parameters
    ----------
    frame
        Origin of the table.
    revisions
        Last revision of each table.
    lang
        Language of what the scenes say.
    boot_id
        Start of the process, part of each address.
    params
        What scenes are asked beside the language, e.g. the period of the hot places.
    """
    origin = (frame.lon, frame.lat)
    layers = [
        build_layer(
            drawn.kind,
            drawn.layer_id,
            scene_url(drawn.scene, revisions, lang=lang, boot_id=boot_id, params=params),
            origin,
            accessors=drawn.accessors,
            **drawn.constants,
        )
        for drawn in DRAWN
    ]
    deck = pdk.Deck(
        layers=layers,
        views=[pdk.View("MapView", controller=True)],
        initial_view_state=pdk.ViewState(
            longitude=frame.lon, latitude=frame.lat, zoom=16, pitch=52, bearing=-18, max_zoom=MAX_ZOOM, max_pitch=75
        ),
        map_provider=None,
        parameters={"clearColor": [*(c / 255 for c in PAGE[:3]), 1]},
    )
    spec: dict[str, Any] = json.loads(deck.to_json())
    return {**spec, "effects": [_LIGHT]}


def find_layer_switches() -> dict[str, str]:
    """Switch of the legend that each layer belongs to."""
    return {drawn.layer_id: drawn.switch for drawn in DRAWN}


def find_layer_scenes() -> dict[str, str]:
    """Scene file that each layer draws."""
    return {drawn.layer_id: drawn.scene for drawn in DRAWN}

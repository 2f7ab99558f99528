"""What a browser needs to draw the first picture of the wall before the page itself is there: ground and buildings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from i18n import Language
from layers.deck import build_deck, find_layer_scenes, find_layer_switches, scene_url
from layers.frame import LocalFrame
from layers.scenes import SCENES

# Each further kind of layer costs a machine without a graphics card half a second before its first frame.
FIRST = ("ground", "land", "roads", "shadows", "buildings")
RENDERER = "/vendor/deck.js"
_FRAMED_BY = "border"  # the camera begins where all of it is seen


def build_first(frame: LocalFrame, revisions: Mapping[str, int], *, lang: Language, boot_id: str) -> dict[str, Any]:
    """Deck, addresses and frame of the first picture, named as in the table's own data."""
    deck = build_deck(frame, revisions, lang=lang, boot_id=boot_id)
    scenes, switches = find_layer_scenes(), find_layer_switches()
    named = {scenes[layer] for layer in FIRST} | {_FRAMED_BY}
    return {
        "lang": lang,
        "renderer": RENDERER,
        "first": list(FIRST),
        "deck": {**deck, "layers": [layer for layer in deck["layers"] if layer["id"] in FIRST]},
        "layerScene": {layer: scenes[layer] for layer in FIRST},
        "layerSwitch": {layer: switches[layer] for layer in FIRST},
        "files": {name: scene_url(name, revisions, lang=lang, boot_id=boot_id) for name in sorted(named)},
        "sceneTables": {name: list(SCENES[name].tables) for name in sorted(named)},
        "frame": {"lon": frame.lon, "lat": frame.lat},
    }

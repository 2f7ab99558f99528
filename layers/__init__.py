"""Drawing: frame, records in local metres, pydeck layer, deck. One file per layer."""

from layers.deck import build_deck, find_layer_scenes, find_layer_switches, scene_url
from layers.frame import LocalFrame, NoCommunityError, build_frame
from layers.scene import Scene
from layers.scenes import SCENES

__all__ = [
    "SCENES",
    "LocalFrame",
    "NoCommunityError",
    "Scene",
    "build_deck",
    "build_frame",
    "find_layer_scenes",
    "find_layer_switches",
    "scene_url",
]

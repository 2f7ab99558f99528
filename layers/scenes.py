"""Every scene file by its name."""

from __future__ import annotations

from layers.alarms import ALARMS
from layers.buildings import BUILDINGS, GABLES, PARAPETS, SHADOWS
from layers.directory import DIRECTORY
from layers.due import DUE_VISITS
from layers.figures import FIGURES
from layers.freshness import FRESHNESS_SCENE
from layers.grids import GRIDS
from layers.ground import BORDER_SCENE, GROUND
from layers.hot import HOT_CURTAINS, HOT_PLACES
from layers.inside import INSIDE
from layers.key_sites import KEY_SITES
from layers.labels import GRID_LABELS, LABELS, NAMES
from layers.land import LAND_SCENE, TREES
from layers.rentals import GROUP_RENTALS, RENTALS
from layers.replay import REPLAY
from layers.responders import RESPONDERS
from layers.roads import ROADS
from layers.scene import Scene
from layers.walls import GATES, WALLS
from layers.zones import ZONES

SCENES: dict[str, Scene] = {
    scene.name: scene
    for scene in (
        GROUND, BORDER_SCENE, LAND_SCENE, TREES, ROADS, WALLS, GATES, GRIDS, ZONES, SHADOWS, BUILDINGS, GABLES,
        PARAPETS, RENTALS, GROUP_RENTALS, KEY_SITES, HOT_CURTAINS, HOT_PLACES, LABELS, NAMES, GRID_LABELS, RESPONDERS,
        FIGURES, ALARMS, DIRECTORY, INSIDE, REPLAY, FRESHNESS_SCENE, DUE_VISITS,
    )
}  # fmt: skip

"""The community's ground and its boundary."""

from __future__ import annotations

from data.queries import find_boundary
from layers.palette import BORDER, EARTH
from layers.records import to_polygons
from layers.scene import Records, Scene, SceneRequest


def _build_ground(request: SceneRequest) -> Records:
    polygons, _ = to_polygons(find_boundary(request.store, request.viewer).geometry, request.frame)
    return [{"p": polygon, "c": EARTH} for polygon in polygons]


def _build_border(request: SceneRequest) -> Records:
    polygons, _ = to_polygons(find_boundary(request.store, request.viewer).geometry, request.frame)
    return [{"l": ring, "c": BORDER} for polygon in polygons for ring in polygon]


GROUND = Scene("ground", ("community",), _build_ground)
BORDER_SCENE = Scene("border", ("community",), _build_border)

"""Grids: an outline, and a face that can be picked."""

from __future__ import annotations

from data.queries import find_grids
from layers.palette import GRID_LINE
from layers.records import lift, to_polygons
from layers.scene import Records, Scene, SceneRequest


def _build(request: SceneRequest) -> Records:
    frame = find_grids(request.store, request.viewer)
    polygons, owners = to_polygons(frame.geometry, request.frame)
    ids, names = frame["grid_id"].tolist(), frame["name"].tolist()
    return [
        {"p": polygon, "l": lift(polygon[:1], 0.25)[0], "c": GRID_LINE, "id": ids[owner], "n": names[owner]}
        for polygon, owner in zip(polygons, owners, strict=True)
    ]


GRIDS = Scene("grids", ("grids", "community"), _build)

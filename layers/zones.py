"""Open beats and repeat-alarm zones: a calm outline with a faint face on the ground, and no word of who or why."""

from __future__ import annotations

from data.queries import find_zones
from layers.palette import ZONE_FACE, ZONE_LINE
from layers.records import lift, to_polygons
from layers.scene import Records, Scene, SceneRequest


def _build(request: SceneRequest) -> Records:
    frame = find_zones(request.store, request.viewer)
    polygons, owners = to_polygons(frame.geometry, request.frame)
    ids, names = frame["zone_id"].tolist(), frame["name"].tolist()
    return [
        {
            "p": polygon,
            "l": lift(polygon[:1], 0.3)[0],
            "c": ZONE_FACE,
            "e": ZONE_LINE,
            "id": ids[owner],
            "n": names[owner],
        }
        for polygon, owner in zip(polygons, owners, strict=True)
    ]


ZONES = Scene("zones", ("zones", "community"), _build)

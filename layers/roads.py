"""Roads and paths as lines as wide as they are; wide ones under narrow ones would hide them, so they come first."""

from __future__ import annotations

from data.queries import find_roads
from layers.palette import ROAD
from layers.records import to_lines
from layers.scene import Records, Scene, SceneRequest


def _build(request: SceneRequest) -> Records:
    frame = find_roads(request.store, request.viewer).sort_values("width_m", kind="stable").reset_index(drop=True)
    lines, owners = to_lines(frame.geometry, request.frame)
    kinds, widths = frame["kind"].tolist(), frame["width_m"].tolist()
    return [
        {"l": line, "w": widths[owner], "c": ROAD.get(kinds[owner], ROAD["other"])}
        for line, owner in zip(lines, owners, strict=True)
    ]


ROADS = Scene("roads", ("roads", "community"), _build)

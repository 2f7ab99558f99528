"""Walls and fences as thin solids; gates as two posts that are open or can close."""

from __future__ import annotations

from data.queries import find_gates, find_walls
from layers.palette import FENCE, WALL
from layers.records import lift, to_hours, to_points, to_polygons, to_texts
from layers.scene import Records, Scene, SceneRequest

_WALL_HALF_M = 0.15
_POST_HALF_M = 0.45
_POST_SPAN_M = {"vehicle": 3.2, "emergency": 2.4, "pedestrian": 1.2}


def _build_walls(request: SceneRequest) -> Records:
    frame = find_walls(request.store, request.viewer)
    polygons, owners = to_polygons(
        frame.simplify(0.1).buffer(_WALL_HALF_M, cap_style="flat", join_style="mitre"), request.frame
    )
    kinds, heights = frame["kind"].tolist(), frame["height_m"].tolist()
    return [
        {"p": lift(polygon, 0.0), "h": heights[owner], "c": FENCE if kinds[owner] == "fence" else WALL}
        for polygon, owner in zip(polygons, owners, strict=True)
    ]


def _build_gates(request: SceneRequest) -> Records:
    frame = find_gates(request.store, request.viewer)
    hours = to_hours(frame["closes_at"], frame["opens_at"])
    columns = zip(frame["gate_id"], to_texts(frame["name"]), frame["kind"], hours, strict=True)
    records: list[dict[str, object]] = []
    for (x, y), (gate_id, name, kind, closed) in zip(to_points(frame.geometry, request.frame), columns, strict=True):
        span = _POST_SPAN_M.get(kind, 1.2)
        posts = [
            [[cx - _POST_HALF_M, y - _POST_HALF_M], [cx + _POST_HALF_M, y - _POST_HALF_M],
             [cx + _POST_HALF_M, y + _POST_HALF_M], [cx - _POST_HALF_M, y + _POST_HALF_M]]
            for cx in (x - span, x + span)
        ]  # fmt: skip
        records += [{"p": post, "h": 3.6, "id": gate_id, "n": name, "closed": closed, "x": [x, y]} for post in posts]
    return records


WALLS = Scene("walls", ("walls", "community"), _build_walls)
GATES = Scene("gates", ("gates", "community"), _build_gates)

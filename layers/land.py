"""Green, water, squares, pitches and parking on the ground; trees as points with a height."""

from __future__ import annotations

from data.queries import find_land
from layers.palette import LAND
from layers.records import to_points, to_polygons, to_texts
from layers.scene import Records, Scene, SceneRequest

_ORDER = {"green": 0, "parking": 1, "square": 1, "pitch": 2, "water": 3}
_TREE_HEIGHT_M = 7.0  # a street tree of middle age, where the source does not say


def _build_land(request: SceneRequest) -> Records:
    frame = find_land(request.store, request.viewer)
    frame = frame[frame["kind"] != "tree"].reset_index(drop=True)
    polygons, owners = to_polygons(frame.geometry, request.frame)
    kinds, names = frame["kind"].tolist(), to_texts(frame["name"])
    records: list[dict[str, object]] = [
        {"p": polygon, "k": kinds[owner], "c": LAND.get(kinds[owner], LAND["green"]), "n": names[owner]}
        for polygon, owner in zip(polygons, owners, strict=True)
    ]
    return sorted(records, key=lambda record: _ORDER.get(str(record["k"]), 0))


def _build_trees(request: SceneRequest) -> Records:
    frame = find_land(request.store, request.viewer)
    frame = frame[frame["kind"] == "tree"]
    heights = frame["height_m"].astype("float64").fillna(_TREE_HEIGHT_M).round(1).tolist()
    return [
        {"x": [x, y], "h": height}
        for (x, y), height in zip(to_points(frame.geometry, request.frame), heights, strict=True)
    ]


LAND_SCENE = Scene("land", ("land", "community"), _build_land)
TREES = Scene("trees", ("land", "community"), _build_trees)

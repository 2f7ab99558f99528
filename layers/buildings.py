"""
Buildings: bodies of true height, roofs, and the shadow that a sun in the south-west lays on the ground.

Old walk-ups carry pitched tile roofs. Where the source gives a height that leaves room for the storeys, that is the
ridge; else, and where height came from floors x 3.0 m, it is the eave and the roof stands on it. Heights that nobody
measured are drawn lighter and plain.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry import Polygon

from data.prints import find_print
from data.queries import find_bodies, find_buildings
from data.store import Store
from data.viewer import Viewer
from layers.drawn import BODIES, SHAPES
from layers.palette import ROOF, SHADOW, USE, Colour, lighten
from layers.records import lift, to_polygons
from layers.scene import Records, Scene, SceneRequest

SLABS_BELOW = 2_000  # more buildings than this are plain boxes: an office machine must still turn the table
_ROOF_RISE_M = 2.2
_EAVE_OVERHANG_M = 0.5
_LEAST_STOREY_M = 2.75  # where storeys of at least this do not fit under it, a measured height is the eave's
_PARAPET_M = 0.7
_RECTANGLE_SHARE = 0.93  # of its own minimal rectangle: what counts as a plain slab that can carry a gable
_SUN_AZIMUTH_DEG = 225.0  # clockwise from grid north; where the light comes from
_SHADOW_LENGTH = 0.55  # metres of shadow for a metre of height: long enough to read, short enough to stay in the row
_SHADOW_MAX_M = 30.0  # a true tower's shadow would hide the rows behind it
_LIGHT = np.array([-0.45, -0.55, 0.70]) / np.linalg.norm([-0.45, -0.55, 0.70])

Columns = Mapping[str, Any]
"""Of buildings, by name: plain lists, or a frame's."""


def find_touched_bodies(request: SceneRequest) -> Columns:
    """The buildings of a request, by column; some of them are read once for all scenes that show them."""
    if request.only is None:
        return find_bodies(request.store, request.viewer)
    revision = request.store.revision("buildings", "addresses")
    return _find_some(request.store, request.viewer, request.only, revision)


@lru_cache(maxsize=4)
def _find_some(store: Store, viewer: Viewer, only: frozenset[str], _revision: int) -> Columns:
    return find_bodies(store, viewer, only=only)


def count_buildings(store: Store) -> int:
    """Of the whole community."""
    return find_print(store, "buildings", BODIES["buildings"])[0]


def _has_pitched_roof(found: Columns) -> np.ndarray[Any, Any]:
    is_pitched = np.array([roof == "tile" for roof in found["roof"]], dtype=bool)
    tiled = np.asarray(found["geom"], dtype=object)[is_pitched]
    rectangles = shapely.area(shapely.oriented_envelope(tiled))
    is_pitched[is_pitched] = shapely.area(tiled) > _RECTANGLE_SHARE * np.where(rectangles > 0, rectangles, np.inf)
    return is_pitched


def _body_heights(found: Columns) -> np.ndarray[Any, Any]:
    heights = np.asarray(found["height_m"], dtype=float)
    storeys = np.asarray(found["floors_above"], dtype=float) * _LEAST_STOREY_M
    eaves = heights - _ROOF_RISE_M
    is_measured = np.array([source == "file" for source in found["height_source"]], dtype=bool)
    is_ridge = is_measured & (eaves >= storeys)
    return np.where(_has_pitched_roof(found) & is_ridge, eaves, heights)


def _build_bodies(request: SceneRequest) -> Records:
    found = find_touched_bodies(request)
    polygons, owners = to_polygons(found["geom"], request.frame)
    detail = count_buildings(request.store) < SLABS_BELOW
    tops, bases = _body_heights(found).round(2).tolist(), np.asarray(found["base_m"], dtype=float).round(2).tolist()
    assumed = [
        pair == ("assumed", "assumed") for pair in zip(found["height_source"], found["floors_source"], strict=True)
    ]
    uses, floors, ids = found["use"], found["floors_above"], found["building_id"]
    records: list[dict[str, object]] = []
    for polygon, i in zip(polygons, owners, strict=True):
        colour = USE.get(uses[i], USE["unknown"])
        records.append(
            {
                "p": lift(polygon, bases[i]),
                "h": round(tops[i] - bases[i], 2),
                "c": lighten(colour, 0.30) if assumed[i] else colour,
                "f": 0 if assumed[i] or not detail else round((tops[i] - bases[i]) / max(floors[i], 1), 2),
                "id": ids[i],
                "n": (found["zone"][i] or "") + (found["name"][i] or ""),
                "a": found["address"][i] or "",
                "u": uses[i],
            }
        )
    return records


def _shade(colour: Colour, normal: np.ndarray[Any, Any]) -> Colour:
    light = 0.62 + 0.55 * max(0.0, float(normal @ _LIGHT))
    red, green, blue = (min(255, round(c * light)) for c in colour[:3])
    return (red, green, blue)


def _gable(rectangle: Polygon, eave_m: float, ridge_m: float) -> list[tuple[list[list[float]], Colour]]:
    """Faces of a gable roof over a rectangle of local metres, with their lit colours."""
    a, b, c, d = (np.array(p) for p in list(rectangle.exterior.coords)[:4])
    if np.linalg.norm(b - a) < np.linalg.norm(c - b):
        a, b, c, d = b, c, d, a
    middle_1, middle_2 = (a + d) / 2, (b + c) / 2
    inset = (middle_2 - middle_1) / np.linalg.norm(middle_2 - middle_1) * 0.3
    e = [np.append(p, eave_m) for p in (a, b, c, d)]
    r1, r2 = np.append(middle_1 + inset, ridge_m), np.append(middle_2 - inset, ridge_m)
    faces = []
    for corners in ([e[0], e[1], r2, r1], [e[2], e[3], r1, r2], [e[1], e[2], r2], [e[3], e[0], r1]):
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        length = float(np.linalg.norm(normal))
        if length == 0:
            continue
        normal = normal / length if normal[2] >= 0 else -normal / length
        faces.append(([np.round(p, 2).tolist() for p in [*corners, corners[0]]], _shade(ROOF["tile"], normal)))
    return faces


def _build_gables(request: SceneRequest) -> Records:
    frame = find_buildings(request.store, request.viewer)
    if len(frame) >= SLABS_BELOW:
        return []
    frame = frame.assign(eave_m=_body_heights(frame))[_has_pitched_roof(frame)]
    rectangles = frame.buffer(_EAVE_OVERHANG_M, join_style="mitre").minimum_rotated_rectangle()
    polygons, owners = to_polygons(rectangles, request.frame)
    eaves, tops, bodies = frame["eave_m"].tolist(), frame["height_m"].tolist(), frame["building_id"].tolist()
    records: list[dict[str, object]] = []
    for polygon, i in zip(polygons, owners, strict=True):
        ridge = max(tops[i], eaves[i] + _ROOF_RISE_M) if tops[i] == eaves[i] else tops[i]
        records += [
            {"p": face, "c": colour, "id": bodies[i]} for face, colour in _gable(Polygon(polygon[0]), eaves[i], ridge)
        ]
    return records


def _build_parapets(request: SceneRequest) -> Records:
    """A thin lip on flat roofs, so that an edge catches the light."""
    frame = find_buildings(request.store, request.viewer)
    if len(frame) >= SLABS_BELOW:
        return []
    frame = frame.assign(top_m=_body_heights(frame))[~_has_pitched_roof(frame)]
    assumed = ((frame["height_source"] == "assumed") & (frame["floors_source"] == "assumed")).tolist()
    polygons, owners = to_polygons(frame.geometry.buffer(0.3, join_style="mitre"), request.frame)
    tops, ids = frame["top_m"].round(2).tolist(), frame["building_id"].tolist()
    return [
        {
            "p": lift(polygon, tops[i]),
            "h": _PARAPET_M,
            "c": lighten(ROOF["plain"], 0.2) if assumed[i] else ROOF["flat"],
            "id": ids[i],
        }
        for polygon, i in zip(polygons, owners, strict=True)
    ]


def _build_shadows(request: SceneRequest) -> Records:
    frame = find_buildings(request.store, request.viewer)
    is_plain = len(frame) >= SLABS_BELOW
    frame = frame[frame["base_m"] < 1.0]
    if frame.empty or is_plain:
        return []
    reach = np.minimum(frame["height_m"].to_numpy(dtype=float) * _SHADOW_LENGTH, _SHADOW_MAX_M)
    away = np.deg2rad(_SUN_AZIMUTH_DEG + 180.0)
    parts, owners = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    coordinates, point_owners = shapely.get_coordinates(parts, return_index=True)
    step = reach[owners][point_owners][:, None] * (np.sin(away), np.cos(away))
    both = _sweep(parts, coordinates, coordinates + step, point_owners)
    merged = gpd.GeoSeries([shapely.union_all(shapely.make_valid(both))], crs=frame.crs).simplify(0.05)
    polygons, _ = to_polygons(merged, request.frame)
    return [{"p": polygon, "c": SHADOW} for polygon in polygons]


def _sweep(
    parts: np.ndarray[Any, Any],
    start: np.ndarray[Any, Any],
    end: np.ndarray[Any, Any],
    owners: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    """What each part covers on its way from `start` to `end`: each edge draws a parallelogram."""
    edge = np.flatnonzero(owners[:-1] == owners[1:])
    quads = np.stack([start[edge], start[edge + 1], end[edge + 1], end[edge], start[edge]], axis=1)
    moved = shapely.transform(parts, lambda _: end)
    drawn = np.asarray(shapely.polygons(quads))
    return np.concatenate([drawn[shapely.area(drawn) > 0], parts, moved])


BUILDINGS = Scene(
    "buildings",
    ("buildings", "community", "addresses"),
    _build_bodies,
    draws=BODIES,
    keyed="buildings",
    is_row_new_all=True,  # one more may be one too many for windows and storeys
)
GABLES = Scene("gables", ("buildings", "community"), _build_gables, draws=SHAPES)
PARAPETS = Scene("parapets", ("buildings", "community"), _build_parapets, draws=SHAPES)
SHADOWS = Scene("shadows", ("buildings", "community"), _build_shadows, draws=SHAPES)

"""What a tablet chooses from: buildings with their outlines, grids, key sites, by name."""

from __future__ import annotations

from data.queries import find_buildings, find_grids, find_key_sites
from i18n import term
from layers.drawn import FRAME
from layers.records import to_polygons, to_texts
from layers.scene import Records, Scene, SceneRequest


def _build(request: SceneRequest) -> Records:
    buildings = find_buildings(request.store, request.viewer)
    polygons, owners = to_polygons(buildings.geometry.simplify(0.3), request.frame)
    rings: list[list[list[list[float]]]] = [[] for _ in range(len(buildings))]
    for polygon, owner in zip(polygons, owners, strict=True):
        rings[owner].append(polygon[0])
    grids = find_grids(request.store, request.viewer)
    grid_polygons, grid_owners = to_polygons(grids.geometry.simplify(0.3), request.frame)
    outlines: list[list[list[list[float]]]] = [[] for _ in range(len(grids))]
    for polygon, owner in zip(grid_polygons, grid_owners, strict=True):
        outlines[owner].append(polygon[0])
    sites = find_key_sites(request.store, request.viewer)
    names = [
        f"{zone}{name}" for zone, name in zip(to_texts(buildings["zone"]), to_texts(buildings["name"]), strict=True)
    ]
    return {
        "buildings": [
            {"id": one, "n": name, "g": grid, "p": ring}
            for one, name, grid, ring in zip(
                buildings["building_id"], names, to_texts(buildings["grid_id"]), rings, strict=True
            )
        ],
        "grids": [
            {"id": one, "k": int(number), "n": name, "p": ring}
            for one, number, name, ring in zip(grids["grid_id"], grids["number"], grids["name"], outlines, strict=True)
        ],
        "sites": [
            {"id": one, "n": name, "k": term("site_kind", kind, request.lang), "b": building}
            for one, name, kind, building in zip(
                sites["site_id"], sites["name"], sites["kind"], to_texts(sites["building_id"]), strict=True
            )
        ],
    }


DIRECTORY = Scene(
    "directory",
    ("buildings", "grids", "key_sites", "community"),
    _build,
    draws={
        "buildings": "building_id, name, zone, grid_id, geom",
        "grids": "grid_id, number, name, geom",
        "key_sites": "site_id, name, kind, building_id",
        **FRAME,
    },
    is_told=False,
)

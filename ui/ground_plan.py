"""The plan of the map page: quiet ground, buildings and roads, with the gates and walls that are drawn on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from data.queries import find_boundary, find_buildings, find_gates, find_roads, find_walls
from data.store import Store
from data.viewer import Viewer

_MARGIN_M = 40.0


@dataclass(frozen=True)
class Plane:
    """Metres of the CRS against metres east and south of the plan's corner, as SVG counts."""

    west_m: float
    north_m: float

    def to_plan(self, coordinates: Any) -> list[list[float]]:
        """CRS coordinates, shape (n, 2), to the centimetre."""
        xy = np.asarray(coordinates, dtype=np.float64)
        points = np.column_stack([xy[:, 0] - self.west_m, self.north_m - xy[:, 1]]).round(2)
        listed: list[list[float]] = points.tolist()
        return listed

    def to_crs(self, points: Any) -> list[tuple[float, float]]:
        """Points of the plan as coordinates of the CRS."""
        return [(self.west_m + float(x), self.north_m - float(y)) for x, y in points]


@dataclass(frozen=True)
class Base:
    """What does not change while somebody draws."""

    plane: Plane
    size_m: tuple[float, float]
    drawn: dict[str, Any]


def build_plan(store: Store, viewer: Viewer, chosen: tuple[str, str] | None) -> tuple[Plane, dict[str, Any]]:
    """The plan as the component takes it; `chosen` is a table and an id."""
    revision = store.revision("community", "buildings", "roads")
    base = _build_base(store, viewer.scope, revision)
    at = base.plane
    gates, walls = find_gates(store, viewer), find_walls(store, viewer)
    parts, owners = shapely.get_parts(walls.geometry.to_numpy(), return_index=True)
    seen = walls["verified_utc"].notna().tolist()
    plan = {
        "size": list(base.size_m),
        "base": base.drawn,
        "gates": [
            {"id": one, "n": name if isinstance(name, str) else "", "k": kind, "v": is_seen, "x": place}
            for one, name, kind, is_seen, place in zip(
                gates["gate_id"], gates["name"], gates["kind"], gates["verified_utc"].notna().tolist(),
                at.to_plan(shapely.get_coordinates(gates.geometry.to_numpy())) if len(gates) else [], strict=True,
            )
        ],
        "walls": [
            {
                "id": walls["wall_id"].iloc[owner], "k": walls["kind"].iloc[owner], "v": seen[owner],
                "l": at.to_plan(shapely.get_coordinates(part)),
            }
            for part, owner in zip(parts, owners.tolist(), strict=True)
        ],
        "chosen": None if chosen is None else {"table": chosen[0], "id": chosen[1]},
    }  # fmt: skip
    return at, plan


@lru_cache(maxsize=8)
def _build_base(store: Store, viewer: Viewer, _revision: int) -> Base:
    outline = find_boundary(store, viewer).geometry.to_numpy()
    buildings, roads = find_buildings(store, viewer), find_roads(store, viewer)
    everything = [*outline, *buildings.geometry]
    west, south, east, north = shapely.total_bounds(np.array(everything, dtype=object)) if everything else (0, 0, 1, 1)
    at = Plane(float(west) - _MARGIN_M, float(north) + _MARGIN_M)
    names = zip(buildings["name"], buildings.geometry, strict=True)
    drawn = {
        "border": _rings(outline, at),
        "buildings": _rings(buildings.geometry.simplify(0.2).to_numpy(), at),
        "roads": [at.to_plan(shapely.get_coordinates(line)) for line in shapely.get_parts(roads.geometry.to_numpy())],
        "labels": [
            {"t": name, "x": at.to_plan(shapely.get_coordinates(shape.representative_point()))[0]}
            for name, shape in names
            if isinstance(name, str)
        ],
    }
    size = (float(east - west) + 2 * _MARGIN_M, float(north - south) + 2 * _MARGIN_M)
    return Base(at, size, drawn)


def _rings(shapes: Any, at: Plane) -> list[list[list[float]]]:
    parts = [part for part in shapely.get_parts(shapes) if part.geom_type == "Polygon"]
    return [at.to_plan(shapely.get_coordinates(part.exterior)) for part in parts]

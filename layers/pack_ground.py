"""The outside picture of a pack as SVG: the house in its surroundings, the way from the gate, north and scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from data.queries import find_buildings, find_entrances, find_gates, find_land, find_roads, find_walls
from data.store import Store
from data.viewer import Role, Viewer

TABLES: Final = ("buildings", "entrances", "gates", "land", "roads", "walls")
_ANYBODY = Viewer(Role.WALL, name="pack")
"""Houses, ways and gates hold no person: one ground serves every viewer."""
SIZE: Final = 1000.0
"""Width and height of the drawing in its own units."""
_LEAST_M: Final = 110.0
_MOST_M: Final = 420.0
_BAR_M: Final = (10, 20, 50, 100)
_FONT: Final = "Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif"
_GREEN, _WATER, _ROAD, _HOUSE, _OURS = "#ececec", "#dddddd", "#ffffff", "#d4d4d4", "#111111"


@dataclass(frozen=True)
class Ground:
    """What surroundings are drawn from, in the community's CRS."""

    buildings: gpd.GeoDataFrame
    entrances: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame
    land: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    walls: gpd.GeoDataFrame


def read_ground(store: Store) -> Ground:
    """The ground as the store is now; read once for each revision of its tables, for a whole round."""
    return _read(store, store.revision(*TABLES))


@lru_cache(maxsize=2)
def _read(store: Store, _revision: int) -> Ground:
    return Ground(
        find_buildings(store, _ANYBODY), find_entrances(store, _ANYBODY), find_gates(store, _ANYBODY),
        find_land(store, _ANYBODY), find_roads(store, _ANYBODY), find_walls(store, _ANYBODY),
    )  # fmt: skip


def draw_outside(
    ground: Ground, point: tuple[float, float], building_id: str | None, way: shapely.LineString | None
) -> str:
    """
    Surroundings of a place, north up, in shades of grey: what is printed is read.

    Parameters
    ----------
    point
        The place in the ground's CRS, metres.
    building_id
        Its building, drawn black.
    way
        From the gate to the door; None where none is known.
    """
    view = _choose_view(ground, point, building_id, way)
    parts = [
        *_areas(ground.land[ground.land["kind"].isin(("green", "pitch"))], view, _GREEN),
        *_areas(ground.land[ground.land["kind"] == "water"], view, _WATER, dash=True),
        *_roads(ground.roads, view),
        *_areas(_without(ground.buildings, building_id), view, _HOUSE, stroke="#777777"),
        *_walls(ground.walls, view),
        *_areas(_only(ground.buildings, building_id), view, _OURS),
        *_way(way, view),
        *_doors(ground.entrances, building_id, view),
        *_gates(ground.gates, view),
        *_names(ground, building_id, view),
        *_frame(view),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE:.0f} {SIZE:.0f}" font-family="{_FONT}">'
        f'<rect width="{SIZE:.0f}" height="{SIZE:.0f}" fill="#f8f8f8"/>{"".join(parts)}</svg>'
    )


@dataclass(frozen=True)
class _View:
    """The square that is drawn: metres of the CRS against units of the drawing, y downwards."""

    west_m: float
    north_m: float
    side_m: float

    @property
    def box(self) -> shapely.Geometry:
        return shapely.box(self.west_m, self.north_m - self.side_m, self.west_m + self.side_m, self.north_m)

    @property
    def unit(self) -> float:
        """Units of the drawing for a metre."""
        return SIZE / self.side_m

    def to_plan(self, xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack([(xy[:, 0] - self.west_m) * self.unit, (self.north_m - xy[:, 1]) * self.unit]).round(1)

    def path(self, shape: shapely.Geometry) -> str:
        """A shape, cut to the square, as the data of a path."""
        drawn = []
        for part in shapely.get_parts(shapely.intersection(shapely.make_valid(shape), self.box)):
            rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
            for ring in rings:
                if ring.geom_type not in ("LineString", "LinearRing"):
                    continue
                points = " L".join(f"{x:g} {y:g}" for x, y in self.to_plan(shapely.get_coordinates(ring)))
                drawn.append(f"M{points}{'Z' if part.geom_type == 'Polygon' else ''}")
        return "".join(drawn)


def _choose_view(
    ground: Ground, point: tuple[float, float], building_id: str | None, way: shapely.LineString | None
) -> _View:
    shapes = [shapely.Point(point), *_only(ground.buildings, building_id).geometry, *([] if way is None else [way])]
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object))
    side = float(np.clip(max(east - west, north - south) * 1.25, _LEAST_M, _MOST_M))
    # A way that is longer than the square goes on beyond it; the house is always in.
    if side < max(east - west, north - south):
        west, south, east, north = shapely.bounds(shapely.Point(point))
    return _View((west + east - side) / 2, (north + south + side) / 2, side)


def _near(frame: gpd.GeoDataFrame, view: _View) -> gpd.GeoDataFrame:
    return frame.iloc[np.sort(frame.sindex.query(view.box))] if len(frame) else frame


def _only(buildings: gpd.GeoDataFrame, building_id: str | None) -> gpd.GeoDataFrame:
    return buildings[buildings["building_id"] == building_id]


def _without(buildings: gpd.GeoDataFrame, building_id: str | None) -> gpd.GeoDataFrame:
    return buildings[buildings["building_id"] != building_id]


def _areas(
    frame: gpd.GeoDataFrame, view: _View, fill: str, *, stroke: str = "none", dash: bool = False
) -> Iterable[str]:
    line = f'stroke="{stroke}" stroke-width="1.5"'
    if dash:
        line = 'stroke="#888888" stroke-width="2" stroke-dasharray="6 5"'
    for shape in _near(frame, view).geometry:
        if path := view.path(shape):
            yield f'<path d="{path}" fill="{fill}" fill-rule="evenodd" {line}/>'


def _roads(roads: gpd.GeoDataFrame, view: _View) -> Iterable[str]:
    near = _near(roads, view)
    for shape, width_m in zip(near.geometry, near["width_m"].fillna(3.0), strict=True):
        width = max(float(width_m) * view.unit, 4.0)
        if path := view.path(shape):
            yield f'<path d="{path}" fill="none" stroke="#c9c9c9" stroke-width="{width + 3:.1f}"/>'
            yield f'<path d="{path}" fill="none" stroke="{_ROAD}" stroke-width="{width:.1f}"/>'


def _walls(walls: gpd.GeoDataFrame, view: _View) -> Iterable[str]:
    for shape in _near(walls, view).geometry:
        if path := view.path(shape):
            yield f'<path d="{path}" fill="none" stroke="#555555" stroke-width="3" stroke-dasharray="14 4 3 4"/>'


def _way(way: shapely.LineString | None, view: _View) -> Iterable[str]:
    if way is None or not (path := view.path(way)):
        return
    yield f'<path d="{path}" fill="none" stroke="#ffffff" stroke-width="15" stroke-linejoin="round"/>'
    yield (
        f'<path d="{path}" fill="none" stroke="#000000" stroke-width="7" stroke-linejoin="round" '
        'stroke-dasharray="18 9"/>'
    )


def _doors(entrances: gpd.GeoDataFrame, building_id: str | None, view: _View) -> Iterable[str]:
    ours = entrances[entrances["building_id"] == building_id]
    for x, y in view.to_plan(shapely.get_coordinates(ours.geometry.to_numpy())):
        yield f'<circle cx="{x:g}" cy="{y:g}" r="8" fill="#ffffff" stroke="#000000" stroke-width="4"/>'


def _gates(gates: gpd.GeoDataFrame, view: _View) -> Iterable[str]:
    near = _near(gates, view)
    for name, (x, y) in zip(near["name"], view.to_plan(shapely.get_coordinates(near.geometry.to_numpy())), strict=True):
        yield (
            f'<rect x="{x - 11:g}" y="{y - 11:g}" width="22" height="22" fill="#ffffff" stroke="#000000" '
            'stroke-width="5"/>'
        )
        if isinstance(name, str):
            yield _text(name, _clip(x, 70), _clip(y - 20 if y > 60 else y + 42, 30), 26)


def _names(ground: Ground, building_id: str | None, view: _View) -> Iterable[str]:
    """Numbers of the houses on them: ours in white, those of others as far as they fit."""
    near = _near(ground.buildings, view)
    for row_id, name, shape in zip(near["building_id"], near["name"], near.geometry, strict=True):
        if not isinstance(name, str):
            continue
        inside = shapely.intersection(shape, view.box)
        if inside.is_empty or (row_id != building_id and inside.area < 0.6 * shape.area):
            continue
        ((x, y),) = view.to_plan(shapely.get_coordinates(inside.representative_point()))
        yield _text(name, x, y + 9, 30 if row_id == building_id else 22, ours=row_id == building_id)
    roads = _near(ground.roads, view)
    seen: set[str] = set()
    for name, shape in zip(roads["name"], roads.geometry, strict=True):
        inside = shapely.intersection(shape, view.box)
        if not isinstance(name, str) or name in seen or inside.length * view.unit < 150:
            continue
        seen.add(name)
        ((x, y),) = view.to_plan(shapely.get_coordinates(_find_middle(inside)))
        yield _text(name, _clip(x, 80), _clip(y + 8, 30), 22)


def _find_middle(shape: shapely.Geometry) -> shapely.Geometry:
    """Half along its longest part."""
    parts = shapely.get_parts(shape)
    middle: shapely.Geometry = shapely.line_interpolate_point(
        parts[int(np.argmax(shapely.length(parts)))], 0.5, normalized=True
    )
    return middle


def _clip(value: float, margin: float) -> float:
    return float(np.clip(value, margin, SIZE - margin))


def _text(text: str, x: float, y: float, size: int, *, ours: bool = False) -> str:
    """Words with a halo, so that lines under them do not cut them."""
    ink, halo = ("#ffffff", "#000000") if ours else ("#000000", "#ffffff")
    at = f'x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle"'
    # A second text below instead of paint-order, which some drawers of SVG do not know.
    return (
        f'<text {at} fill="none" stroke="{halo}" stroke-width="6" stroke-linejoin="round">{escape(text)}</text>'
        f'<text {at} fill="{ink}">{escape(text)}</text>'
    )


def _frame(view: _View) -> Iterable[str]:
    """North arrow, scale bar and border."""
    bar_m = max((one for one in _BAR_M if one * view.unit <= 300), default=_BAR_M[0])
    length = bar_m * view.unit
    yield (
        '<rect x="905" y="14" width="82" height="118" fill="#ffffff" fill-opacity="0.85"/>'
        '<path d="M946 26L974 104L946 86L918 104Z" fill="#000000"/>'
    )
    yield _text("N", 946, 126, 26)
    yield (
        f'<rect x="14" y="936" width="{length + 120:.0f}" height="50" fill="#ffffff" fill-opacity="0.85"/>'
        f'<path d="M28 950V970H{28 + length:.1f}V950" fill="none" stroke="#000000" stroke-width="4"/>'
    )
    yield _text(f"{bar_m} m", 28 + length + 50, 974, 28)
    side = f"{SIZE - 4:.0f}"
    yield f'<rect x="2" y="2" width="{side}" height="{side}" fill="none" stroke="#000000" stroke-width="3"/>'

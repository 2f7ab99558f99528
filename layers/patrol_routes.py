"""The map of one patrol route as SVG by itself, dark on white: for paper and for a plain page of a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from data.queries import find_buildings, find_roads, find_walls
from data.store import Store
from data.viewer import Role, Viewer
from i18n import Language, t

Json = Mapping[str, Any]
Floats = NDArray[np.float64]
_MARGIN_M, _LEAST_M = 30.0, 150.0
_TABLES = ("buildings", "roads", "walls")
_ANYBODY = Viewer(Role.WALL, name="routes")
"""Houses, roads and walls hold no person: one drawing serves every viewer."""
_STYLE = {
    "b": 'fill="#dcdfe4"',
    "r": 'fill="none" stroke="#f1ead6" stroke-width="5" stroke-linecap="round"',
    "w": 'fill="none" stroke="#8d826c" stroke-width="1.2"',
}
# How large marks are: as if the drawing were so many units wide.
_WIDTH = 400.0


def draw_route(store: Store, team: Json, *, ratio: float = 1.35, fonts: Sequence[str] = ()) -> str:
    """
    The map.

    Parameters
    ----------
    team
        As `PlanDraft.found` has it: start, stops with their ways, the way back.
    ratio
        Width to height.
    fonts
        Families for the numbers; none: whatever the reader has.
    """
    ways = [stop["way"] for stop in team["stops"]] + [team["back"]]
    lines = [np.array(way["line"], dtype=np.float64) for way in ways if way is not None and len(way["line"]) > 1]
    points = np.array([[one["x_m"], one["y_m"]] for one in (team["start"], *team["stops"])], dtype=np.float64)
    window = _find_window(np.vstack([points, *lines]), ratio)
    west, south, east, north = window
    unit = (east - west) / _WIDTH
    frame = shapely.box(*window)
    parts = [
        f'<path {_STYLE[css]} d="{_path(shape, west, north, is_area=css == "b")}"/>'
        for css, shapes in _read_ground(store, store.revision(*_TABLES))
        for shape in shapes[shapely.intersects(shapes, frame)]
    ]
    for line in lines:
        said = " ".join(f"{x - west:.1f},{north - y:.1f}" for x, y in line.tolist())
        parts.append(
            f'<polyline points="{said}" fill="none" stroke="#1466a8" stroke-width="{2.6 * unit:.2f}" '
            'stroke-linejoin="round" stroke-linecap="round" stroke-opacity="0.8"/>'
        )
    x, y = points[0] - (west, north)
    side = 6 * unit
    parts.append(
        f'<rect x="{x - side:.1f}" y="{-y - side:.1f}" width="{2 * side:.1f}" height="{2 * side:.1f}" fill="#111"/>'
    )
    family = ", ".join([*fonts, "sans-serif"])
    parts += [
        _draw_number(px - west, north - py, numbers, unit, family)
        for (px, py), numbers in _number_places(team["stops"]).items()
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {east - west:.0f} {north - south:.0f}" role="img">'
        f'<rect width="100%" height="100%" fill="#fbfaf6"/>{"".join(parts)}</svg>'
    )


def say_gates(way: Json | None, lang: Language) -> str:
    """Gates on the way in order, and until when each is open."""
    if way is None:
        return t("patrol.no_way_then", lang)
    stop = t("patrol.gate_join", lang)
    return stop.join(
        str(gate["name"] or gate["gate_id"])
        if gate["closes_at"] is None
        else t("patrol.gate_until", lang, name=gate["name"] or gate["gate_id"], at=gate["closes_at"])
        for gate in way["gates"]
    )


@lru_cache(maxsize=2)
def _read_ground(store: Store, _revision: int) -> list[tuple[str, NDArray[np.object_]]]:
    roads, houses, walls = (find(store, _ANYBODY) for find in (find_roads, find_buildings, find_walls))
    return [
        (css, shapely.get_parts(frame.geometry.dropna().to_numpy()))
        for css, frame in (("r", roads), ("b", houses), ("w", walls))
    ]


def _find_window(xy: Floats, ratio: float) -> tuple[float, float, float, float]:
    (west, south), (east, north) = xy.min(axis=0) - _MARGIN_M, xy.max(axis=0) + _MARGIN_M
    width, height = max(east - west, _LEAST_M), max(north - south, _LEAST_M / ratio)
    width, height = max(width, height * ratio), max(height, width / ratio)
    x, y = (west + east) / 2, (south + north) / 2
    return float(x - width / 2), float(y - height / 2), float(x + width / 2), float(y + height / 2)


def _number_places(stops: Sequence[Json]) -> dict[tuple[float, float], list[int]]:
    """Which stops of the order are at each place."""
    numbers: dict[tuple[float, float], list[int]] = {}
    for number, stop in enumerate(stops, start=1):
        numbers.setdefault((float(stop["x_m"]), float(stop["y_m"])), []).append(number)
    return numbers


def _draw_number(x: float, y: float, numbers: Sequence[int], unit: float, family: str) -> str:
    said = ",".join(map(str, numbers))
    width = (9 + 6 * len(said)) * unit
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - 8.5 * unit:.1f}" width="{width:.1f}" height="{17 * unit:.1f}" '
        f'rx="{8 * unit:.1f}" fill="#fff" stroke="#111" stroke-width="{1.3 * unit:.2f}"/>'
        f'<text x="{x:.1f}" y="{y + 4 * unit:.1f}" font-size="{11 * unit:.1f}" font-weight="700" fill="#111" '
        f'text-anchor="middle" font-family="{family}">{said}</text>'
    )


def _path(shape: Any, west: float, north: float, *, is_area: bool) -> str:
    rings = shapely.get_rings(shape) if is_area else [shape]
    return "".join(
        "M"
        + "L".join(f"{x - west:.1f} {north - y:.1f}" for x, y in shapely.get_coordinates(ring).tolist())
        + ("Z" if is_area else "")
        for ring in rings
    )

"""The small map of the dispatch page as SVG: houses, walls, gates, the way. Places and call signs only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from data.queries import find_buildings, find_gates, find_roads, find_walls
from data.store import Store
from data.viewer import Viewer

_MARGIN_M, _LEAST_M = 40.0, 160.0
_STYLE = "".join(
    f".sh-way {rule}"
    for rule in (
        ".b{fill:#2b3d56}",
        ".w{fill:none;stroke:#8a7a5c;stroke-width:1.6}",
        ".r{fill:none;stroke:#1d2f46;stroke-width:5;stroke-linecap:round}",
        ".p{fill:none;stroke:#7cc4ee;stroke-width:4;stroke-linejoin:round;stroke-linecap:round}",
        ".g{fill:#5fd0b4;stroke:#0b1422;stroke-width:1}",
        ".f{fill:#7cc4ee;stroke:#0b1422;stroke-width:1.5}",
        ".i{fill:#ff3b3b;stroke:#fff;stroke-width:1.5}",
        ".h{fill:none;stroke:#ff3b3b;stroke-width:1.5;stroke-opacity:.7}",
        "text{font:600 11px sans-serif;fill:#dce6f2;text-anchor:middle}",
        "text{paint-order:stroke;stroke:#0b1422;stroke-width:3px}",
    )
)


def build_way_map(
    store: Store, viewer: Viewer, *, place: Any, way: Sequence[tuple[float, float]], forces: Mapping[str, Any],
    gates: Sequence[str], title: str,
) -> str:  # fmt: skip
    """
    The map.

    Parameters
    ----------
    place
        Point of the incident, in the community's CRS, metres.
    way
        The way to it, (x, y); empty for none.
    forces
        Points by call sign of who is drawn.
    gates
        Ids of gates on the way.
    title
        Read out by screen readers.
    """
    shapes = [place, *forces.values(), *([shapely.LineString(way)] if len(way) > 1 else [])]
    window = find_window(shapes)
    west, south, east, north = window.bounds
    at = Plane(west, north)
    parts = [
        f'<path class="{css}" d="{at.draw(shape)}"/>'
        for css, frame in (
            ("r", find_roads(store, viewer)),
            ("b", find_buildings(store, viewer)),
            ("w", find_walls(store, viewer)),
        )
        for shape in crop(frame, window)
    ]
    if len(way) > 1:
        parts.append(f'<path class="p" d="{at.line(np.asarray(way))}"/>')
    known = find_gates(store, viewer)
    for _, gate in known[known["gate_id"].isin(list(gates))].iterrows():
        x, y = at.point(gate["geom"])
        name = escape(str(gate["name"] or ""))
        parts.append(
            f'<rect class="g" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"><title>{name}</title></rect>'
        )
        parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}">{name[:12]}</text>')
    for call_sign, point in forces.items():
        x, y = at.point(point)
        parts.append(f'<circle class="f" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}">{escape(call_sign)[:12]}</text>')
    x, y = at.point(place)
    parts.append(
        f'<circle class="h" cx="{x:.1f}" cy="{y:.1f}" r="14"/><circle class="i" cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
    )
    return (
        f'<svg class="sh-way" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {east - west:.0f} {north - south:.0f}" '
        f'role="img" style="width:100%;max-height:60vh;background:#0b1422;border-radius:8px"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style>{''.join(parts)}</svg>"
    )


def find_window(shapes: Sequence[Any]) -> Any:
    """A box around shapes with a margin, never smaller than a block."""
    west, south, east, north = shapely.GeometryCollection(list(shapes)).bounds
    grow_x = max(_MARGIN_M, (_LEAST_M - (east - west)) / 2)
    grow_y = max(_MARGIN_M, (_LEAST_M - (north - south)) / 2)
    return shapely.box(west - grow_x, south - grow_y, east + grow_x, north + grow_y)


def crop(frame: gpd.GeoDataFrame, window: Any) -> list[Any]:
    """Shapes that a box touches."""
    return list(frame.geometry[frame.geometry.intersects(window)])


class Plane:
    """Metres of the CRS to the drawing's units: metres east and south of its corner."""

    def __init__(self, west_m: float, north_m: float) -> None:
        self._west_m, self._north_m = west_m, north_m

    def point(self, shape: Any) -> tuple[float, float]:
        return shape.x - self._west_m, self._north_m - shape.y

    def line(self, xy: np.ndarray) -> str:
        points = np.column_stack([xy[:, 0] - self._west_m, self._north_m - xy[:, 1]]).round(1)
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in points.tolist())

    def draw(self, shape: Any) -> str:
        if shape.geom_type in ("Polygon", "MultiPolygon"):
            rings = shapely.get_rings(shapely.get_parts(shape))
            return "".join(self.line(shapely.get_coordinates(ring)) + "Z" for ring in rings)
        return "".join(self.line(shapely.get_coordinates(part)) for part in shapely.get_parts(shape))

"""The map of a round as SVG: houses, walls, the way from visit to visit, each with its number. Places only."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import shapely

from data.queries import find_buildings, find_roads, find_walls
from data.store import Store
from data.viewer import Viewer
from tasks.round_plan import PlannedRound
from ui.dispatch_map import Plane, crop, find_window

_STYLE = "".join(
    f".sh-round {rule}"
    for rule in (
        ".b{fill:#2b3d56}",
        ".w{fill:none;stroke:#8a7a5c;stroke-width:1.6}",
        ".r{fill:none;stroke:#1d2f46;stroke-width:5;stroke-linecap:round}",
        ".p{fill:none;stroke:#7cc4ee;stroke-width:3;stroke-linejoin:round;stroke-linecap:round}",
        ".k{fill:none;stroke:#7cc4ee;stroke-width:2;stroke-dasharray:6 6}",
        ".n{fill:#0b1422;stroke:#ffbe54}",
        ".s{fill:#5fd0b4;stroke:#0b1422}",
        ".x{fill:#6b7a90;stroke:#0b1422}",
        "text{font-weight:600;font-family:sans-serif;fill:#ffe0a6;text-anchor:middle;dominant-baseline:central}",
    )
)


def build_round_map(store: Store, viewer: Viewer, plan: PlannedRound, start: Any, *, title: str) -> str:
    """The map; `start` is a point in the community's CRS. What is left out is a grey point."""
    lines = [shapely.LineString(one.way.coordinates) for one in plan.visits if one.way and _has_line(one.way)]
    back = [shapely.LineString(plan.back.coordinates)] if plan.back and _has_line(plan.back) else []
    points = [one.task["geom"] for one in plan.visits]
    absent = [one.task["geom"] for one in plan.left_out if one.why != "no_place"]
    window = find_window([start, *points, *absent, *lines, *back])
    west, south, east, north = window.bounds
    at, unit = Plane(west, north), max(east - west, north - south) / 420
    parts = [
        f'<path class="{css}" d="{at.draw(shape)}"/>'
        for css, frame in (
            ("r", find_roads(store, viewer)), ("b", find_buildings(store, viewer)), ("w", find_walls(store, viewer)),
        )
        for shape in crop(frame, window)
    ]  # fmt: skip
    parts += [f'<path class="p" d="{at.line(np.asarray(line.coords))}"/>' for line in lines]
    parts += [f'<path class="k" d="{at.line(np.asarray(line.coords))}"/>' for line in back]
    for point in absent:
        x, y = at.point(point)
        parts.append(f'<circle class="x" cx="{x:.1f}" cy="{y:.1f}" r="{5 * unit:.1f}"/>')
    x, y = at.point(start)
    side = 14 * unit
    parts.append(
        f'<rect class="s" x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}"/>'
    )
    parts += [_draw_stop(numbers, task, at, unit) for numbers, task in reversed(_join(plan).values())]
    return (
        f'<svg class="sh-round" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {east - west:.0f} {north - south:.0f}" '
        f'role="img" style="width:100%;max-height:70vh;background:#0b1422;border-radius:8px"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style>{''.join(parts)}</svg>"
    )


def _has_line(way: Any) -> bool:
    return way is not None and len(way.coordinates) > 1


def _join(plan: PlannedRound) -> dict[tuple[float, float], tuple[list[int], Any]]:
    """Numbers of visits by point: homes above one another have one mark."""
    found: dict[tuple[float, float], tuple[list[int], Any]] = {}
    for number, one in enumerate(plan.visits, start=1):
        point = one.task["geom"]
        found.setdefault((round(point.x), round(point.y)), ([], one.task))[0].append(number)
    return found


def say_numbers(numbers: Sequence[int]) -> str:
    """Numbers as they are written on a mark: 3–5, 8."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}–{p[-1]}" for p in parts)


def _draw_stop(numbers: Sequence[int], task: Any, at: Plane, unit: float) -> str:
    x, y = at.point(task["geom"])
    label, name = say_numbers(numbers), escape(str(task["place_text"]))
    wide = max(18.0, 6.5 * len(label) + 8) * unit
    return (
        f'<g><title>{label} {name}</title><rect class="n" x="{x - wide / 2:.1f}" y="{y - 9 * unit:.1f}" '
        f'width="{wide:.1f}" height="{18 * unit:.1f}" rx="{9 * unit:.1f}" stroke-width="{2 * unit:.1f}"/>'
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{10 * unit:.1f}">{label}</text></g>'
    )

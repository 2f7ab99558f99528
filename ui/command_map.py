"""The plan of the commander's page as SVG: quiet ground, hot cells, numbered places, hatched where it is too few."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

import numpy as np
import shapely

from incidents.baselines import TOO_FEW
from ui.command_data import Place, Situation, ZoneState

_MARGIN_M = 12.0
# Under the plan's own class: a style inside a drawing holds for the whole page.
_STYLE = "".join(
    f".sh-plan {rule}"
    for rule in (
        ".g{fill:#142133;stroke:#2f4a66;stroke-width:2}",
        ".b{fill:#33465f}",
        ".b:hover{fill:#4f6a8d}",
        ".s{fill:#7cc4ee}",
        ".f{fill:url(#few)}",
        ".h{fill:#ff9e42;fill-opacity:.42}",
        ".a{fill:#ff9e42;fill-opacity:.14;stroke:#ff9e42;stroke-width:1.5}",
        ".z{fill:#5fd0b4;fill-opacity:.12;stroke:#5fd0b4;stroke-width:2;stroke-dasharray:8 5}",
        ".d{fill:#7cc4ee;fill-opacity:.2;stroke:#7cc4ee;stroke-width:2}",
        ".n{fill:#ff9e42;stroke:#0b1422;stroke-width:2}",
        ".n.t{fill:url(#few);stroke:#ff9e42}",
        ".on{stroke:#fff;stroke-width:4}",
        "text{font:700 17px sans-serif;text-anchor:middle;dominant-baseline:central;fill:#0b1422;pointer-events:none}",
        "text.t{fill:#ffd9ad}",
        "text.z{font-size:15px;fill:#8fe6d0;stroke:none;fill-opacity:1}",
        "[data-pick]{cursor:pointer}",
    )
)
_HATCH = (
    '<defs><pattern id="few" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="7" height="7" fill="#24364d"/><rect width="2" height="7" fill="#7f93ab"/></pattern></defs>'
)


def build_map(
    situation: Situation, zones: Sequence[ZoneState], *, title: str, on: int | None = None,
    chosen: Collection[str] = (), draft: Any = None, picks_buildings: bool = False,
) -> str:  # fmt: skip
    """
    The plan.

    Parameters
    ----------
    situation, zones
        What is drawn: outlines of open zones, hot cells and numbered places.
    title
        Read out by screen readers.
    on
        Number of the chosen place, from 1.
    chosen
        Buildings that are lit.
    draft
        Outline of a zone that is being drawn.
    picks_buildings
        A building can be clicked: `building:ID`; else places can: `place:NUMBER`.
    """
    west, south, east, north = situation.outline.bounds
    at = _Plane(west - _MARGIN_M, north + _MARGIN_M)
    width, height = east - west + 2 * _MARGIN_M, north - south + 2 * _MARGIN_M
    is_few = situation.cells is None
    parts = [f'<path class="g{" f" if is_few else ""}" d="{at.path(situation.outline)}"/>']
    few = find_too_few(situation)
    for building, shape in zip(situation.buildings.index, situation.buildings.geometry, strict=True):
        state = " s" if building in chosen else " f" if building in few else ""
        pick = f' data-pick="building:{escape(str(building))}"' if picks_buildings else ""
        name = escape(situation.names.get(building, ""))
        parts.append(f'<path class="b{state}"{pick} d="{at.path(shape)}"><title>{name}</title></path>')
    if situation.cells is not None:
        hot = situation.cells.cells
        parts += [f'<path class="h" d="{at.path(shape)}"/>' for shape in hot[hot["hot"]].geometry]
    parts += [_draw_zone(zone, at) for zone in zones if zone.row["status"] == "open"]
    if draft is not None and not draft.is_empty:
        parts.append(f'<path class="d" d="{at.path(draft)}"/>')
    if not picks_buildings:
        parts += [_draw_place(n, place, at, n == on) for n, place in enumerate(situation.places, start=1)]
    return (
        f'<svg class="sh-plan" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'style="width:100%;max-height:72vh;background:#0b1422;border-radius:8px"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>{_HATCH}{''.join(parts)}</svg>"
    )


def find_too_few(situation: Situation) -> set[str]:
    """Buildings with incidents in the period that nothing can be said about."""
    now = set(situation.rows.loc[situation.in_period, "building_id"].dropna())
    known = situation.by_place
    told = set(known.loc[known["verdict"] != TOO_FEW, "place_id"]) if len(known) else set()
    return now - told


def _draw_zone(zone: ZoneState, at: _Plane) -> str:
    x, y = at.point(zone.geometry.representative_point())
    name = escape(str(zone.row["name"]))
    return (
        f'<path class="z" data-pick="zone:{escape(str(zone.row["zone_id"]))}" d="{at.path(zone.geometry)}">'
        f'<title>{name}</title></path><text class="z" x="{x:.1f}" y="{y:.1f}">{name[:40]}</text>'
    )


def _draw_place(number: int, place: Place, at: _Plane, is_on: bool) -> str:
    x, y = at.point(place.hot.geometry.representative_point())
    area = f'<path class="a" d="{at.path(place.hot.geometry)}"/>' if place.hot.geometry.area > 0 else ""
    few = " t" if place.verdict == TOO_FEW else ""
    return (
        f'{area}<g data-pick="place:{number}" tabindex="0" role="button"><title>{escape(place.hot.name)}</title>'
        f'<circle class="n{few}{" on" if is_on else ""}" cx="{x:.1f}" cy="{y:.1f}" r="15"/>'
        f'<text class="{few.strip()}" x="{x:.1f}" y="{y:.1f}">{number}</text></g>'
    )


class _Plane:
    """Metres of the CRS to the drawing's units: metres east and south of its corner."""

    def __init__(self, west_m: float, north_m: float) -> None:
        self._west_m, self._north_m = west_m, north_m

    def point(self, shape: Any) -> tuple[float, float]:
        return shape.x - self._west_m, self._north_m - shape.y

    def path(self, shape: Any) -> str:
        rings = shapely.get_rings(shapely.get_parts(shape))
        return "".join(self._ring(shapely.get_coordinates(ring)) for ring in rings)

    def _ring(self, xy: np.ndarray) -> str:
        points = np.column_stack([xy[:-1, 0] - self._west_m, self._north_m - xy[:-1, 1]]).round(1)
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in points.tolist()) + "Z"

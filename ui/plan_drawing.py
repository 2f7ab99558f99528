"""One storey of a schematic plan as SVG, its front below; rooms can be clicked."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from data.building_plans import House
from data.plan_spec import Plan
from i18n import Language, t

_WIDTH, _MOST_HIGH, _PAD = 1000.0, 520.0, 46.0
_FILL = {"known": "#2f5f8c", "empty": "#22344e", "landing": "#3d4f63"}


def draw_storey(
    house: House, plan: Plan, matched: Mapping[int, str], level: int, chosen: str | None, lang: Language
) -> str:
    """
    SVG; each room's `data-pick` is `level|entrance|index`.

    Rooms in which a unit of the register is are full, others hatched; it says that it is schematic.
    """
    long, deep = (max(float(side), 1.0) for side in house.front.size_m)
    scale = min((_WIDTH - 2 * _PAD) / long, (_MOST_HIGH - 2 * _PAD) / deep)
    height = deep * scale + 2 * _PAD

    def path(shape: Polygon) -> str:
        parts = []
        for ring in (shape.exterior, *shape.interiors):
            points = house.front.turn(shapely.get_coordinates(ring))
            parts.append(
                "M" + "L".join(f"{_PAD + a * scale:.1f} {height - _PAD - d * scale:.1f}" for a, d in points) + "Z"
            )
        return "".join(parts)

    def middle(shape: BaseGeometry) -> tuple[float, float]:
        a, d = house.front.turn(np.array(shape.point_on_surface().coords))[0]
        return _PAD + float(a) * scale, height - _PAD - float(d) * scale

    drawn = [
        '<defs><pattern id="pl-hatch" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="9" height="9" fill="#22344e"/><rect width="3" height="9" fill="#3f5878"/></pattern></defs>'
    ]
    drawn += [f'<path d="{path(way)}" fill="{_FILL["landing"]}"/>' for at, way in plan.landings if at == level]
    for i, room in enumerate(plan.rooms):
        if room.level != level:
            continue
        pick = f"{room.level}|{room.entrance}|{room.index}"
        fill = _FILL["known"] if i in matched else "url(#pl-hatch)"
        edge = ("#ffffff", 4) if pick == chosen else ("#0b1420", 2)
        x, y = middle(room.outline)
        drawn.append(
            f'<g data-pick="{escape(pick, quote=True)}" role="button" tabindex="0" style="cursor:pointer">'
            f'<path d="{path(room.outline)}" fill="{fill}" stroke="{edge[0]}" stroke-width="{edge[1]}"/>'
            f'<text x="{x:.1f}" y="{y:.1f}" fill="#e8f1fb" font-size="22" font-weight="700" text-anchor="middle" '
            f'dominant-baseline="central">{escape(room.number)}</text></g>'
        )
    for door in house.entrances:
        x, y = middle(door.at)
        drawn.append(f'<path d="M{x:.1f} {y + 3:.1f}l-9 16h18Z" fill="#7cc4ee"/>')
    words = escape(t("plans.schematic", lang))
    drawn.append(
        f'<text x="{_PAD}" y="{_PAD * 0.55:.0f}" fill="#ffd98a" font-size="20" font-weight="700">{words}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="100%" role="img" '
        f'aria-label="{words}">{"".join(drawn)}</svg>'
    )

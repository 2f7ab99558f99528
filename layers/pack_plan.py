"""
The floor plan of a pack: the storey with the home marked, and beside it the front with its window, as SVG.

Fed by the scene `inside`: both are seen as one stands before the entrances. Where no outline is known the homes of the
storey are drawn as boxes in the order of their numbers, and the drawing says that it is schematic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

_FONT: Final = "Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif"
_WIDTH: Final = 1000.0
_PLAN_HEIGHT: Final = 420.0
_FRONT_HEIGHT: Final = 400.0
_GAP: Final = 60.0
_OURS, _SAME, _PAPER = "#111111", "#dddddd", "#ffffff"


def is_schematic(inside: Mapping[str, Any], unit_id: str | None) -> bool:
    """Whether the storey of this home is no drawing of its own: made from a footprint, or boxes for want of any."""
    return bool(inside.get("schematic")) or not _has_outlines(inside, unit_id)


def _has_outlines(inside: Mapping[str, Any], unit_id: str | None) -> bool:
    return any(one["p"] for one in _list_storey(inside, unit_id))


def draw_plan(inside: Mapping[str, Any], unit_id: str | None) -> str:
    """
    Storey and front of a building, the home `unit_id` black; without one (a whole building) the ground floor.

    Parameters
    ----------
    inside
        Record of the scene `inside`.
    """
    parts = [
        *_draw_storey(inside, unit_id, top=0.0),
        *_draw_front(inside, unit_id, top=_PLAN_HEIGHT + _GAP),
    ]
    height = _PLAN_HEIGHT + _GAP + _FRONT_HEIGHT + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" font-family="{_FONT}">'
        f'<rect width="{_WIDTH:.0f}" height="{height:.0f}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def find_level(inside: Mapping[str, Any], unit_id: str | None) -> int:
    """Storey of the home; without one the lowest above ground."""
    return next((int(one["l"]) for one in inside["units"] if one["id"] == unit_id), 1)


def _list_storey(inside: Mapping[str, Any], unit_id: str | None) -> list[Mapping[str, Any]]:
    level = find_level(inside, unit_id)
    return [one for one in inside["units"] if one["l"] == level]


def _draw_storey(inside: Mapping[str, Any], unit_id: str | None, *, top: float) -> Iterable[str]:
    units = _list_storey(inside, unit_id)
    if not _has_outlines(inside, unit_id):
        yield from _draw_boxes(units, unit_id, top)
        return
    along, depth = (max(float(size), 1.0) for size in inside["size"])
    scale = min((_WIDTH - 20) / along, (_PLAN_HEIGHT - 70) / depth)
    left = (_WIDTH - along * scale) / 2

    def place(point: Any) -> tuple[float, float]:  # the front is at the bottom of the sheet, as one stands before it
        return left + float(point[0]) * scale, top + 10 + (depth - float(point[1])) * scale

    for ring in inside["outline"]:
        yield f'<path d="{_path(ring, place)}" fill="#f4f4f4" stroke="#000000" stroke-width="4"/>'
    for one in units:
        ours = one["id"] == unit_id
        for ring in one["p"]:
            yield (
                f'<path d="{_path(ring, place)}" fill="{_OURS if ours else _PAPER}" stroke="#000000" stroke-width="3"/>'
            )
        if one["x"]:
            x, y = place(one["x"])
            yield _text(str(one["n"]), x, y + 11, 34 if ours else 26, white=ours)
    for one in inside["entrances"]:
        x, y = place(one["x"])
        yield f'<path d="M{x - 15:.1f} {y + 26:.1f}L{x + 15:.1f} {y + 26:.1f}L{x:.1f} {y + 4:.1f}Z" fill="#000000"/>'
        yield _text(str(one["n"]), x, y + 52, 24)


def _draw_boxes(units: list[Mapping[str, Any]], unit_id: str | None, top: float) -> Iterable[str]:
    """Homes of a storey without outlines."""
    if not units:
        return
    ordered = sorted(units, key=lambda one: (len(str(one["n"])), str(one["n"])))
    width = (_WIDTH - 20) / len(ordered)
    for number, one in enumerate(ordered):
        ours, x = one["id"] == unit_id, 10 + number * width
        yield (
            f'<rect x="{x:.1f}" y="{top + 60}" width="{width:.1f}" height="240" fill="{_OURS if ours else _PAPER}" '
            'stroke="#000000" stroke-width="3" stroke-dasharray="12 6"/>'
        )
        yield _text(str(one["n"]), x + width / 2, top + 190, 34 if ours else 26, white=ours)


def _draw_front(inside: Mapping[str, Any], unit_id: str | None, *, top: float) -> Iterable[str]:
    """Storeys and homes as they stand above one another; the one that is meant is black, its storey grey."""
    levels = [int(one["l"]) for one in inside["levels"]]
    if not levels:
        return
    ours = find_level(inside, unit_id)
    height = min(_FRONT_HEIGHT / len(levels), 70.0)
    along = max(float(inside["size"][0]), 1.0)
    scale = min((_WIDTH - 160) / along, 40.0)
    left = 80 + ((_WIDTH - 160) - along * scale) / 2
    for number, level in enumerate(levels):
        y = top + number * height
        fill = _SAME if level == ours else _PAPER
        yield (
            f'<rect x="{left:.1f}" y="{y:.1f}" width="{along * scale:.1f}" height="{height:.1f}" fill="{fill}" '
            'stroke="#000000" stroke-width="2"/>'
        )
        if level == ours or number in (0, len(levels) - 1) or height >= 28:
            yield _text(f"{level}F" if level > 0 else f"B{-level}", left - 40, y + height / 2 + 9, 24)
        for one in inside["units"]:
            if one["l"] != level or not one["x"]:
                continue
            x, is_it = left + float(one["x"][0]) * scale, one["id"] == unit_id
            wide, high = (26.0, min(height * 0.7, 34.0)) if is_it else (14.0, min(height * 0.5, 20.0))
            yield (
                f'<rect x="{x - wide / 2:.1f}" y="{y + (height - high) / 2:.1f}" width="{wide}" height="{high:.1f}" '
                f'fill="{_OURS if is_it else _PAPER}" stroke="#000000" stroke-width="2"/>'
            )
    bottom = top + len(levels) * height
    yield f'<path d="M{left - 30:.1f} {bottom:.1f}H{left + along * scale + 30:.1f}" stroke="#000000" stroke-width="5"/>'
    for one in inside["entrances"]:
        x = left + float(one["x"][0]) * scale
        door = min(height * 0.8, 40.0)
        yield f'<rect x="{x - 9:.1f}" y="{bottom - door:.1f}" width="18" height="{door:.1f}" fill="#000000"/>'


def _path(ring: Any, place: Any) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in map(place, ring)) + "Z"


def _text(text: str, x: float, y: float, size: int, *, white: bool = False) -> str:
    ink = "#ffffff" if white else "#000000"
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="middle" fill="{ink}">{escape(text)}</text>'

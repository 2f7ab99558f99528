"""The plan of the commander's page as SVG: quiet ground, hot cells, numbered places, hatched where it is too few."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

from incidents.baselines import TOO_FEW
from ui.command_data import Place, Situation, ZoneState
from ui.command_plan import Plane, draw_buildings, draw_ground


def build_map(
    situation: Situation, zones: Sequence[ZoneState], *, title: str, on: int | None = None,
    chosen: Collection[str] = (), draft: Any = None, with_places: bool = True,
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
    with_places
        Numbered places are drawn, and clicked: `place:NUMBER`. A building always can be: `building:ID`.
    """
    at = Plane(situation.outline)
    few = find_too_few(situation)
    parts = [
        draw_ground(situation, at, is_few=situation.cells is None),
        *draw_buildings(situation, at, lambda one: "s" if one in chosen else "f" if one in few else "", picks=True),
    ]
    if situation.cells is not None:
        hot = situation.cells.cells
        parts += [f'<path class="h" d="{at.path(shape)}"/>' for shape in hot[hot["hot"]].geometry]
    parts += [_draw_zone(zone, at) for zone in zones if zone.row["status"] == "open"]
    if draft is not None and not draft.is_empty:
        parts.append(f'<path class="d" d="{at.path(draft)}"/>')
    if with_places:
        parts += [_draw_place(n, place, at, n == on) for n, place in enumerate(situation.places, start=1)]
    return at.wrap(parts, title)


def find_too_few(situation: Situation) -> set[str]:
    """Buildings with incidents in the period that nothing can be said about."""
    now = set(situation.rows.loc[situation.in_period, "building_id"].dropna())
    known = situation.by_place
    told = set(known.loc[known["verdict"] != TOO_FEW, "place_id"]) if len(known) else set()
    return now - told


def _draw_zone(zone: ZoneState, at: Plane) -> str:
    x, y = at.point(zone.geometry.representative_point())
    name = escape(str(zone.row["name"]))
    return (
        f'<path class="z" data-pick="zone:{escape(str(zone.row["zone_id"]))}" d="{at.path(zone.geometry)}">'
        f'<title>{name}</title></path><text class="z" x="{x:.1f}" y="{y:.1f}">{name[:40]}</text>'
    )


def _draw_place(number: int, place: Place, at: Plane, is_on: bool) -> str:
    x, y = at.point(place.hot.geometry.representative_point())
    area = f'<path class="a" d="{at.path(place.hot.geometry)}"/>' if place.hot.geometry.area > 0 else ""
    few = " t" if place.verdict == TOO_FEW else ""
    return (
        f'{area}<g data-pick="place:{number}" tabindex="0" role="button"><title>{escape(place.hot.name)}</title>'
        f'<circle class="n{few}{" on" if is_on else ""}" cx="{x:.1f}" cy="{y:.1f}" r="{15 * at.unit:.3g}"/>'
        f'<text class="{few.strip()}" x="{x:.1f}" y="{y:.1f}">{number}</text></g>'
    )
